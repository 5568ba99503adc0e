"""What of earlier facts is carried into a later slice of time: the few that can still be the latest there."""

from typing import Any

import numpy as np
import pyarrow as pa

from nightjar.asof.definitions import Facts, Latest
from nightjar.asof.history import History, order
from nightjar.asof.keys import row_codes
from nightjar.asof.values import FOREVER, INSTANT, Flags, Ints, column_of, flags, instants, plain, present


def carried(source: Facts, end: Any) -> Ints:
    """The rows that `Latest` features and matched clocks need at prediction times from an instant on.

    The latest settled fact of a key, known by then and never superseded, hides all facts before it from then on. So it
    is kept, the latest one with a value for each column whose nulls are skipped, and of what is not settled yet
    whatever stands after them. Windows need more: the rows since the instant minus the longest of them.

    Args:
        source: facts that happened before the instant, with their versions (see `local_versions`).
        end: the instant, a timestamp scalar.
    """
    keys = [plain(column_of(source.table, name)) for name in source.key_columns.values()]
    entity = row_codes(keys)
    history = order(source, entity, entity)
    instant = int(end.cast(INSTANT).cast(pa.int64()).as_py())
    forever = np.ones(len(history.rows), np.bool_) if history.until is None else history.until == FOREVER
    settled = (history.known <= instant) & forever
    keep = np.zeros(len(settled), np.bool_)
    lowest = np.full(int(entity.max(initial=-1)) + 1, len(settled))
    for offered in _offers(source, history):
        hiding = _last_of_each(np.flatnonzero(settled & offered), history.entity)
        here = np.zeros(len(lowest), np.int64)  # a key without a settled fact: everything stands after it
        here[history.entity[hiding]] = hiding
        lowest = np.minimum(lowest, here)
        keep |= np.isin(history.ties, history.ties[hiding]) if history.has_ties else _at(hiding, len(keep))
    may_change = ~settled if history.until is None else ~settled & (history.until >= instant)
    keep |= may_change & (np.arange(len(keep)) >= lowest[history.entity])
    return np.union1d(history.rows[keep], _later_deletions(source, instant))


def _offers(source: Facts, history: History) -> list[Flags]:
    """For the fact itself, and for each column whose nulls are skipped: where it is offered."""
    columns = {one.column for one in source.features if isinstance(one, Latest) and one.skip_nulls}
    every = np.ones(len(history.rows), np.bool_)
    return [every, *(present(column_of(source.table, name))[history.rows] for name in sorted(columns))]


def _last_of_each(positions: Ints, entity: Ints) -> Ints:
    of = entity[positions]
    last = np.ones(len(of), np.bool_)
    last[:-1] = of[1:] != of[:-1]
    return positions[last]


def _at(positions: Ints, length: int) -> Flags:
    marked = np.zeros(length, np.bool_)
    marked[positions] = True
    return marked


def _later_deletions(source: Facts, instant: int) -> Ints:
    """Deletions that will become known: what they delete may be carried."""
    if source.deleted is None or source.known_at is None:
        return np.zeros(0, np.int64)
    column = column_of(source.table, source.known_at)
    known = instants(column, f"facts {source.name!r}, column {source.known_at!r}")
    return np.flatnonzero(flags(column_of(source.table, source.deleted)) & present(column) & (known > instant))
