"""When a daily figure has changed for good: cumulative sums whose limit is calibrated on the figure's own nights.

A night's figure differs from its level by chance in its rows (its standard error) and because nights differ (the night
deviation). Both are in the unit in which it is measured here: a figure of few rows moves the sum little. Figures are
compared with those of the same weekday. Give only matured ones: early figures are biased, not only noisy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError
from nightjar.evaluation.rows import Floats, RowNumbers
from nightjar.settings.monitoring.detection import Detector

FEWEST = 28
"""Nights of reference below which nothing is detected: their level is too uncertain."""
ALLOWANCE = 0.75
"""Deviations: half of the drop that is to be seen soonest, 1.5."""
_PATHS, _STEPS = 500, 300
_NIGHTS = 200
"""In which all streams together may raise a false alarm: a quarter of what is promised, as a reference that is
resampled knows nothing of what is rarer than itself."""


@dataclass(frozen=True)
class Detection:
    """What a stream of figures says on its last night.

    Attributes:
        alarm: whether it has changed; None: too few nights of reference to say.
        since: the first night of the change, as estimated; None: nothing has changed.
        statistic: in standard deviations; None beside an alarm of None, and for detectors that have none.
        limit: beyond which there is an alarm; None: likewise.
        path: the statistic after each night from `judged_from` on.
        deviations: how far each of these nights is from what its weekday makes expected, in its standard deviations,
            positive where it is higher.
        night_deviation: how far nights differ beyond their errors, in the figure's unit.
    """

    alarm: bool | None
    since: date | None
    statistic: float | None
    limit: float | None
    path: tuple[float, ...] = ()
    deviations: tuple[float, ...] = ()
    night_deviation: float | None = None


def detect(
    values: npt.ArrayLike,
    errors: npt.ArrayLike,
    dates: Sequence[date],
    *,
    judged_from: date,
    worse: Literal["lower", "higher", "either"],
    streams: int = 1,
    detector: Detector = Detector.CUSUM,
) -> Detection:
    """Whether a figure has changed since the nights before `judged_from`, which are its reference.

    The sum of a night is that of the night before, plus how many deviations the figure is worse than its weekday makes
    expected, less 0.75, and at least 0; an alarm is a sum above the limit. The limit is that which sums of the
    reference's own nights, resampled in blocks beside a reference that is resampled alike, exceed in one night of 200
    in any of `streams`, so that there is one false alarm in about 50. So it knows how uncertain the reference is, how
    long shocks last, and how heavy their tails are. The same figures always give the same limit.

    The other detectors are those of river, with their own limits, on the same deviations (DDM: on the figures, shares
    of errors). They know nothing of false alarms in `streams` and are here for comparison.

    Args:
        values: a figure a night; NaN where there is none: the night is left out.
        errors: their standard errors; 0 where a figure is exact.
        dates: ascending.
        judged_from: the first night that is judged; the ones before are the reference.
        worse: in which direction a change is looked for.
        streams: how many figures are watched together.
        detector: see `Detector`.

    Raises:
        LearningError: arguments of different lengths, dates that do not ascend, or negative errors.

    Source: Page (1954), Continuous inspection schemes, Biometrika 41, 100-115; Hawkins and Olwell (1998), Cumulative
    Sum Charts and Charting for Quality Improvement, Springer, section 3.2, for the allowance and 1.9 for `since`; Gandy
    and Kvaløy (2013), Guaranteed conditional performance of control charts via bootstrap methods, Scandinavian Journal
    of Statistics 40(4), 647-668, for limits that are bootstrapped together with the reference.

    Example:
        Half a year around 0.8; then a drop by two night deviations from 1 July on, which the sums place a little
        earlier.

        >>> from datetime import timedelta
        >>> figures = 0.8 + 0.02 * np.random.default_rng(0).normal(size=190)
        >>> figures[-8:] -= 0.04
        >>> nights = [date(2024, 1, 1) + timedelta(days) for days in range(190)]
        >>> result = detect(figures, np.zeros(190), nights, judged_from=nights[160], worse="lower")
        >>> result.alarm, str(result.since)
        (True, '2024-06-27')
    """
    series = _Series.of(values, errors, dates)
    is_reference = series.dates < np.datetime64(judged_from)
    if is_reference.sum() < FEWEST:
        return Detection(None, None, None, None)
    deviations, night_deviation = _standardise(series, is_reference)
    judged = np.array(deviations[~is_reference], np.float64)
    nights = series.dates[~is_reference]
    if detector is not Detector.CUSUM:
        from nightjar.evaluation.stream_detectors import last_change  # river loads pandas and scikit-learn

        figures = series.values if detector is Detector.DDM else deviations
        change = last_change(figures, detector, worse, int(is_reference.sum()))
        since = None if change is None else _date(series.dates[change])
        return Detection(change is not None, since, None, None, (), tuple(judged), night_deviation)
    signs = {"lower": (-1,), "higher": (1,), "either": (-1, 1)}[worse]
    limit = _limit(deviations[is_reference], signs, streams)
    sums = {sign: _sums(sign * judged) for sign in signs}
    path = np.max([*sums.values(), np.zeros(len(judged))], axis=0)
    statistic = float(path[-1]) if len(path) else 0.0
    since = None
    if statistic > limit:
        greatest = max(sums.values(), key=lambda one: one[-1])
        since = _date(nights[_start(greatest)])
    return Detection(statistic > limit, since, statistic, limit, tuple(path), tuple(judged), night_deviation)


@dataclass(frozen=True, eq=False)
class _Series:
    values: Floats
    errors: Floats
    dates: npt.NDArray[np.datetime64]

    @classmethod
    def of(cls, values: npt.ArrayLike, errors: npt.ArrayLike, dates: Sequence[date]) -> "_Series":
        figures, own = np.asarray(values, np.float64), np.asarray(errors, np.float64)
        nights = np.asarray(dates, "datetime64[D]")
        if not len(figures) == len(own) == len(nights):
            raise LearningError(
                f"{len(figures)} figures, {len(own)} errors and {len(nights)} dates: each night needs one of each."
            )
        if (np.diff(nights) <= np.timedelta64(0, "D")).any():
            raise LearningError("The dates of daily figures must ascend, each once.")
        if (own < 0).any():
            raise LearningError(f"Standard errors are at least 0, but the least one is {own.min()}.")
        usable = np.isfinite(figures) & np.isfinite(own)
        return cls(figures[usable], own[usable], nights[usable])


def _standardise(series: _Series, is_reference: npt.NDArray[np.bool_]) -> tuple[Floats, float]:
    """How far each night is from the level of its weekday in the reference, over its deviation; the night deviation."""
    weekday = _weekdays(series.dates)
    figures, errors, days = series.values[is_reference], series.errors[is_reference], weekday[is_reference]
    tiny = 1e-12 * max(1.0, float(np.abs(figures).max()) ** 2)  # where a figure is exact and constant any change counts
    between = _between(figures, errors, days, np.ones(len(figures)))
    weight = 1 / (between + errors**2 + tiny)  # nights of many rows say more about the level
    between = _between(figures, errors, days, weight)
    levels = _levels(figures[None], weight[None], days)[0]
    return (series.values - levels[weekday]) / np.sqrt(between + series.errors**2 + tiny), float(np.sqrt(between))


def _between(figures: Floats, errors: Floats, weekday: RowNumbers, weight: Floats) -> float:
    """The variance of nights around the levels of their weekdays, beyond that of their errors."""
    residual = figures - _levels(figures[None], weight[None], weekday)[0][weekday]
    return max(float((residual**2).sum() / (len(figures) - 1) - (errors**2).mean()), 0.0)


def _levels(figures: Floats, weight: Floats, weekday: RowNumbers) -> Floats:
    """What each weekday makes expected, (paths, 7): its mean, drawn to that of all nights as far as chance explains it.

    Source: Morris (1983), Parametric empirical Bayes inference, Journal of the American Statistical Association
    78(381), 47-55.
    """
    of_day = np.eye(7)[weekday]
    total, weighted = weight @ of_day, (weight * figures) @ of_day
    overall = (weighted.sum(axis=1) / total.sum(axis=1))[:, None]
    gap = np.divide(weighted, total, out=np.repeat(overall, 7, axis=1), where=total > 0) - overall
    within = (weight * (figures - overall - gap[:, weekday]) ** 2).sum(axis=1, keepdims=True)
    days = int((total[0] > 0).sum())
    noise = (days - 1) * within / max(figures.shape[1] - days, 1)
    between = (total * gap**2).sum(axis=1, keepdims=True)
    drawn = np.clip(1 - np.divide(noise, between, out=np.ones_like(noise), where=between > 0), 0, 1)
    return np.asarray(overall + drawn * gap, np.float64)


def _weekdays(dates: npt.NDArray[np.datetime64]) -> RowNumbers:
    return ((dates.astype("datetime64[D]").astype(np.int64) + 3) % 7).astype(np.intp)


def _sums(worse: Floats) -> Floats:
    """The cumulative sum after each night: of (nights,), or (paths, nights)."""
    total = np.cumsum(worse - ALLOWANCE, axis=-1)
    return np.asarray(total - np.minimum(np.minimum.accumulate(total, axis=-1), 0), np.float64)


def _start(sums: Floats) -> int:
    """The night after the last one at which the sum was 0."""
    zero = np.flatnonzero(sums <= 0)
    return int(zero[-1]) + 1 if len(zero) else 0


def _limit(reference: Floats, signs: Sequence[int], streams: int) -> float:
    """What paths of the reference's nights exceed at the rate of one night in 50 for all streams together.

    Each path goes through what the figures go through: its levels and its deviation are those of a reference of its
    own.
    """
    random = np.random.default_rng(0)
    nights = len(reference)
    resampled, paths = (_blocks(random, reference, length) for length in (nights, _STEPS))
    levels = _levels(resampled, np.ones_like(resampled), np.arange(nights) % 7)
    variance = ((resampled - levels[:, np.arange(nights) % 7]) ** 2).sum(axis=1, keepdims=True) / (nights - 1)
    paths = (paths - levels[:, np.arange(paths.shape[1]) % 7]) / np.sqrt(np.maximum(variance, 1e-12))
    sums = np.max([_sums(sign * paths) for sign in signs], axis=0)
    return _exceeded_at(sums, paths.size / (_NIGHTS * streams))


def _exceeded_at(sums: Floats, times: float) -> float:
    """The limit above which paths come so many times in all; a path with an unlucky reference does so many times."""
    before = np.pad(sums[:, :-1], ((0, 0), (1, 0)))
    rises = sums > before
    from_, to = before[rises], sums[rises]
    low, high = 0.0, float(sums.max())
    for _ in range(20):
        limit = (low + high) / 2
        is_often = ((to > limit) & (from_ <= limit)).sum() > times
        low, high = (limit, high) if is_often else (low, limit)
    return high


def _blocks(random: np.random.Generator, reference: Floats, length: int) -> Floats:
    """Paths of blocks of nights in a row, (paths, length); the last night is followed by the first."""
    nights = len(reference)
    block = round(nights ** (1 / 3))
    starts = random.integers(nights, size=(_PATHS, -(-length // block), 1))
    return reference[(starts + np.arange(block)) % nights].reshape(_PATHS, -1)[:, :length]


def _date(night: np.datetime64) -> date:
    return date.fromisoformat(str(night))
