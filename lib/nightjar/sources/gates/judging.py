"""Judge a day by the days before it. Numbers alone: no table is read here.

What a day should bring is the median of the same weekday over the eight weeks before. How far days lie from that is
counted in standard errors: of a Poisson count for `volume`, of a binomial share for `null_share`, of a mean for `mean`.
The errors of the past eight weeks, predicted in the same way, say how large such distances are by nature: their median
is what a trend adds, and 1.4826 times their median absolute deviation (MAD, Hampel 1974) estimates their standard
deviation, which is taken to be 1 at least. So neither chance, nor a weekly pattern, nor a trend fails a day.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

import numpy as np
from scipy.special import betainc

from nightjar.settings.gates import GateCheck, OutlierMethod

WEEKS = 8
"""Weeks of history that a day is compared with."""
LEAST_SAME, LEAST_ERRORS = 4, 14
"""Days of the same weekday, and errors of earlier predictions, without which nothing is judged: four weeks of days."""
TOLERANCE = 4.0
"""Robust standard deviations."""
LEAST_ROWS = 30
"""Rows of history without which no value is an outlier."""
OUTLIER_TOLERANCE = {OutlierMethod.Z_SCORE: 5.0, OutlierMethod.IQR: 3.0, OutlierMethod.QUANTILES: 0.001}
SHARE_TOLERANCE = 0.05
P_VALUE = 0.001
"""Counts that chance gives with a smaller probability are amiss."""
_TAIL = (0.0, 0.0001, 0.001, 0.01)
QUANTILES = (*_TAIL, *(number / 20 for number in range(1, 20)), *(1 - share for share in reversed(_TAIL)))
"""What is stored of a day's distribution."""
_OF_MEDIAN = math.pi / 2  # variance of a median, in those of a mean of as many normal values


@dataclass(frozen=True)
class Day:
    """What a gate measured of the facts of one day.

    Attributes:
        rows: facts, or those with a value.
        value: the count, share or mean; None: there is none without rows.
        variance: of the column among the rows.
        quantiles: of the column, at `QUANTILES`.
    """

    rows: int
    value: float | None
    variance: float = 0.0
    quantiles: tuple[float, ...] = ()


@dataclass(frozen=True)
class Band:
    """What passes, both ends included, and the number of earlier days that say so."""

    lowest: float
    highest: float
    days: int


def expected(check: GateCheck, history: Mapping[date, Day], day: date, rows: int, tolerance: float) -> Band | None:
    """What a day's volume, null share or mean should be; None where too few days came before it.

    Args:
        check: which of the three.
        history: earlier days, at most twice `WEEKS` old.
        day: the day to judge.
        rows: its facts, or those with a value; 0 only for `volume`.
        tolerance: robust standard deviations.
    """
    variance = median(one.variance for one in history.values() if one.rows > 1) if _varies(history) else 0.0
    window = [day - timedelta(days=ago) for ago in range(1, 7 * WEEKS + 1)]
    errors = [_error(check, history, past, variance) for past in window if past in history]
    distances = [error for error in errors if error is not None]
    same = _same_weekday(history, day)
    if len(same) < LEAST_SAME or len(distances) < LEAST_ERRORS:
        return None
    middle, unit = median(same), _standard_error(check, same, rows, variance)
    center = median(distances)
    spread = max(1.0, 1.4826 * median(abs(distance - center) for distance in distances))
    lowest, highest = (middle + (center + side * tolerance * spread) * unit for side in (-1, 1))
    if check is not GateCheck.MEAN:
        lowest = max(lowest, 0.0)
    return Band(lowest, highest, sum(past in history for past in window))


def _varies(history: Mapping[date, Day]) -> bool:
    return any(one.rows > 1 for one in history.values())


def _same_weekday(history: Mapping[date, Day], day: date) -> list[float]:
    """The values of the same weekday over the weeks before."""
    days = [history.get(day - timedelta(weeks=ago)) for ago in range(1, WEEKS + 1)]
    return [one.value for one in days if one is not None and one.value is not None]


def _error(check: GateCheck, history: Mapping[date, Day], day: date, variance: float) -> float | None:
    """How far a past day was from what was expected of it, in standard errors."""
    same, one = _same_weekday(history, day), history[day]
    if len(same) < LEAST_SAME // 2 or one.value is None:
        return None
    return (one.value - median(same)) / _standard_error(check, same, one.rows, variance)


def _standard_error(check: GateCheck, same: Sequence[float], rows: int, variance: float) -> float:
    """Of a day's value about the median of the same weekday; chance alone makes it so large."""
    middle = median(same)
    if check is GateCheck.VOLUME:
        of_day = max(middle, 1.0)
    elif check is GateCheck.NULL_SHARE:
        share = (middle * rows + 1) / (rows + 2)
        of_day = share * (1 - share) / rows
    else:
        of_day = variance / max(rows, 1)
    least = 1e-9 * abs(middle) + 1e-12  # a column may always have one value
    return max(math.sqrt(of_day * (1 + _OF_MEDIAN / len(same))), least)


def outlier_band(method: OutlierMethod, history: Sequence[Day], tolerance: float) -> Band | None:
    """Between which bounds values are no outliers; None where history has too few rows."""
    days = [day for day in history if day.rows and day.value is not None]
    rows = sum(day.rows for day in days)
    if rows < LEAST_ROWS:
        return None
    if method is OutlierMethod.Z_SCORE:
        center = sum(day.rows * (day.value or 0.0) for day in days) / rows
        squares = sum((day.rows - 1) * day.variance + day.rows * ((day.value or 0.0) - center) ** 2 for day in days)
        reach = tolerance * math.sqrt(squares / (rows - 1))
        return Band(center - reach, center + reach, len(days))
    if method is OutlierMethod.IQR:
        first, third = _pooled_quantiles(days, [0.25, 0.75])
        return Band(first - tolerance * (third - first), third + tolerance * (third - first), len(days))
    lowest, highest = _pooled_quantiles(days, [tolerance, 1 - tolerance])
    return Band(lowest, highest, len(days))


def _pooled_quantiles(days: Sequence[Day], at: Sequence[float]) -> list[float]:
    """Quantiles of all days' rows: those of the mixture of their distributions, each linear between its quantiles."""
    values = np.unique(np.concatenate([day.quantiles for day in days]))
    weights = np.array([day.rows for day in days], float)
    shares = np.array([_distribution(np.array(day.quantiles), values) for day in days])
    mixture = weights @ shares / weights.sum()
    return [float(np.interp(share, mixture, values)) for share in at]


def _distribution(quantiles: "np.ndarray[tuple[int], np.dtype[np.float64]]", values: object) -> object:
    """The share of a day's rows up to each value; where several quantiles are equal, up to the last of them."""
    points, first = np.unique(quantiles, return_index=True)
    last = np.append(first[1:], len(quantiles)) - 1
    return np.interp(np.asarray(values, float), points, np.asarray(QUANTILES)[last], left=0.0, right=1.0)


def most_by_chance(rows: int, share: float) -> int:
    """The greatest count of so many rows that is not amiss, where each counts with a probability.

    Example:
        >>> most_by_chance(1000, 0.002)
        8
    """
    count = math.floor(rows * share)
    while count < rows and at_least(count + 1, rows, share) >= P_VALUE:
        count += 1
    return count


def at_least(count: int, rows: int, share: float) -> float:
    """The probability of so many of the rows or more, each counting with a probability (binomial, exact).

    Example:
        >>> round(at_least(2, 3, 0.5), 6)
        0.5
    """
    return 1.0 if count <= 0 else float(betainc(count, rows - count + 1, share))


def share_p_value(count: int, rows: int, share: float, tolerance: float, values: int) -> float:
    """How probable a count so far from a population's share is, if the true share differs by the tolerance at most.

    Args:
        count: rows with the value.
        rows: rows with any value.
        share: of the population.
        tolerance: by how much the true share may differ.
        values: how many values are compared at once: the p-value holds for all of them (Bonferroni).
    """
    above = at_least(count, rows, min(share + tolerance, 1.0)) if share + tolerance < 1 else 1.0
    below = at_least(rows - count, rows, 1 - max(share - tolerance, 0.0)) if share > tolerance else 1.0
    return min(1.0, 2 * values * min(above, below))
