"""What the bounds of a comparison say, once and for all: the first night on which they say it counts.

A verdict that could be taken back by a later night, and given again, would be looked at more often than its level says.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from nightjar.evaluation.sequential import Bounds


class Verdict(Enum):
    """What is stored in `experiments.verdict`."""

    OPEN = "open"
    BETTER = "better"
    NOT_WORSE = "not worse"
    WORSE = "worse"
    UNDECIDED = "undecided"
    HOLDS = "holds"
    BREACHED = "breached"


@dataclass(frozen=True)
class Decision:
    """A verdict, and the number of the night that has brought it, from 0; None: it is open."""

    verdict: Verdict
    night: int | None = None


def decide(bounds: Bounds, nights: int, not_worse_by: float | None = None) -> Decision:
    """Whether the challenger is better, worse, or not worse by more than a margin.

    Args:
        bounds: of the challenger's value minus the champion's, by night; more is better.
        nights: of the plan: once they are over without a decision, nothing is expected any more.
        not_worse_by: the margin; None: it has to be better.

    Example:
        >>> lows, highs = np.array([-9.0, -4.0, -1.0, 1.0]), np.array([8.0, 7.0, 6.0, 5.0])
        >>> decide(Bounds(lows, highs), nights=8)
        Decision(verdict=<Verdict.BETTER: 'better'>, night=3)
        >>> decide(Bounds(lows[:3], highs[:3]), nights=8, not_worse_by=2.0)
        Decision(verdict=<Verdict.NOT_WORSE: 'not worse'>, night=2)
    """
    better, worse = _first(bounds.low > 0), _first(bounds.high < 0)
    decided = [(night, verdict) for night, verdict in ((better, Verdict.BETTER), (worse, Verdict.WORSE)) if night >= 0]
    if decided:
        night, verdict = min(decided, key=lambda one: one[0])
        return Decision(verdict, night)
    within = -1 if not_worse_by is None else _first(bounds.low > -not_worse_by)
    if within >= 0:
        return Decision(Verdict.NOT_WORSE, within)
    return Decision(Verdict.UNDECIDED if len(bounds.low) >= nights else Verdict.OPEN)


def guard(harm: npt.NDArray[np.float64], worse_by: float) -> Decision:
    """Whether a guard is breached.

    Args:
        harm: by night, the lower bound of how much worse the challenger is; infinitely low: nothing is said yet.
        worse_by: how much worse it may be.
    """
    night = _first(harm > worse_by)
    if night >= 0:
        return Decision(Verdict.BREACHED, night)
    return Decision(Verdict.HOLDS if len(harm) and np.isfinite(harm[-1]) else Verdict.OPEN)


def _first(is_so: npt.NDArray[np.bool_]) -> int:
    """The number of the first night on which it is so; -1: never."""
    return int(np.argmax(is_so)) if is_so.any() else -1
