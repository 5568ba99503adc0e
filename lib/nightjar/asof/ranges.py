"""Sums, extremes and counts over many half-open ranges of one array, without a loop over the ranges."""

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
        return self._reduce(self.ends - self.starts, np.add)

    @property
    def windows(self) -> Ints:
        """The number of each range's window."""
        if self.firsts is None:
            return np.arange(len(self.starts))
        return np.repeat(np.arange(len(self.firsts)), np.diff(self.firsts, append=len(self.starts)))

    def total(self, running: Ints) -> Ints:
        """The sum over each window, from running totals."""
        return self._reduce(running[self.ends] - running[self.starts], np.add)

    def extreme(self, values: Ints, choose: np.ufunc) -> Ints:
        """The least (``np.minimum``) or greatest (``np.maximum``) value of each window.

        An empty one has the identity of the operation. A range is covered by two runs whose length is a
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
        return self._reduce(result, choose)

    @cached_property
    def _by_power(self) -> list[Ints]:
        """The ranges of length 1, of 2 and 3, of 4 to 7, and so on."""
        lengths = (self.ends - self.starts).astype(np.float64)
        power = (np.frexp(lengths)[1] - 1).astype(np.int8)  # NumPy sorts bytes by radix
        order = np.argsort(power, kind="stable")
        edges = np.searchsorted(power[order], np.arange(int(power.max(initial=-1)) + 2))
        return [order[start:end] for start, end in itertools.pairwise(edges)]

    def first(self, ranks: Ints) -> Ints:
        """The least rank in each window, given ranks that ascend within every range; -1 for an empty window."""
        least = self._reduce(self._values_at(ranks, self.starts, FOREVER), np.minimum)
        return np.where(least < FOREVER, least, -1)

    def last(self, ranks: Ints) -> Ints:
        """The greatest rank in each window, given ranks that ascend within every range; -1 for an empty window."""
        return self._reduce(self._values_at(ranks, self.ends - 1, -1), np.maximum)

    def distinct(self, codes: Ints) -> Ints:
        """The number of different codes in each window."""
        if self.firsts is None:
            return count_distinct(codes, self.starts, self.ends)
        ranges, positions = expand_ranges(self.starts, self.ends)
        width = int(codes.max(initial=0)) + 1
        pairs = np.sort(self.windows[ranges] * width + codes[positions])
        distinct_pairs = np.concatenate([pairs[:1], pairs[1:][pairs[1:] != pairs[:-1]]])
        return np.bincount(distinct_pairs // width, minlength=len(self.firsts))

    def select(self, which: Ints) -> "Runs":
        """The windows of these numbers, which ascend."""
        if len(which) == len(self.sizes):
            return self
        if self.firsts is None:
            return Runs(self.starts[which], self.ends[which])
        first, last = self.firsts[which], np.append(self.firsts, len(self.starts))[which + 1]
        ranges = expand_ranges(first, last)[1]
        return Runs(self.starts[ranges], self.ends[ranges], running_total(last - first)[:-1])

    def restrict(self, before: Ints) -> "Runs":
        """The same windows over a subset of the positions, given how many of the subset precede each position."""
        return Runs(before[self.starts], before[self.ends], self.firsts)

    def _values_at(self, ranks: Ints, positions: Ints, default: int) -> Ints:
        values, is_filled = np.full(len(positions), default), self.ends > self.starts
        values[is_filled] = ranks[positions[is_filled]]
        return values

    def _reduce(self, values: Ints, combine: np.ufunc) -> Ints:
        if self.firsts is None:
            return values
        result: Ints = combine.reduceat(values, self.firsts)
        return result


def running_total(values: npt.NDArray[np.generic]) -> Ints:
    """The sum of the values before each position, and of all."""
    total = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values, out=total[1:])
    return total


def expand_ranges(starts: Ints, ends: Ints) -> tuple[Ints, Ints]:
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
    repeats = codes[order][1:] == codes[order][:-1]
    previous[order[1:][repeats]] = order[:-1][repeats] + 1
    not_repeated = count_below(previous, ends, starts + 1)  # previous < start
    return not_repeated - starts


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
