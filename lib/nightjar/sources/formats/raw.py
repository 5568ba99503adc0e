"""Raw files as Spark DataFrames of what they hold. Files that are damaged as a whole are refused here."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import StringType, StructField, StructType

from nightjar.settings.files import File, FileFormat
from nightjar.sources.formats import avro, copies, csv_rows, files, json_lines, parquet
from nightjar.sources.formats.failures import require_columns, translate_open_errors, translate_read_errors
from nightjar.sources.formats.provenance import (
    FILE,
    FOLDER,
    MALFORMED,
    PLACE,
    RawRows,
    literally,
    place,
    refuse_malformed,
    with_file,
)
from nightjar.sources.formats.shared import SharedFiles

__all__ = ["FILE", "MALFORMED", "read", "refuse_malformed", "translate_read_errors"]


def read(
    spark: SparkSession,
    file: File,
    paths: Sequence[str],
    columns: Sequence[str],
    source: str,
    cache: Path,
    parts: Mapping[str, str] | None = None,
    shared: SharedFiles | None = None,
) -> RawRows:
    """The declared columns of raw files as their format holds them, `_malformed` and `_file`.

    CSV holds texts. What the names of folders say is text as well. `_malformed` is null but for broken rows: see
    `refuse_malformed`. `_file` is the path of the file that a row is of, as it was given; of an archive, its own.

    Args:
        spark: the session.
        file: how they are written.
        paths: files of `files.list_files`. Of none there are no rows.
        columns: required columns; others are left out.
        source: name for messages.
        cache: folder for copies of files that Spark does not read as they are.
        parts: path -> a file that holds the part of it that is to be read.
        shared: where other sources have seen the files.

    Raises:
        SourceError: a file is missing, damaged, or lacks a column.
    """
    if not paths:
        return RawRows(of_texts(spark, columns), {})
    shared = shared or SharedFiles()
    base = files.base(file, source)
    values = {path: files.folder_values(base, path) for path in paths}
    of_folders = _of_folders(base, values, columns, source)
    places = dict[str, str]()
    for path in paths:
        copy = partial(copies.readable, path, file, source, cache)
        with translate_open_errors(path, source):
            places[path] = (parts or {}).get(path) or shared.get(path, (file.format, file.dialect.encoding), copy)
    within = [name for name in columns if name not in of_folders]
    read_rows = _READ[file.format](spark, file, places, within, source, shared)
    rows = with_file(read_rows.rows, places)
    selected = rows.select(*(of_folders.get(name, F.col(name)) for name in columns), MALFORMED, FILE)
    return RawRows(selected, {path: [*names, *values[path]] for path, names in read_rows.names.items()})


def of_texts(
    spark: SparkSession,
    columns: Sequence[str],
    rows: Iterable[tuple[Mapping[str, str | None], str]] = (),
    metadata: Mapping[str, Mapping[str, bool]] = MappingProxyType({}),
) -> DataFrame:
    """Raw rows made of texts.

    Args:
        spark: the session.
        columns: of the rows.
        rows: the texts of each, by column, and its item; a column that is not among them is null.
        metadata: of columns.
    """
    fields = [StructField(name, StringType(), metadata=dict(metadata.get(name, {}))) for name in columns]
    schema = StructType([*fields, StructField(MALFORMED, StringType()), StructField(FILE, StringType())])
    plain = [(*map(texts.get, columns), None, item) for texts, item in rows]
    return spark.createDataFrame(plain, schema)


def _of_folders(
    base: str, values: Mapping[str, Mapping[str, str | None]], columns: Sequence[str], source: str
) -> dict[str, Column]:
    """The columns that names of folders give, which all files must have then.

    Args:
        base: folder below which names say something.
        values: path -> what they say of it.
        columns: required columns.
        source: name for messages.
    """
    named = [name for name in columns if any(name in of_path for of_path in values.values())]
    for path, of_path in values.items():
        require_columns([*of_path], named, path, source)
    texts = {name: _of_folder(name, base, {of_path[name] for of_path in values.values()}) for name in named}
    return {name: text.alias(name, metadata={FOLDER: True}) for name, text in texts.items()}


def _of_folder(name: str, base: str, values: set[str | None]) -> Column:
    if len(values) == 1:
        return F.lit(values.pop()).cast("string")
    text = F.regexp_extract(FILE, rf"^\Q{base}\E/(?:[^/]*/)*?\Q{name}\E=([^/]*)/", 1)
    plain = F.try_url_decode(F.replace(text, F.lit("+"), F.lit("%2B")))
    return F.when(text != files.NO_VALUE, F.coalesce(plain, text))


def _parquet(
    spark: SparkSession,
    file: File,
    places: Mapping[str, str],
    columns: Sequence[str],
    source: str,
    shared: SharedFiles,
) -> RawRows:
    paths = list(places.values())
    with translate_open_errors(file.path, source):
        looks = {path: partial(parquet.footer, other) for path, other in places.items()}
        footers = {path: shared.get(path, "parquet", look) for path, look in looks.items()}
        schema, names = parquet.fields(list(footers.values()), columns, source)
        require_columns(names, columns, file.path, source)
        rows = spark.read.schema(schema).parquet(*map(literally, paths))
    rows = rows.select(*columns, F.lit(None).cast("string").alias(MALFORMED), place(paths).alias(PLACE))
    return RawRows(rows, {path: footer.columns.names for path, footer in footers.items()})


_Reader = Callable[[SparkSession, File, Mapping[str, str], Sequence[str], str, SharedFiles], RawRows]
_READ: dict[FileFormat, _Reader] = {
    FileFormat.CSV: csv_rows.read,
    FileFormat.JSON: json_lines.read,
    FileFormat.PARQUET: _parquet,
    FileFormat.AVRO: avro.read,
}
