"""`features` and `labels` of a range of dates, in one pass.

Training and the night go through the same functions: a range of one date is a night.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import to_arrow_schema

from nightjar.expressions import failing_expressions, syntax
from nightjar.features import classes, label_quality, spine
from nightjar.features.at import with_features
from nightjar.features.column_checks import require_usable
from nightjar.features.definitions import definitions_hash, label_hash
from nightjar.features.horizons import is_open, open_since, with_horizon
from nightjar.features.label_range import LabelRange, label_range
from nightjar.features.labels import label_versions, not_stored
from nightjar.joins.exchange import Destination
from nightjar.settings.environment import Placement
from nightjar.settings.project import Project
from nightjar.tables import arrow, failures, sink
from nightjar.tables.definitions import features_table, labels_table
from nightjar.tables.entries import DataFile
from nightjar.tables.rows import Rows, of_frame, settle
from nightjar.tables.runs import Outcome
from nightjar.tables.source_definitions import QUALITY, source_table_name
from nightjar.tables.table import Table
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import local_date

log = logging.getLogger("nightjar.features")


@failures.translate_errors()
def build(
    spark: SparkSession,
    warehouse: Warehouse,
    project: Project,
    since: date,
    run_date: date,
    previous: date | None,
    run_id: str,
    placements: Mapping[str, Placement] | None = None,
) -> Outcome:
    """Write the features of `since` to `run_date`, and the labels that have become known by `run_date`.

    Where the spine has no rows on any of the dates' weekdays, no feature is written and the stored ones are removed.

    Args:
        spark: the session.
        warehouse: where tables lie.
        project: what to build.
        since: first date of the range.
        run_date: last date of the range; what is known at its midnight is used for labels.
        previous: run date of the finished build before this one: labels known since then are new.
        run_id: of this run.
        placements: feature group -> how its facts are joined; the others are chosen by size and layout.

    Raises:
        TableError: a source has no table yet, the range has no row though it may have, or an expression cannot be
            computed for one; nothing was written.
        JoinError: a feature does not fit its source; nothing was written.
        UsageError: an expression does not fit the columns, or a feature is of a type that no model takes; nothing was
            written.
    """
    syntax.require_allowed(spark, project.sql_of_rows())
    sources = [source_table_name(name) for name in project.sources]
    versions = arrow.pin(warehouse, sources)
    with failing_expressions.translate_errors(project.sql_of_rows()):
        rows = settle(spine.spine_rows(spark, warehouse, project, versions, since, run_date))
        by_date = _date_destination(since, run_date, spark.sparkContext.defaultParallelism)
        features = with_features(of_frame(rows), warehouse, project, versions, placements, by_date)
        require_usable(features.schema, project)
        features_definition = table_of(project, rows, features)
        to_label = label_range(warehouse, project, since, previous, run_date)
        open_rows = settle(rows_to_label(spark, warehouse, project, versions, to_label))
        labels, labels_definition = labels_of(open_rows, warehouse, project, versions, to_label)
        outcome = Outcome(inputs=dict(versions))
        is_due = bool(project.spine.due_dates(since, run_date))
        if is_due:
            log.info("features: building %s to %s", since, run_date)
        else:
            log.info("features: no rows since %s; %s", since, project.spine.absence(run_date))
        features_target = sink.target(
            warehouse, features_definition, run_id=run_id, definitions_hash=definitions_hash(project)
        )
        labels_target = sink.target(warehouse, labels_definition, run_id=run_id, label_hash=label_hash(project))
        # Of many rows none is made before: everything that types and names alone can show has been checked by now.
        spine.require_unique_rows([rows, open_rows], project)
        feature_files = (
            sink.collect(features.task_input, features.make, features_target, by_tasks=features.by_tasks)
            if is_due
            else []
        )
        if is_due and not feature_files:
            raise spine.no_rows_error(project, since, run_date)
        log.info("labels: as known on %s", to_label.until)
        with classes.translate_errors(project.label):
            label_files = sink.collect(labels, sink.in_one_piece, labels_target)
        label_quality.log_nulls(label_files)
        checks = label_quality.count_checks(open_rows, warehouse, project, versions, to_label.until)
    for name, target, files, replaces in (
        ("features", features_target, feature_files, of_dates(since, run_date)),
        ("labels", labels_target, label_files, to_label.replaces),
    ):
        outcome.outputs[name] = sink.commit(warehouse, target, files, replaces, run_id, inputs=versions)
        outcome.rows[name] = sum(file.rows for file in files)
    if checks:
        outcome.outputs[QUALITY.name] = label_quality.record(warehouse, checks, to_label.until, run_id)
    return outcome


def _date_destination(since: date, until: date, tasks: int) -> Destination | None:
    """Neighbouring dates in one task, so that each date is stored in one file; None for a single date."""
    days = (until - since).days + 1

    def task_of(rows: pa.Table) -> Any:
        day: Any = pc.days_between(pa.scalar(since), rows.column("run_date"))
        return day.to_numpy() * tasks // days

    return Destination(task_of, tasks) if days > 1 else None


def of_dates(since: date, until: date) -> Callable[[DataFile], bool]:
    return lambda file: since <= file.partition["run_date"] <= until


def table_of(project: Project, rows: DataFrame, features: Rows) -> Table:
    types = to_arrow_schema(rows.schema, timezone="UTC")
    added = pa.schema([field for field in features.schema if field.name not in types.names])
    columns = pa.schema([types.field(name) for name in project.spine.columns()])
    return features_table(project, columns, added)


def rows_to_label(
    spark: SparkSession, warehouse: Warehouse, project: Project, versions: dict[str, int], to_label: LabelRange
) -> DataFrame:
    """The spine rows whose labels are not final before the range, with their horizon."""
    first = local_date(open_since(project, to_label.since), project.zone)
    last = to_label.until - timedelta(days=1)
    rows = spine.spine_rows(spark, warehouse, project, versions, first, last)
    return with_horizon(rows, project, first, last).where(is_open(project, to_label.since))


def labels_of(
    rows: DataFrame, warehouse: Warehouse, project: Project, versions: Mapping[str, int], to_label: LabelRange
) -> tuple[DataFrame, Table]:
    """The labels of rows that are to be stored, and their table."""
    types = to_arrow_schema(rows.select(*project.spine.key).schema, timezone="UTC")
    labels = label_versions(rows, warehouse, project, versions, to_label.until)
    if not to_label.is_whole:
        labels = not_stored(labels, warehouse, project, to_label.until, open_since(project, to_label.since))
    return labels, labels_table(project, types)
