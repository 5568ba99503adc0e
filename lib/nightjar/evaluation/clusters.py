"""Clusters of dependent rows: rows of one entity, and rows of one block of time, are not independent evidence."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError

Codes = npt.NDArray[np.intp]
FEWEST = 3
"""The least number of entities or blocks from which others can be judged."""


@dataclass(frozen=True, eq=False)
class Clusters:
    """The entity and the block of time of each row, numbered from 0.

    Attributes:
        entity: rows of one entity share what is its own; where entities do not repeat, a number of its own for each.
        block: rows of one block share what happened in it.
        overlap: the share of a block by which blocks miss a shock on one day that moves the outcomes of several
            prediction times, see `overlap`; 0: outcomes of different blocks share nothing.
    """

    entity: Codes
    block: Codes
    overlap: float = 0.0

    def __post_init__(self) -> None:
        """Raise LearningError unless each row has both."""
        if self.entity.shape != self.block.shape or self.entity.ndim != 1:
            raise LearningError(
                f"There are entities of the shape {self.entity.shape} beside blocks of the shape {self.block.shape}: "
                "each row belongs to one entity and to one block."
            )

    @cached_property
    def entities(self) -> int:
        """The number of entities."""
        return int(np.count_nonzero(np.bincount(self.entity)))

    @cached_property
    def blocks(self) -> int:
        """The number of blocks."""
        return int(np.count_nonzero(np.bincount(self.block)))

    @cached_property
    def cell(self) -> Codes:
        """The number of each row's entity within its block."""
        cells = self.entity * (int(self.block.max(initial=0)) + 1) + self.block
        codes: Codes = np.unique(cells, return_inverse=True)[1]
        return codes

    def take(self, rows: Codes) -> "Clusters":
        """The clusters of these rows."""
        return Clusters(self.entity[rows], self.block[rows], self.overlap)


def blocks_within(days: int, length: int) -> int:
    """The number of blocks of at least `length` days into which a period of days is divided; at least one."""
    return max(1, days // length)


def blocks_of(day: npt.NDArray[np.datetime64], first: date, last: date, length: int) -> Codes:
    """The number of each date's block: the period from the first to the last date is divided into equal blocks.

    Args:
        day: dates within the period.
        first: of the period.
        last: of the period, included.
        length: days of a block, at least; see `blocks_within`.

    Example:
        >>> days = np.array(["2024-01-01", "2024-01-05", "2024-01-09"], "datetime64[D]")
        >>> blocks_of(days, date(2024, 1, 1), date(2024, 1, 9), length=3).tolist()
        [0, 1, 2]
    """
    days = (last - first).days + 1
    day_number = (day.astype("datetime64[D]") - np.datetime64(first)).astype(np.intp)
    return day_number * blocks_within(days, length) // days


def overlap(days: int, length: int, nights: int) -> float:
    """The part of a shock on one day that a block's own variance misses, as a share of the block.

    A shock of one day that moves the outcomes of m nights alike, such as those of an aggregate with that horizon, gives
    sums over n >= m nights the variance n - (m - 1 / m) / 3, in units of what one night adds in the long run:
    neighbouring blocks share the difference. With blocks of one night nothing is missed.

    Args:
        days: of the period.
        length: days of a block, at least, and so many days of outcomes one shock moves.
        nights: the days of the period that have rows: all of them, or one of seven of a weekly spine.
    """
    moved = max(1.0, length * nights / days)
    return (moved - 1 / moved) / 3 * blocks_within(days, length) / nights
