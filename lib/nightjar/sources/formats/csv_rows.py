"""CSV files as Spark DataFrames of texts."""

from collections.abc import Mapping, Sequence
from functools import partial, reduce

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import StringType, StructField, StructType

from nightjar.settings.files import File
from nightjar.sources.formats import csv_files
from nightjar.sources.formats.csv_files import CsvFormat
from nightjar.sources.formats.failures import require_columns, translate_open_errors
from nightjar.sources.formats.provenance import MALFORMED, PLACE, RawRows, literally, place
from nightjar.sources.formats.shared import SharedFiles

WIDE = 1_000
"""Columns of a CSV file above which Spark plans without those that are not needed."""
MOST_FIELDS = 20_480  # of a row, by Spark's default


def read(
    spark: SparkSession,
    file: File,
    places: Mapping[str, str],
    columns: Sequence[str],
    source: str,
    shared: SharedFiles,
) -> RawRows:
    """The columns as texts, `_malformed` (the text of a row with another number of fields) and `_place`.

    Files with equal headers are read together.

    Args:
        spark: the session.
        file: how the files are written.
        places: file -> path that it is read from, in UTF-8.
        columns: that each file must have.
        source: name for messages.
        shared: where other sources have seen the files.

    Raises:
        SourceError: a file is no CSV of the dialect, or lacks a column.
    """
    alike: dict[tuple[tuple[str, ...], str | None], list[str]] = {}
    names: dict[str, Sequence[str]] = {}
    for path, other in places.items():
        check = partial(csv_files.read_format, other, source, file.dialect, path)
        with translate_open_errors(path, source):
            csv_format = shared.get(path, ("csv", repr(file.dialect)), check)
        require_columns(csv_format.header, columns, path, source)
        alike.setdefault((tuple(csv_format.header), csv_format.row_end), []).append(other)
        names[path] = csv_format.header
    frames = [
        _read_alike(spark, file, CsvFormat(list(header), row_end), paths, columns)
        for (header, row_end), paths in alike.items()
    ]
    return RawRows(reduce(DataFrame.union, frames), names)


def _read_alike(
    spark: SparkSession, file: File, csv_format: CsvFormat, paths: Sequence[str], columns: Sequence[str]
) -> DataFrame:
    # By position: names of columns that are not needed do not matter.
    names = [f"_{position}" for position in range(len(csv_format.header))]
    dialect = file.dialect
    null_text = file.null_texts[0] if file.null_texts else ""
    options = {
        "header": str(not dialect.names),
        "sep": dialect.delimiter,
        "quote": dialect.quote,
        "escape": dialect.quote,
        "nullValue": null_text,
        "emptyValue": null_text,
        "columnNameOfCorruptRecord": MALFORMED,
        "maxColumns": str(MOST_FIELDS + 2 * len(names)),
        # With pruning, Spark would not notice a row of too few fields.
        "columnPruning": "false",
    }
    if dialect.comment:
        options["comment"] = dialect.comment
    if csv_format.row_end is not None:  # read by one task: rows have no recognizable start in the middle of the file
        options |= {"multiLine": "true", "lineSep": csv_format.row_end}
    schema = StructType([StructField(name, StringType()) for name in [*names, MALFORMED]])
    rows = spark.read.schema(schema).options(**options).csv([literally(path) for path in paths])
    texts = [_text(names[csv_format.header.index(name)], file).alias(name) for name in columns]
    rows = rows.select(*texts, MALFORMED, place(paths).alias(PLACE))
    if len(names) <= WIDE:
        return rows
    # To compare plans, Spark looks at all columns of a file for each of them. A plan that begins here has the few.
    return spark.createDataFrame(rows.rdd, rows.schema, verifySchema=False)


def _text(name: str, file: File) -> Column:
    """A field, or null where its text stands for that; Spark itself knows one such text."""
    others = list(file.null_texts[1:])
    return F.when(~F.col(name).isin(others), F.col(name)) if others else F.col(name)
