"""The range in which a column's values usually lie, in words."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from nightjar.evaluation.histograms import Bins
from nightjar.masking.showing import show

MIDDLE = 0.8
"""The share of training rows that a usual range holds, as many of the others below it as above."""
MOST_LEVELS = 3
"""Levels that a usual range names."""
MOSTLY = 0.5
"""From this share of training rows on, a missing value is usual."""
ROUNDING = 1e-9
"""Of shares that are added up."""


def usual(bins: Bins, counts: Sequence[int], *, is_boolean: bool = False) -> str | None:
    """The usual range of a column in words, from the histogram of its training rows; None: there were none.

    Of numbers the middle 80% of those that there are, of levels the most frequent ones that make up 80%, three at most.

    Args:
        bins: of the histogram.
        counts: rows in each bin, nulls first.
        is_boolean: whether the numbers stand for no and yes.

    Example:
        >>> usual(Bins("numeric", edges=(1.0, 2.0, 5.0, 5.1)), [0, 0, 20, 60, 20, 0])
        '1 to 5'
        >>> usual(Bins("categorical", levels=("car", "home", "boat")), [5, 60, 25, 10, 0])
        'car or home'
    """
    rows = np.asarray(counts, dtype=np.float64)
    if not rows.sum():
        return None
    if rows[0] >= MOSTLY * rows.sum():
        return "missing"
    if bins.kind == "categorical":
        return _levels(bins, rows)
    low, high = _middle(bins, rows)
    ends = [show(bool(end)) if is_boolean else show(end) for end in (low, high)]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} or {ends[1]}" if is_boolean else " to ".join(ends)


def _levels(bins: Bins, rows: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> str:
    counted = sorted(zip(rows[1:], [*bins.levels, "another level"], strict=True), key=lambda one: -one[0])
    named, share = list[str](), 0.0
    for count, level in counted:
        if share >= MIDDLE * rows[1:].sum() or len(named) == MOST_LEVELS:
            break
        named.append(level)
        share += count
    words = ", ".join(named[:-1])
    more = ", or another" if share < MIDDLE * rows[1:].sum() else ""
    return f"{words} or {named[-1]}" if words and not more else f"{', '.join(named)}{more}"


def _middle(bins: Bins, rows: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> tuple[float, float]:
    """The lower edges of the bins where the middle begins and ends: of few distinct values these values themselves.

    A bin holds about a fiftieth of the rows, so that the ends are right to that.
    """
    if len(bins.edges) < 2:
        edge = bins.edges[0] if bins.edges else 0.0
        return edge, edge
    edges = [bins.edges[0], *(low for low, _ in pairwise(bins.edges)), bins.edges[-2]]
    cumulative = np.cumsum(rows[1:]) / rows[1:].sum()
    low = np.searchsorted(cumulative, (1 - MIDDLE) / 2 + ROUNDING, side="right")
    high = np.searchsorted(cumulative, (1 + MIDDLE) / 2 - ROUNDING, side="left")
    return edges[int(low)], edges[int(high)]
