"""Delta tables as Spark DataFrames: read at a version, and written a partition at a time in one commit."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from nightjar.errors import TableError
from nightjar.tables import arrow
from nightjar.tables.definitions import Table
from nightjar.tables.warehouse import Warehouse

_GONE = re.compile(r"\[FAILED_READ_FILE\.FILE_NOT_EXIST\] .*?reading file (\S+[.]parquet)")


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


@contextmanager
def missing_files_named() -> Iterator[None]:
    """Say it when Spark finds a data file gone that a pinned version of a table needs.

    Raises:
        TableError: naming the file.
    """
    try:
        yield
    except (PySparkException, Py4JJavaError) as error:
        found = _GONE.search(str(error))
        if found is None:
            raise
        raise TableError(
            f"The data file {found[1]} of a table's pinned version is gone: removed by hand, or vacuumed with a "
            "shorter retention than this run takes. Nothing was written. Run it again on the table's latest version, "
            "or restore the file."
        ) from error
