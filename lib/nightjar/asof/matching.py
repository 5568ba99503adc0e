"""The latest fact that a question may use, found by skipping blocks of facts that hold none."""

from functools import cached_property

import numpy as np

from nightjar.asof.history import History, Questions
from nightjar.asof.values import EARLIEST, FOREVER, Flags, Ints

_STEPS = 4


class Search:
    """Finds the last position at which a version exists for a bound on knowledge: ``known <= bound <= until``.

    Almost always that is the last one that happened by then or one of the few before it, so these are tried one by
    one. For the other questions blocks of 1, 2, 4, ... positions remember their least ``known`` and greatest
    ``until``. A block that cannot hold an existing fact is jumped over in one step and a larger one is tried, so that
    a long stretch of late, superseded or null facts costs its logarithm.
    """

    def __init__(self, history: History, offered: Flags | None = None) -> None:
        """Search all positions of a history, or only those offered."""
        self._history = history
        self._offered = offered

    def latest(self, questions: Questions) -> Ints:
        """The position of the latest usable fact of each question, -1 where there is none."""
        history, found = self._history, questions.ends - 1
        if not len(history.rows):
            return np.full_like(found, -1)
        happened = (history.entity[found] == questions.entity) & (found >= 0)
        late = np.flatnonzero(happened & ~self._exist(found, questions.bound))
        found[~happened] = -1
        first, bound = history.first(questions.entity[late]), questions.bound[late]
        for _ in range(_STEPS):
            found[late] -= 1
            found[late[found[late] < first]] = -1
            beyond = (found[late] >= 0) & ~self._exist(found[late], bound)
            late, first, bound = late[beyond], first[beyond], bound[beyond]
        if late.size:
            found[late] = self._before(found[late], first, bound)
        return found

    def _exist(self, positions: Ints, bound: Ints) -> Flags:
        exists = self._history.exist(positions, bound)
        return exists if self._offered is None else exists & self._offered[positions]

    def _before(self, end: Ints, first: Ints, bound: Ints) -> Ints:
        """The last position from first up to but without end that exists for the bound, -1 where none does."""
        found = np.full(len(end), -1)
        rows = np.flatnonzero(end > first)
        end, level = end[rows], np.zeros(len(rows), np.int64)
        while rows.size:
            blank = self._holds_none((end >> level) - 1, level, bound[rows])
            hit = ~blank & (level == 0)
            found[rows[hit]] = end[hit] - 1
            end = end - np.where(blank, 1 << level, 0)
            level = np.where(blank, level + ((end >> level) & 1 == 0), level - 1)
            keep = ~hit & (end > first[rows])
            rows, end, level = rows[keep], end[keep], level[keep]
        return found

    def _holds_none(self, block: Ints, level: Ints, bound: Ints) -> Flags:
        known, until, offsets = self._blocks
        place = offsets[level] + block
        blank: Flags = (known[place] > bound) | (until[place] < bound)
        return blank

    @cached_property
    def _blocks(self) -> tuple[Ints, Ints, Ints]:
        """Least known and greatest until of each full block, level after level, and where each level begins."""
        first, last = self._history.known, self._history.until
        last = np.full_like(first, FOREVER) if last is None else last
        if self._offered is not None:
            first, last = np.where(self._offered, first, FOREVER), np.where(self._offered, last, EARLIEST)
        known, until = [first], [last]
        while len(known[-1]) > 1:
            known.append(_halved(known[-1], np.minimum))
            until.append(_halved(until[-1], np.maximum))
        offsets = np.cumsum([0, *(len(level) for level in known)])
        return np.concatenate(known), np.concatenate(until), offsets


def _halved(level: Ints, keep: np.ufunc) -> Ints:
    pairs = level[: len(level) // 2 * 2]
    halves: Ints = keep(pairs[::2], pairs[1::2])
    return halves
