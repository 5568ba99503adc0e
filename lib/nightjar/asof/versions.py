"""Corrections and deletions: until when each version of a fact is valid."""

import numpy as np

from nightjar.asof.definitions import Facts
from nightjar.asof.keys import row_codes
from nightjar.asof.values import FOREVER, ArrowArray, Flags, Ints, column_of, differs, flags, order_keys, present, take
from nightjar.errors import JoinError


def valid_until(source: Facts, known_at: Ints, rows: Ints) -> tuple[Ints | None, Flags]:
    """The last ``known_at`` bound (microseconds, inclusive) at which each fact is valid, and whether it ever is.

    Without instants, all facts that are ever valid remain so forever.

    A version is valid until one microsecond before the next version of the same ``fact_id`` becomes known, wherever
    in the table that one is. A deletion is never valid, nor is a version superseded at the instant it became known.

    Args:
        source: the facts, with ``fact_id`` declared.
        known_at: when each fact became known.
        rows: the rows that may include several versions of one fact; each of them becomes known at some time.

    Raises:
        JoinError: a null in ``fact_id``, or two different living versions with one id, ``known_at`` and ``sequence``.
    """
    deleted = _is_deleted(source)
    ever = ~deleted
    if not rows.size:
        return None, ever
    until = np.full(len(known_at), FOREVER)
    ids = _ids(source, rows)
    sequence = [sequence_keys(take(column_of(source.table, name), rows)) for name in source.sequence]
    order = np.lexsort((~deleted[rows], *reversed(sequence), known_at[rows], ids))
    older, newer = rows[order[:-1]], rows[order[1:]]
    has_successor = ids[order[:-1]] == ids[order[1:]]
    tied = has_successor & ~deleted[older]
    for keys in (known_at[rows], *sequence):
        tied &= keys[order[:-1]] == keys[order[1:]]
    _refuse_contradictions(source, older[tied], newer[tied])
    superseded = older[has_successor & (known_at[older] == known_at[newer])]
    ever[superseded] = False
    until[older[has_successor]] = np.maximum(known_at[newer[has_successor]], 1 - FOREVER) - 1
    return until, ever


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


def _refuse_contradictions(source: Facts, older: Ints, newer: Ints) -> None:
    """Raise if versions with one ``known_at`` differ; identical copies count as one version."""
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
