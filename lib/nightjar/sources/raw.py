"""Raw files as Spark DataFrames of texts. Files that are damaged as a whole are refused here."""

import errno
import hashlib
import importlib.util
import logging
import re
import zipfile
import zlib
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

log = logging.getLogger("nightjar.ingest")
MALFORMED = "_malformed"
FILE = "_file"
WIDE = 1_000
"""Columns of a CSV file above which Spark plans without those that are not needed."""
MOST_FIELDS = 20_480  # of a row, by Spark's default
_UNREAD = re.compile(r"\[FAILED_READ_FILE[.\w]*\] .*?reading file (?:file:/*(?=/))?(\S+)\.\s")
_CAUSED = re.compile(r"^Caused by: (?:[\w$]+\.)*(.*)$", re.MULTILINE)


def read(spark: SparkSession, file: File, paths: list[str], columns: list[str], source: str, cache: Path) -> DataFrame:
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
    place = paths[0] if len(paths) == 1 else locate(file, source)
    with translate_open_errors(place, source):
        path = unpack(place, source, cache)
        if file.format is FileFormat.PARQUET:
            return _parquet(spark, path, columns, source).withColumn(FILE, F.lit(paths[0]))
        return _csv(spark, path, columns, file.null_text, source).withColumn(FILE, F.lit(paths[0]))


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
    rows = reader.csv(literally(path))
    rows = rows.select(*(F.col(names[csv_format.header.index(name)]).alias(name) for name in columns), MALFORMED)
    if len(names) <= WIDE:
        return rows
    # To compare plans, Spark looks at all columns of a file for each of them. A plan that begins here has the few.
    return spark.createDataFrame(rows.rdd, rows.schema, verifySchema=False)


def _parquet(spark: SparkSession, path: str, columns: list[str], source: str) -> DataFrame:
    schema, names = parquet.schema(path, columns, source)
    _require_columns(names, columns, path, source)
    rows = spark.read.schema(schema).parquet(literally(path))
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


def literally(path: str) -> str:
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


def locate(file: File, source: str) -> str:
    """Where a raw file lies.

    Raises:
        SourceError: there is none, or Spark cannot read what is named so.
    """
    if file.package is None:
        path = file.path
    else:
        spec = importlib.util.find_spec(file.package)
        if spec is None or not spec.submodule_search_locations:
            raise SourceError(
                f"Source {source}: the Python package {file.package} that holds its data is not installed. "
                "Install it (in a checkout: scripts/setup), or correct the source's file.package."
            )
        path = str(Path(spec.submodule_search_locations[0]) / file.path)
    if "://" not in path and not Path(path).exists():
        raise SourceError(f"Source {source}: there is no file {path}. Nothing was written.")
    if "://" not in path and ":" in Path(path).name:
        raise SourceError(
            f"Source {source}: {path} has a colon in its name, which Spark's file systems cannot read. Rename it. "
            "Nothing was written."
        )
    _require_readable_name(path, source)
    return path


def _require_readable_name(path: str, source: str) -> None:
    """Refuse a name for which Spark silently leaves a file out, or reads another format than is meant."""
    name = Path(path).name
    if name.startswith(("_", ".")) or name.endswith("._COPYING_"):
        raise SourceError(
            f"Source {source}: {path} has a name that Spark takes for that of a hidden or unfinished file, and "
            "reads no row of. Rename it. Nothing was written."
        )
    if name.endswith(".lz4"):
        raise SourceError(
            f"Source {source}: {path} is compressed by LZ4, whose usual files Spark's codec does not read. Unpack it, "
            "or compress it by gzip, bzip2 or zstd. Nothing was written."
        )


def unpack(path: str, source: str, cache: Path) -> str:
    """The path of the one file inside a zip archive, which is unpacked once per content; any other path as it is.

    Raises:
        SourceError: the archive is damaged, or holds no file or several.
    """
    if not path.endswith(".zip") or Path(path).is_dir():
        return path
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if len(members) != 1:
                raise SourceError(f"Source {source}: {path} holds {len(members)} files, expected one.")
            digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]
            target = cache / digest / f"unpacked-{Path(path).stem}"  # names in an archive may lead elsewhere
            if not target.exists():
                log.info("source %s: unpacking %s", source, Path(path).name)
                target.parent.mkdir(parents=True, exist_ok=True)
                partial = target.with_suffix(".partial")
                partial.write_bytes(archive.read(members[0]))
                partial.rename(target)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise SourceError(
            f"Source {source}: {path} is not a whole zip archive ({error}). It looks truncated or damaged; "
            "fetch it again. Nothing was written."
        ) from error
    return str(target)


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
