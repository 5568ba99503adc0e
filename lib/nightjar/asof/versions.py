"""Corrections and deletions: until when each version of a fact is valid."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from nightjar.asof.definitions import Facts
from nightjar.asof.keys import row_codes
from nightjar.asof.values import FOREVER, ArrowArray, Flags, Ints, column_of, differs, flags, order_keys, present, take
from nightjar.errors import JoinError


@dataclass(frozen=True)
class Validity:
    """Until when versions of facts are valid.

    Attributes:
        until: the last ``known_at`` bound (microseconds, inclusive) at which each version is valid; None: those that
            are ever valid remain so forever.
        ever: whether it ever is.
        tied: pairs of rows, older and newer, with one id, ``known_at`` and ``sequence``, the older one living.
    """

    until: Ints | None
    ever: Flags
    tied: tuple[Ints, Ints]


SharedValidity: TypeAlias = dict[tuple[Any, ...], Validity]
"""Facts, see `facts_of` -> their validity: sources are often different features of the same facts."""


def facts_of(source: Facts) -> tuple[Any, ...]:
    """What is equal for sources whose facts have equal validity, as long as their tables exist."""
    clocks = (source.event_time, source.known_at)
    return (id(source.table), *clocks, source.deleted, tuple(source.fact_id), tuple(source.sequence))


def valid_until(source: Facts, known_at: Ints, rows: Ints) -> Validity:
    """Until when each fact is valid.

    A version is valid until one microsecond before the next version of the same ``fact_id`` becomes known, wherever
    in the table that one is. A deletion is never valid, nor is a version superseded at the instant it became known.

    Args:
        source: the facts, with ``fact_id`` declared.
        known_at: when each fact became known.
        rows: the rows that may include several versions of one fact; each of them becomes known at some time.

    Raises:
        JoinError: a null in ``fact_id``.
    """
    deleted = _is_deleted(source)
    ever = ~deleted
    ids = _ids(source, rows) if rows.size else rows
    if int(ids.max(initial=-1)) + 1 == len(ids):  # no fact has two versions
        return Validity(None, ever, (rows[:0], rows[:0]))
    until = np.full(len(known_at), FOREVER)
    sequence = [sequence_keys(take(column_of(source.table, name), rows)) for name in source.sequence]
    order = np.lexsort((~deleted[rows], *reversed(sequence), known_at[rows], ids))
    older, newer = rows[order[:-1]], rows[order[1:]]
    has_successor = ids[order[:-1]] == ids[order[1:]]
    tied = has_successor & ~deleted[older]
    for keys in (known_at[rows], *sequence):
        tied &= keys[order[:-1]] == keys[order[1:]]
    superseded = older[has_successor & (known_at[older] == known_at[newer])]
    ever[superseded] = False
    until[older[has_successor]] = np.maximum(known_at[newer[has_successor]], 1 - FOREVER) - 1
    return Validity(until, ever, (older[tied], newer[tied]))


def sequence_keys(column: ArrowArray) -> Ints:
    """Order keys of a sequence column, in which null comes before every value."""
    keys, valid = order_keys(column), present(column)
    ranks = np.unique(keys, return_inverse=True)[1] + 1
    return np.where(valid, ranks, 0)


def _ids(source: Facts, rows: Ints) -> Ints:
    columns = [take(column_of(source.table, name), rows) for name in source.fact_id]
    for name, column in zip(source.fact_id, columns, strict=True):
        if column.null_count:
            raise JoinError(
                f"facts {source.name!r}, column {name!r}: {column.null_count} facts have a null in their fact_id; "
                "every fact needs one, otherwise its versions cannot be told apart"
            )
    return row_codes(columns)


def _is_deleted(source: Facts) -> Flags:
    if source.deleted is None:
        return np.zeros(source.table.num_rows, np.bool_)
    return flags(column_of(source.table, source.deleted))


def refuse_contradictions(source: Facts, older: Ints, newer: Ints) -> None:
    """Refuse versions with one ``known_at`` that differ; identical copies count as one version.

    Args:
        source: the facts.
        older: rows with a version.
        newer: for each of them the row with the other version.

    Raises:
        JoinError: two differ.
    """
    if not older.size:
        return
    columns = [*source.key_columns.values(), source.event_time, *(feature.column for feature in source.features)]
    for name in dict.fromkeys(columns):
        unequal = differs(column_of(source.table, name), older, newer)
        if unequal.any():
            row = int(older[unequal][0])
            identity = {part: source.table.column(part)[row].as_py() for part in source.fact_id}
            raise JoinError(
                f"facts {source.name!r}, column {name!r}: two versions of {identity} have one known_at and differ; "
                "declare a sequence column that orders them, or keep one"
            )
