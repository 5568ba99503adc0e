"""The instants as of which a label's answer is computed: the horizon's end, and those that can alter the label."""

from collections.abc import Mapping
from datetime import datetime

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.pandas.types import from_arrow_schema

from nightjar.features.horizons import FINAL, UNTIL
from nightjar.joins import reading
from nightjar.settings.project import Project
from nightjar.settings.sources import Source
from nightjar.tables import delta, scan
from nightjar.tables.rows import few_rows, most_here
from nightjar.tables.source_definitions import source_table_name
from nightjar.tables.warehouse import Warehouse

KNOWN_BY = "_known_by"
"""The column with the instant as of which an answer is computed."""


def queries(
    rows: DataFrame, warehouse: Warehouse, project: Project, versions: Mapping[str, int], now: datetime
) -> DataFrame:
    """Each row at the end of its horizon, and at every instant at which a change can alter its label.

    Args:
        rows: spine rows with their horizon (`horizons.with_horizon`).
        warehouse: where tables lie.
        project: has the label and its source.
        versions: table -> the Delta version that is read.
        now: instants after it are left out.

    Returns:
        The rows' columns and `_known_by`, the instant.
    """
    label = project.label
    early = label.settled_early or label.aggregate is None
    of_ends = rows.where(F.col(UNTIL) <= F.lit(now)).withColumn(KNOWN_BY, F.col(UNTIL))
    if not early and not label.lateness():
        return of_ends
    happened, instant, until = F.col("_fact_event_time"), F.col("_instant"), F.col(UNTIL)
    within = (happened > F.col("prediction_time")) & (happened <= until)
    in_time = (instant <= F.col(FINAL)) & (instant <= F.lit(now))
    matters = in_time & (F.lit(early) | (instant > until))
    known_by = F.greatest(instant, F.col("prediction_time")).alias(KNOWN_BY)
    result = of_ends
    for name, keys in label.deciding_facts():
        source, table = project.sources[name], source_table_name(name)
        facts = _facts(rows, warehouse, table, versions[table], source, keys)
        same_key = [F.col(column) == F.col(f"_fact_{of_fact}") for column, of_fact in keys.items()]
        changed_rows = rows.join(_changes(facts, source, keys), [*same_key, within, matters])
        result = result.unionByName(changed_rows.select(*rows.columns, known_by))
    return result.distinct()


def _facts(
    rows: DataFrame, warehouse: Warehouse, table: str, version: int, source: Source, keys: Mapping[str, str]
) -> DataFrame:
    """All facts; those for few rows are read here, without some that have no key of the rows."""
    spark, files = rows.sparkSession, scan.snapshot(warehouse, table, version)
    few = few_rows(rows.select(*keys)) if files.unreadable is None else None
    facts = None if few is None else reading.of_keys(files, keys, source.key, few)
    if facts is not None and facts.files.size <= scan.SMALL:
        columns = [*keys.values(), *source.key, *source.sequence, "event_time", "known_at"]
        read = facts.read(list(dict.fromkeys(columns)))
        schema = from_arrow_schema(read.schema)
        if len(read) <= most_here(schema):
            return spark.createDataFrame(read, schema)
    return delta.read(spark, warehouse, table, version)


def _changes(facts: DataFrame, source: Source, keys: Mapping[str, str]) -> DataFrame:
    """`_fact_<key>`, `_fact_event_time` and `_instant` for each instant at which a fact's version starts or ends."""
    known_at = F.coalesce("known_at", "event_time")
    superseded_at = F.lead(known_at).over(Window.partitionBy(*source.key).orderBy(known_at, *source.sequence))
    columns = [F.col(column).alias(f"_fact_{column}") for column in dict.fromkeys(keys.values())]
    instants = F.array_compact(F.array(known_at, superseded_at)).alias("_instants")
    changes = facts.select(*columns, F.col("event_time").alias("_fact_event_time"), instants)
    return changes.withColumn("_instant", F.explode("_instants")).drop("_instants")
