"""Which facts stand in each question's window, as runs of positions.

A fact is *settled* for a bound on knowledge once nothing later can change it: a version that is never superseded when
it is known, any other when its successor is. Superseded versions are kept apart, behind those that hold for good, so
that a window whose facts are all settled is one range of the latter, however often its facts were corrected. Elsewhere
the range is split at facts not known yet, and superseded versions that still held stand beside it one by one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nightjar.asof.blocks import Blocks
from nightjar.asof.history import History, Questions
from nightjar.asof.places import Places
from nightjar.asof.ranges import Runs, running_total
from nightjar.asof.values import FOREVER, Flags, Ints

_PAIRS = 1 << 22  # facts in the unsettled windows looked at together: at most about 300 MB with what is made of them


@dataclass(frozen=True)
class Span:
    """Windows of some questions.

    Attributes:
        questions: the questions, by number.
        runs: their windows among the facts in the order of ``Windows.order``.
    """

    questions: Ints
    runs: Runs


class Windows:
    """The windows of all questions to one history."""

    def __init__(self, history: History, questions: Questions, latest: Ints) -> None:
        """Take the facts, the spine rows and the position of each one's latest usable fact, -1 for none."""
        self._history, self._questions, self._latest = history, questions, latest
        final, self._settled = np.ones(len(history.rows), np.bool_), history.known
        if history.until is not None:
            final = history.until == FOREVER
            self._settled = np.where(final, history.known, history.until + 1)
        self._for_good, self._replaced = np.flatnonzero(final), np.flatnonzero(~final)
        self._final_before = running_total(final)

    @property
    def order(self) -> Ints:
        """The positions of facts that hold for good, then of superseded ones."""
        return np.concatenate([self._for_good, self._replaced])

    def spans(self, first: Ints) -> Iterator[Span]:
        """Every question's window from a first instant on, inclusive; each question in exactly one span.

        A window ends with the latest usable fact: none after it counts.
        """
        starts = self._history.before(self._questions.entity, first)
        ends = np.maximum(self._latest + 1, starts)
        unsettled = self._unsettled & (ends > starts)
        rows = np.flatnonzero(unsettled)
        if rows.size:
            settled = np.flatnonzero(~unsettled)
            yield Span(settled, self._final(starts[settled], ends[settled]))
        else:
            yield Span(np.arange(len(ends)), self._final(starts, ends))
        through = np.cumsum(ends[rows] - starts[rows])
        while rows.size:
            taken = max(int(np.searchsorted(through, _PAIRS, "right")), 1)
            here = rows[:taken]
            yield Span(here, self._runs(starts[here], ends[here], self._questions.bound[here]))
            rows, through = rows[taken:], through[taken:] - through[taken - 1]

    def _final(self, starts: Ints, ends: Ints) -> Runs:
        """The facts in some ranges of positions that hold for good."""
        if not self._replaced.size:
            return Runs(starts, ends)
        return Runs(self._final_before[starts], self._final_before[ends])

    @cached_property
    def _unsettled(self) -> Flags:
        """Questions whose entity has, up to the latest usable fact, one that is not settled for the bound."""
        entity, found = self._history.entity, np.flatnonzero(self._latest >= 0)
        scale = Places(self._settled, int(entity.max(initial=-1)) + 1)
        greatest = np.maximum.accumulate(scale.before(entity, self._settled))  # above all of the entities before
        bound = scale.after(self._questions.entity[found], self._questions.bound[found])
        unsettled = np.zeros(len(self._latest), np.bool_)
        unsettled[found] = greatest[self._latest[found]] >= bound
        return unsettled

    @cached_property
    def _final_blocks(self) -> Blocks:
        return Blocks(self._settled[self._for_good])

    @cached_property
    def _replaced_blocks(self) -> Blocks:
        return Blocks(self._settled[self._replaced])

    def _runs(self, starts: Ints, ends: Ints, bound: Ints) -> Runs:
        low, high = self._final_before[starts], self._final_before[ends]
        runs = _without(Runs(low, high), *self._final_blocks.above(low, high, bound))
        if not self._replaced.size:
            return runs
        owner, places = self._replaced_blocks.above(starts - low, ends - high, bound)
        held = self._history.known[self._replaced[places]] <= bound[owner]
        return _with(runs, owner[held], places[held] + len(self._for_good))


def _without(runs: Runs, owner: Ints, gaps: Ints) -> Runs:
    """Windows of one range each without some positions, given as ascending pairs of window and position."""
    count = np.bincount(owner, minlength=len(runs.starts))
    firsts = np.arange(len(count)) + np.cumsum(count) - count
    starts, ends = np.empty(len(count) + len(gaps), np.int64), np.empty(len(count) + len(gaps), np.int64)
    after = np.arange(len(gaps)) + owner + 1  # every window before has one range more than gaps
    starts[firsts], starts[after] = runs.starts, gaps + 1
    ends[firsts + count], ends[after - 1] = runs.ends, gaps
    kept = ends > starts
    kept[firsts] = True
    return Runs(starts[kept], ends[kept], running_total(kept)[firsts])


def _with(runs: Runs, owner: Ints, positions: Ints) -> Runs:
    """Windows with single positions beside what they have, given as ascending pairs of window and position."""
    owners = np.concatenate([runs.windows, owner])
    order = np.argsort(owners, kind="stable")
    starts, ends = np.concatenate([runs.starts, positions]), np.concatenate([runs.ends, positions + 1])
    return Runs(starts[order], ends[order], np.searchsorted(owners[order], np.arange(len(runs.sizes))))
