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

from nightjar.evaluation.intervals import LEVEL
from nightjar.evaluation.rows import Floats

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
        last = outcomes[-LAST:]
        if len(last) < _FEWEST_OF_LINE:
            return cls()
        estimates, realised = (np.array([getattr(one, name) for one in last]) for name in ("estimate", "realised"))
        centre, level = float(estimates.mean()), float(realised.mean())
        variance = float(((estimates - centre) ** 2).sum())
        own = float((estimates - centre) @ (realised - level)) / variance if variance > 0 else 1.0
        return cls(centre, level, (len(last) * own + _PRIOR_NIGHTS) / (len(last) + _PRIOR_NIGHTS))

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
    last = np.sort(np.abs(residuals[-LAST:]))
    needed = int(np.ceil((len(last) + 1) * confidence - 1e-9))  # 20 * 0.95 is a little more than 19 as a float
    return None if needed > len(last) or not needed else float(last[needed - 1])


def reach(outcomes: Sequence[Outcome], delay: int = 1, confidence: float = LEVEL) -> Reach:
    """How far off the next estimate may be, and how often such intervals would have held so far.

    Args:
        outcomes: of earlier nights, oldest first.
        delay: after how many nights a night's labels are final: of the `delay` - 1 nights before it nothing is known.
        confidence: of the interval.
    """
    residuals = np.array(
        [
            one.realised - Line.fit(outcomes[: max(0, number - delay + 1)]).at(one.estimate)
            for number, one in enumerate(outcomes)
        ]
    )
    hits = []
    for number in range(FEWEST + delay - 1, len(outcomes)):
        half = half_width(residuals[: number - delay + 1], confidence)
        if half is not None:
            hits.append(abs(residuals[number]) <= half)
    coverage = float(np.mean(hits)) if len(hits) >= FEWEST else None
    return Reach(Line.fit(outcomes), half_width(residuals, confidence), min(len(outcomes), LAST), coverage)


def interval_score(low: Floats, high: Floats, realised: Floats, confidence: float = LEVEL) -> Floats:
    """The score of each interval: its width, and 2 / (1 - confidence) times what it is missed by. Less is better.

    Example:
        >>> interval_score(np.array([0.0, 0.0]), np.array([1.0, 1.0]), np.array([0.5, 1.1])).round(6).tolist()
        [1.0, 5.0]
    """
    missed = np.maximum(low - realised, 0) + np.maximum(realised - high, 0)
    scores: Floats = high - low + 2 / (1 - confidence) * missed
    return scores
