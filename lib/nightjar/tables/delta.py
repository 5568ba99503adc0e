"""Delta tables as Spark DataFrames: read at a version, and written a partition at a time in one commit."""

from pyspark.sql import DataFrame, SparkSession

from nightjar.tables import arrow
from nightjar.tables.definitions import Table
from nightjar.tables.warehouse import Warehouse


def read(spark: SparkSession, warehouse: Warehouse, table: str, version: int | None = None) -> DataFrame:
    """The table's rows, at its latest version unless one is given."""
    pinned = arrow.version(warehouse, table) if version is None else version
    return spark.read.format("delta").option("versionAsOf", pinned).load(warehouse.path(table))


def replace(rows: DataFrame, warehouse: Warehouse, table: Table, where: str) -> int:
    """Replace the rows that meet a condition on the partition columns, in one commit; the new version.

    Columns that the table has and the rows lack become null: they belong to an older definition.
    """
    arrow.ensure(warehouse, table)
    path = warehouse.path(table.name)
    rows.select(*table.schema().names).write.format("delta").mode("overwrite").option("replaceWhere", where).save(path)
    return arrow.version(warehouse, table.name)
