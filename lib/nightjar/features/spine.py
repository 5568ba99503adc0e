"""The spine: the rows to build features for."""

from datetime import datetime

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812

from nightjar.errors import TableError
from nightjar.features.definitions import source_table_name
from nightjar.settings.project import Project
from nightjar.tables import delta
from nightjar.tables.warehouse import Warehouse


def scheduled(
    spark: SparkSession, warehouse: Warehouse, project: Project, version: int, start: datetime, end: datetime
) -> DataFrame:
    """The scheduled things with start <= prediction time < end, each as it was known at its prediction time.

    Columns: `prediction_time`, the spine's columns, and `run_date`, its local date.

    Raises:
        TableError: two rows share the spine's key and prediction time.
    """
    spine = project.spine
    table = source_table_name(spine.source)
    facts = delta.read(spark, warehouse, table, version)
    at = F.col(spine.prediction_time)
    in_range = (at >= F.lit(start)) & (at < F.lit(end))
    key = project.sources[spine.source].key
    # A version can move a thing out of the range or into it, unless its time is part of its key.
    versions = facts.where(in_range) if spine.prediction_time in key else facts
    superseded = F.lead("known_at").over(Window.partitionBy(*key).orderBy("known_at"))
    rows = versions.withColumn("_superseded", superseded).where(in_range & (F.col("known_at") <= at))
    rows = rows.where(F.col("_superseded").isNull() | (F.col("_superseded") > at))
    run_date = F.to_date(F.from_utc_timestamp(at, project.zone)).alias("run_date")
    rows = rows.select(at.alias("prediction_time"), *spine.columns(), run_date)
    _refuse_repeated(rows, spine.key, table)
    return rows


def _refuse_repeated(rows: DataFrame, key: list[str], table: str) -> None:
    names = [*key, "prediction_time"]
    twice = rows.groupBy(*names).count().where("count > 1").first()
    if twice is not None:
        found = ", ".join(f"{name}={twice[name]}" for name in names)
        raise TableError(
            f"The spine's key is not unique: {twice['count']} rows of {table} have {found}. "
            "Add the column that tells them apart to project.spine.key. Nothing was written."
        )
