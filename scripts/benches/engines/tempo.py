"""tempo's asofJoin, one fact table after the other.

Of its variants only the plain one answers the question: `tsPartitionVal` forgets values older than its brackets, and
`sql_join_opt` drops spine rows without facts.
"""

from cases import VALUES, Case
from pyspark.sql import DataFrame
from tempo import TSDF

from engines import spark


def prepare(case: Case) -> None:
    spark.opened(case)


def consume(case: Case) -> None:
    spark.consume(_joined(case))


def store(case: Case, target: str) -> None:
    spark.store(_joined(case), target)


def _joined(case: Case) -> DataFrame:
    """It wants the clocks of both sides to have one name, and puts its prefix with an underscore before the facts'."""
    rows = spark.table("spine").withColumnRenamed("prediction_time", "event_time")
    for facts in case.facts:
        left = TSDF(rows, ts_col="event_time", partition_cols=[facts.key])
        values = spark.table(facts.name).select(facts.key, "event_time", *VALUES)
        right = TSDF(values, ts_col="event_time", partition_cols=[facts.key])
        rows = left.asofJoin(right, right_prefix=f"{facts.name}_").df.drop(f"{facts.name}__event_time")
    return rows.withColumnRenamed("event_time", "prediction_time")
