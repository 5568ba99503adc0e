"""Arrow columns as NumPy arrays: instants, numbers, and integers that order as the values do."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from nightjar.errors import JoinError

ArrowArray: TypeAlias = "pa.Array[Any]"
Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]

INSTANT = pa.timestamp("us", tz="UTC")
EARLIEST = int(np.iinfo(np.int64).min)
FOREVER = int(np.iinfo(np.int64).max)

_ORDERED: list[Callable[[pa.DataType], bool]] = [
    types.is_boolean,
    types.is_integer,
    types.is_floating,
    types.is_decimal,
    types.is_date,
    types.is_time,
    types.is_timestamp,
    types.is_duration,
    types.is_string,
    types.is_large_string,
    types.is_string_view,
    types.is_binary,
    types.is_large_binary,
    types.is_binary_view,
    types.is_fixed_size_binary,
]


def logical_type(kind: pa.DataType) -> pa.DataType:
    """The type of the values: what a dictionary holds, what an extension stores."""
    if isinstance(kind, pa.DictionaryType):
        return logical_type(kind.value_type)
    return logical_type(kind.storage_type) if isinstance(kind, pa.BaseExtensionType) else kind


def is_orderable(kind: pa.DataType) -> bool:
    """Whether values of this logical type are plain ones that have an order."""
    return any(test(kind) for test in _ORDERED)


def column_of(table: pa.Table, name: str) -> ArrowArray:
    """A table's column as one array."""
    return concat(table.column(name).unify_dictionaries().chunks, table.schema.field(name).type)


def concat(pieces: list[ArrowArray], kind: pa.DataType) -> ArrowArray:
    """Concatenate arrays of one type; a single one is not copied."""
    if len(pieces) == 1:
        return pieces[0]
    return pa.concat_arrays(pieces) if pieces else pa.array([], kind)


def nulls(rows: int, kind: pa.DataType) -> ArrowArray:
    """A column of nulls."""
    return pa.array([None] * rows, kind)


def plain(column: ArrowArray) -> ArrowArray:
    """The same values without dictionary, extension or view."""
    if isinstance(column, pa.ExtensionArray):
        return plain(column.storage)
    if isinstance(column, pa.DictionaryArray):
        return plain(column.dictionary_decode())
    if types.is_string_view(column.type):
        return column.cast(pa.large_string())
    return column.cast(pa.large_binary()) if types.is_binary_view(column.type) else column


def take(column: ArrowArray, positions: Ints) -> ArrowArray:
    """The column's values at positions, null at -1."""
    if types.is_string_view(column.type) or types.is_binary_view(column.type):  # Arrow cannot take from views
        return take(plain(column), positions).cast(column.type)
    is_null = positions < 0
    if types.is_primitive(column.type) and column.type.bit_width == 64 and len(column) and not column.null_count:
        bits = _bits(column).take(positions, mode="wrap")  # a quarter of the time that Arrow takes
        return of_numbers(bits, bitmap(~is_null)).view(column.type)
    indices: Any = pa.array(positions, pa.int64(), mask=is_null if is_null.any() else None)
    return column.take(indices)


def bitmap(valid: Flags) -> pa.Buffer | None:
    """Flags as Arrow's validity bitmap; None if all are true."""
    return None if valid.all() else pa.array(valid).buffers()[1]


def of_numbers(numbers: npt.NDArray[np.generic], valid: pa.Buffer | None) -> ArrowArray:
    """A column of numbers with a validity bitmap, without a copy."""
    kind, memory = pa.from_numpy_dtype(numbers.dtype), np.ascontiguousarray(numbers).data
    column: ArrowArray = pa.Array.from_buffers(kind, len(numbers), [valid, pa.py_buffer(memory)])
    return column


def _bits(column: ArrowArray) -> Ints:
    """The bits of 64-bit values, none of them null, as integers."""
    bits: Any = column.view(pa.int64())
    return np.asarray(bits.to_numpy(), np.int64)


def flags(column: ArrowArray) -> Flags:
    """A boolean column, null as False."""
    plain_flags = column.fill_null(False) if column.null_count else column
    return np.asarray(plain_flags.to_numpy(zero_copy_only=False), np.bool_)


def present(column: ArrowArray) -> Flags:
    """True where the column is not null."""
    return flags(column.is_valid()) if column.null_count else np.ones(len(column), np.bool_)


def instants(column: ArrowArray, where: str) -> Ints:
    """A clock as microseconds since 1970 in UTC; undefined where it is null.

    Raises:
        JoinError: an instant that microseconds in 64 bits cannot hold exactly.
    """
    try:
        return integers(column.cast(INSTANT).cast(pa.int64()), 0)
    except pa.ArrowInvalid as error:
        raise JoinError(
            f"{where}: {column.type} holds instants finer than a microsecond or too far off ({error}); "
            "round them before the join, up for facts and down for predictions, so that nothing is used too early"
        ) from error


def integers(column: ArrowArray, null: int) -> Ints:
    """Integers of any width as 64 bits, null replaced by a number."""
    filled = column.fill_null(null) if column.null_count else column
    return np.asarray(filled.to_numpy(), np.int64)


def order_keys(column: ArrowArray) -> Ints:
    """One integer for each value, which orders and compares as the values do; undefined for null.

    NaN equals itself and comes last; -0.0 equals 0.0. Only keys of one column may be compared.
    """
    column = plain(column)
    kind = column.type
    if types.is_null(kind):
        return np.zeros(len(column), np.int64)
    if types.is_floating(kind):
        return _float_keys(column.cast(pa.float64()).fill_null(0.0).to_numpy())
    if types.is_uint64(kind):
        return np.asarray(column.fill_null(0).to_numpy() ^ np.uint64(1 << 63), np.uint64).view(np.int64)
    if types.is_temporal(kind):
        column = column.view(pa.int32() if kind.bit_width == 32 else pa.int64())
    if types.is_integer(column.type) or types.is_boolean(column.type):
        return integers(column.cast(pa.int64()), 0)
    return ranks(column)


def differs(column: ArrowArray, rows: Ints, other_rows: Ints) -> Flags:
    """Whether the values at two lists of rows differ, pair by pair; null equals null, NaN equals NaN."""
    if is_orderable(logical_type(column.type)) or types.is_null(column.type):
        keys, valid = order_keys(column), present(column)
        unequal: Flags = (valid[rows] != valid[other_rows]) | (valid[rows] & (keys[rows] != keys[other_rows]))
        return unequal
    pairs = zip(take(column, rows), take(column, other_rows), strict=True)
    return np.array([not value.equals(other_value) for value, other_value in pairs], np.bool_)


def _float_keys(values: Floats) -> Ints:
    values = values + 0.0
    values[np.isnan(values)] = np.nan
    bits: Ints = values.view(np.int64)
    keys: Ints = bits ^ ((bits >> 63) & FOREVER)
    return keys


def floats_of(keys: Ints) -> Floats:
    """The floats that have these order keys; 0.0 for -0.0."""
    floats: Floats = (keys ^ ((keys >> 63) & FOREVER)).view(np.float64)
    return floats


def ranks(column: ArrowArray) -> Ints:
    """The dense rank of each value; undefined for null."""
    encoded = column.dictionary_encode()
    levels = encoded.dictionary
    rank_of_level = np.zeros(max(len(levels), 1), np.int64)
    rank_of_level[pc.sort_indices(levels).to_numpy()] = np.arange(len(levels))
    return rank_of_level[integers(encoded.indices, 0)]
