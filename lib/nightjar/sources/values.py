"""Cast raw values to their declared types: exactly, or to null."""

import math
from collections.abc import Callable

from pyspark.sql import Column
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

from nightjar.settings.sources import ColumnType
from nightjar.sources.parquet import NANOSECONDS

_YEAR = "(?:[0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"  # not 0000
_DAY = rf"{_YEAR}-[0-9]{{2}}-[0-9]{{2}}"
_ZONE = r" ?(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)"
_TIME = "[0-9]{2}:[0-9]{2}"
FORMS = {
    ColumnType.LONG: "[+-]?[0-9]+",
    ColumnType.BOOLEAN: "(?i:true|false|t|f|yes|no|y|n|1|0)",
    ColumnType.DOUBLE: r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?|[+-]?(?i:inf|infinity)|(?i:nan)",
    ColumnType.DATE: _DAY,
    ColumnType.TIMESTAMP: rf"{_DAY}([ T]{_TIME}(:[0-9]{{2}}([.][0-9]{{1,6}}0{{0,3}})?({_ZONE})?)?)?",
}
"""Allowed texts, without blanks around them, for types whose cast by Spark accepts more, such as `12:00` or `1.5d`.

Java and Arrow (RE2) understand them alike: `profiling` proposes types by the same forms."""
FINER = rf"{_DAY}[ T]{_TIME}:[0-9]{{2}}[.][0-9]{{6,8}}[1-9]0{{0,2}}({_ZONE})?"
"""A moment finer than a microsecond."""
LONGEST = len("2024-03-01 00:00:00.000000")  # texts up to this length are not finer


def fits(field: StructField, kind: ColumnType) -> bool:
    """Whether values that a file holds as one type may be declared as another."""
    raw_type = field.dataType
    if isinstance(raw_type, (StringType, NullType)) or kind is ColumnType.STRING:
        return True
    if NANOSECONDS in field.metadata or isinstance(raw_type, (DateType, TimestampType, TimestampNTZType)):
        return kind in (ColumnType.DATE, ColumnType.TIMESTAMP)
    if isinstance(raw_type, NumericType):
        return kind in (ColumnType.LONG, ColumnType.DOUBLE, ColumnType.BOOLEAN)
    return isinstance(raw_type, BooleanType) and kind is ColumnType.BOOLEAN


def value(field: StructField, kind: ColumnType) -> Column:
    """A raw column cast to a type that it fits; null where a value is not exactly one of that type.

    Allowed texts are in `FORMS`. A fraction becomes the nearest DOUBLE, as its text does.
    """
    column = F.col(field.name)
    if NANOSECONDS in field.metadata:
        whole = F.when(column % 1000 == 0, F.timestamp_micros(F.expr(f"`{field.name}` DIV 1000")))
        return _exactly(whole, TimestampType(), kind)
    return _exactly(column, field.dataType, kind)


def finer(field: StructField, kind: ColumnType) -> Column | None:
    """Whether a moment is finer than a microsecond; None where no value can be."""
    column = F.col(field.name)
    if NANOSECONDS in field.metadata:
        return column % 1000 != 0
    if isinstance(field.dataType, StringType) and kind is ColumnType.TIMESTAMP:
        return (F.length(column) > LONGEST) & _has_form(column, FINER)
    return None


def _exactly(column: Column, raw_type: DataType, kind: ColumnType) -> Column:
    if isinstance(raw_type, StringType):
        return _of_text(column, kind)
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


def _of_text(text: Column, kind: ColumnType) -> Column:
    value = text.try_cast(kind.value)
    if kind is ColumnType.DOUBLE:  # the cast makes numbers infinite that are only too large
        value = F.when((F.abs(value) < F.lit(math.inf)) | text.rlike("[nN]"), value)
    return F.when(_has_form(text, FORMS[kind]), value) if kind in FORMS else value


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
