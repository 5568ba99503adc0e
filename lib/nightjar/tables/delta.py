"""Delta tables as Spark DataFrames, read at a version."""

import re
from collections.abc import Callable
from urllib.parse import unquote

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from nightjar.tables import scan
from nightjar.tables.datafiles import partition_text
from nightjar.tables.entries import DataFile
from nightjar.tables.rows import has_few, most_here
from nightjar.tables.scan import Snapshot
from nightjar.tables.warehouse import Warehouse

_PATTERN = re.compile(r"[*?\[\]{}]")  # in a path, Spark would look for other names
_PLAIN = re.compile(r"[A-Za-z0-9.-]+")  # what a folder's name contains unescaped


def read(
    spark: SparkSession,
    warehouse: Warehouse,
    table: str,
    version: int | None = None,
    keep: Callable[[DataFile], bool] = lambda _: True,
) -> DataFrame:
    """The table's rows, at its latest version unless one is given.

    Spark gets the list of the version's files. Its own reader of Delta would list them by several jobs over the table's
    log, for every table and process anew; it is used only where files and folders do not determine the rows. Few rows
    are read here: Spark needs longer to plan it.

    Args:
        spark: the session.
        warehouse: where the table lies.
        table: its name.
        version: its Delta version.
        keep: false for files that hold no row of interest. Spark's own reader returns their rows all the same.

    Raises:
        TableError: there is no such table, or a file of that version is missing.
    """
    files = scan.snapshot(warehouse, table, version)
    chosen = files.where(keep)
    scan.require_footers(chosen)
    if files.unreadable is not None or not _folders_state_partitions(files):
        return spark.read.format("delta").option("versionAsOf", files.version).load(files.folder)
    schema = from_arrow_schema(files.schema)
    if not chosen.files:
        return spark.createDataFrame([], schema)
    is_counted = all(file.rows for file in chosen.files)  # of another engine's files nobody may know their rows
    if is_counted and has_few(spark) and chosen.rows <= most_here(schema):
        return spark.createDataFrame(scan.read(chosen, files.schema.names), schema)
    paths = [f"{files.folder}/{unquote(file.path)}" for file in chosen.files]
    try:
        rows = spark.read.schema(schema).option("basePath", files.folder).parquet(*paths)
    except AnalysisException as error:
        if error.getCondition() != "PATH_NOT_FOUND":
            raise
        raise scan.missing_file_error(chosen) from error
    return rows.select(*files.schema.names)


def read_changes(spark: SparkSession, folder: str, first: int, last: int) -> DataFrame:
    """The changes that versions of a table have made, both ends included, by its change feed."""
    feed = spark.read.format("delta").option("readChangeFeed", "true")
    return feed.option("startingVersion", first).option("endingVersion", last).load(folder)


def _folders_state_partitions(files: Snapshot) -> bool:
    """Whether all files lie in folders named after the partition values in the log, which Delta does not require."""
    if _PATTERN.search(files.folder):
        return False
    for file in files.files:
        *folders, name = unquote(file.path).split("/")
        values = [(column, partition_text(value) or "") for column, value in file.partition.items()]
        if folders != [f"{column}={value}" for column, value in values] or _PATTERN.search(name):
            return False
        if not all(_PLAIN.fullmatch(value) for _, value in values):
            return False
    return True
