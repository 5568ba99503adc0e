"""Features for any spine: for exploration, and for audits of what was known at some instant."""

from collections.abc import Mapping

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import from_arrow_type

from nightjar.asof import Clocks
from nightjar.errors import JoinError
from nightjar.features import expressions
from nightjar.features.definitions import feature_facts
from nightjar.joins.exchange import Destination
from nightjar.joins.join import as_of_join, join_with_plans
from nightjar.joins.planner import plan
from nightjar.settings.environment import Placement
from nightjar.settings.project import Project
from nightjar.tables import arrow, rows, scan
from nightjar.tables.rows import Rows
from nightjar.tables.source_definitions import source_table_name
from nightjar.tables.warehouse import Warehouse

PREDICTION_TIME = "prediction_time"


def features_at(warehouse: Warehouse, project: Project, spine: DataFrame | Rows) -> DataFrame:
    """The rows of any spine with the project's features as of their `prediction_time`, made as the night makes them.

    A row sees the facts that were known at its own prediction time, so that a past one gives what was known then, by
    the versions of facts that held then. Columns that the night's own spine takes from its source are the caller's.

    Args:
        warehouse: where the sources' tables lie.
        project: whose feature groups.
        spine: any rows, also repeated ones, with `prediction_time` (TIMESTAMP, an instant) and the columns that the
            feature groups are joined by. A plain time that Python hands to Spark is read in the session's time zone,
            which is UTC in the sessions of `nightjar.runtime.spark`. Millions of rows that lie in files need not go
            through Spark: see `tables.file_splits.read_by_tasks`.

    Returns:
        Exactly the spine's rows, in no particular order, with its columns and one for each feature,
        `<group>__<feature>`, and for each group's latest usable fact `<group>__event_time` and `<group>__known_at`.

    Raises:
        JoinError: the spine lacks a column that features are joined by, or it has another type than the facts' one,
            or `prediction_time` is no instant, or the spine is no DataFrame of Spark.
        TableError: a source has no table yet, or a data file of it is gone. One that is removed later, before the
            DataFrame is used, or damaged, fails Spark's job: as an error of the task with the same words, or as Spark's
            own where facts are shuffled, which names the file (`tables.failures.translate_errors` makes a TableError
            of either).
    """
    _require_rows(spine)
    rows_at = spine if isinstance(spine, Rows) else rows.of_frame(spine)
    _require_clock(rows_at.schema, project.zone)
    tables = {source_table_name(group.source) for group in project.features.values()}
    versions = arrow.pin(warehouse, sorted(tables))
    plans = plan(warehouse, feature_facts(project, versions))
    for facts in plans:
        scan.require_files(facts.files)
    joined = join_with_plans(rows_at, warehouse, plans, Clocks(PREDICTION_TIME, zone=project.zone))
    return expressions.after_join(joined, project).frame()


def with_features(
    spine: Rows,
    warehouse: Warehouse,
    project: Project,
    versions: Mapping[str, int],
    placements: Mapping[str, Placement] | None = None,
    to: Destination | None = None,
) -> Rows:
    """The spine's rows with the features of all groups and the expressions over them; nothing is run yet.

    The exception: where one entity has so many facts that several tasks share them, the spine's rows are counted now.

    Args:
        spine: the rows, with `prediction_time`.
        warehouse: where the sources' tables lie.
        project: whose feature groups.
        versions: source table -> pinned Delta version.
        placements: feature group -> how its facts are joined; the others are chosen by size and layout.
        to: the tasks that receive the result.

    Raises:
        JoinError: a feature does not fit its source, or does not fit the spine.
        UsageError: an expression does not fit the columns.
    """
    facts = feature_facts(project, versions)
    joined = as_of_join(
        spine, warehouse, facts, Clocks(PREDICTION_TIME, zone=project.zone), placements=placements, to=to
    )
    return expressions.after_join(joined, project)


def _require_rows(spine: object) -> None:
    if not isinstance(spine, DataFrame | Rows):
        package, name = type(spine).__module__.partition(".")[0], type(spine).__name__
        raise JoinError(
            f"The spine is a {package}.{name}, expected a DataFrame of Spark: session.createDataFrame(...) makes one "
            "of a frame of pandas, or of a list of rows."
        )


def _require_clock(spine: pa.Schema, zone: str) -> None:
    if PREDICTION_TIME not in spine.names:
        raise JoinError(f"The spine has no column {PREDICTION_TIME!r}; there are {', '.join(spine.names)}.")
    kind = spine.field(PREDICTION_TIME).type
    if not isinstance(kind, pa.TimestampType) or kind.tz is None:
        type_name = from_arrow_type(kind).simpleString().upper()
        advice = (
            f"If its times are of {zone}: to_utc_timestamp(CAST({PREDICTION_TIME} AS TIMESTAMP), '{zone}'), or before "
            f"they are written to a file: pyarrow.compute.assume_timezone(column, '{zone}')."
        )
        if pa.types.is_integer(kind):
            advice = (
                f"If it counts milliseconds: timestamp_millis({PREDICTION_TIME}); if they are the nanoseconds of a "
                f"Parquet file, which Spark takes for numbers: timestamp_micros({PREDICTION_TIME} DIV 1000)."
            )
        raise JoinError(
            f"The spine's column {PREDICTION_TIME!r} is {type_name}, which has no time zone; expected TIMESTAMP. "
            f"{advice}"
        )
