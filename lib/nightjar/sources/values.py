"""Cast raw values to their declared types: exactly, or to null."""

import math
import re
from collections.abc import Callable, Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import (
    BinaryType,
    BooleanType,
    DataType,
    DateType,
    DecimalType,
    FractionalType,
    IntegralType,
    NullType,
    NumericType,
    StringType,
    StructField,
    TimestampNTZType,
    TimestampType,
)

from nightjar.errors import SourceError
from nightjar.settings import patterns
from nightjar.settings.files import Dialect
from nightjar.settings.sources import ColumnType
from nightjar.settings.texts import FINER, FORMS, PLAIN_TIME
from nightjar.sources.formats.parquet import MOMENTS, NO_ZONE, UNIT
from nightjar.sources.formats.provenance import FOLDER
from nightjar.timeline import YEAR_1, YEAR_10000

PLAIN = Dialect()
"""Texts as `Column` says what they look like."""
FINER_THAN = "finer than a microsecond"
LONGEST = len("2024-03-01 00:00:00.000000")  # texts up to this length are not finer
OUTSIDE = "outside the years 1 to 9999"


def fits(field: StructField, kind: ColumnType) -> bool:
    """Whether values that a file holds as one type may be declared as another."""
    raw_type = field.dataType
    if isinstance(raw_type, (StringType, NullType)) or kind is ColumnType.STRING:
        return True
    if UNIT in field.metadata or isinstance(raw_type, MOMENTS):
        return kind in (ColumnType.DATE, ColumnType.TIMESTAMP)
    if isinstance(raw_type, NumericType):
        return kind in (ColumnType.LONG, ColumnType.DOUBLE, ColumnType.BOOLEAN)
    return isinstance(raw_type, BooleanType) and kind is ColumnType.BOOLEAN


def require_fit(rows: DataFrame, name: str, place: str, types: Mapping[str, ColumnType]) -> None:
    """Refuse a file or table with a column whose type cannot be read as the declared one.

    Raises:
        SourceError: it has one.
    """
    for column, kind in types.items():
        field = rows.schema[column]
        if not fits(field, kind):
            raise SourceError(
                f"Source {name}: the column {column} of {place} is {type_in_file(field)}, which is not read as the "
                f"{kind.word} that it is declared. Declare what it is, and derive the rest, such as "
                f"timestamp_millis({column}) or CAST({column} AS DATE). Nothing was written."
            )


def type_in_file(field: StructField) -> str:
    """What messages call the type of values that a file holds."""
    return "TIMESTAMP" if UNIT in field.metadata else field.dataType.simpleString().upper()


def value(field: StructField, kind: ColumnType, dialect: Dialect = PLAIN) -> Column:
    """A raw column cast to a type that it fits; null where a value is not exactly one of that type.

    Allowed texts are in `FORMS`, or as the dialect has them; names of folders are of no dialect. A fraction becomes the
    nearest DOUBLE, as its text does.
    """
    column = F.col(field.name)
    if isinstance(field.dataType, StringType):
        return _of_text(column, kind, PLAIN if FOLDER in field.metadata else dialect)
    if UNIT not in field.metadata and not isinstance(field.dataType, MOMENTS):
        return _exactly(column, field.dataType, kind)
    is_moment = reduce(Column.__and__, (~condition for condition, _ in special(field, kind)))
    unit = field.metadata.get(UNIT)
    if unit is None:
        return _exactly(F.when(is_moment, column), field.dataType, kind)
    instant = F.timestamp_millis(column) if unit == "ms" else F.timestamp_micros(F.expr(f"`{field.name}` DIV 1000"))
    return _exactly(F.when(is_moment, instant), TimestampType(), kind)


def special(field: StructField, kind: ColumnType, dialect: Dialect = PLAIN) -> list[tuple[Column, str]]:
    """Why a raw value may have none of a type, where that is more than its form: conditions, and the reasons."""
    column, unit = F.col(field.name), field.metadata.get(UNIT)
    if unit == "ns":
        return [(column % 1000 != 0, FINER_THAN)]
    if unit == "ms":
        return [(~column.between(YEAR_1 * 1000, YEAR_10000 * 1000 - 1), OUTSIDE)]
    if isinstance(field.dataType, MOMENTS):
        return [(is_outside(column), OUTSIDE)]
    if isinstance(field.dataType, StringType) and kind is ColumnType.TIMESTAMP and not dialect.timestamp_formats:
        return [((F.length(column) > LONGEST) & _has_form(column, FINER), FINER_THAN)]
    return []


def has_no_zone(field: StructField) -> bool:
    """Whether moments that a file holds are no instants."""
    return isinstance(field.dataType, DateType | TimestampNTZType) or field.metadata.get(NO_ZONE) is True


def is_plain_time(field: StructField, dialect: Dialect = PLAIN) -> Column:
    """Whether a raw value, if it is a timestamp, names no offset from UTC: it is what a clock shows somewhere."""
    if isinstance(field.dataType, StringType):
        own = PLAIN if FOLDER in field.metadata else dialect
        forms = [patterns.form(one) for one in own.timestamp_formats if not patterns.has_offset(one)]
        plain_forms = forms if own.timestamp_formats else [PLAIN_TIME]
        return reduce(Column.__or__, (_has_form(F.col(field.name), form) for form in plain_forms), F.lit(False))
    return F.lit(has_no_zone(field))


def is_outside(moment: Column) -> Column:
    """Whether a date or an instant is outside the years 1 to 9999, which neither Python nor reports can show."""
    return ~F.year(moment).between(1, 9999)


def _exactly(column: Column, raw_type: DataType, kind: ColumnType) -> Column:
    if isinstance(raw_type, BinaryType):
        return F.try_validate_utf8(column.cast("string"))
    if isinstance(raw_type, NullType):
        return F.lit(None).cast(kind.value)
    if isinstance(raw_type, NumericType) and kind in _OF_NUMBERS:
        return _OF_NUMBERS[kind](column, raw_type)
    if kind is ColumnType.DATE and not isinstance(raw_type, DateType):
        day = column.cast("date")
        return F.when(day.cast(raw_type) == column, day)
    return column.cast(kind.value)


def _of_text(text: Column, kind: ColumnType, dialect: Dialect) -> Column:
    if kind is ColumnType.STRING:  # of Parquet; what Spark reads of CSV is always UTF-8
        return F.try_validate_utf8(text)
    formats = {ColumnType.DATE: dialect.date_formats, ColumnType.TIMESTAMP: dialect.timestamp_formats}.get(kind)
    if formats:
        return F.coalesce(*(_of_pattern(text, pattern, kind) for pattern in formats))
    if kind in (ColumnType.LONG, ColumnType.DOUBLE) and (dialect.decimal != "." or dialect.thousands):
        text = _with_point(text, dialect)
    value = text.try_cast(kind.value)
    if kind is ColumnType.DOUBLE:  # the cast makes numbers infinite that are only too large
        value = F.when((F.abs(value) < F.lit(math.inf)) | text.rlike("[nN]"), value)
    if kind is ColumnType.TIMESTAMP:  # an offset leads out of the first and the last year
        value = F.when(~is_outside(value), value)
    return F.when(_has_form(text, FORMS[kind]), value)


def _of_pattern(text: Column, pattern: str, kind: ColumnType) -> Column:
    bare = F.when(_has_form(text, patterns.form(pattern)), F.btrim(text, F.lit(" \t")))
    value = F.try_to_timestamp(bare, F.lit(pattern))
    return F.when(~is_outside(value), value).cast(kind.value)


def _with_point(text: Column, dialect: Dialect) -> Column:
    """Texts of numbers as a dialect writes them with a point and without signs between thousands; null for others."""
    point, apart = re.escape(dialect.decimal), dialect.thousands
    whole = rf"(?:[0-9]{{1,3}}(?:{re.escape(apart)}[0-9]{{3}})+|[0-9]+)" if apart else "[0-9]+"
    number = rf"[+-]?(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?[a-zA-Z]+"
    return F.when(_has_form(text, number), F.translate(text, dialect.decimal + (apart or ""), "."))


def _has_form(text: Column, form: str) -> Column:
    return text.rlike(rf"^[ \t]*(?:{form})[ \t]*\z")


def _long(column: Column, raw_type: DataType) -> Column:
    if isinstance(raw_type, IntegralType):
        return column.cast("bigint")
    whole = column % 1 == 0
    if not isinstance(raw_type, DecimalType):  # the cast would take 2^63 for 2^63 - 1
        column = column.cast("double")
        whole = (F.rint(column) == column) & (column >= F.lit(-(2.0**63))) & (column < F.lit(2.0**63))
    return F.when(whole, column.try_cast("bigint"))


def _double(column: Column, raw_type: DataType) -> Column:
    nearest = column.cast("double")
    if isinstance(raw_type, FractionalType) and not (isinstance(raw_type, DecimalType) and raw_type.scale == 0):
        return nearest
    return F.when(nearest.try_cast("decimal(38,0)") == column.cast("decimal(38,0)"), nearest)


def _boolean(column: Column, _: DataType) -> Column:
    return F.when(column == 0, F.lit(False)).when(column == 1, F.lit(True))


_OF_NUMBERS: dict[ColumnType, Callable[[Column, DataType], Column]] = {
    ColumnType.LONG: _long,
    ColumnType.DOUBLE: _double,
    ColumnType.BOOLEAN: _boolean,
}
