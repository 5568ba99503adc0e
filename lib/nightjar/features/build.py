"""`features` and `labels` of a range of dates, in one pass.

Training and the night go through the same functions: a range of one date is a night.
"""

import logging
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.pandas.types import to_arrow_schema

from nightjar.errors import TableError
from nightjar.features.at import with_features
from nightjar.features.definitions import definitions_hash, label_facts, source_table_name
from nightjar.features.spine import scheduled
from nightjar.joins.join import as_of_join
from nightjar.joins.joined import Joined
from nightjar.settings.project import Project
from nightjar.tables import arrow, delta, sink
from nightjar.tables.definitions import Table, features_table, labels_table
from nightjar.tables.ledger import Outcome
from nightjar.tables.scan import DataFile
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff, parse_duration

log = logging.getLogger("nightjar.features")


def build(
    spark: SparkSession,
    warehouse: Warehouse,
    project: Project,
    since: date,
    run_date: date,
    previous: date | None,
    run_id: str,
) -> Outcome:
    """Write the features of `since` to `run_date`, and the labels that have become known by `run_date`.

    Args:
        spark: the session.
        warehouse: where tables lie.
        project: what to build.
        since: first date of the range.
        run_date: last date of the range; what is known at its midnight is used for labels.
        previous: run date of the finished build before this one: labels known since then are new.
        run_id: of this run.

    Raises:
        TableError: a source has no table yet, or nothing is scheduled in the range; nothing was written.
        JoinError: a feature does not fit its source; nothing was written.
    """
    sources = [source_table_name(name) for name in project.sources]
    versions = {table: arrow.version(warehouse, table) for table in sources}
    features, definition = _features(spark, warehouse, project, versions, since, run_date)
    labels_since = since if previous is None else min(since, previous)
    labels, labelled = _labels(spark, warehouse, project, versions, labels_since, run_date)
    outcome = Outcome(inputs=dict(versions))
    log.info("features: building %s to %s", since, run_date)
    into = sink.target(warehouse, definition, run_id=run_id, definitions_hash=definitions_hash(project))
    dates = features.gathered(spark.sparkContext.defaultParallelism, "run_date") if since < run_date else features
    written = sink.collect(dates.rows, dates.make, into)
    if not written:
        raise _nothing_scheduled(project, since, run_date)
    outcome.outputs["features"] = sink.commit(
        warehouse, into, written, _of_dates(since, run_date), run_id, inputs=versions
    )
    outcome.rows["features"] = sum(file.rows for file in written)
    log.info("labels: as known on %s", run_date)
    into = sink.target(warehouse, labelled, run_id=run_id)
    written = sink.collect(labels, sink.in_one_piece, into)
    outcome.outputs["labels"] = sink.commit(
        warehouse, into, written, _of_dates(run_date, run_date), run_id, inputs=versions
    )
    outcome.rows["labels"] = sum(file.rows for file in written)
    return outcome


def _of_dates(since: date, until: date) -> Callable[[DataFile], bool]:
    return lambda file: since <= file.partition["run_date"] <= until


def _nothing_scheduled(project: Project, since: date, run_date: date) -> TableError:
    return TableError(
        f"Nothing is scheduled from {since} to {run_date}: {source_table_name(project.spine.source)} has no row "
        f"with a prediction time there that was known by then. Was ingest run for {run_date}? Nothing was written."
    )


def _features(
    spark: SparkSession,
    warehouse: Warehouse,
    project: Project,
    versions: dict[str, int],
    since: date,
    run_date: date,
) -> tuple[Joined, Table]:
    start, end = cutoff(since, project.zone), cutoff(run_date + timedelta(days=1), project.zone)
    rows = _spine(spark, warehouse, project, versions, start, end)
    features = with_features(rows, warehouse, project, versions)
    spine = to_arrow_schema(rows.schema, timezone="UTC")
    added = pa.schema([field for field in features.schema if field.name not in spine.names])
    columns = pa.schema([spine.field(name) for name in project.spine.columns()])
    return features, features_table(project, columns, added)


def _labels(
    spark: SparkSession,
    warehouse: Warehouse,
    project: Project,
    versions: dict[str, int],
    since: date,
    run_date: date,
) -> tuple[DataFrame, Table]:
    """Outcomes known by the run date's midnight that no other run has stored.

    A row's outcome may come until its horizon has passed; from then on the label is settled.
    """
    now = cutoff(run_date, project.zone)
    horizon = parse_duration(project.label.horizon)
    rows = _spine(spark, warehouse, project, versions, cutoff(since, project.zone) - horizon, now)
    key = project.spine.key
    types = to_arrow_schema(rows.select(*key).schema, timezone="UTC")
    definition = labels_table(project, types)
    until = F.col("prediction_time") + F.expr(f"make_dt_interval(0, 0, 0, {int(horizon.total_seconds())})")
    asked = rows.withColumn("label_until", until).withColumn("known_by", F.least("label_until", F.lit(now)))
    joined = as_of_join(
        asked, warehouse, [label_facts(project, versions)], prediction_time="label_until", known_by="known_by"
    )
    outcome_known = F.col("outcome__label").isNotNull()
    known_at = F.when(outcome_known, F.col("outcome__known_at")).otherwise(F.col("label_until"))
    labels = (
        joined.frame()
        .select(
            "prediction_time",
            *key,
            F.col("outcome__label").alias("label"),
            known_at.alias("label_known_at"),
            F.lit(run_date).alias("run_date"),
        )
        .where(F.col("label_known_at") <= F.lit(now))
    )
    return _new(labels, spark, warehouse, key, run_date), definition


def _spine(
    spark: SparkSession,
    warehouse: Warehouse,
    project: Project,
    versions: dict[str, int],
    start: datetime,
    end: datetime,
) -> DataFrame:
    version = versions[source_table_name(project.spine.source)]
    return scheduled(spark, warehouse, project, version, start, end)


def _new(labels: DataFrame, spark: SparkSession, warehouse: Warehouse, key: list[str], run_date: date) -> DataFrame:
    if not arrow.exists(warehouse, "labels"):
        return labels
    other = delta.read(spark, warehouse, "labels").where(F.col("run_date") != F.lit(run_date))
    names = [*key, "prediction_time", "label_known_at"]
    return labels.join(other.select(*names), names, "left_anti")
