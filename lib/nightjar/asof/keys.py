"""Keys of spine and facts as one small integer, whatever their number and types."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from nightjar.asof.definitions import Facts
from nightjar.asof.places import roughly_sorted
from nightjar.asof.values import (
    Column,
    Ints,
    column_of,
    flags,
    integers,
    nothing,
    order_keys,
    plain,
    present,
    ranks,
    taken,
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
    pairs = []
    for spine_name, fact_name in source.key_columns.items():
        held = plain(column_of(source.table, fact_name))
        where = f"facts {source.name!r}, column {fact_name!r}: spine key {spine_name!r}"
        asked = lossless(plain(column_of(spine, spine_name)), held.type, where)
        pairs.append((_encode(held), asked))
    codes, words = pairs[0][0]
    asked_codes = _looked_up(pairs[0][1], words)
    for (more, words), asked in pairs[1:]:
        more_asked = _looked_up(asked, words)
        codes, tuples = _encode(_tuples(codes, more, len(words)))
        asked_codes = _looked_up(_tuples(asked_codes, more_asked, len(words)), tuples)
    return asked_codes, codes


def row_codes(columns: Sequence[Column]) -> Ints:
    """One code from 0 up for each row of the columns, equal where all values are; -1 where one is null."""
    codes, _ = _encode(columns[0])
    for column in columns[1:]:
        more, words = _encode(column)
        codes, _ = _encode(_tuples(codes, more, len(words)))
    return codes


def lossless(column: Column, kind: pa.DataType, where: str) -> Column:
    """The column in another type of the same family, if that holds each of its values exactly.

    Raises:
        JoinError: another family (1 is not "1"), or a value that would change.
    """
    if column.type == kind:
        return column
    if types.is_null(kind) or types.is_null(column.type):
        return nothing(len(column), kind)
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


def _cast(column: Column, kind: pa.DataType) -> Column:
    if isinstance(kind, pa.Decimal128Type | pa.Decimal256Type) and types.is_integer(column.type):
        column = column.cast(pa.decimal256(76, kind.scale))  # Arrow judges by the widest integer, not by the values
    return column.cast(kind)


def _tuples(codes: Ints, more: Ints, width: int) -> Column:
    """Pairs of codes as one integer; null where a part is missing."""
    missing = (codes < 0) | (more < 0)
    return pa.array(codes * width + more, pa.int64(), mask=missing if missing.any() else None)


def _encode(column: Column) -> tuple[Ints, Column]:
    """Codes in the order of first appearance, -1 for null, and the value of each code."""
    heads, lengths = _runs(_hashable(column))
    encoded = heads.dictionary_encode()
    return np.repeat(integers(encoded.indices, -1), lengths), encoded.dictionary


def _looked_up(column: Column, words: Column) -> Ints:
    """The code of each value, -1 for null and for values that have none."""
    heads, lengths = _runs(_hashable(column))
    codes: Column = pc.index_in(heads, words, skip_nulls=True)
    return np.repeat(integers(codes, -1), lengths)


def _runs(column: Column) -> tuple[Column, Ints | int]:
    """The first of each run of equal neighbours, and the runs' lengths: in sorted rows only a few need be hashed."""
    if not len(column) or types.is_null(column.type):
        return column, 1
    if types.is_integer(column.type) and not column.null_count:
        numbers = column.to_numpy()
        changes = numbers[1:] != numbers[:-1]
    else:
        differs: Column = pc.not_equal(column.slice(1), column.slice(0, len(column) - 1)).fill_null(True)
        changes = flags(differs)
    starts = np.flatnonzero(np.concatenate([[True], changes]))
    if 2 * len(starts) > len(column):
        return column, 1
    return taken(column, starts), np.diff(starts, append=len(column))


def by_keys_and_time(columns: Sequence[Column], at: Ints) -> Ints:
    """The order of some rows by keys, then roughly by time: as facts lie that are laid out by these keys.

    What neighbours ask for then lies together. Where there are at most 65,536 keys, NumPy sorts them by radix.
    """
    order = roughly_sorted(at)
    for column in reversed(columns):
        keys = ranks(pa.array(order_keys(plain(column))))
        small = keys.astype(np.min_scalar_type(int(keys.max(initial=0))))
        order = order[np.argsort(small[order], kind="stable")]
    return order


def _hashable(column: Column) -> Column:
    """Floats as integers, because NaN is one key and -0.0 equals 0.0; plain columns of the rest."""
    column = plain(column)
    if not types.is_floating(column.type):
        return column
    return pa.array(order_keys(column), mask=~present(column) if column.null_count else None)


def _same_family(one: pa.DataType, other: pa.DataType) -> bool:
    return any(any(test(one) for test in family) and any(test(other) for test in family) for family in _FAMILIES)
