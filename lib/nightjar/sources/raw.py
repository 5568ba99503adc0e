"""Raw files as Spark DataFrames of texts. Files that are damaged as a whole are refused here."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  (Spark's own convention)
from pyspark.sql.types import StringType, StructField, StructType

from nightjar.errors import SourceError
from nightjar.settings.sources import File, FileFormat
from nightjar.sources import csv_files, parquet
from nightjar.sources.location import locate, unpack

MALFORMED = "_malformed"
WIDE = 1_000
"""Columns of a CSV file above which Spark plans without those that are not needed."""
MOST_FIELDS = 20_480  # of a row, by Spark's default
_UNREAD = re.compile(r"\[FAILED_READ_FILE[.\w]*\] .*?reading file (?:file:/*(?=/))?(\S+)\.\s")
_CAUSED = re.compile(r"^Caused by: (?:[\w$]+\.)*(.*)$", re.MULTILINE)


def read(spark: SparkSession, file: File, columns: list[str], source: str, cache: Path) -> DataFrame:
    """The declared columns of a raw file, of CSV as texts, plus `_malformed`: the text of a broken row, or null.

    Args:
        spark: the session.
        file: what to read.
        columns: required columns; others are left out.
        source: name for messages.
        cache: folder that an archive is unpacked into.

    Raises:
        SourceError: the file is missing, damaged, or lacks a column.
    """
    place = locate(file, source)
    with translate_open_errors(place, source):
        path = unpack(place, source, cache)
        if file.format is FileFormat.PARQUET:
            return _parquet(spark, path, columns, source)
        return _csv(spark, path, columns, file.null_text, source)


def _csv(spark: SparkSession, path: str, columns: list[str], null_text: str, source: str) -> DataFrame:
    csv_format = csv_files.read_format(path, source)
    _require_columns(csv_format.header, columns, path, source)
    # By position: names of columns that are not needed do not matter.
    names = [f"_{place}" for place in range(len(csv_format.header))]
    reader = (
        spark.read.schema(StructType([StructField(name, StringType()) for name in [*names, MALFORMED]]))
        .option("header", "true")
        .option("escape", '"')
        .option("nullValue", null_text)
        .option("emptyValue", null_text)
        .option("columnNameOfCorruptRecord", MALFORMED)
        .option("maxColumns", str(MOST_FIELDS + 2 * len(names)))
        # With pruning, Spark would not notice a row of too few fields.
        .option("columnPruning", "false")
    )
    if csv_format.row_end is not None:  # read by one task: rows have no recognizable start in the middle of the file
        reader = reader.option("multiLine", "true").option("lineSep", csv_format.row_end)
    rows = reader.csv(_literally(path))
    rows = rows.select(*(F.col(names[csv_format.header.index(name)]).alias(name) for name in columns), MALFORMED)
    if len(names) <= WIDE:
        return rows
    # To compare plans, Spark looks at all columns of a file for each of them. A plan that begins here has the few.
    return spark.createDataFrame(rows.rdd, rows.schema, verifySchema=False)


def _parquet(spark: SparkSession, path: str, columns: list[str], source: str) -> DataFrame:
    schema, names = parquet.schema(path, columns, source)
    _require_columns(names, columns, path, source)
    rows = spark.read.schema(schema).parquet(_literally(path))
    return rows.select(*columns, F.lit(None).cast("string").alias(MALFORMED))


@contextmanager
def translate_read_errors(source: str, tables: str) -> Iterator[None]:
    """Name source and file where Spark cannot read a raw file.

    Args:
        source: name for messages.
        tables: the folder of the project's tables, whose files are not raw files.

    Raises:
        SourceError: a raw file is damaged, or was removed since it was opened.
    """
    try:
        yield
    except (Py4JJavaError, PySparkException) as error:
        text = str(error)
        unread = _UNREAD.search(text)
        if unread is None or unread[1].startswith(tables):
            raise
        why = (_CAUSED.findall(text) or ["Spark does not say why"])[-1]
        raise SourceError(
            f"Source {source}: {unread[1]} cannot be read: {why}. It looks damaged, or was removed meanwhile; fetch it "
            "again. Nothing was written."
        ) from error


@contextmanager
def translate_open_errors(path: str, source: str) -> Iterator[None]:
    """Name source and file where a file cannot be opened, or Arrow or Spark refuses its format."""
    try:
        yield
    except (PySparkException, Py4JJavaError, pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise  # a full disk is no fault of the file
        reason = str(error).splitlines()[0].rstrip(".")
        raise SourceError(
            f"Source {source}: {path} cannot be read: {reason}. If it is damaged, fetch it again. Nothing was written."
        ) from error


def _literally(path: str) -> str:
    """A path for Spark, with the characters quoted that it takes for patterns.

    The path is absolute, as Java may have been started in another folder than this process is in.
    """
    whole = path if "://" in path else str(Path(path).absolute())
    return re.sub(r"[*?\[\]{}\\]", r"\\\g<0>", whole)


def refuse_malformed(count: int, example: str | None, source: str, path: str) -> None:
    """Raise SourceError if rows do not have the header's number of fields: the whole file is then not trusted."""
    if count:
        raise SourceError(
            f"Source {source}: {count:,} rows of {path} do not have as many fields as its header, such as "
            f"{example!r}. The file looks truncated or damaged; fetch it again. Nothing was written."
        )


def _require_columns(names: list[str], required: list[str], path: str, source: str) -> None:
    missing = [name for name in required if name not in names]
    if missing:
        listing = ", ".join(name if name and name == name.strip() else repr(name) for name in names)
        raise SourceError(
            f"Source {source}: {path} lacks the column {', '.join(missing)}; it has {listing}. "
            "Correct the file, or the source's columns. Nothing was written."
        )
    duplicates = [name for name in required if names.count(name) > 1]
    if duplicates:
        raise SourceError(
            f"Source {source}: {path} has the column {', '.join(duplicates)} more than once. Rename all but one. "
            "Nothing was written."
        )
