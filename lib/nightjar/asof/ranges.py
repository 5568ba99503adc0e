"""Questions about many half-open ranges of one array, without a loop over the ranges."""

import numpy as np

from nightjar.asof.values import Ints


def extremes(values: Ints, starts: Ints, ends: Ints, choose: np.ufunc) -> Ints:
    """The least (``np.minimum``) or greatest (``np.maximum``) value of each range, 0 for an empty one.

    A range is covered by two runs whose length is a power of two (the sparse table of Bender and Farach-Colton, LATIN
    2000). One power is in memory at a time, and none longer than the longest range is computed.
    """
    result = np.zeros(len(starts), np.int64)
    power = np.frexp((ends - starts).astype(np.float64))[1] - 1
    by_power = np.argsort(power, kind="stable")
    edges = np.searchsorted(power[by_power], np.arange(max(int(power.max(initial=-1)), -1) + 2))
    runs = values
    for level in range(len(edges) - 1):
        if level:
            runs = choose(runs[: -(1 << level - 1)], runs[1 << level - 1 :])
        rows = by_power[edges[level] : edges[level + 1]]
        result[rows] = choose(runs[starts[rows]], runs[ends[rows] - (1 << level)])
    return result


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
