"""The facts of one source in the order that decides which is the latest, and the questions put to them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from nightjar.asof.definitions import Facts
from nightjar.asof.values import (
    FOREVER,
    Flags,
    Ints,
    column_of,
    instants,
    order_keys,
    present,
)
from nightjar.asof.versions import held_until, sequence_keys


@dataclass(frozen=True)
class Questions:
    """Spine rows sorted by entity and prediction time; a row that can match nothing has an entity without facts.

    Attributes:
        rows: the spine row of each question.
        entity: code of the keys.
        at: prediction time, microseconds in UTC.
        bound: the last instant at which a fact may have become known, microseconds in UTC.
    """

    rows: Ints
    entity: Ints
    at: Ints
    bound: Ints

    def answers_in_spine_order(self) -> Ints:
        """For each spine row the question that asks for it."""
        order = np.empty_like(self.rows)
        order[self.rows] = np.arange(len(self.rows))
        return order


def ask(spine: pa.Table, entity: Ints, prediction_time: str, known_by: str | None) -> Questions:
    """Sort the spine rows into questions. A null key, prediction time or bound asks for nothing."""
    column = column_of(spine, prediction_time)
    at, valid = instants(column, f"spine, column {prediction_time!r}"), (entity >= 0) & present(column)
    bound = at
    if known_by is not None:
        column = column_of(spine, known_by)
        bound, valid = instants(column, f"spine, column {known_by!r}"), valid & present(column)
    nowhere = int(entity.max(initial=-1)) + 1
    entity = np.where(valid, entity, nowhere)
    rows = np.lexsort((at, entity))
    return Questions(rows, entity[rows], at[rows], bound[rows])


@dataclass(frozen=True)
class History:
    """Facts sorted by entity, event_time, known_at, sequence and fact_id; a *position* is a place in this order.

    Attributes:
        rows: the table row at each position.
        entity: code of the keys.
        event: event_time, microseconds in UTC.
        known: when it became known (event_time where none is stated), microseconds in UTC.
        until: the last instant of knowledge at which this version exists, inclusive.
        ties: positions with equal numbers cannot be ordered by what is declared.
    """

    rows: Ints
    entity: Ints
    event: Ints
    known: Ints
    until: Ints
    ties: Ints

    @cached_property
    def _times(self) -> Ints:
        return np.unique(self.event)

    @cached_property
    def _places(self) -> Ints:
        return self.entity * (len(self._times) + 1) + np.searchsorted(self._times, self.event)

    def before(self, entity: Ints, moment: Ints) -> Ints:
        """The first position of the entity with ``event_time >= moment``, or where that would stand."""
        return self._position(entity, np.searchsorted(self._times, moment, "left"))

    def through(self, entity: Ints, moment: Ints) -> Ints:
        """The first position of the entity with ``event_time > moment``, or where that would stand."""
        return self._position(entity, np.searchsorted(self._times, moment, "right"))

    def first(self, entity: Ints) -> Ints:
        """The entity's first position, or where that would stand."""
        return self._position(entity, np.zeros_like(entity))

    def _position(self, entity: Ints, time: Ints) -> Ints:
        return np.searchsorted(self._places, entity * (len(self._times) + 1) + time)


def order(source: Facts, entity: Ints, asked: Ints) -> History:
    """Resolve versions over the whole table, then sort the facts of the entities that are asked for.

    Raises:
        JoinError: instants out of range, or versions that contradict each other.
    """
    event, known, happened = _clocks(source)
    until, holds = np.full_like(known, FOREVER), happened
    if source.fact_id:
        until, ever = held_until(source, known, happened | _states_known(source))
        holds = happened & ever
    rows = np.flatnonzero(holds & _wanted(entity, asked))
    keys = [entity, event, known]
    keys += [sequence_keys(column_of(source.table, name)) for name in source.sequence]
    keys += [order_keys(column_of(source.table, name)) for name in source.fact_id]
    rows = rows[np.lexsort([key[rows] for key in reversed(keys)])]
    fresh = np.zeros(len(rows), np.bool_)
    for key in keys:
        fresh[1:] |= key[rows][1:] != key[rows][:-1]
    return History(rows, entity[rows], event[rows], known[rows], until[rows], np.cumsum(fresh))


def _clocks(source: Facts) -> tuple[Ints, Ints, Flags]:
    column = column_of(source.table, source.event_time)
    event, happened = instants(column, f"facts {source.name!r}, column {source.event_time!r}"), present(column)
    if source.known_at is None:
        return event, event, happened
    column = column_of(source.table, source.known_at)
    stated = instants(column, f"facts {source.name!r}, column {source.known_at!r}")
    return event, np.where(present(column), stated, event), happened


def _states_known(source: Facts) -> Flags:
    if source.known_at is None:
        return np.zeros(source.table.num_rows, np.bool_)
    return present(column_of(source.table, source.known_at))


def _wanted(entity: Ints, asked: Ints) -> Flags:
    """Facts whose entity some spine row names; code -1 is no entity."""
    named = np.zeros(max(int(entity.max(initial=-1)), int(asked.max(initial=-1))) + 2, np.bool_)
    named[asked] = True
    named[-1] = False
    return named[entity]
