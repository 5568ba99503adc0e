"""Which earlier facts are carried into a later slice of time: the few that can still be the latest there."""

from typing import Any

import numpy as np
import pyarrow as pa

from nightjar.asof.definitions import Facts, Latest
from nightjar.asof.history import History, order
from nightjar.asof.keys import row_codes
from nightjar.asof.values import FOREVER, INSTANT, Flags, Ints, column_of, flags, instants, plain, present


def rows_to_carry(source: Facts, end: Any) -> Ints:
    """The rows that `Latest` features and matched clocks need for prediction times from an instant on.

    A fact is settled if it is known by the instant and never superseded. The latest settled fact of a key hides all
    earlier facts of the key. So these rows are carried: the latest settled fact, the latest settled fact with a value
    in each column whose nulls are skipped, and all later facts that are not settled yet. Windows need more: all rows
    since the instant minus the longest window.

    Args:
        source: facts that happened before the instant, with their versions (see `local_versions`).
        end: the instant, a timestamp scalar.
    """
    keys = [plain(column_of(source.table, name)) for name in source.key_columns.values()]
    entity = row_codes(keys)
    history = order(source, entity, entity, {})
    instant = int(end.cast(INSTANT).cast(pa.int64()).as_py())
    forever = np.ones(len(history.rows), np.bool_) if history.until is None else history.until == FOREVER
    settled = (history.known_at <= instant) & forever
    keep = np.zeros(len(settled), np.bool_)
    earliest = np.full(int(entity.max(initial=-1)) + 1, len(settled))
    for eligible in _eligible(source, history):
        latest = _last_of_each(np.flatnonzero(settled & eligible), history.entity)
        first_needed = np.zeros(len(earliest), np.int64)  # a key without a settled fact: all its facts
        first_needed[history.entity[latest]] = latest
        earliest = np.minimum(earliest, first_needed)
        keep |= np.isin(history.ties, history.ties[latest]) if history.has_ties else _flags_at(latest, len(keep))
    may_change = ~settled if history.until is None else ~settled & (history.until >= instant)
    keep |= may_change & (np.arange(len(keep)) >= earliest[history.entity])
    return np.union1d(history.rows[keep], _later_deletions(source, instant))


def _eligible(source: Facts, history: History) -> list[Flags]:
    """Eligible positions: all, and for each column whose nulls are skipped those that have a value."""
    columns = {feature.column for feature in source.features if isinstance(feature, Latest) and feature.skip_nulls}
    all_facts = np.ones(len(history.rows), np.bool_)
    return [all_facts, *(present(column_of(source.table, name))[history.rows] for name in sorted(columns))]


def _last_of_each(positions: Ints, entity: Ints) -> Ints:
    entities = entity[positions]
    is_last = np.ones(len(entities), np.bool_)
    is_last[:-1] = entities[1:] != entities[:-1]
    return positions[is_last]


def _flags_at(positions: Ints, length: int) -> Flags:
    result = np.zeros(length, np.bool_)
    result[positions] = True
    return result


def _later_deletions(source: Facts, instant: int) -> Ints:
    """Deletions that become known after the instant: the facts that they delete may be carried."""
    if source.deleted is None or source.known_at is None:
        return np.zeros(0, np.int64)
    column = column_of(source.table, source.known_at)
    known_at = instants(column, f"facts {source.name!r}, column {source.known_at!r}")
    return np.flatnonzero(flags(column_of(source.table, source.deleted)) & present(column) & (known_at > instant))
