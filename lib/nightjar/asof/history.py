"""The facts of one source in the order that decides which is the latest, and the questions put to them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from nightjar.asof.definitions import Clocks, Facts
from nightjar.asof.places import Places, Sorted, ascending, neighbours_together
from nightjar.asof.values import FOREVER, Flags, Ints, column_of, instants, order_keys, present, taken
from nightjar.asof.versions import held_until, sequence_keys


@dataclass(frozen=True)
class History:
    """Facts sorted by entity, event_time, known_at, sequence and fact_id; a *position* is a place in this order.

    Attributes:
        rows: the table row at each position.
        entity: code of the keys.
        event: event_time, microseconds in UTC.
        known: when it became known (event_time where none is stated), microseconds in UTC.
        until: the last instant of knowledge at which this version exists, inclusive; None if all exist forever.
        ties: positions with equal numbers cannot be ordered by what is declared.
        scale: what ``places`` are measured in.
        places: entity and event_time as one integer, ascending.
    """

    rows: Ints
    entity: Ints
    event: Ints
    known: Ints
    until: Ints | None
    ties: Ints
    scale: Places
    places: Ints

    def before(self, entity: Ints, moment: Ints) -> Ints:
        """The first position of the entity with ``event_time >= moment``, or where that would stand."""
        return self.sorted.less_than(self.scale.before(entity, moment))

    def first(self, entity: Ints) -> Ints:
        """The entity's first position, or where that would stand."""
        return self.sorted.less_than(self.scale.first(entity))

    @cached_property
    def sorted(self) -> Sorted:
        """The places, to be searched."""
        return Sorted(self.places)

    def exist(self, positions: Ints, bound: Ints) -> Flags:
        """Whether the version at each position exists for a bound on knowledge."""
        exists: Flags = self.known[positions] <= bound
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
        """Whether some positions share a number: numbers ascend by one at most."""
        return bool(self.ties.size) and int(self.ties[-1] - self.ties[0]) < len(self.ties) - 1


@dataclass(frozen=True)
class Questions:
    """Spine rows in an order in which neighbours ask for neighbouring facts; nothing else depends on it.

    Attributes:
        rows: the spine row of each question.
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
        """For each spine row the question that asks for it."""
        question = np.empty_like(self.rows)
        question[self.rows] = np.arange(len(self.rows))
        return question


def ask(history: History, spine: pa.Table, entity: Ints, clocks: Clocks) -> Questions:
    """Turn spine rows into questions. A null key or clock asks for nothing."""
    at, valid = _clock(spine, clocks.prediction_time)
    bound, since = at, None
    if clocks.known_by is not None:
        bound, known = _clock(spine, clocks.known_by)
        valid = valid & known
    if clocks.since is not None:
        since, begun = _clock(spine, clocks.since)
        valid = valid & begun
    entity = entity if valid.all() else np.where(valid, entity, -1)
    places = history.scale.after(entity, at)
    rows = neighbours_together(places)
    ends = history.sorted.less_than(places[rows])
    at_row = at[rows]
    bound = at_row if clocks.known_by is None else bound[rows]
    return Questions(rows, entity[rows], at_row, bound, ends, None if since is None else since[rows])


def _clock(spine: pa.Table, name: str) -> tuple[Ints, Flags]:
    column = column_of(spine, name)
    return instants(column, f"spine, column {name!r}"), present(column)


def order(source: Facts, entity: Ints, asked: Ints) -> History:
    """Resolve versions, then sort the facts; those that no one asks for may be left out.

    Raises:
        JoinError: instants out of range, or versions that contradict each other.
    """
    event, known, happened = _clocks(source)
    wanted = happened & _wanted(entity, asked)
    until: Ints | None = None
    if source.fact_id and not source.local_versions:
        until, ever = held_until(source, known, np.flatnonzero(happened | _states_known(source)))
        wanted &= ever
    rows, entity, scale, places = _sorted(wanted, entity, event)
    if source.fact_id and source.local_versions:
        until, ever = held_until(source, known, rows[_crowded(places)])
        if not ever.all():
            exists = ever[rows]
            rows, entity, places = rows[exists], entity[exists], places[exists]
    known = _at(known, rows)
    turned, ties = _shared_places(source, rows, known, places)
    if turned is not None:  # only positions of one place change seats: entity, event and place stay
        rows, known = rows[turned], known[turned]
    if until is not None:
        until = until[rows]
        until = until if np.any(until != FOREVER) else None
    return History(rows, entity, _at(event, rows), known, until, ties, scale, places)


def _sorted(wanted: Flags, entity: Ints, event: Ints) -> tuple[Ints, Ints, Places, Ints]:
    """The wanted rows by entity and event_time, their entities, and the places with what they are measured in."""
    rows = np.flatnonzero(wanted)
    entity, event = _at(entity, rows), _at(event, rows)
    scale = Places(event, int(entity.max(initial=-1)) + 1)
    places = scale.before(entity, event)
    turned = ascending(places)
    return (rows, entity, scale, places) if turned is None else (rows[turned], entity[turned], scale, places[turned])


def _at(values: Ints, rows: Ints) -> Ints:
    """Values at some rows, each of them once; without a copy where these are all rows in their order."""
    in_order = len(rows) == len(values) and bool(np.all(rows[1:] > rows[:-1]))
    return values if in_order else values[rows]


def _shared_places(source: Facts, rows: Ints, known: Ints, places: Ints) -> tuple[Ints | None, Ints]:
    """Order facts of one entity and event_time by what else is declared: the new order, and numbers that ties share.

    They alone need the further keys, and facts sorted by place stand beside each other.
    """
    crowded = _crowded(places)
    if not crowded.size:
        return None, np.arange(len(rows))
    table_rows = rows[crowded]
    keys = [places[crowded], known[crowded]]
    keys += [sequence_keys(taken(column_of(source.table, name), table_rows)) for name in source.sequence]
    keys += [order_keys(taken(column_of(source.table, name), table_rows)) for name in source.fact_id]
    seats = np.lexsort(keys[::-1])
    turned = np.arange(len(rows))
    turned[crowded] = crowded[seats]
    fresh = np.ones(len(rows), np.bool_)
    fresh[crowded[1:]] = np.any([key[seats][1:] != key[seats][:-1] for key in keys], axis=0)
    return turned, np.cumsum(fresh)


def _crowded(places: Ints) -> Ints:
    """The positions of ascending places that are not alone at their place."""
    same = np.zeros(len(places) + 1, np.bool_)
    same[1:-1] = places[1:] == places[:-1]
    return np.flatnonzero(same[1:] | same[:-1])


def _clocks(source: Facts) -> tuple[Ints, Ints, Flags]:
    column = column_of(source.table, source.event_time)
    event, happened = instants(column, f"facts {source.name!r}, column {source.event_time!r}"), present(column)
    if source.known_at is None:
        return event, event, happened
    column = column_of(source.table, source.known_at)
    stated = instants(column, f"facts {source.name!r}, column {source.known_at!r}")
    return event, np.where(present(column), stated, event) if column.null_count else stated, happened


def _states_known(source: Facts) -> Flags:
    if source.known_at is None:
        return np.zeros(source.table.num_rows, np.bool_)
    return present(column_of(source.table, source.known_at))


def _wanted(entity: Ints, asked: Ints) -> Flags:
    """Facts that have a key, without those that no spine row names if they are of most keys.

    Few left out are not worth a copy.
    """
    named = np.zeros(int(entity.max(initial=-1)) + 2, np.bool_)
    named[asked] = True
    named[-1] = False
    return named[entity] if 2 * np.count_nonzero(named) < len(named) - 1 else entity >= 0
