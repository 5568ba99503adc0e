"""The spine: the rows to build features for."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import reduce
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import DateType, StructField, StructType, TimestampType

from nightjar.asof import Clocks
from nightjar.durations import parse_duration
from nightjar.errors import TableError
from nightjar.expressions import guard
from nightjar.features.definitions import spine_facts
from nightjar.features.sampling import sample_rows
from nightjar.joins.join import as_of_join
from nightjar.masking.values import in_words
from nightjar.settings.project import DERIVED, Project
from nightjar.settings.spine import SpineKind
from nightjar.tables import delta
from nightjar.tables.rows import of_frame
from nightjar.tables.source_definitions import source_table_name
from nightjar.tables.table import INSTANT
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff, earlier, last_midnight, local_date

BEGINS = "_begins"
"""The column with the instant after which a fact makes a key active."""


def spine_rows(
    spark: SparkSession, warehouse: Warehouse, project: Project, versions: Mapping[str, int], since: date, until: date
) -> DataFrame:
    """The spine of the dates `since` to `until`: the union of the spines of its nights. Nothing runs yet.

    A date that the zone has left out, as Apia has 30 December 2011, has no rows: its midnight is that of the next date.

    Columns: `prediction_time`, the spine's columns, and `run_date`, the local date of the prediction time.

    Raises:
        UsageError: a derived column does not fit.
    """
    dates = [day for day in project.spine.due_dates(since, until) if _exists(day, project.zone)]
    if not dates:
        table = source_table_name(project.spine.source)
        return no_rows(spark, project, delta.read(spark, warehouse, table, versions[table]).schema)
    find_rows = {SpineKind.SCHEDULED: _find_scheduled, SpineKind.ACTIVE: _find_active}[project.spine.kind]
    return _derive_and_sample(find_rows(spark, warehouse, project, versions, dates), project)


def no_rows(spark: SparkSession, project: Project, stored: StructType) -> DataFrame:
    """A spine without rows, of facts with these columns: for the checks that need only types.

    Raises:
        UsageError: a derived column does not fit.
    """
    spine = project.spine
    columns = [stored[name] for name in spine.stored_columns()]
    clock = stored[spine.prediction_time].dataType if spine.prediction_time else TimestampType()
    fields = [StructField("prediction_time", clock), *columns, StructField("run_date", DateType())]
    return _derive_and_sample(spark.createDataFrame([], StructType(fields)), project)


def _derive_and_sample(rows: DataFrame, project: Project) -> DataFrame:
    """The rows with the spine's derived columns, sampled if the spine is."""
    spine = project.spine
    rows = guard.add_columns(rows, DERIVED, spine.derived)
    if spine.sample.by:
        rows = sample_rows(rows, spine.key, spine.sample)
    return rows.select("prediction_time", *spine.columns(), "run_date")


def no_rows_error(project: Project, since: date, until: date) -> TableError:
    """The error for dates that have no row."""
    table = source_table_name(project.spine.source)
    if project.spine.kind is SpineKind.SCHEDULED:
        subject = "Nothing is scheduled"
        reason = f"{table} has no row with a prediction time there that was known by then"
    else:
        subject = "Nothing was active"
        reason = f"{table} has no fact of the {project.spine.active_within} before them that was known by then"
    sample_note = ", or the sample keeps none" if project.spine.sample.by else ""
    if since == until and not _exists(since, project.zone):
        reason = f"{project.zone} has left this date out"
    days = f" on {project.spine.due_days()}" if project.spine.weekdays else ""
    return TableError(
        f"{subject}{days} from {since} to {until}: {reason}{sample_note}. Was ingest run for {until}? "
        "Nothing was written."
    )


def _exists(day: date, zone: str) -> bool:
    """Whether clocks of the zone ever show the date."""
    return local_date(cutoff(day, zone), zone) == day


def _run_date(at: Column, dates: Sequence[date], zone: str) -> Column:
    """The run date of instants of these dates: from its cutoff, the first of its midnights where it has two."""
    run_date = F.to_date(F.from_utc_timestamp(at, zone))
    for day in dates:
        first, last = cutoff(day, zone), last_midnight(day, zone)
        if first < last:
            run_date = F.when((at >= F.lit(first)) & (at < F.lit(last)), F.lit(day)).otherwise(run_date)
    return run_date


def _find_scheduled(
    spark: SparkSession, warehouse: Warehouse, project: Project, versions: Mapping[str, int], dates: Sequence[date]
) -> DataFrame:
    """The scheduled things with a prediction time on these dates, each as it was known at its prediction time."""
    spine, table = project.spine, source_table_name(project.spine.source)
    source = project.sources[spine.source]
    start, end = cutoff(dates[0], project.zone), cutoff(dates[-1] + timedelta(days=1), project.zone)
    time = spine.prediction_time or ""
    at = F.col(time)
    run_date = _run_date(at, dates, project.zone)
    in_range = (at >= F.lit(start)) & (at < F.lit(end))
    if spine.weekdays is not None:
        in_range &= F.weekday(run_date).isin(sorted({day.weekday() for day in dates}))
    key = source.key
    # A later version can move a scheduled thing out of the range or into it, unless its time is part of its key.
    stays = time in key
    facts = delta.read(
        spark, warehouse, table, versions[table], lambda file: not stays or file.may_hold(time, start, end)
    )
    in_range_facts = facts.where(in_range) if stays else facts
    superseded = F.lead("known_at").over(Window.partitionBy(*key).orderBy("known_at", *source.sequence))
    rows = in_range_facts.withColumn("_superseded", superseded).where(in_range & (F.col("known_at") <= at))
    rows = rows.where(F.col("_superseded").isNull() | (F.col("_superseded") > at))
    if source.deleted:
        rows = rows.where(~F.coalesce(F.col(source.deleted), F.lit(False)))
    return rows.select(at.alias("prediction_time"), *spine.stored_columns(), run_date.alias("run_date"))


def _find_active(
    spark: SparkSession, warehouse: Warehouse, project: Project, versions: Mapping[str, int], dates: Sequence[date]
) -> DataFrame:
    """At the cutoff of each date, the keys with a fact in the `active_within` before it, as known then; no nulls."""
    spine, table = project.spine, source_table_name(project.spine.source)
    within = parse_duration(spine.active_within or "")
    cutoffs = [cutoff(day, project.zone) for day in dates]
    begins = [earlier(night, within, project.zone) for night in cutoffs]
    instants: list[Any] = [pa.field(name, INSTANT) for name in ("prediction_time", BEGINS)]
    schema = pa.schema([pa.field("run_date", pa.date32()), *instants])
    nights = pa.table({"run_date": dates, "prediction_time": cutoffs, BEGINS: begins}, schema)
    happened, first, last = F.col("event_time"), min(begins), cutoffs[-1]
    in_reach = (happened > F.lit(first)) & (happened <= F.lit(last))
    facts = delta.read(spark, warehouse, table, versions[table], lambda file: file.may_hold("event_time", first, last))
    keys = facts.where(in_reach).select(*spine.key).dropna().distinct()
    queries = keys.crossJoin(F.broadcast(spark.createDataFrame(nights)))
    latest = spine_facts(project, versions)
    joined = as_of_join(of_frame(queries), warehouse, [latest], Clocks("prediction_time", zone=project.zone)).frame()
    columns = [F.col(feature_name).alias(name) for feature_name, name in _other_columns(project, latest.name)]
    is_active = F.col(f"{latest.name}__event_time") > F.col(BEGINS)
    return joined.where(is_active).select("prediction_time", *spine.key, *columns, "run_date")


def _other_columns(project: Project, facts: str) -> list[tuple[str, str]]:
    names = [name for name in project.spine.stored_columns() if name not in project.spine.key]
    return [(f"{facts}__{name}", name) for name in names]


def require_unique_rows(spines: Sequence[DataFrame], project: Project) -> None:
    """Require unique keys and prediction times in each spine; an active one has them by construction.

    Raises:
        TableError: two rows have the same key and prediction time.
    """
    if project.spine.kind is SpineKind.ACTIVE:
        return
    names = [*project.spine.key, "prediction_time"]
    numbered = [rows.select(*names, F.lit(number).alias("_spine")) for number, rows in enumerate(spines)]
    keys = reduce(DataFrame.unionAll, numbered)  # one job for all
    duplicate = keys.groupBy(*keys.columns).count().where("count > 1").first()
    if duplicate is not None:
        values = in_words({name: duplicate[name] for name in names})
        table = source_table_name(project.spine.source)
        raise TableError(
            f"The spine's key is not unique: {duplicate['count']} rows of {table} have {values}. "
            "Add the column that tells them apart to project.spine.key. Nothing was written."
        )
