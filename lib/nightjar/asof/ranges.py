"""Questions about many half-open ranges of one array, without a loop over the ranges."""

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from nightjar.asof.values import FOREVER, Ints


@dataclass(frozen=True, eq=False)
class Runs:
    """Windows, each made of one or more half-open ranges of positions in ascending order; ranges may be empty.

    Attributes:
        starts: the first position of each range.
        ends: the position after the last one.
        firsts: the number of each window's first range; None where every window is one range.
    """

    starts: Ints
    ends: Ints
    firsts: Ints | None = None

    @cached_property
    def sizes(self) -> Ints:
        """How many positions each window has."""
        return self._reduced(self.ends - self.starts, np.add)

    @property
    def windows(self) -> Ints:
        """The number of each range's window."""
        if self.firsts is None:
            return np.arange(len(self.starts))
        return np.repeat(np.arange(len(self.firsts)), np.diff(self.firsts, append=len(self.starts)))

    def total(self, running: Ints) -> Ints:
        """The sum over each window, from running totals."""
        return self._reduced(running[self.ends] - running[self.starts], np.add)

    def extreme(self, values: Ints, choose: np.ufunc) -> Ints:
        """The least (``np.minimum``) or greatest (``np.maximum``) value of each window.

        An empty one has the value that loses against every other. A range is covered by two runs whose length is a
        power of two (the sparse table of Bender and Farach-Colton, LATIN 2000). One power is in memory at a time, and
        none longer than the longest range is computed.
        """
        result = np.full(len(self.starts), FOREVER if choose is np.minimum else -FOREVER)
        runs = values
        for level, ranges in enumerate(self._by_power):
            if level:
                runs = choose(runs[: -(1 << level - 1)], runs[1 << level - 1 :])
            first = self.starts[ranges]
            result[ranges] = choose(runs[first], runs[self.ends[ranges] - (1 << level)]) if level else runs[first]
        return self._reduced(result, choose)

    @cached_property
    def _by_power(self) -> list[Ints]:
        """The ranges of length 1, of 2 and 3, of 4 to 7, and so on."""
        lengths = (self.ends - self.starts).astype(np.float64)
        power = (np.frexp(lengths)[1] - 1).astype(np.int8)  # NumPy sorts bytes by radix
        order = np.argsort(power, kind="stable")
        edges = np.searchsorted(power[order], np.arange(int(power.max(initial=-1)) + 2))
        return [order[start:end] for start, end in itertools.pairwise(edges)]

    def first(self, ranked: Ints) -> Ints:
        """The least rank in each window, given ranks that ascend within every range; -1 for an empty window."""
        found = self._reduced(self._picked(ranked, self.starts, FOREVER), np.minimum)
        return np.where(found < FOREVER, found, -1)

    def last(self, ranked: Ints) -> Ints:
        """The greatest rank in each window, given ranks that ascend within every range; -1 for an empty window."""
        return self._reduced(self._picked(ranked, self.ends - 1, -1), np.maximum)

    def distinct(self, codes: Ints) -> Ints:
        """The number of different codes in each window."""
        if self.firsts is None:
            return count_distinct(codes, self.starts, self.ends)
        ranges, positions = listed(self.starts, self.ends)
        width = int(codes.max(initial=0)) + 1
        held = np.sort(self.windows[ranges] * width + codes[positions])
        fresh = np.concatenate([held[:1], held[1:][held[1:] != held[:-1]]])
        return np.bincount(fresh // width, minlength=len(self.firsts))

    def some(self, which: Ints) -> "Runs":
        """Some of the windows, in ascending order."""
        if len(which) == len(self.sizes):
            return self
        if self.firsts is None:
            return Runs(self.starts[which], self.ends[which])
        first, last = self.firsts[which], np.append(self.firsts, len(self.starts))[which + 1]
        ranges = listed(first, last)[1]
        return Runs(self.starts[ranges], self.ends[ranges], running_total(last - first)[:-1])

    def narrowed(self, before: Ints) -> "Runs":
        """The same windows among some of the positions, given how many of these stand before each position."""
        return Runs(before[self.starts], before[self.ends], self.firsts)

    def _picked(self, ranked: Ints, positions: Ints, otherwise: int) -> Ints:
        picked, held = np.full(len(positions), otherwise), self.ends > self.starts
        picked[held] = ranked[positions[held]]
        return picked

    def _reduced(self, values: Ints, combine: np.ufunc) -> Ints:
        if self.firsts is None:
            return values
        reduced: Ints = combine.reduceat(values, self.firsts)
        return reduced


def running_total(values: npt.NDArray[np.generic]) -> Ints:
    """The sum of the values before each position, and of all."""
    total = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values, out=total[1:])
    return total


def listed(starts: Ints, ends: Ints) -> tuple[Ints, Ints]:
    """Every position of every range, and the number of its range."""
    lengths = ends - starts
    ranges = np.repeat(np.arange(len(starts)), lengths)
    before = np.cumsum(lengths) - lengths
    return ranges, np.arange(len(ranges)) + (starts - before)[ranges]


def count_distinct(codes: Ints, starts: Ints, ends: Ints) -> Ints:
    """The number of different codes in each range.

    A position repeats within a range iff its code's previous position is not before the range's start. Positions
    before the start never count as repeats, so repeats are counted over all positions before the end.
    """
    order = np.argsort(codes, kind="stable")
    previous = np.zeros(len(codes), np.int64)  # one more than the previous position, 0 where there is none
    same = codes[order][1:] == codes[order][:-1]
    previous[order[1:][same]] = order[:-1][same] + 1
    fresh = count_below(previous, ends, starts + 1)  # previous < start
    return fresh - starts


def count_below(values: Ints, ends: Ints, limits: Ints) -> Ints:
    """How many of the first ``end`` values are below ``limit``, for each pair of end and limit.

    Values and limits are at least 0. This is the rank query of a wavelet matrix (Claude and Navarro, SPIRE 2012): bit
    by bit from the highest, values with a 0 come before those with a 1, and each range follows its limit's bit.
    """
    count, low, high = np.zeros_like(ends), np.zeros_like(ends), ends
    width = max(int(values.max(initial=0)), int(limits.max(initial=0))).bit_length()
    for bit in reversed(range(width)):
        ones = (values >> bit) & 1 == 1
        zeros_before = np.concatenate([[0], np.cumsum(~ones)])
        low_zeros, high_zeros = zeros_before[low], zeros_before[high]
        right = (limits >> bit) & 1 == 1
        count = count + np.where(right, high_zeros - low_zeros, 0)
        low = np.where(right, zeros_before[-1] + low - low_zeros, low_zeros)
        high = np.where(right, zeros_before[-1] + high - high_zeros, high_zeros)
        values = np.concatenate([values[~ones], values[ones]])
    return count
