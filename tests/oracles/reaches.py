"""How far off the next estimate may be, one night after another, each by what was there then."""

from collections.abc import Sequence

import numpy as np

from nightjar.evaluation.estimate_intervals import Outcome


def line_of(outcomes: Sequence[Outcome]) -> tuple[float, float, float]:
    """The mean estimate, the mean outcome and the slope of the last 90 outcomes; of fewer than 10 none."""
    last = outcomes[-90:]
    if len(last) < 10:
        return 0.0, 0.0, 1.0
    centre, level = (sum(getattr(one, name) for one in last) / len(last) for name in ("estimate", "realised"))
    variance = sum((one.estimate - centre) ** 2 for one in last)
    covariance = sum((one.estimate - centre) * (one.realised - level) for one in last)
    own = 1.0 if all(one.estimate == last[0].estimate for one in last) else covariance / variance
    return centre, level, (len(last) * own + 30) / (len(last) + 30)


def half_of(residuals: Sequence[float]) -> float | None:
    """Of the last 90 the least that so many do not exceed that one more would be beyond it in one of 20 cases."""
    last = sorted(abs(one) for one in residuals[-90:])
    enough = [one for rank, one in enumerate(last, 1) if 20 * rank >= 19 * (len(last) + 1)]
    return enough[0] if enough else None


def reach(outcomes: Sequence[Outcome], delay: int) -> tuple[tuple[float, float, float], float | None, float | None]:
    """The line, half of the interval, and the share of intervals that had what came."""
    residuals, hits = list[float](), list[bool]()
    for number, one in enumerate(outcomes):
        final = max(0, number - delay + 1)
        centre, level, slope = line_of(outcomes[:final])
        half = half_of(residuals[:final])
        residuals.append(one.realised - level - slope * (one.estimate - centre))
        if half is not None:
            hits.append(abs(residuals[-1]) <= half)
    return line_of(outcomes), half_of(residuals), float(np.mean(hits)) if len(hits) >= 19 else None
