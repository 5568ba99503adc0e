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
    usable = facts.where((at >= F.lit(start)) & (at < F.lit(end)) & (F.col("known_at") <= at))
    newest_first = Window.partitionBy(*project.sources[spine.source].key).orderBy(F.col("known_at").desc())
    rows = usable.withColumn("_place", F.row_number().over(newest_first)).where("_place = 1")
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
