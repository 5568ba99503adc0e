"""The facts of one source in the order that decides which is the latest, and the queries against them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from nightjar.asof.composite_keys import SortedIndex, SortKeyEncoder, search_order, sort_order
from nightjar.asof.definitions import Clocks, Facts
from nightjar.asof.values import FOREVER, Flags, Ints, column_of, instants, order_keys, present, take
from nightjar.asof.versions import SharedValidity, facts_of, refuse_contradictions, sequence_keys, valid_until


@dataclass(frozen=True)
class History:
    """Facts sorted by entity, event_time, known_at, sequence and fact_id; a *position* is an index into this order.

    Attributes:
        rows: the table row at each position.
        entity: code of the keys.
        event: event_time, microseconds in UTC.
        known_at: when it became known (event_time where none is stated), microseconds in UTC.
        until: the last ``known_at`` bound at which this version is valid, inclusive; None if all are valid forever.
        ties: positions with equal numbers have equal clocks, sequence and fact_id.
        encoder: makes the sort keys.
        sort_keys: entity and event_time as one integer, ascending.
    """

    rows: Ints
    entity: Ints
    event: Ints
    known_at: Ints
    until: Ints | None
    ties: Ints
    encoder: SortKeyEncoder
    sort_keys: Ints

    def before(self, entity: Ints, moment: Ints) -> Ints:
        """The first position of the entity with ``event_time >= moment``, or where it would be inserted."""
        return self.index.count_below(self.encoder.before(entity, moment))

    def first(self, entity: Ints) -> Ints:
        """The entity's first position, or where it would be inserted."""
        return self.index.count_below(self.encoder.first(entity))

    @cached_property
    def index(self) -> SortedIndex:
        """A search index over the sort keys."""
        return SortedIndex(self.sort_keys)

    def exist(self, positions: Ints, bound: Ints) -> Flags:
        """Whether the version at each position is valid for a bound on ``known_at``."""
        exists: Flags = self.known_at[positions] <= bound
        return exists if self.until is None else exists & (self.until[positions] >= bound)

    def rows_at(self, positions: Ints) -> Ints:
        """The table row at each position, -1 at -1."""
        if self._is_table_order:
            return positions
        return np.where(positions < 0, -1, self.rows[positions])

    @cached_property
    def _is_table_order(self) -> bool:
        return not self.rows.size or (self.rows[-1] == len(self.rows) - 1 and bool(np.all(np.diff(self.rows) == 1)))

    @property
    def has_ties(self) -> bool:
        """Whether some positions share a tie number: these ascend by one at most."""
        return bool(self.ties.size) and int(self.ties[-1] - self.ties[0]) < len(self.ties) - 1


@dataclass(frozen=True)
class Queries:
    """Spine rows as queries, in an order that reads neighbouring facts together; no result depends on the order.

    Attributes:
        rows: the spine row of each query.
        entity: code of the keys; -1 for a row that can match nothing.
        at: prediction time, microseconds in UTC.
        bound: the last instant at which a fact may have become known, microseconds in UTC.
        ends: the position after the entity's last fact with ``event_time <= at``.
        since: the instant after which windows begin, microseconds in UTC; None: each window has a length of its own.
    """

    rows: Ints
    entity: Ints
    at: Ints
    bound: Ints
    ends: Ints
    since: Ints | None = None

    @cached_property
    def of_row(self) -> Ints:
        """The query of each spine row."""
        query = np.empty_like(self.rows)
        query[self.rows] = np.arange(len(self.rows))
        return query


def queries_of(history: History, spine: pa.Table, entity: Ints, clocks: Clocks) -> Queries:
    """Turn spine rows into queries. A row with a null key or clock matches nothing."""
    at, is_complete = _clock(spine, clocks.prediction_time)
    bound, since = at, None
    if clocks.known_by is not None:
        bound, has_bound = _clock(spine, clocks.known_by)
        is_complete = is_complete & has_bound
    if clocks.since is not None:
        since, has_start = _clock(spine, clocks.since)
        is_complete = is_complete & has_start
    entity = entity if is_complete.all() else np.where(is_complete, entity, -1)
    sort_keys = history.encoder.after(entity, at)
    rows = search_order(sort_keys)
    ends = history.index.count_below(sort_keys[rows])
    query_at = at[rows]
    bound = query_at if clocks.known_by is None else bound[rows]
    return Queries(rows, entity[rows], query_at, bound, ends, None if since is None else since[rows])


def _clock(spine: pa.Table, name: str) -> tuple[Ints, Flags]:
    column = column_of(spine, name)
    return instants(column, f"spine, column {name!r}"), present(column)


def order(source: Facts, entity: Ints, queried: Ints, shared: SharedValidity) -> History:
    """Resolve versions, then sort the facts; those of entities that are not queried may be left out.

    Args:
        source: the facts.
        entity: code of each one's keys.
        queried: codes of the spine's keys.
        shared: the validity of facts of other sources, to which that of these is added.

    Raises:
        JoinError: instants out of range, or versions that contradict each other.
    """
    event, known_at, has_event = _clocks(source)
    relevant = has_event & _is_relevant(entity, queried)
    until: Ints | None = None
    if source.fact_id and not source.local_versions:
        facts = facts_of(source)
        if facts not in shared:
            shared[facts] = valid_until(source, known_at, np.flatnonzero(has_event | _has_known_at(source)))
        until = shared[facts].until
        relevant &= shared[facts].ever
        refuse_contradictions(source, *shared[facts].tied)
    rows, entity, encoder, sort_keys = _sort(relevant, entity, event)
    if source.fact_id and source.local_versions:
        validity = valid_until(source, known_at, rows[_collisions(sort_keys)])
        refuse_contradictions(source, *validity.tied)
        until = validity.until
        if not validity.ever.all():
            survives = validity.ever[rows]
            rows, entity, sort_keys = rows[survives], entity[survives], sort_keys[survives]
    known_at = _at(known_at, rows)
    permutation, ties = _order_collisions(source, rows, known_at, sort_keys)
    if permutation is not None:  # only positions of one sort key are permuted: entity, event and key stay
        rows, known_at = rows[permutation], known_at[permutation]
    if until is not None:
        until = until[rows]
        until = until if np.any(until != FOREVER) else None
    return History(rows, entity, _at(event, rows), known_at, until, ties, encoder, sort_keys)


def _sort(relevant: Flags, entity: Ints, event: Ints) -> tuple[Ints, Ints, SortKeyEncoder, Ints]:
    """The relevant rows sorted by entity and event_time: rows, entities, encoder and sort keys."""
    rows = np.flatnonzero(relevant)
    entity, event = _at(entity, rows), _at(event, rows)
    encoder = SortKeyEncoder(event, int(entity.max(initial=-1)) + 1)
    sort_keys = encoder.before(entity, event)
    permutation = sort_order(sort_keys)
    if permutation is None:
        return rows, entity, encoder, sort_keys
    return rows[permutation], entity[permutation], encoder, sort_keys[permutation]


def _at(values: Ints, rows: Ints) -> Ints:
    """Values at distinct rows; without a copy if these are all rows in order."""
    in_order = len(rows) == len(values) and bool(np.all(rows[1:] > rows[:-1]))
    return values if in_order else values[rows]


def _order_collisions(source: Facts, rows: Ints, known_at: Ints, sort_keys: Ints) -> tuple[Ints | None, Ints]:
    """Order facts of one entity and event_time by known_at, sequence and fact_id: the permutation and tie numbers.

    Only these facts need the further keys; facts of one sort key are adjacent.
    """
    collisions = _collisions(sort_keys)
    if not collisions.size:
        return None, np.arange(len(rows))
    table_rows = rows[collisions]
    keys = [sort_keys[collisions], known_at[collisions]]
    keys += [sequence_keys(take(column_of(source.table, name), table_rows)) for name in source.sequence]
    keys += [order_keys(take(column_of(source.table, name), table_rows)) for name in source.fact_id]
    ranking = np.lexsort(keys[::-1])
    permutation = np.arange(len(rows))
    permutation[collisions] = collisions[ranking]
    is_new = np.ones(len(rows), np.bool_)
    is_new[collisions[1:]] = np.any([key[ranking][1:] != key[ranking][:-1] for key in keys], axis=0)
    return permutation, np.cumsum(is_new)


def _collisions(sort_keys: Ints) -> Ints:
    """The positions of ascending sort keys that share their key with another."""
    repeats = np.zeros(len(sort_keys) + 1, np.bool_)
    repeats[1:-1] = sort_keys[1:] == sort_keys[:-1]
    return np.flatnonzero(repeats[1:] | repeats[:-1])


def _clocks(source: Facts) -> tuple[Ints, Ints, Flags]:
    column = column_of(source.table, source.event_time)
    event, has_event = instants(column, f"facts {source.name!r}, column {source.event_time!r}"), present(column)
    if source.known_at is None:
        return event, event, has_event
    column = column_of(source.table, source.known_at)
    known_at = instants(column, f"facts {source.name!r}, column {source.known_at!r}")
    return event, np.where(present(column), known_at, event) if column.null_count else known_at, has_event


def _has_known_at(source: Facts) -> Flags:
    if source.known_at is None:
        return np.zeros(source.table.num_rows, np.bool_)
    return present(column_of(source.table, source.known_at))


def _is_relevant(entity: Ints, queried: Ints) -> Flags:
    """Whether each fact has a key and, if more than half of the keys are not queried, a queried one.

    Dropping fewer facts would not be worth the copy.
    """
    is_queried = np.zeros(int(entity.max(initial=-1)) + 2, np.bool_)
    is_queried[queried] = True
    is_queried[-1] = False
    return is_queried[entity] if 2 * np.count_nonzero(is_queried) < len(is_queried) - 1 else entity >= 0
