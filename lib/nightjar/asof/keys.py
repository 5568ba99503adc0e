"""Keys of spine and facts as one small integer, whatever their number and types."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
from pyarrow import types

from nightjar.asof.definitions import Facts
from nightjar.asof.values import (
    Column,
    Flags,
    Ints,
    column_of,
    joined,
    logical_type,
    nothing,
    order_keys,
    plain,
    present,
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
    """One code for each spine row and each fact: equal exactly where all keys are equal, -1 where one is null.

    Raises:
        JoinError: spine keys that the facts' key types do not hold exactly.
    """
    columns = []
    for spine_name, fact_name in source.key_columns.items():
        held = plain(column_of(source.table, fact_name))
        where = f"facts {source.name!r}, column {fact_name!r}: spine key {spine_name!r}"
        asked = lossless(plain(column_of(spine, spine_name)), held.type, where)
        columns.append(joined([asked, held], held.type))
    codes = row_codes(columns)
    return codes[: spine.num_rows], codes[spine.num_rows :]


def row_codes(columns: Sequence[Column]) -> Ints:
    """One code from 0 up for each row of the columns, equal where all values are; -1 where one is null."""
    codes, valid = _codes(columns[0])
    for column in columns[1:]:
        more, also = _codes(column)
        valid &= also
        codes, _ = _codes(pa.array(codes * (int(more.max(initial=0)) + 1) + more))
    return np.where(valid, codes, -1)


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


def _codes(column: Column) -> tuple[Ints, Flags]:
    valid = present(column)
    if types.is_floating(logical_type(column.type)):
        column = pa.array(order_keys(column))
    indices = column.dictionary_encode().indices.fill_null(0)
    return indices.to_numpy().astype(np.int64), valid


def _same_family(one: pa.DataType, other: pa.DataType) -> bool:
    return any(any(test(one) for test in family) and any(test(other) for test in family) for family in _FAMILIES)
