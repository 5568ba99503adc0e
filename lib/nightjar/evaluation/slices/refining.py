"""A box drawn finer: borders between fine bins, other levels; and a part with one condition less."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nightjar.evaluation.binary import Booleans
from nightjar.evaluation.slices.binning import BinnedColumn
from nightjar.evaluation.slices.conditions import Slice
from nightjar.evaluation.slices.search import Box, Losses

_ROUNDS = 2


@dataclass(frozen=True)
class Part:
    """Rows that meet conditions.

    Attributes:
        columns: the numbers of the conditions' columns.
        ranges: of fine bins of each of them, first and the one after the last.
    """

    columns: tuple[int, ...]
    ranges: tuple[tuple[int, int], ...]

    def rows(self, binned: Sequence[BinnedColumn]) -> Booleans:
        """Whether each row meets all of them."""
        conditions = [_within(binned[number], one) for number, one in zip(self.columns, self.ranges, strict=True)]
        return np.asarray(np.logical_and.reduce(conditions))

    def without(self, place: int) -> "Part":
        """The rows that meet all conditions but one."""
        columns = self.columns[:place] + self.columns[place + 1 :]
        return Part(columns, self.ranges[:place] + self.ranges[place + 1 :])

    def slice(self, binned: Sequence[BinnedColumn]) -> Slice:
        """The same in terms of values."""
        pairs = zip(self.columns, self.ranges, strict=True)
        return Slice(tuple(binned[number].condition(*one) for number, one in pairs))


def refine(box: Box, columns: Sequence[BinnedColumn], losses: Losses) -> Part:
    """The box with each condition as it is best while the others stay as they are: finer borders, another level."""
    ranges = [columns[number].fine_range(one) for number, one in zip(box.columns, box.ranges, strict=True)]
    inside = [_within(columns[number], one) for number, one in zip(box.columns, ranges, strict=True)]
    for _ in range(_ROUNDS):
        before = list(ranges)
        for place, number in enumerate(box.columns):
            others = np.logical_and.reduce([np.ones_like(inside[0]), *inside[:place], *inside[place + 1 :]])
            ranges[place] = _best_range(columns[number], others, losses, ranges[place])
            inside[place] = _within(columns[number], ranges[place])
        if ranges == before:
            break
    return Part(box.columns, tuple(ranges))


def _best_range(column: BinnedColumn, others: Booleans, losses: Losses, present: tuple[int, int]) -> tuple[int, int]:
    """The fine bins of a condition whose rows, among those that meet the others, lie furthest above."""
    codes, bins = column.fine[others], column.missing + 1
    rows, excess = (
        np.append(0.0, np.cumsum(np.bincount(codes, values, bins))) for values in (None, losses.excess[others])
    )
    if column.is_number:
        first, end = np.triu_indices(bins, 1)
        proper = (first > 0) | (end < bins - 1)  # all that are not missing are no condition
        first, end = np.append(first[proper], bins - 1), np.append(end[proper], bins)
    else:
        first, end = np.array(column.fine_ranges(present)).T
    z = losses.z(rows[end] - rows[first], excess[end] - excess[first])
    best = int(z.argmax())
    return (int(first[best]), int(end[best])) if np.isfinite(z[best]) else present


def _within(column: BinnedColumn, fine: tuple[int, int]) -> Booleans:
    return (column.fine >= fine[0]) & (column.fine < fine[1])
