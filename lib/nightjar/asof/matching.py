"""The latest fact that a question may use, found by skipping blocks of facts that hold none."""

from functools import cached_property

import numpy as np

from nightjar.asof.history import History, Questions
from nightjar.asof.values import EARLIEST, FOREVER, Flags, Ints


class Search:
    """Finds the last position at which a version exists for a bound on knowledge: ``known <= bound <= until``.

    Blocks of 1, 2, 4, ... positions remember their least ``known`` and greatest ``until``. A block that cannot hold
    an existing fact is jumped over in one step and a larger one is tried, so that a long stretch of late, superseded
    or null facts costs its logarithm.
    """

    def __init__(self, history: History, offered: Flags | None = None) -> None:
        """Search all positions of a history, or only those offered."""
        self._history = history
        self._known = history.known if offered is None else np.where(offered, history.known, FOREVER)
        self._until = history.until if offered is None else np.where(offered, history.until, EARLIEST)
        self._offered = offered

    def latest(self, questions: Questions) -> Ints:
        """The position of the latest usable fact of each question, -1 where there is none."""
        history = self._history
        found = np.full(len(questions.rows), -1)
        first, end = history.first(questions.entity), history.through(questions.entity, questions.at)
        rows = np.flatnonzero(end > first)
        end, level = end[rows], np.zeros(len(rows), np.int64)
        while rows.size:
            blank = self._holds_none((end >> level) - 1, level, questions.bound[rows])
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
        known, until = [self._known], [self._until]
        while len(known[-1]) > 1:
            known.append(_halved(known[-1], np.minimum))
            until.append(_halved(until[-1], np.maximum))
        offsets = np.cumsum([0, *(len(level) for level in known)])
        return np.concatenate(known), np.concatenate(until), offsets


def _halved(level: Ints, keep: np.ufunc) -> Ints:
    pairs = level[: len(level) // 2 * 2]
    halves: Ints = keep(pairs[::2], pairs[1::2])
    return halves
