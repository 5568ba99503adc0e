"""Columns that say when: instants and days as sources have them, and others that Spark SQL makes such of."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.asof.values import Ints
from nightjar.profiling.columns import ColumnProfile
from nightjar.profiling.parsing import INSTANT, Values, instants, is_text, natural, read
from nightjar.profiling.raw_file import RawFile
from nightjar.settings.sources import ColumnType

PLAIN, DAY = pa.timestamp("us"), pa.date32()
_TIME = r"(?P<time> \d{1,2}:\d{2}(?P<second>:\d{2})?(?P<half> [AP]M)?)?"
_FORMS = (
    (r"\d{1,2}/\d{1,2}/\d{4}", "M/d/yyyy", "%m/%d/%Y"),
    (r"\d{1,2}/\d{1,2}/\d{4}", "d/M/yyyy", "%d/%m/%Y"),
    (r"\d{1,2}\.\d{1,2}\.\d{4}", "d.M.yyyy", "%d.%m.%Y"),
    (r"\d{4}/\d{1,2}/\d{1,2}", "yyyy/M/d", "%Y/%m/%d"),
    (r"\d{4}-\d{1,2}-\d{1,2}", "yyyy-M-d", "%Y-%m-%d"),
)
"""Forms of days that no type of a source is: of a text, for Spark and for Python."""
_NAMED = re.compile(r"(?i)time|date|day|epoch|created|stamp|(^|_)(at|ts|when)($|_)|[a-z](At|Ts)$")
_SECONDS = 946_684_800, 4_102_444_800  # since 1970, from 2000 to 2100
_EIGHT_DIGITS = 19_000_101, 21_000_101
NEVER = int(np.iinfo(np.int64).min)
Converter: TypeAlias = Callable[[Values], Values]


@dataclass(frozen=True)
class ClockColumn:
    """A column as instants or days.

    Attributes:
        column: of the file.
        sql: Spark SQL that gives a TIMESTAMP or a DATE of it.
        is_day: whether it gives days.
        is_absolute: whether it gives instants whatever the zone: with an offset, or counted since 1970.
        convert: values of the file, without nulls, as such: aware or plain timestamps, or days.
        doubt: what a person should check of it.
    """

    column: str
    sql: str
    is_day: bool
    is_absolute: bool
    convert: Converter
    doubt: str = ""

    def is_of_its_own(self) -> bool:
        """Whether the column is a TIMESTAMP or a DATE itself."""
        return self.sql == quote(self.column)

    def of(self, column: "pa.ChunkedArray[Any]", zone: str) -> tuple[Ints, Ints]:
        """Of every row, microseconds since 1970 in UTC (of a day, of its first), and the number of its date in a zone.

        What is null is `NEVER`.
        """
        dictionary: Any = column.combine_chunks().dictionary_encode()
        dictionary = dictionary.combine_chunks() if isinstance(dictionary, pa.ChunkedArray) else dictionary
        values = self.convert(dictionary.dictionary)
        if self.is_day or values.type.tz is None:
            values = pc.assume_timezone(values.cast(PLAIN), zone, ambiguous="earliest", nonexistent="latest")
        local = pc.local_timestamp(values.cast(pa.timestamp("us", zone)))
        day = pc.floor_temporal(local, unit="day").cast(pa.date32()).cast(pa.int32()).cast(pa.int64())
        moment = values.cast(INSTANT).cast(pa.int64())
        return _numbers(moment.take(dictionary.indices)), _numbers(day.take(dictionary.indices))


def clock_column_of(column: ColumnProfile, raw: RawFile, null_text: str) -> ClockColumn | None:
    """The column as instants or days; None where its values are neither."""
    name, kind = column.name, column.kind
    sql = quote(name)
    if kind is ColumnType.DATE:
        return ClockColumn(name, sql, is_day=True, is_absolute=False, convert=_days)
    if kind is ColumnType.TIMESTAMP:
        if column.zone is None and _are_midnights(_moments(_different(raw, name, null_text))):
            doubt = "every value is at midnight: they are taken for days, of which the time is not known"
            return ClockColumn(name, f"to_date({sql})", is_day=True, is_absolute=False, convert=_dates, doubt=doubt)
        return ClockColumn(name, sql, is_day=False, is_absolute=column.zone is not None, convert=_moments)
    if kind is ColumnType.STRING:
        return _of_texts(name, sql, raw, null_text) if _has_form(column.examples[0]) else None
    return _of_numbers(column, sql, raw, null_text) if kind is ColumnType.LONG else None


def quote(name: str) -> str:
    """A column in Spark SQL, which has words of its own that a plain name may be."""
    return f"`{name}`"


def _days(values: Values) -> Values:
    return read(values, ColumnType.DATE) if is_text(values.type) else values.cast(DAY)


def _moments(values: Values) -> Values:
    """Aware where the file says offsets or a zone, else plain."""
    if not is_text(values.type):
        _, typed = natural(values)
        return typed.cast(PLAIN) if values.type.tz is None else typed
    moments, offsets = instants(values)
    return moments if len(offsets) > offsets.null_count else moments.cast(PLAIN)


def _are_midnights(values: Values) -> bool:
    """Whether several instants are all at midnight."""
    return len(values) > 1 and bool(pc.all(pc.equal(values, pc.floor_temporal(values, unit="day"))).as_py())


def _dates(values: Values) -> Values:
    return _moments(values).cast(DAY)


def _has_form(example: str) -> bool:
    return any(re.fullmatch(day + _TIME, example.strip()) for day, _, _ in _FORMS)


def _of_texts(name: str, sql: str, raw: RawFile, null_text: str) -> ClockColumn | None:
    values = _different(raw, name, null_text)
    example, fitting = values[0].as_py().strip(), list[tuple[str, Converter, bool]]()
    convert: Converter
    for day, spark, python in _FORMS:
        parts = re.fullmatch(day + _TIME, example)
        if parts is not None:
            times = _times(parts["time"] is not None, parts["second"] is not None, parts["half"] is not None)
            convert = partial(_parse, form=python + times[1], pattern=day + _TIME)
            fitting += [(spark + times[0], convert, not parts["time"])] if _can_convert(convert, values) else []
    if not fitting:
        return None
    (spark, convert, is_day), *others = fitting
    expression = f"try_to_timestamp({sql}, '{spark}')"
    doubt = f"its texts are read as {spark}; they may as well be {others[0][0]}" if others else ""
    return ClockColumn(
        name,
        f"to_date({expression})" if is_day else expression,
        is_day,
        is_absolute=False,
        convert=convert,
        doubt=doubt,
    )


def _times(has_time: bool, has_second: bool, has_half: bool) -> tuple[str, str]:  # noqa: FBT001
    """How Spark and Python name the time after a day."""
    if not has_time:
        return "", ""
    spark, python = (" h:mm", " %I:%M") if has_half else (" H:mm", " %H:%M")
    spark, python = (spark + ":ss", python + ":%S") if has_second else (spark, python)
    return (spark + " a", python + " %p") if has_half else (spark, python)


def _of_numbers(column: ColumnProfile, sql: str, raw: RawFile, null_text: str) -> ClockColumn | None:
    """Days written as 20240331, and, in a column that is named so, seconds or milliseconds since 1970."""
    name, least, greatest = column.name, column.least, column.greatest
    may_be_days = _EIGHT_DIGITS[0] <= least and greatest < _EIGHT_DIGITS[1]
    if may_be_days and _can_convert(_eight_digits, _different(raw, name, null_text)):
        expression = f"to_date(CAST({sql} AS STRING), 'yyyyMMdd')"
        return ClockColumn(name, expression, is_day=True, is_absolute=False, convert=_eight_digits)
    for scale, expression in ((1, "timestamp_seconds"), (1000, "timestamp_millis")):
        if _NAMED.search(name) and _SECONDS[0] * scale <= least and greatest < _SECONDS[1] * scale:
            convert = partial(_since_1970, factor=1_000_000 // scale)
            return ClockColumn(name, f"{expression}({sql})", is_day=False, is_absolute=True, convert=convert)
    return None


def _different(raw: RawFile, name: str, null_text: str) -> Values:
    return raw.column(name, null_text).drop_null().unique()


def _can_convert(convert: Converter, values: Values) -> bool:
    try:
        convert(values)
    except ValueError:
        return False
    return True


def _parse(values: Values, form: str, pattern: str) -> Values:
    """Texts as plain times.

    Raises:
        ValueError: one is not of the form.
    """
    texts = values.to_pylist()
    if not all(re.fullmatch(pattern, text) for text in texts):
        raise ValueError(form)
    moments = [datetime.strptime(text, form) for text in texts]  # noqa: DTZ007
    return pa.array(moments).cast(PLAIN)


def _eight_digits(values: Values) -> Values:
    texts = [str(value).strip() for value in values.to_pylist()]
    return pa.array([datetime.strptime(text, "%Y%m%d").date() for text in texts], DAY)  # noqa: DTZ007


def _since_1970(values: Values, factor: int) -> Values:
    whole = read(values, ColumnType.LONG) if is_text(values.type) else values.cast(pa.int64())
    return pc.multiply(whole, factor).cast(PLAIN).cast(INSTANT)


def _numbers(values: Values) -> Ints:
    return np.asarray(values.fill_null(NEVER).to_numpy(), dtype=np.int64)
