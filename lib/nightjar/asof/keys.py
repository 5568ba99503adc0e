"""Entity codes: the keys of spine and facts as one small integer, whatever their number and types."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from nightjar.asof.composite_keys import rough_order
from nightjar.asof.definitions import Facts
from nightjar.asof.values import (
    ArrowArray,
    Ints,
    column_of,
    flags,
    integers,
    nulls,
    order_keys,
    plain,
    present,
    ranks,
    take,
)
from nightjar.errors import JoinError

_FAMILIES: list[tuple[Callable[[pa.DataType], bool], ...]] = [
    (types.is_integer, types.is_floating, types.is_decimal),
    (types.is_string, types.is_large_string, types.is_string_view),
    (types.is_binary, types.is_large_binary, types.is_binary_view, types.is_fixed_size_binary),
    (types.is_boolean,),
    (types.is_date,),
    (types.is_time,),
    (types.is_duration,),
    (lambda kind: isinstance(kind, pa.TimestampType) and kind.tz is None,),
    (lambda kind: isinstance(kind, pa.TimestampType) and kind.tz is not None,),
]


def entities(spine: pa.Table, source: Facts) -> tuple[Ints, Ints]:
    """A code for each spine row and each fact: equal exactly where all keys are equal.

    Facts are numbered from 0 up as their keys first appear, so that facts sorted by keys have ascending codes; -1 is
    a fact with a null key, and a spine row with one or with keys that no fact has.

    Raises:
        JoinError: spine keys that the facts' key types do not hold exactly.
    """
    key_pairs = []
    for spine_name, fact_name in source.key_columns.items():
        fact_key = plain(column_of(source.table, fact_name))
        where = f"facts {source.name!r}, column {fact_name!r}: spine key {spine_name!r}"
        spine_key = lossless(plain(column_of(spine, spine_name)), fact_key.type, where)
        key_pairs.append((_encode(fact_key), spine_key))
    fact_codes, levels = key_pairs[0][0]
    spine_codes = _look_up(key_pairs[0][1], levels)
    for (second_codes, levels), spine_key in key_pairs[1:]:
        second_spine = _look_up(spine_key, levels)
        fact_codes, pair_levels = _encode(_pair_codes(fact_codes, second_codes, len(levels)))
        spine_codes = _look_up(_pair_codes(spine_codes, second_spine, len(levels)), pair_levels)
    return spine_codes, fact_codes


def row_codes(columns: Sequence[ArrowArray]) -> Ints:
    """One code from 0 up for each row of the columns, equal where all values are; -1 where one is null."""
    codes, _ = _encode(columns[0])
    for column in columns[1:]:
        second_codes, levels = _encode(column)
        codes, _ = _encode(_pair_codes(codes, second_codes, len(levels)))
    return codes


def lossless(column: ArrowArray, kind: pa.DataType, where: str) -> ArrowArray:
    """The column cast to another type of the same family, if that represents each value exactly.

    Raises:
        JoinError: another family (1 is not "1"), or a value that would change.
    """
    if column.type == kind:
        return column
    if types.is_null(kind) or types.is_null(column.type):
        return nulls(len(column), kind)
    if not _same_family(column.type, kind):
        raise JoinError(f"{where} is {column.type}, the facts have {kind}; make them the same type before the join")
    try:
        cast = _cast(column, kind)
        changed = order_keys(_cast(cast, column.type)) != order_keys(column)
    except pa.ArrowInvalid as error:
        raise JoinError(f"{where} is {column.type}, the facts have {kind}, which cannot hold it: {error}") from error
    if np.any(changed & present(column)):
        value = column[int(np.flatnonzero(changed & present(column))[0])]
        raise JoinError(f"{where} is {column.type}, the facts have {kind}, which changes the value {value}")
    return cast


def _cast(column: ArrowArray, kind: pa.DataType) -> ArrowArray:
    if isinstance(kind, pa.Decimal128Type | pa.Decimal256Type) and types.is_integer(column.type):
        column = column.cast(pa.decimal256(76, kind.scale))  # Arrow judges by the widest integer, not by the values
    return column.cast(kind)


def _pair_codes(codes: Ints, second_codes: Ints, width: int) -> ArrowArray:
    """Pairs of codes as one integer; null where either code is missing."""
    missing = (codes < 0) | (second_codes < 0)
    return pa.array(codes * width + second_codes, pa.int64(), mask=missing if missing.any() else None)


def _encode(column: ArrowArray) -> tuple[Ints, ArrowArray]:
    """Codes in the order of first appearance, -1 for null, and the value of each code."""
    heads, lengths = _runs(_hashable(column))
    encoded = heads.dictionary_encode()
    return np.repeat(integers(encoded.indices, -1), lengths), encoded.dictionary


def _look_up(column: ArrowArray, levels: ArrowArray) -> Ints:
    """The code of each value, -1 for null and for values that are not among the levels."""
    heads, lengths = _runs(_hashable(column))
    codes: ArrowArray = pc.index_in(heads, levels, skip_nulls=True)
    return np.repeat(integers(codes, -1), lengths)


def _runs(column: ArrowArray) -> tuple[ArrowArray, Ints | int]:
    """The first value of each run of equal neighbours, and the runs' lengths: sorted rows then need little hashing."""
    if not len(column) or types.is_null(column.type):
        return column, 1
    if types.is_integer(column.type) and not column.null_count:
        numbers = column.to_numpy()
        changes = numbers[1:] != numbers[:-1]
    else:
        differs: ArrowArray = pc.not_equal(column.slice(1), column.slice(0, len(column) - 1)).fill_null(True)
        changes = flags(differs)
    starts = np.flatnonzero(np.concatenate([[True], changes]))
    if 2 * len(starts) > len(column):
        return column, 1
    return take(column, starts), np.diff(starts, append=len(column))


def by_keys_and_time(columns: Sequence[ArrowArray], at: Ints) -> Ints:
    """The order of rows by keys, then roughly by time, which is that of facts stored by these keys.

    Neighbouring rows then read neighbouring facts. Up to 65,536 keys are sorted by radix in NumPy.
    """
    order = rough_order(at)
    for column in reversed(columns):
        keys = ranks(pa.array(order_keys(plain(column))))
        narrow = keys.astype(np.min_scalar_type(int(keys.max(initial=0))))
        order = order[np.argsort(narrow[order], kind="stable")]
    return order


def _hashable(column: ArrowArray) -> ArrowArray:
    """Floats as integers, because NaN is one key and -0.0 equals 0.0; plain columns of the rest."""
    column = plain(column)
    if not types.is_floating(column.type):
        return column
    return pa.array(order_keys(column), mask=~present(column) if column.null_count else None)


def _same_family(one: pa.DataType, other: pa.DataType) -> bool:
    return any(any(test(one) for test in family) and any(test(other) for test in family) for family in _FAMILIES)
