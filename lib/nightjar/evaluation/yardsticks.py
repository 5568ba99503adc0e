"""What is usual: the distances between a reference's own nights at one distance in time and one number of rows."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nightjar.evaluation.histograms import Counts
from nightjar.evaluation.rows import Floats, RowNumbers
from nightjar.evaluation.tails import Tail, fit_tail

SPANS = (1, 5)
"""Nights over which studentised values are averaged: a change of three deviations is to be seen in so many."""
CAP = 6.0
"""Studentised values count in averages as this at most: a night that is far off is no trend."""
FEWEST = 40
"""Nights that a null needs."""
_EARLIEST = 28
_BLOCK_DAYS = 28
_PER_WEEKDAY = 5
_LEAST_SCALE = 0.005
_LEAST_SPAN_SCALE = 1e-3
_LEAST_MAXIMUM = 2.0

Nights = npt.NDArray[np.datetime64]
Distance = Callable[[Floats, Floats], Floats]


@dataclass(frozen=True, eq=False)
class Yardstick:
    """Centres and deviations of each column, and the distribution of the greatest of them all.

    Attributes:
        lag_days: days that its nights lie after what they are compared with.
        nights: how many.
        centres: mean distances by weekday from Monday on, then of all nights, (columns, 8).
        scales: deviations of the distances around them, (columns,), at least 0.005: less is no change that matters.
        span_scales: deviations of the means over `SPANS`, (columns, spans).
        tail: of the greatest over columns and spans.
    """

    lag_days: int
    nights: int
    centres: Floats
    scales: Floats
    span_scales: Floats
    tail: Tail


def lag_within(dates: Nights, lag_days: int) -> int | None:
    """The greatest lag up to `lag_days` at which enough nights can be compared; None: there is none."""
    for lag in range(lag_days, 0, -1):
        if len(comparable(dates, lag)[0]) >= FEWEST:
            return lag
    return None


def comparable(dates: Nights, lag_days: int) -> tuple[RowNumbers, RowNumbers]:
    """The nights that can be compared, and for each how many nights lie at least so many days before it."""
    before = np.searchsorted(dates, dates - np.timedelta64(lag_days, "D"), side="right")
    nights = np.flatnonzero(before >= max(_EARLIEST, len(dates) // 5))
    return nights, before[nights]


def fit_yardstick(dates: Nights, counts: Counts, lag_days: int, rows: int, distance: Distance) -> Yardstick:
    """Compare each night with the nights that lie at least so many days before it.

    Args:
        dates: ascending, (nights,).
        counts: (columns, nights, groups).
        lag_days: for which `comparable` gives `FEWEST` nights at least.
        rows: nights of more rows are drawn down to so many.
        distance: see `divergences.OF_SHARES`.
    """
    nights, before = comparable(dates, lag_days)
    past = np.cumsum(counts, axis=1)[:, before - 1]
    distances = distance(shares(past), shares(draw_down(counts[:, nights], rows)))
    weekday, block = weekdays(dates[nights]), blocks(dates[nights])
    centres, scales = _usual(distances, weekday)
    studentised = _studentise(distances, weekday, block)
    maxima = studentised.max(axis=0)
    span_scales = np.ones((len(counts), len(SPANS)))
    for place, span in enumerate(SPANS[1:], 1):
        means = span_means(studentised, span)
        span_scales[:, place] = _deviation(means, _LEAST_SPAN_SCALE)
        greatest = _scale_means(means, block[span - 1 :]).max(axis=0)
        maxima[span - 1 :] = np.maximum(maxima[span - 1 :], greatest)
    tail = fit_tail(maxima[SPANS[-1] - 1 :], _LEAST_MAXIMUM)
    return Yardstick(lag_days, len(nights), centres, scales, span_scales, tail)


def blocks(dates: Nights) -> RowNumbers:
    """The block of each night, 28 days or a quarter of all: shocks last, so that nights near by are too much alike."""
    days = (dates - dates[0]).astype(np.int64)
    length = max(1, min(_BLOCK_DAYS, (int(days[-1]) + 1) // 4))
    return (days // length).astype(np.intp)


def _studentise(distances: Floats, weekday: RowNumbers, block: RowNumbers) -> Floats:
    """Each night beyond the mean of its weekday, over the deviation, of the nights in other blocks."""
    result = np.empty_like(distances)
    for one in np.unique(block):
        own, others = block == one, block != one
        centres, scales = _usual(distances[:, others], weekday[others])
        result[:, own] = (distances[:, own] - centres[:, weekday[own]]) / scales[:, None]
    return result


def _scale_means(means: Floats, block: RowNumbers) -> Floats:
    """The mean that ends on each night, over the deviation of those that end in other blocks."""
    result = np.empty_like(means)
    for one in np.unique(block):
        scales = _deviation(means[:, block != one], _LEAST_SPAN_SCALE)
        result[:, block == one] = means[:, block == one] / scales[:, None]
    return result


def _usual(distances: Floats, weekday: RowNumbers) -> tuple[Floats, Floats]:
    """The mean distance of each weekday, then of all nights, (columns, 8), and the deviation around the means."""
    seen = np.bincount(weekday, minlength=7)
    centres = np.repeat(distances.mean(axis=1, keepdims=True), 8, axis=1)
    if seen[seen > 0].min() >= _PER_WEEKDAY:
        centres[:, np.flatnonzero(seen)] = (distances @ np.eye(7)[weekday])[:, seen > 0] / seen[seen > 0]
    return centres, _deviation(distances - centres[:, weekday], _LEAST_SCALE)


def _deviation(residuals: Floats, least: float) -> Floats:
    """The root of the mean square, along the last axis, at least `least`."""
    return np.maximum(np.sqrt((residuals**2).mean(axis=-1)), least)


def span_means(studentised: Floats, span: int) -> Floats:
    """The means over each `span` nights in a row, of capped values, along the last axis."""
    sums = np.cumsum(np.clip(studentised, -CAP, CAP), axis=-1)
    before = np.concatenate([np.zeros_like(sums[..., :1]), sums[..., :-span]], axis=-1)
    return np.asarray((sums[..., span - 1 :] - before) / span, np.float64)


def shares(counts: npt.NDArray[np.int64]) -> Floats:
    """Of each group, along the last axis; 0 everywhere where there are no rows."""
    return np.asarray(counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1), np.float64)


def weekdays(dates: Nights) -> RowNumbers:
    """0 is Monday."""
    return ((dates.astype("datetime64[D]").astype(np.int64) + 3) % 7).astype(np.intp)


def draw_down(counts: Counts, rows: int) -> Counts:
    """Random rows of each vector of more than `rows`, without replacement, along the last axis; the same every time."""
    random = np.random.default_rng(0)
    total = counts.sum(axis=-1)
    is_large = total > rows
    if not is_large.any():
        return counts
    large = counts[is_large]
    rest, due = large.sum(axis=-1), np.full(len(large), rows)
    drawn = np.zeros_like(large)
    for group in range(large.shape[-1] - 1):
        rest = rest - large[:, group]
        drawn[:, group] = _hypergeometric(random, large[:, group], rest, due)
        due = due - drawn[:, group]
    drawn[:, -1] = due
    result = counts.copy()
    result[is_large] = drawn
    return result


def _hypergeometric(random: np.random.Generator, good: Counts, bad: Counts, due: Counts) -> Counts:
    if (good + bad).max(initial=0) < 10**9:
        return random.hypergeometric(good, bad, due)
    share = good / np.maximum(good + bad, 1)  # NumPy draws from fewer than 1e9 rows; of so many it is binomial
    return np.clip(random.binomial(due, share), due - bad, good)
