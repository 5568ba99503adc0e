"""Find the latest usable fact of each query, skipping blocks of facts that hold none."""

from functools import cached_property

import numpy as np

from nightjar.asof.history import History, Queries
from nightjar.asof.values import EARLIEST, FOREVER, Flags, Ints

_STEPS = 4


class LatestFinder:
    """Finds the last position whose version is valid for a bound on knowledge: ``known_at <= bound <= until``.

    Almost always that is the last fact before the prediction time or one of the few before it, so these are tried one
    by one. For the other queries, blocks of 1, 2, 4, ... positions store their least ``known_at`` and greatest
    ``until``. A block that cannot hold a valid fact is skipped in one step and a larger one is tried, so that a long
    stretch of late, superseded or null facts costs its logarithm.
    """

    def __init__(self, history: History, eligible: Flags | None = None) -> None:
        """Search all positions of a history, or only the eligible ones."""
        self._history = history
        self._eligible = eligible

    def latest(self, queries: Queries) -> Ints:
        """The position of the latest usable fact of each query, -1 where there is none."""
        history, positions = self._history, queries.ends - 1
        if not len(history.rows):
            return np.full_like(positions, -1)
        has_fact = (history.entity[positions] == queries.entity) & (positions >= 0)
        pending = np.flatnonzero(has_fact & ~self._exist(positions, queries.bound))
        positions[~has_fact] = -1
        first, bound = history.first(queries.entity[pending]), queries.bound[pending]
        for _ in range(_STEPS):
            positions[pending] -= 1
            positions[pending[positions[pending] < first]] = -1
            unusable = (positions[pending] >= 0) & ~self._exist(positions[pending], bound)
            pending, first, bound = pending[unusable], first[unusable], bound[unusable]
        if pending.size:
            positions[pending] = self._before(positions[pending], first, bound)
        return positions

    def _exist(self, positions: Ints, bound: Ints) -> Flags:
        exists = self._history.exist(positions, bound)
        return exists if self._eligible is None else exists & self._eligible[positions]

    def _before(self, end: Ints, first: Ints, bound: Ints) -> Ints:
        """The last position in [first, end) that is valid for the bound, -1 where none is."""
        positions = np.full(len(end), -1)
        rows = np.flatnonzero(end > first)
        end, level = end[rows], np.zeros(len(rows), np.int64)
        while rows.size:
            is_empty = self._has_none((end >> level) - 1, level, bound[rows])
            is_match = ~is_empty & (level == 0)
            positions[rows[is_match]] = end[is_match] - 1
            end = end - np.where(is_empty, 1 << level, 0)
            level = np.where(is_empty, level + ((end >> level) & 1 == 0), level - 1)
            keep = ~is_match & (end > first[rows])
            rows, end, level = rows[keep], end[keep], level[keep]
        return positions

    def _has_none(self, block: Ints, level: Ints, bound: Ints) -> Flags:
        earliest, last, offsets = self._blocks
        index = offsets[level] + block
        is_empty: Flags = (earliest[index] > bound) | (last[index] < bound)
        return is_empty

    @cached_property
    def _blocks(self) -> tuple[Ints, Ints, Ints]:
        """Least known_at and greatest until of each full block, level after level, and where each level begins."""
        known_at, until = self._history.known_at, self._history.until
        until = np.full_like(known_at, FOREVER) if until is None else until
        if self._eligible is not None:
            known_at, until = np.where(self._eligible, known_at, FOREVER), np.where(self._eligible, until, EARLIEST)
        earliest, last = [known_at], [until]
        while len(earliest[-1]) > 1:
            earliest.append(_merge_pairs(earliest[-1], np.minimum))
            last.append(_merge_pairs(last[-1], np.maximum))
        offsets = np.cumsum([0, *(len(level) for level in earliest)])
        return np.concatenate(earliest), np.concatenate(last), offsets


def _merge_pairs(level: Ints, choose: np.ufunc) -> Ints:
    pairs = level[: len(level) // 2 * 2]
    merged: Ints = choose(pairs[::2], pairs[1::2])
    return merged
