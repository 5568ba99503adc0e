"""How far off an estimate may be: by how far earlier estimates were off, once their labels were known.

The interval of the estimate `e` is `e - q` to `e + q`, where `q` is the least number that as many of the last absolute
residuals do not exceed as (n + 1) times the confidence asks for: with nights whose residuals come in any order alike it
holds at least so often. Below 19 nights no number does for 95%, so that there is no interval. Nights in a row are not
exchangeable; what the intervals have reached, each by the residuals known when it was made, is therefore counted and
shown beside them (`coverage`).

Source: Vovk, Gammerman and Shafer (2005), Algorithmic learning in a random world, section 4.1, with the residuals of
estimates as nonconformity scores; Gneiting and Raftery (2007), Strictly proper scoring rules, JASA 102(477), 359-378,
for the interval score.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nightjar.evaluation.intervals import LEVEL
from nightjar.evaluation.rows import Floats

LAST = 90
"""Nights whose residuals count, the last ones: what was longer ago says less of tonight."""
FEWEST = 19
"""Nights without which no interval of 95% can be given."""


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
class Reach:
    """How far off an estimate may be.

    Attributes:
        half: of the width of its interval; None: too few nights have both figures.
        nights: by how many residuals.
        coverage: the share of earlier intervals, each made of the residuals before it, that had the realised figure;
            None: fewer than 19 of them.
    """

    half: float | None
    nights: int
    coverage: float | None = None


def half_width(outcomes: Sequence[Outcome], confidence: float = LEVEL) -> float | None:
    """Half of an interval's width by these outcomes, oldest first; None: they are too few.

    Example:
        >>> half_width([Outcome(0.5, 0.5 + error / 100) for error in range(19)])
        0.18
        >>> half_width([Outcome(0.5, 0.6)] * 18) is None
        True
    """
    residuals = np.array([abs(one.realised - one.estimate) for one in outcomes[-LAST:]])
    needed = int(np.ceil((len(residuals) + 1) * confidence - 1e-9))  # 20 * 0.95 is a little more than 19 as a float
    return None if needed > len(residuals) or not needed else round(float(np.sort(residuals)[needed - 1]), 15)


def reach(outcomes: Sequence[Outcome], delay: int = 1, confidence: float = LEVEL) -> Reach:
    """How far off the next estimate may be, and how often such intervals would have held so far.

    Args:
        outcomes: of earlier nights, oldest first.
        delay: after how many nights a night's labels are final: an interval is made without the last `delay` - 1.
        confidence: of the interval.
    """
    held = []
    for number in range(FEWEST + delay - 1, len(outcomes)):
        half = half_width(outcomes[: number - delay + 1], confidence)
        if half is not None:
            one = outcomes[number]
            held.append(abs(one.realised - one.estimate) <= half)
    coverage = float(np.mean(held)) if len(held) >= FEWEST else None
    return Reach(half_width(outcomes, confidence), min(len(outcomes), LAST), coverage)


def interval_score(low: Floats, high: Floats, realised: Floats, confidence: float = LEVEL) -> Floats:
    """The score of each interval: its width, and 2 / (1 - confidence) times what it is missed by. Less is better.

    Example:
        >>> interval_score(np.array([0.0, 0.0]), np.array([1.0, 1.0]), np.array([0.5, 1.1])).round(6).tolist()
        [1.0, 5.0]
    """
    missed = np.maximum(low - realised, 0) + np.maximum(realised - high, 0)
    scores: Floats = high - low + 2 / (1 - confidence) * missed
    return scores
