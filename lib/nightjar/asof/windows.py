"""The facts in each query's window, as runs of positions.

A fact is *settled* for a bound on ``known_at`` once nothing later can change it. A *final* version, one that is never
superseded, is settled when it is known; a superseded one when its successor is known. Superseded versions are stored
behind the final ones, so that a window whose facts are all settled is one range of final versions, however often its
facts were corrected. In other windows that range is split at facts that are not known yet, and superseded versions that
are still valid at the bound are added one by one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nightjar.asof.blocks import Blocks
from nightjar.asof.composite_keys import SortKeyEncoder
from nightjar.asof.history import History, Queries
from nightjar.asof.ranges import Runs, running_total
from nightjar.asof.values import FOREVER, Flags, Ints

_PAIRS = 1 << 22  # facts in the unsettled windows of one batch: at most about 300 MB with their intermediate results


@dataclass(frozen=True)
class Span:
    """Windows of some queries.

    Attributes:
        queries: the numbers of the queries.
        runs: their windows among the facts in the order of ``Windows.order``.
    """

    queries: Ints
    runs: Runs


class Windows:
    """The windows of all queries against one history."""

    def __init__(self, history: History, queries: Queries, latest: Ints) -> None:
        """Take the facts, the spine rows and the position of each one's latest usable fact, -1 for none."""
        self._history, self._queries, self._latest = history, queries, latest
        is_final, self._settled_at = np.ones(len(history.rows), np.bool_), history.known_at
        if history.until is not None:
            is_final = history.until == FOREVER
            self._settled_at = np.where(is_final, history.known_at, history.until + 1)
        self._final, self._superseded = np.flatnonzero(is_final), np.flatnonzero(~is_final)
        self._final_before = running_total(is_final)

    @property
    def order(self) -> Ints:
        """The positions of final versions, then of superseded ones."""
        return np.concatenate([self._final, self._superseded])

    def spans(self, first: Ints) -> Iterator[Span]:
        """Every query's window from a first instant on, inclusive; each query is in exactly one span.

        A window ends with the latest usable fact: none after it counts.
        """
        starts = self._history.before(self._queries.entity, first)
        ends = np.maximum(self._latest + 1, starts)
        is_unsettled = self._is_unsettled & (ends > starts)
        pending = np.flatnonzero(is_unsettled)
        if pending.size:
            settled = np.flatnonzero(~is_unsettled)
            yield Span(settled, self._final_runs(starts[settled], ends[settled]))
        else:
            yield Span(np.arange(len(ends)), self._final_runs(starts, ends))
        cumulative = np.cumsum(ends[pending] - starts[pending])
        while pending.size:
            count = max(int(np.searchsorted(cumulative, _PAIRS, "right")), 1)
            batch = pending[:count]
            yield Span(batch, self._unsettled_runs(starts[batch], ends[batch], self._queries.bound[batch]))
            pending, cumulative = pending[count:], cumulative[count:] - cumulative[count - 1]

    def _final_runs(self, starts: Ints, ends: Ints) -> Runs:
        """The final versions in ranges of positions."""
        if not self._superseded.size:
            return Runs(starts, ends)
        return Runs(self._final_before[starts], self._final_before[ends])

    @cached_property
    def _is_unsettled(self) -> Flags:
        """Queries whose entity has an unsettled fact up to the latest usable one."""
        entity, matches = self._history.entity, np.flatnonzero(self._latest >= 0)
        encoder = SortKeyEncoder(self._settled_at, int(entity.max(initial=-1)) + 1)
        # The sort keys of an entity exceed those of all earlier ones, so the maximum restarts at each entity.
        latest_settled = np.maximum.accumulate(encoder.before(entity, self._settled_at))
        bound = encoder.after(self._queries.entity[matches], self._queries.bound[matches])
        is_unsettled = np.zeros(len(self._latest), np.bool_)
        is_unsettled[matches] = latest_settled[self._latest[matches]] >= bound
        return is_unsettled

    @cached_property
    def _final_blocks(self) -> Blocks:
        return Blocks(self._settled_at[self._final])

    @cached_property
    def _superseded_blocks(self) -> Blocks:
        return Blocks(self._settled_at[self._superseded])

    def _unsettled_runs(self, starts: Ints, ends: Ints, bound: Ints) -> Runs:
        low, high = self._final_before[starts], self._final_before[ends]
        runs = _exclude(Runs(low, high), *self._final_blocks.above(low, high, bound))
        if not self._superseded.size:
            return runs
        owner, positions = self._superseded_blocks.above(starts - low, ends - high, bound)
        is_usable = self._history.known_at[self._superseded[positions]] <= bound[owner]
        return _include(runs, owner[is_usable], positions[is_usable] + len(self._final))


def _exclude(runs: Runs, owner: Ints, gaps: Ints) -> Runs:
    """Windows of one range each, minus positions given as ascending pairs of window and position."""
    count = np.bincount(owner, minlength=len(runs.starts))
    firsts = np.arange(len(count)) + np.cumsum(count) - count
    starts, ends = np.empty(len(count) + len(gaps), np.int64), np.empty(len(count) + len(gaps), np.int64)
    after_gap = np.arange(len(gaps)) + owner + 1  # every window before has one range more than gaps
    starts[firsts], starts[after_gap] = runs.starts, gaps + 1
    ends[firsts + count], ends[after_gap - 1] = runs.ends, gaps
    nonempty = ends > starts
    nonempty[firsts] = True
    return Runs(starts[nonempty], ends[nonempty], running_total(nonempty)[firsts])


def _include(runs: Runs, owner: Ints, positions: Ints) -> Runs:
    """Windows plus positions given as ascending pairs of window and position."""
    owners = np.concatenate([runs.windows, owner])
    order = np.argsort(owners, kind="stable")
    starts, ends = np.concatenate([runs.starts, positions]), np.concatenate([runs.ends, positions + 1])
    return Runs(starts[order], ends[order], np.searchsorted(owners[order], np.arange(len(runs.sizes))))
