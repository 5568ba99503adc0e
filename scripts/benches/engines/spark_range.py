"""Spark's own range windows: a union of the spine with the facts of a key, and aggregates over ranges of time."""

from cases import Case, Facts
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as sf

from engines import spark

FUNCTIONS = {"count": sf.count, "sum": sf.sum, "mean": sf.mean, "std": sf.stddev_samp, "min": sf.min, "max": sf.max}


def prepare(case: Case) -> None:
    spark.opened(case)


def consume(case: Case) -> None:
    spark.consume(_joined(case))


def store(case: Case, target: str) -> None:
    spark.store(_joined(case), target)


def _joined(case: Case) -> DataFrame:
    rows = spark.table("spine")
    for facts in case.facts:
        rows = _with_windows(rows, facts, case.windows)
    return rows


def _with_windows(spine: DataFrame, facts: Facts, windows: dict[str, int]) -> DataFrame:
    """A spine row has no value and so adds to no aggregate; `(t - w, t]` in whole microseconds is `[t - w + 1, t]`."""
    union = spine.withColumns({"_time": sf.unix_micros("prediction_time"), "_asks": sf.lit(True)})
    values = spark.table(facts.name).select(facts.key, sf.unix_micros("event_time").alias("_time"), "v1")
    union = union.unionByName(values, allowMissingColumns=True)
    aggregates: dict[str, Column] = {}
    for label, length in windows.items():
        frame = Window.partitionBy(facts.key).orderBy("_time").rangeBetween(1 - length, Window.currentRow)
        for name, function in FUNCTIONS.items():
            aggregates[f"{facts.name}__v1_{name}_{label}"] = function("v1").over(frame)
    return union.withColumns(aggregates).where("_asks").drop("_time", "_asks", "v1")
