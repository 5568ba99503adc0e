"""Which facts stand in each question's window, as ranges of positions."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nightjar.asof.history import History, Questions
from nightjar.asof.ranges import extremes
from nightjar.asof.values import FOREVER, Flags, Ints, earlier

_PAIRS = 1 << 21  # (question, fact) pairs in memory at a time: about 100 MB with what is computed from them


@dataclass(frozen=True)
class Span:
    """Windows of some questions as half-open ranges.

    Attributes:
        questions: the questions, by number.
        positions: the facts that the ranges count over; None means all of the history.
        starts: the first place of each range.
        ends: the place after the last one.
    """

    questions: Ints
    positions: Ints | None
    starts: Ints
    ends: Ints


def spans(history: History, questions: Questions, latest: Ints, window: int) -> Iterator[Span]:
    """Every question's window of ``window`` microseconds, each question in exactly one span.

    A window ends after the latest usable fact. Where every fact in it exists, it is a range of the history. The
    others, which hold a fact not known yet or a superseded one, are listed fact by fact, some questions at a time.

    Args:
        history: the facts.
        questions: the spine rows.
        latest: the position of each question's latest usable fact, -1 for none.
        window: its length in microseconds, at least 1.
    """
    starts = history.before(questions.entity, earlier(questions.at, window - 1))
    ends = np.maximum(latest + 1, starts)
    whole = _all_exist(history, starts, ends, questions.bound)
    yield Span(np.flatnonzero(whole), None, starts[whole], ends[whole])
    rows = np.flatnonzero(~whole)
    through = np.cumsum(ends[rows] - starts[rows])
    while rows.size:
        taken = max(int(np.searchsorted(through, _PAIRS, "right")), 1)
        yield _listed(history, rows[:taken], starts, ends, questions.bound)
        rows, through = rows[taken:], through[taken:] - through[taken - 1]


def _all_exist(history: History, starts: Ints, ends: Ints, bound: Ints) -> Flags:
    whole: Flags = extremes(history.known, starts, ends, np.maximum) <= bound
    if np.any(history.until != FOREVER):
        whole &= extremes(history.until, starts, ends, np.minimum) >= bound
    whole |= starts == ends
    return whole


def _listed(history: History, rows: Ints, starts: Ints, ends: Ints, bound: Ints) -> Span:
    lengths = ends[rows] - starts[rows]
    offsets = np.cumsum(lengths) - lengths
    positions = np.arange(lengths.sum()) + np.repeat(starts[rows] - offsets, lengths)
    asked = np.repeat(bound[rows], lengths)
    exists = (history.known[positions] <= asked) & (history.until[positions] >= asked)
    before = np.concatenate([[0], np.cumsum(exists)])
    return Span(rows, positions[exists], before[offsets], before[offsets + lengths])
