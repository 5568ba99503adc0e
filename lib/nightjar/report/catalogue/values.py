"""Types and values of columns, in words."""

from datetime import date, datetime
from typing import Any

import pyarrow as pa

from nightjar.report.formatting import compact

_NAMES = {
    pa.string(): "string",
    pa.large_string(): "string",
    pa.string_view(): "string",
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.bool_(): "boolean",
    pa.date32(): "date",
    pa.timestamp("us", tz="UTC"): "timestamp",
    pa.null(): "",
}


def type_word(kind: pa.DataType) -> str:
    """A type as SQL says it; of one that nobody has said nothing.

    Example:
        >>> type_word(pa.map_(pa.string(), pa.float64()))
        'map<string, double>'
    """
    if isinstance(kind, pa.MapType):
        return f"map<{type_word(kind.key_type)}, {type_word(kind.item_type)}>"
    if isinstance(kind, pa.StructType):
        return f"struct<{', '.join(f'{one.name}: {type_word(one.type)}' for one in kind)}>"
    if isinstance(kind, pa.ListType):
        return f"array<{type_word(kind.value_type)}>"
    return _NAMES.get(kind, str(kind))


def shown_range(least: Any, greatest: Any) -> str:
    """Bounds of numbers, dates and instants; of texts nothing, which say little and may be about people.

    Example:
        >>> shown_range(0, 12_345.678)
        '0 to 12,350'
        >>> shown_range("Ann", "Zoe")
        ''
    """
    words = [_word(one) for one in (least, greatest)]
    return "" if None in words else f"{words[0]} to {words[1]}"


def _word(value: Any) -> str | None:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return compact(value) if is_number else None
