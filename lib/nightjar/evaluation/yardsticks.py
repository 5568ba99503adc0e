"""What is usual: the distances between a reference's own nights at one distance in time and one number of rows.

A column has three aspects, each with a distance: its values, with all bins; its share of nulls; and of levels the
share of new ones, in bins where the reference has hardly any rows. A few new levels or nulls are lost in the first
where values differ from night to night, and stand out by themselves. Numbers beyond those of the reference are no
aspect: in a column that moves slowly whole nights are beyond all nights before them, and groups of bins do not show on
which nights of the reference that was so.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student_t

from nightjar.evaluation.histograms import Counts
from nightjar.evaluation.rows import Floats, RowNumbers
from nightjar.evaluation.tails import Tail, fit_tail

ASPECTS = ("values", "nulls", "new")
SPANS = (1, 5)
"""Nights over which studentised values are averaged: a change of three deviations is to be seen in so many."""
NEW = 0.001
"""Share of the expected rows below which the levels of a group are new."""
FEWEST = 40
"""Nights that a null needs."""
RARE = (0.005, 0.05)
"""What the greatest of one night's values is beyond on such a share of nights, and what the greatest mean of a span is
beyond, are equally far: a change that lasts is seen more readily than one night."""
_EARLIEST = 28
_BLOCK_DAYS = 28
_PER_WEEKDAY = 5
LEAST_SCALES = (0.005, 0.02, 0.02)
"""Deviations of the distance of each aspect: less is no change that matters."""
_LEAST_SPAN_SCALE = 1e-3
LEAST_MAXIMUM = 2.0

Nights = npt.NDArray[np.datetime64]
Distance = Callable[[Floats, Floats], Floats]


@dataclass(frozen=True, eq=False)
class Yardstick:
    """Centres and deviations of each column, and the distribution of the greatest of them all.

    Attributes:
        lag_days: days that its nights lie after what they are compared with.
        nights: how many.
        centres: mean distances by weekday from Monday on, then of all nights, (aspects, columns, 8).
        scales: deviations of the distances around them, (aspects, columns).
        span_scales: deviations of the means over `SPANS` of the studentised values, in units by which they compare with
            values of one night (see `RARE`), (columns, spans).
        tail: of the greatest over columns, their aspects and spans.
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


def fit_yardstick(
    dates: Nights, counts: Counts, lag_days: int, rows: int, distance: Distance, has_levels: npt.NDArray[np.bool_]
) -> Yardstick:
    """Compare each night with the nights that lie at least so many days before it.

    Args:
        dates: ascending, (nights,).
        counts: (columns, nights, groups), nulls first.
        lag_days: for which `comparable` gives `FEWEST` nights at least.
        rows: nights of more rows are drawn down to so many.
        distance: see `divergences.OF_SHARES`.
        has_levels: whether new values of each column are looked at, (columns,).
    """
    nights, before = comparable(dates, lag_days)
    past = np.cumsum(counts, axis=1)[:, before - 1]
    tonight = draw_down(counts[:, nights], rows)
    distances = distances_of(past, tonight, distance, has_levels)
    weekday, block = weekdays(dates[nights]), blocks(dates[nights])
    usual = [_usual(one, weekday, least) for one, least in zip(distances, LEAST_SCALES, strict=True)]
    studentised = [_studentise(*one, weekday, block) for one in zip(distances, LEAST_SCALES, strict=True)]
    greatest_of_one = [_greatest(one, block) for one in studentised]
    of_one = fit_tail(greatest_of_one[0], LEAST_MAXIMUM)
    rare, less_rare = map(of_one.reach, RARE)
    units = np.array([1.0, less_rare / rare, less_rare / rare])  # of nulls and new levels: those of less rare values
    maxima = np.max(np.stack(greatest_of_one) / units[:, None], axis=0)
    span_scales = np.ones((len(counts), len(SPANS)))
    for place, span in enumerate(SPANS[1:], 1):
        means = span_means(studentised[0], span)
        greatest = _greatest(_scale_means(means, block[span - 1 :]), block[span - 1 :])
        unit = fit_tail(greatest, LEAST_MAXIMUM).reach(RARE[1]) / rare
        span_scales[:, place] = unit * deviation(means, _LEAST_SPAN_SCALE)
        maxima[span - 1 :] = np.maximum(maxima[span - 1 :], greatest / unit)
    tail = fit_tail(maxima[SPANS[-1] - 1 :], LEAST_MAXIMUM)
    centres, scales = (np.stack(one) for one in zip(*usual, strict=True))
    return Yardstick(lag_days, len(nights), centres, scales * units[:, None], span_scales, tail)


def distances_of(expected: Counts, actual: Counts, distance: Distance, has_levels: npt.NDArray[np.bool_]) -> Floats:
    """The distance of each aspect, (aspects, columns, ...), of counts (columns, ..., groups), nulls first.

    What is new is what the expected ones hardly hold: on a night of the reference what the nights before it do, as bins
    hold the levels of all its nights.
    """
    e, a = shares(expected), shares(actual)
    is_new = e < NEW
    is_new[..., 0] = False
    is_new[~has_levels] = False
    nulls = [_of_two(one[..., 0]) for one in (e, a)]
    new = [_of_two((one * is_new).sum(axis=-1)) for one in (e, a)]
    return np.stack([distance(e, a), distance(*nulls), distance(*new)])


def _of_two(share: Floats) -> Floats:
    """A share and its rest, along a further axis."""
    within = np.clip(share, 0, 1)
    return np.stack([within, 1 - within], axis=-1)


def blocks(dates: Nights) -> RowNumbers:
    """The block of each night, 28 days or a quarter of all: shocks last, so that nights near by are too much alike."""
    days = (dates - dates[0]).astype(np.int64)
    length = max(1, min(_BLOCK_DAYS, (int(days[-1]) + 1) // 4))
    return np.asarray(days // length, np.intp)


def _studentise(distances: Floats, least: float, weekday: RowNumbers, block: RowNumbers) -> Floats:
    """Each night beyond the mean of its weekday, over the deviation, of the nights in other blocks."""
    result = np.empty_like(distances)
    for one in np.unique(block):
        own, others = block == one, block != one
        centres, scales = _usual(distances[:, others], weekday[others], least)
        result[:, own] = (distances[:, own] - centres[:, weekday[own]]) / scales[:, None]
    return result


def _scale_means(means: Floats, block: RowNumbers) -> Floats:
    """The mean that ends on each night, over the deviation of those that end in other blocks."""
    result = np.empty_like(means)
    for one in np.unique(block):
        scales = deviation(means[:, block != one], _LEAST_SPAN_SCALE)
        result[:, block == one] = means[:, block == one] / scales[:, None]
    return result


def _greatest(studentised: Floats, block: RowNumbers) -> Floats:
    """The greatest of all columns on each night, as if deviations were those of all nights.

    They are those of the nights in other blocks: of fewer nights they are more often much too small, and the greatest
    of thousands of columns is where they are. So each value is exchanged for the one that is as rare with the degrees
    of freedom of all nights, in Student's t distribution. A mean square whose relative variance is v has 2 / v; v is
    taken from the mean squares of the blocks, over all columns, as nights last and are not normally distributed.

    Source: Satterthwaite (1946), An approximate distribution of estimates of variance components, Biometrics Bulletin
    2(6), 110-114.
    """
    greatest = np.asarray(studentised.max(axis=0), np.float64)
    numbers, nights = np.unique(block, return_counts=True)
    whole = numbers[2 * nights > nights.max()]
    squares = np.stack([(studentised[:, block == one] ** 2).mean(axis=1) for one in whole])
    squares = squares[:, squares.any(axis=0)]
    if len(whole) < 2 or not squares.size:
        return greatest
    relative = (squares / squares.mean(axis=0)).var(axis=0, ddof=1).mean()
    freedom = 2 * len(block) / max(relative * nights.max(), _LEAST_SPAN_SCALE)
    of_others = freedom * (1 - nights[np.searchsorted(numbers, block)] / len(block))
    as_rare = student_t.isf(student_t.sf(greatest, of_others), freedom)
    return np.asarray(np.minimum(greatest, as_rare), np.float64)  # isf is infinite where sf is too small for a number


def _usual(distances: Floats, weekday: RowNumbers, least: float) -> tuple[Floats, Floats]:
    """The mean distance of each weekday, then of all nights, (columns, 8), and the deviation around the means."""
    seen = np.bincount(weekday, minlength=7)
    centres = np.repeat(distances.mean(axis=1, keepdims=True), 8, axis=1)
    if seen[seen > 0].min() >= _PER_WEEKDAY:
        centres[:, np.flatnonzero(seen)] = (distances @ np.eye(7)[weekday])[:, seen > 0] / seen[seen > 0]
    return centres, deviation(distances - centres[:, weekday], least)


def deviation(residuals: Floats, least: float) -> Floats:
    """The root of the mean square, along the last axis, at least `least`."""
    return np.asarray(np.maximum(np.sqrt((residuals**2).mean(axis=-1)), least), np.float64)


def span_means(studentised: Floats, span: int) -> Floats:
    """The means over each `span` nights in a row, along the last axis: one bad night alone is no trend, so that the
    greatest of them counts as the second greatest.
    """
    ordered = np.partition(np.lib.stride_tricks.sliding_window_view(studentised, span, axis=-1), span - 2, axis=-1)
    return np.asarray((ordered[..., :-1].sum(axis=-1) + ordered[..., -2]) / span, np.float64)


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
