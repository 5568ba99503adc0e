"""Raw Parquet for Spark: only the declared columns, with the types in the files' footers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
from pyspark.errors import PySparkException
from pyspark.sql.pandas.types import from_arrow_type
from pyspark.sql.types import (
    BinaryType,
    BooleanType,
    DateType,
    DecimalType,
    FractionalType,
    IntegerType,
    IntegralType,
    LongType,
    NullType,
    ShortType,
    StringType,
    StructField,
    StructType,
    TimestampNTZType,
    TimestampType,
)

from nightjar.asof.values import logical_type
from nightjar.errors import SourceError
from nightjar.tables import parquet, storage

UNIT = "unit"
"""Metadata of a column of integers that count milliseconds or nanoseconds since 1970: `ms`, `ns`.

Spark has no type for nanoseconds, and fails on milliseconds that microseconds of 64 bits do not reach."""
NO_ZONE = "no_zone"
"""Metadata of such a column: whether its times are those of some clock, and no instants."""
OTHERS = {
    pa.uint8(): ShortType(),
    pa.uint16(): IntegerType(),
    pa.uint32(): LongType(),
    pa.uint64(): DecimalType(20),
    pa.string_view(): StringType(),
    pa.binary_view(): BinaryType(),
}
"""Arrow types that PySpark does not convert, and the types that Spark reads them as."""
MOMENTS = (DateType, TimestampType, TimestampNTZType)
READ = (IntegralType, FractionalType, BooleanType, StringType, BinaryType, NullType, *MOMENTS)


@dataclass(frozen=True)
class Footer:
    """The columns of one file: their Arrow types and physical types."""

    path: str
    columns: pa.Schema
    physical: Mapping[str, str]


def schema(paths: Sequence[str], columns: Sequence[str], source: str) -> tuple[StructType, list[str]]:
    """The requested columns that files have, as Spark shall read them; and all column names.

    Raises:
        SourceError: files have a column with different types or one that Spark does not read, or two names differ only
            in upper and lower case.
        ArrowException, OSError: a file cannot be opened, or is no Parquet.
    """
    return fields([footer(path) for path in paths], columns, source)


def fields(footers: Sequence[Footer], columns: Sequence[str], source: str) -> tuple[StructType, list[str]]:
    """The requested columns that files of some kind have, as Spark shall read them; and all column names.

    Raises:
        SourceError: see `schema`.
    """
    names = list(dict.fromkeys(name for footer in footers for name in footer.columns.names))
    return StructType([_field(name, footers, source) for name in columns if name in names]), names


def footer(path: str) -> Footer:
    """The columns of the file at a path.

    Raises:
        ArrowException, OSError: it cannot be opened, or is no Parquet.
    """
    filesystem, inner = storage.of_file(path)
    # An empty schema: Arrow itself refuses repeated names.
    files: Any = ds.dataset(inner, filesystem=filesystem, format="parquet", schema=pa.schema([]))
    (fragment,) = files.get_fragments()
    try:
        return Footer(fragment.path, fragment.physical_schema, parquet.physical_types(fragment.metadata))
    except pa.ArrowInvalid as error:  # Arrow names no file
        raise pa.ArrowInvalid(f"{fragment.path}: {error}") from error
    except UnicodeDecodeError as error:
        raise pa.ArrowInvalid(f"{fragment.path} has a column whose name is not UTF-8: {error.object!r}") from error


def _field(name: str, footers: Sequence[Footer], source: str) -> StructField:
    """A column as all files have it; in those that lack it, it is null."""
    kinds: dict[StructField, Footer] = {}
    for footer in footers:
        twins = [other_name for other_name in footer.columns.names if other_name.casefold() == name.casefold()]
        if name not in twins:
            continue
        if len(twins) > 1:
            raise SourceError(
                f"Source {source}: {footer.path} has the columns {', '.join(twins)}, which Spark does not tell apart. "
                "Rename all but one. Nothing was written."
            )
        field = _spark_field(footer, name)
        if field is None:
            raise SourceError(
                f"Source {source}: the column {name} of {footer.path} is {footer.columns.field(name).type}, which is "
                "not read; expected texts, numbers, booleans, dates or timestamps. Write it as one of these, or leave "
                "it out of the source's columns. Nothing was written."
            )
        kinds.setdefault(field, footer)
    if len(kinds) > 1:
        types = " and ".join(f"{footer.columns.field(name).type} in {footer.path}" for footer in kinds.values())
        raise SourceError(
            f"Source {source}: the column {name} is {types}. Write all files with one type. Nothing was written."
        )
    return next(iter(kinds))


def _spark_field(footer: Footer, name: str) -> StructField | None:
    """The column as Spark reads it; None where it does not."""
    kind = logical_type(footer.columns.field(name).type)
    if footer.physical.get(name) == "INT96":
        return StructField(name, TimestampType())
    if isinstance(kind, pa.TimestampType) and kind.unit != "us":
        return StructField(name, LongType(), metadata={UNIT: kind.unit, NO_ZONE: kind.tz is None})
    if kind in OTHERS:
        return StructField(name, OTHERS[kind])
    if pa.types.is_float16(kind) or pa.types.is_decimal256(kind):
        return None
    try:
        spark_type = from_arrow_type(kind)
    except PySparkException:
        return None
    return StructField(name, spark_type) if isinstance(spark_type, READ) else None
