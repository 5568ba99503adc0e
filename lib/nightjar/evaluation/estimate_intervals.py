"""How far off an estimate may be: by how far earlier estimates were off, once their labels were known.

Estimates swing more, or less, than what they estimate. So each is first drawn to the mean of what was realised lately:
`mean + slope x (estimate - mean estimate)`, with the slope of the regression of outcomes on estimates, which is itself
drawn to 1 as if by 30 more nights. The interval of the result `e` is `e - q` to `e + q`, where `q` is the least number
that as many of the last absolute residuals do not exceed as (n + 1) times the confidence asks for: with nights whose
residuals come in any order alike it holds at least so often. Below 19 nights no number does for 95%, so that there is
no interval. Nights in a row are not exchangeable; what the intervals have reached, each made of what was known when it
was made, is therefore counted and shown beside them (`coverage`).

Source: Vovk, Gammerman and Shafer (2005), Algorithmic learning in a random world, section 4.1, with the residuals of
estimates as nonconformity scores; Gneiting and Raftery (2007), Strictly proper scoring rules, JASA 102(477), 359-378,
for the interval score.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from nightjar.evaluation.intervals import LEVEL
from nightjar.evaluation.rows import Floats, RowNumbers

LAST = 90
"""Nights whose residuals count, the last ones: what was longer ago says less of tonight."""
FEWEST = 19
"""Nights without which no interval of 95% can be given."""
_FEWEST_OF_LINE, _PRIOR_NIGHTS = 10, 30


@dataclass(frozen=True)
class Outcome:
    """What became of an estimate.

    Attributes:
        estimate: before the labels were known.
        realised: by final labels.
    """

    estimate: float
    realised: float


@dataclass(frozen=True)
class Line:
    """Outcomes by estimates.

    Attributes:
        estimate: the mean of earlier estimates.
        realised: the mean of what was realised then.
        slope: how much more is realised where one more is expected.
    """

    estimate: float = 0.0
    realised: float = 0.0
    slope: float = 1.0

    @classmethod
    def fit(cls, outcomes: Sequence[Outcome]) -> "Line":
        """The line of the last outcomes; of fewer than 10 one that changes nothing.

        Example:
            Estimates that swing five times as much as the outcomes, which are higher by 1.

            >>> line = Line.fit([Outcome(5 * swing, 1 + swing) for swing in [-1, 1] * 45])
            >>> round(line.slope, 2), round(line.at(5.0), 2)
            (0.4, 3.0)
        """
        return cls(*(float(one[-1]) for one in _lines(*(_windows(one)[-1:] for one in _columns(outcomes)))))

    def at(self, estimate: float) -> float:
        """What is to be expected where this was estimated."""
        return self.realised + self.slope * (estimate - self.estimate)


@dataclass(frozen=True)
class Reach:
    """How far off an estimate may be.

    Attributes:
        line: by which it is drawn to what was realised lately.
        half: of the width of its interval; None: too few nights have both figures.
        nights: by how many residuals.
        coverage: the share of earlier intervals, each made of what was known then, that had the realised figure; None:
            fewer than 19 of them.
    """

    line: Line = field(default_factory=Line)
    half: float | None = None
    nights: int = 0
    coverage: float | None = None


def half_width(residuals: Floats, confidence: float = LEVEL) -> float | None:
    """Half of an interval's width by the residuals of estimates, oldest first; None: they are too few.

    Example:
        >>> half_width(np.arange(19) / 100)
        0.18
        >>> half_width(np.full(18, 0.1)) is None
        True
    """
    half = float(_half_widths(_windows(residuals)[-1:], confidence)[0])
    return None if np.isnan(half) else half


def reach(outcomes: Sequence[Outcome], delay: int = 1, confidence: float = LEVEL) -> Reach:
    """How far off the next estimate may be, and how often such intervals would have held so far.

    Args:
        outcomes: of earlier nights, oldest first.
        delay: after how many nights a night's labels are final: of the `delay` - 1 nights before it nothing is known.
        confidence: of the interval.
    """
    estimates, realised = _columns(outcomes)
    centres, levels, slopes = _lines(_windows(estimates), _windows(realised))
    number = np.arange(len(outcomes))
    before = np.maximum(number - delay + 1, 0)
    residuals = realised - levels[before] - slopes[before] * (estimates - centres[before])
    halves = _half_widths(_windows(residuals), confidence)
    is_judged = (number >= FEWEST + delay - 1) & np.isfinite(halves[before])
    hits = np.abs(residuals[is_judged]) <= halves[before[is_judged]]
    coverage = float(hits.mean()) if len(hits) >= FEWEST else None
    line = Line(float(centres[-1]), float(levels[-1]), float(slopes[-1]))
    return Reach(line, None if np.isnan(halves[-1]) else float(halves[-1]), min(len(outcomes), LAST), coverage)


def _columns(outcomes: Sequence[Outcome]) -> tuple[Floats, Floats]:
    """The estimates, and what was realised."""
    pairs = np.array([(one.estimate, one.realised) for one in outcomes], np.float64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _windows(values: Floats) -> Floats:
    """After each number of nights, from 0 on, the last 90 of them, (numbers, 90), with NaN where there are fewer."""
    return sliding_window_view(np.concatenate([np.full(LAST, np.nan), values]), LAST)


def _lines(estimates: Floats, realised: Floats) -> tuple[Floats, Floats, Floats]:
    """The estimate, the outcome and the slope of the line of each window."""
    nights = np.isfinite(estimates).sum(axis=1)
    (centre, aside), (level, beyond) = (_around_mean(one, nights) for one in (estimates, realised))
    variance = (aside**2).sum(axis=1)
    differs = variance > nights * (1e-12 * centre) ** 2  # where estimates are alike, rounding is left
    own = np.divide((aside * beyond).sum(axis=1), variance, out=np.ones(len(nights)), where=differs)
    slope = (nights * own + _PRIOR_NIGHTS) / (nights + _PRIOR_NIGHTS)
    is_line = nights >= _FEWEST_OF_LINE
    return np.where(is_line, centre, 0.0), np.where(is_line, level, 0.0), np.where(is_line, slope, 1.0)


def _around_mean(windows: Floats, nights: RowNumbers) -> tuple[Floats, Floats]:
    """The mean of each window, and how far its nights are from it, 0 where there is none."""
    mean = np.nansum(windows, axis=1) / np.maximum(nights, 1)
    return mean, np.nan_to_num(windows - mean[:, None])


def _half_widths(residuals: Floats, confidence: float) -> Floats:
    """`half_width` of each window; NaN where its residuals are too few."""
    nights = np.isfinite(residuals).sum(axis=1)
    needed = np.ceil((nights + 1) * confidence - 1e-9).astype(np.intp)  # 20 * 0.95 is a little more than 19 as a float
    ordered = np.sort(np.abs(residuals), axis=1)  # NaN last
    halves = np.take_along_axis(ordered, np.clip(needed - 1, 0, LAST - 1)[:, None], axis=1)[:, 0]
    return np.where((needed > nights) | (needed == 0), np.nan, halves)


def interval_score(low: Floats, high: Floats, realised: Floats, confidence: float = LEVEL) -> Floats:
    """The score of each interval: its width, and 2 / (1 - confidence) times what it is missed by. Less is better.

    Example:
        >>> interval_score(np.array([0.0, 0.0]), np.array([1.0, 1.0]), np.array([0.5, 1.1])).round(6).tolist()
        [1.0, 5.0]
    """
    missed = np.maximum(low - realised, 0) + np.maximum(realised - high, 0)
    scores: Floats = high - low + 2 / (1 - confidence) * missed
    return scores
