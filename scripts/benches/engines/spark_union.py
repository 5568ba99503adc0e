"""One union of the spine with all the facts of a key, and the last value of each column by a window over it."""

from cases import VALUES, Case, Facts
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as sf

from engines import spark


def prepare(case: Case) -> None:
    spark.opened(case)


def consume(case: Case) -> None:
    spark.consume(_joined(case))


def store(case: Case, target: str) -> None:
    spark.store(_joined(case), target)


def _joined(case: Case) -> DataFrame:
    rows = spark.table("spine")
    for key in case.keys:
        rows = _with_latest(rows, key, [facts for facts in case.facts if facts.key == key])
    return rows


def _with_latest(spine: DataFrame, key: str, tables: list[Facts]) -> DataFrame:
    """A fact at the very instant of a spine row comes before it, as the latest fact includes that instant."""
    union = spine.withColumns({"_time": sf.col("prediction_time"), "_asks": sf.lit(True)})
    for facts in tables:
        values = [sf.col(value).alias(f"{facts.name}__{value}") for value in VALUES]
        these = spark.table(facts.name).select(
            key, sf.col("event_time").alias("_time"), sf.lit(False).alias("_asks"), *values
        )
        union = union.unionByName(these, allowMissingColumns=True)
    upto = Window.partitionBy(key).orderBy("_time", "_asks").rowsBetween(Window.unboundedPreceding, Window.currentRow)
    names = [f"{facts.name}__{value}" for facts in tables for value in VALUES]
    latest: dict[str, Column] = {name: sf.last(name, ignorenulls=True).over(upto) for name in names}
    return union.withColumns(latest).where("_asks").drop("_time", "_asks")
