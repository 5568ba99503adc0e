"""What other runs have stored or refused already, taken out of the rows of a night."""

from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from nightjar.settings.sources import Source
from nightjar.sources import facts
from nightjar.tables import arrow, delta
from nightjar.tables.definitions import QUARANTINE
from nightjar.tables.warehouse import Warehouse

CONTENT = "_content"
HASH = "_hash"


def content(columns: list[str]) -> Column:
    """A hash of what a fact says; facts with one key, clock and hash are the same fact seen again.

    xxhash64 skips nulls, so which columns are null goes into it too.
    """
    return F.xxhash64(*columns, *(F.col(name).isNull() for name in columns))


def without_stored(
    spark: SparkSession, rows: DataFrame, warehouse: Warehouse, table: str, source: Source, run_date: date
) -> DataFrame:
    """Without the facts that are the latest version another run has stored. The rows are not shuffled for that."""
    if not arrow.exists(warehouse, table):
        return rows
    stored = delta.read(spark, warehouse, table, keep=lambda file: file.partition["ingested_on"] != run_date)
    other = stored.where(F.col("ingested_on") != F.lit(run_date))
    said = [*source.stored_columns(), "event_time"]
    for name in said:
        if name not in other.columns:  # the configuration stores it only since now
            other = other.withColumn(name, F.lit(None).cast(rows.schema[name].dataType))
    fact = [*source.key, "stated_known_at", *source.sequence]
    # Versions after the first are known later than stated, and few: what they supersede is no latest version.
    later = other.where(F.col("known_at") > F.col("stated_known_at")).select(*fact, "known_at")
    is_later = F.col("known_at") < F.col("_other_known_at")
    latest = other.join(F.broadcast(_renamed(later)), _same(fact) & is_later, "left_anti")
    said_latest = latest.select(*fact, content(said).alias(CONTENT))
    same = _same([*fact, CONTENT]) & (F.col(facts.STATE) == "fact")
    return rows.join(_renamed(said_latest), same, "left_anti")


def without_refused(spark: SparkSession, rows: DataFrame, warehouse: Warehouse, name: str, run_date: date) -> DataFrame:
    """Without the refused rows that another run has refused: old faults must not weigh on every new night."""
    if not arrow.exists(warehouse, QUARANTINE.name):
        return rows
    is_other = (F.col("run_date") != F.lit(run_date)) & (F.col("source") == name)
    stored = delta.read(spark, warehouse, QUARANTINE.name, keep=lambda file: file.partition["run_date"] != run_date)
    refused = stored.where(is_other).select(F.col("row_hash").alias(HASH))
    return rows.join(_renamed(refused), _same([HASH]) & (F.col(facts.STATE) == "refused"), "left_anti")


def _renamed(other: DataFrame) -> DataFrame:
    return other.select(*(F.col(name).alias(f"_other_{name}") for name in other.columns))


def _same(names: list[str]) -> Column:
    """Equal, or both null, as a sequence may be."""
    return reduce(Column.__and__, (F.col(name).eqNullSafe(F.col(f"_other_{name}")) for name in names))
