"""Texts and values of Parquet as the types that a source's columns have, by the rules by which `ingest` reads them.

What is read here is read by `ingest` as the same value. The reverse holds but for odd forms that nobody proposes a type
by, such as line ends around a number.
"""

from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.asof.values import Flags, Ints
from nightjar.settings.sources import ColumnType
from nightjar.settings.texts import FORMS

Values: TypeAlias = Any
"""An Arrow array. Its stubs know fewer types and kernels than it has."""
INSTANT = pa.timestamp("us", "UTC")
WORDS = {
    True: ("true", "t", "yes", "y", "1"),
    False: ("false", "f", "no", "n", "0"),
}
"""What reads as true, and what as false, in capitals or not; the n-th of both are a pair."""
_PARTS = (
    r"^[ \t]*(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?P<time>(?:[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?)(?P<fraction>(?:[.][0-9]{1,6})?)0{0,3}"
    r"(?P<zone>(?: ?(?:Z|UTC|[+-][0-9:]+))?)[ \t]*\z"
)
_OFFSET = r"(?P<sign>[+-])(?P<hours>[0-9]{2}):?(?P<minutes>(?:[0-9]{2})?)\z"
kernels: Any = pc
"""Of which the stubs miss those of an array with a plain value."""
_MOST_HOURS = 18  # of an offset from UTC, as Java has it
_MINUTE, _DAY = 60_000_000, 86_400_000_000
_FIRST_DAY, _END_DAY = -719_162, 2_932_897  # the first of the year 1 and of the year 10000, in days since 1970


def read(texts: Values, kind: ColumnType) -> Values:
    """Texts as a type; null where one is none of that type."""
    if kind is ColumnType.STRING:
        return texts
    if kind is ColumnType.BOOLEAN:
        return _booleans(texts)
    formed = pc.match_substring_regex(texts, rf"^[ \t]*(?:{FORMS[kind]})[ \t]*\z")
    texts = pc.if_else(formed, texts, pa.scalar(None, texts.type))
    if kind is ColumnType.TIMESTAMP:
        return instants(texts)[0]
    bare = pc.replace_substring_regex(pc.utf8_trim(texts, " \t"), r"^\+", "")
    if kind is ColumnType.DOUBLE:
        numbers = _cast(bare, pa.float64())
        too_large = pc.and_(pc.is_inf(numbers), pc.invert(pc.match_substring_regex(bare, "(?i)inf")))
        return pc.if_else(too_large, pa.scalar(None, pa.float64()), numbers)
    return _cast(bare, pa.int64() if kind is ColumnType.LONG else pa.date32())


def instants(texts: Values) -> tuple[Values, Values]:
    """Instants, without an offset read as UTC, and the offsets in minutes; null where there is none."""
    parts = kernels.extract_regex(texts, _PARTS)
    part = {name: kernels.struct_field(parts, name) for name in ("day", "time", "fraction", "zone")}
    whole = kernels.binary_join_element_wise(part["day"], part["time"], part["fraction"], pa.scalar("", texts.type))
    plain = _cast(whole, pa.timestamp("us"))
    offset = _offsets(part["zone"])
    moments = kernels.subtract(plain.cast(pa.int64()), kernels.multiply(offset, _MINUTE)).cast(pa.timestamp("us"))
    moments = _in_calendar(moments).cast(INSTANT)
    return moments, kernels.if_else(kernels.equal(part["zone"], ""), pa.scalar(None, pa.int64()), offset)


def _offsets(zones: Values) -> Values:
    """Minutes east of UTC, 0 where nothing is said; null for what is no offset."""
    parts = kernels.extract_regex(zones, _OFFSET)
    sign, hours, minutes = (kernels.struct_field(parts, name) for name in ("sign", "hours", "minutes"))
    hours, minutes = hours.cast(pa.int64()), kernels.if_else(kernels.equal(minutes, ""), "0", minutes).cast(pa.int64())
    length = kernels.add(kernels.multiply(hours, 60), minutes)
    is_one = kernels.and_(kernels.less_equal(length, _MOST_HOURS * 60), kernels.less(minutes, 60))
    offset = kernels.if_else(
        is_one, kernels.if_else(kernels.equal(sign, "-"), kernels.negate(length), length), pa.scalar(None, pa.int64())
    )
    is_none = kernels.invert(kernels.match_substring_regex(zones, "^ ?[+-]"))
    return kernels.if_else(is_none, pa.scalar(0, pa.int64()), offset)


def natural(values: Values) -> tuple[ColumnType, Values]:
    """Values of Parquet that are no texts as the type that says the same; null where a value has none."""
    kind, types = values.type, pa.types
    if types.is_boolean(kind):
        return ColumnType.BOOLEAN, values
    if types.is_date(kind):
        return ColumnType.DATE, _in_calendar(values.cast(pa.date32()))
    if types.is_timestamp(kind):
        return ColumnType.TIMESTAMP, _in_calendar(_whole_microseconds(values))
    if types.is_binary(kind) or types.is_large_binary(kind):
        return ColumnType.STRING, _cast(values, pa.large_string())
    if types.is_integer(kind) or (types.is_decimal(kind) and kind.scale <= 0):
        return ColumnType.LONG, _cast(values, pa.int64())
    return ColumnType.DOUBLE, values.cast(pa.float64(), safe=False)


def codes_of(column: "pa.ChunkedArray[Any]", kind: ColumnType) -> Ints:
    """Every row as a whole number from 0: equal ones for what is read as equal; a null is a value like others."""
    places = _dictionary(column.combine_chunks())
    values = places.dictionary
    typed = read(values, kind) if is_text(values.type) else natural(values)[1]
    same = _dictionary(typed)
    codes: Ints = np.asarray(same.indices.to_numpy(), dtype=np.int64)[places.indices.to_numpy()]
    return codes


def flags(column: "pa.ChunkedArray[Any]") -> Flags:
    """Where a boolean column is true."""
    values: Any = column.combine_chunks()
    typed = _booleans(values) if is_text(values.type) else values.cast(pa.bool_())
    return np.asarray(typed.fill_null(False).to_numpy(zero_copy_only=False), dtype=np.bool_)


def _dictionary(values: Any) -> Any:
    dictionary = values.dictionary_encode(null_encoding="encode")
    return dictionary.combine_chunks() if isinstance(dictionary, pa.ChunkedArray) else dictionary


def is_text(kind: pa.DataType) -> bool:
    """Whether values of an Arrow type are texts."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _in_calendar(values: Values) -> Values:
    """Days or instants; what is outside the years 1 to 9999 is none."""
    counts, unit = (pa.int32(), 1) if pa.types.is_date(values.type) else (pa.int64(), _DAY)
    plain = values.cast(counts)
    is_after = kernels.greater_equal(plain, pa.scalar(_FIRST_DAY * unit, counts))
    is_inside = kernels.and_(is_after, kernels.less(plain, pa.scalar(_END_DAY * unit, counts)))
    return kernels.if_else(is_inside, values, pa.scalar(None, values.type))


def _whole_microseconds(values: Values) -> Values:
    """What is finer than a microsecond is none."""
    cut = values.cast(pa.timestamp("us", values.type.tz), safe=False)
    same = pc.equal(cut.cast(values.type, safe=False), values)
    whole = pc.if_else(same, cut, pa.scalar(None, cut.type))
    return whole.cast(INSTANT)


def _booleans(texts: Values) -> Values:
    bare = pc.utf8_lower(pc.utf8_trim(texts, " \t"))
    is_true, is_false = (pc.is_in(bare, value_set=pa.array(WORDS[one], bare.type)) for one in (True, False))
    return pc.if_else(is_true, True, pc.if_else(is_false, False, pa.scalar(None, pa.bool_())))


def _cast(values: Values, kind: pa.DataType) -> Values:
    """A cast, null where a value cannot be cast: halves of what cannot be cast whole are tried by themselves."""
    try:
        return values.cast(kind)
    except pa.ArrowInvalid:
        if len(values) == 1:
            return pa.array([None], kind)
        half = len(values) // 2
        return pa.concat_arrays([_cast(values.slice(0, half), kind), _cast(values.slice(half), kind)])
