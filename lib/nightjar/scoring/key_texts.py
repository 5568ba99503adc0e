"""The texts of keys in identifiers: those that Python gives each value, column by column."""

from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

PLAIN = np.isin(np.arange(256), [byte for byte in range(32, 127) if chr(byte) not in "'\\"])
"""Bytes of text that Python shows as they are, between single quotes."""
FEW_VALUES = 4
"""So many rows or more for each different value: then the values are looked at instead of the rows."""


def texts(column: "pa.ChunkedArray[Any]") -> pa.BinaryArray:
    """The text of each value: `repr`, or of an instant the ISO format to the microsecond."""
    values: Any = column.combine_chunks()
    if isinstance(values, pa.ChunkedArray):  # of no chunk
        values = values.chunk(0) if values.num_chunks else pa.array([], column.type)
    if pa.types.is_integer(values.type):
        return _bytes(values.cast(pa.string()))
    if pa.types.is_string(values.type) and _are_plain(values):
        return _bytes(pc.binary_join_element_wise("'", values, "'", ""))
    if _has_equality(values.type):
        encoded = values.dictionary_encode()
        if len(encoded.dictionary) * FEW_VALUES <= len(values):
            shown: Any = pa.array([_text(value) for value in [*encoded.dictionary.to_pylist(), None]], pa.binary())
            of_rows: pa.BinaryArray = shown.take(pc.fill_null(encoded.indices, len(shown) - 1))
            return of_rows
    if values.type == pa.timestamp("us", "UTC") and _are_in_years_of_four_digits(values):
        return _instants(values)
    return pa.array([_text(value) for value in values.to_pylist()], pa.binary())


def of_one_length(kind: pa.DataType, content: Any) -> Any:
    """Texts or bytes that are as long as each other, of an array of numbers: (texts, parts of a text)."""
    size = content.itemsize * content.shape[1]
    ends: Any = np.arange(len(content) + 1, dtype=np.int32) * size
    return pa.Array.from_buffers(kind, len(content), [None, pa.py_buffer(ends), pa.py_buffer(content)])


def _bytes(shown: Any) -> pa.BinaryArray:
    """Texts as bytes, and that of null."""
    filled: pa.BinaryArray = pc.fill_null(shown, "None").cast(pa.binary())
    return filled


def _are_plain(values: Any) -> bool:
    """Whether `repr` only puts quotes around the texts."""
    _, ends, data = values.buffers()
    if data is None:
        return True
    places = np.frombuffer(ends, np.int32)[[values.offset, values.offset + len(values)]] if len(values) else (0, 0)
    return bool(PLAIN[np.frombuffer(data, np.uint8)[places[0] : places[1]]].all())


def _has_equality(kind: pa.DataType) -> bool:
    """Whether values that Arrow takes for one have one text; 0.0 and -0.0 have two."""
    is_of_time = pa.types.is_timestamp(kind) or pa.types.is_date(kind)
    return is_of_time or pa.types.is_string(kind) or pa.types.is_decimal(kind)


def _are_in_years_of_four_digits(values: Any) -> bool:
    """Whether Python has these instants: from the year 1 to 9999."""
    bounds = pc.min_max(values)
    first, last = datetime(1, 1, 1), datetime(9999, 12, 31)  # noqa: DTZ001  (compared with numbers)
    epoch = datetime(1970, 1, 1)  # noqa: DTZ001
    low, high = ((one - epoch).days * 86_400_000_000 for one in (first, last))
    least, greatest = (bounds[name].cast(pa.int64()).as_py() for name in ("min", "max"))
    return least is not None and low <= least and greatest <= high


def _instants(values: Any) -> pa.BinaryArray:
    """Instants of UTC as 2013-10-03T04:00:00.000000+00:00."""
    moments = pc.fill_null(values.cast(pa.int64()), 0).to_numpy().astype("M8[us]")
    days, months = moments.astype("M8[D]"), moments.astype("M8[M]")
    of_month = (days - months.astype("M8[D]")).astype(np.int64) + 1
    of_year = months.astype(np.int64)
    in_day = (moments - days).astype(np.int64)
    seconds, fraction = np.divmod(in_day, 1_000_000)
    minutes = seconds // 60
    centuries, years = np.divmod(1970 + of_year // 12, 100)
    pairs = {0: centuries, 2: years, 5: of_year % 12 + 1, 8: of_month, 11: minutes // 60, 14: minutes % 60}
    pairs |= {17: seconds % 60, 20: fraction // 10_000, 22: fraction // 100 % 100, 24: fraction % 100}
    digits = np.tile(np.frombuffer(b"0000-00-00T00:00:00.000000+00:00", np.uint8), (len(moments), 1))
    for place, numbers in pairs.items():
        digits[:, place] += (numbers // 10).astype(np.uint8)
        digits[:, place + 1] += (numbers % 10).astype(np.uint8)
    shown = of_one_length(pa.binary(), digits)
    if values.null_count:
        shown = pc.if_else(pc.is_null(values), pa.scalar(b"None", pa.binary()), shown)
    instants: pa.BinaryArray = shown
    return instants


def _text(value: Any) -> bytes:
    text = value.isoformat(timespec="microseconds") if isinstance(value, datetime) else repr(value)
    return text.encode()
