"""How often the facts of an entity come, and what an outcome within a horizon would have been.

A day is a number of local dates since 1970. At the midnight that begins date d, facts of dates before d are known; the
entity is active if its latest one is of d - `within` or later; its outcome is of the dates d to d + horizon - 1.
Outcomes are counted for dates all of whose horizon the data hold.
"""

from dataclasses import dataclass

import numpy as np

from nightjar.asof.values import Ints

MOST_ROWS = 200_000
"""Rows of a spine that are looked at: beyond, every n-th entity."""


@dataclass(frozen=True)
class Facts:
    """On which dates entities have facts: each date of an entity once, entities and their dates ascending.

    Attributes:
        entity: number of the entity.
        day: the date.
        following: the next date on which the entity has a fact; the greatest number there is where it has none.
        last: the last date that any entity has a fact on.
    """

    entity: Ints
    day: Ints
    following: Ints
    last: int

    def gaps(self) -> Ints:
        """Days between one fact's date and the next of the same entity."""
        has_next = self.following != _NEVER
        gaps: Ints = self.following[has_next] - self.day[has_next]
        return gaps

    def spine_rows(self, within: int) -> int:
        """How many rows an ACTIVE spine has, up to the midnight after the last date."""
        return int(self.nights(within).sum())

    def nights(self, within: int) -> Ints:
        """For how many midnights each fact is the latest one, and new enough."""
        until = np.minimum(self.following, self.last + 1)
        return np.minimum(until - self.day, within)


_NEVER = int(np.iinfo(np.int64).max)


def facts_of(entity: Ints, day: Ints) -> Facts:
    """Facts in any order, several of one date among them."""
    pairs = np.unique(np.stack([entity, day], axis=1), axis=0)
    following = np.full(len(pairs), _NEVER, dtype=np.int64)
    same = pairs[1:, 0] == pairs[:-1, 0]
    following[:-1][same] = pairs[1:, 1][same]
    return Facts(pairs[:, 0], pairs[:, 1], following, int(pairs[:, 1].max(initial=0)))


@dataclass(frozen=True)
class Outcomes:
    """Rows of a spine whose horizon has passed.

    Attributes:
        rows: how many were looked at.
        met: the share that has a fact within the horizon.
        true: the share of these that has a true one; NaN if none has any.
    """

    rows: int
    met: float
    true: float


def outcomes(facts: Facts, true: Facts | None, within: int, horizon: int) -> Outcomes:
    """What became of the rows of a spine.

    Args:
        facts: all facts.
        true: those that are true; None: nobody asks.
        within: days that an entity is active for.
        horizon: days.
    """
    entity, night, following = _rows(facts, within, facts.last - horizon + 1)
    met = following < night + horizon
    if not len(night) or true is None or not met.any():
        return Outcomes(len(night), float(met.mean()) if len(night) else float("nan"), float("nan"))
    is_true = _first_from(true, entity[met], night[met]) < night[met] + horizon
    return Outcomes(len(night), float(met.mean()), float(is_true.mean()))


def _rows(facts: Facts, within: int, last_night: int) -> tuple[Ints, Ints, Ints]:
    """Entity, midnight and next fact's date of the rows up to a midnight; of every n-th entity if they are many."""
    step = -(-facts.spine_rows(within) // MOST_ROWS)
    chosen = facts.entity % max(step, 1) == 0
    nights = np.clip(np.minimum(facts.nights(within), last_night - facts.day), 0, None)[chosen]
    place = np.repeat(np.flatnonzero(chosen), nights)
    number = np.arange(len(place)) - np.repeat(np.cumsum(nights) - nights, nights)
    return facts.entity[place], facts.day[place] + 1 + number, facts.following[place]


def _first_from(facts: Facts, entity: Ints, night: Ints) -> Ints:
    """The first date from a midnight on at which an entity has one of these facts."""
    if not len(facts.day):
        return np.full(len(night), _NEVER, dtype=np.int64)
    width = max(int(facts.day.max(initial=0)), int(night.max(initial=0))) + 2
    place = np.searchsorted(facts.entity * width + facts.day, entity * width + night)
    inside = np.minimum(place, len(facts.day) - 1)
    same = (place < len(facts.day)) & (facts.entity[inside] == entity)
    return np.where(same, facts.day[inside], _NEVER)
