"""Corrections and deletions: until when each version of a fact holds."""

import numpy as np

from nightjar.asof.definitions import Facts
from nightjar.asof.keys import row_codes
from nightjar.asof.values import FOREVER, Column, Flags, Ints, column_of, differs, flags, order_keys, present, taken
from nightjar.errors import JoinError


def held_until(source: Facts, known: Ints, rows: Ints) -> tuple[Ints | None, Flags]:
    """The last instant of knowledge (microseconds, inclusive) at which each fact exists, and whether it ever does.

    Without instants all facts that ever exist do so forever.

    A version holds until one microsecond before the next version of the same ``fact_id`` becomes known, wherever in
    the table that stands. A deletion never holds, and neither does a version replaced at the instant it became known.

    Args:
        source: the facts, with ``fact_id`` declared.
        known: when each became known.
        rows: those among which there may be several versions of one fact; no row that no one ever knows.

    Raises:
        JoinError: a null in ``fact_id``, or two different living versions with one id, ``known_at`` and ``sequence``.
    """
    deleted = _deleted(source)
    ever = ~deleted
    if not rows.size:
        return None, ever
    until = np.full(len(known), FOREVER)
    ids = _ids(source, rows)
    sequence = [sequence_keys(taken(column_of(source.table, name), rows)) for name in source.sequence]
    order = np.lexsort((~deleted[rows], *reversed(sequence), known[rows], ids))
    older, newer = rows[order[:-1]], rows[order[1:]]
    followed = ids[order[:-1]] == ids[order[1:]]
    tied = followed & ~deleted[older]
    for keys in (known[rows], *sequence):
        tied &= keys[order[:-1]] == keys[order[1:]]
    _refuse_two_truths(source, older[tied], newer[tied])
    replaced = older[followed & (known[older] == known[newer])]
    ever[replaced] = False
    until[older[followed]] = np.maximum(known[newer[followed]], 1 - FOREVER) - 1
    return until, ever


def sequence_keys(column: Column) -> Ints:
    """Order keys of a sequence column, in which null comes before every value."""
    keys, valid = order_keys(column), present(column)
    ranks = np.unique(keys, return_inverse=True)[1] + 1
    return np.where(valid, ranks, 0)


def _ids(source: Facts, rows: Ints) -> Ints:
    columns = [taken(column_of(source.table, name), rows) for name in source.fact_id]
    for name, column in zip(source.fact_id, columns, strict=True):
        if column.null_count:
            raise JoinError(
                f"facts {source.name!r}, column {name!r}: {column.null_count} facts have a null in their fact_id; "
                "every fact needs one, otherwise its versions cannot be told apart"
            )
    return row_codes(columns)


def _deleted(source: Facts) -> Flags:
    if source.deleted is None:
        return np.zeros(source.table.num_rows, np.bool_)
    return flags(column_of(source.table, source.deleted))


def _refuse_two_truths(source: Facts, older: Ints, newer: Ints) -> None:
    """Copies of one version are one version; two versions that say different things at one instant are an error."""
    if not older.size:
        return
    read = [*source.key_columns.values(), source.event_time, *(feature.column for feature in source.features)]
    for name in dict.fromkeys(read):
        unequal = differs(column_of(source.table, name), older, newer)
        if unequal.any():
            row = int(older[unequal][0])
            identity = {part: source.table.column(part)[row].as_py() for part in source.fact_id}
            raise JoinError(
                f"facts {source.name!r}, column {name!r}: two versions of {identity} have one known_at and differ; "
                "declare a sequence column that orders them, or keep one"
            )
