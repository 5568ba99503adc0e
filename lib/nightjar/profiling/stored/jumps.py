"""Which period of a series is far outside of what the periods before it varied, at once and not step by step.

A period is pointed out if it differs both from the mean of all earlier periods and from the period just before it by
more than chance explains. What chance explains is the larger of two: how much the earlier periods (and their steps)
varied, and how uncertain a mean of so few facts is. It is a prediction interval of Student's t which a further period
of steady bell-shaped data leaves once in a million times: so of the thousands of figures on a page hardly one is
pointed out by chance. With seven earlier periods, a week of days, it is wide; with fewer nothing is pointed out. Slow
change is no jump, and is for the eyes.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from nightjar.asof.values import Ints
from nightjar.profiling.stored.lowest import Numbers

EARLIER = 7
"""Periods with facts that a period is compared with, at least."""
CHANCE = 1e-6
"""How often a further period of steady data is pointed out."""
SMALLEST_SHARE = 0.01
"""A share that differs by less from the mean of all earlier periods is not worth a sentence."""
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Jump:
    """A period that differs from all before it.

    Attributes:
        place: of the period in the series.
        value: what it has.
        low: the least of the earlier ones.
        high: the greatest of them.
    """

    place: int
    value: float
    low: float
    high: float


def of_means(means: Numbers, variances: Numbers, facts: Ints) -> list[Jump]:
    """The jumps of a mean.

    Args:
        means: of each period.
        variances: of the values in it.
        facts: that the mean is of, at least one.
    """
    before = np.cumsum(variances * facts) / np.cumsum(facts)
    return _jumps(means, _noise(before, variances, facts))


def of_shares(counts: Ints, facts: Ints) -> list[Jump]:
    """The jumps of a share.

    Args:
        counts: of the facts that the share is of.
        facts: of each period, at least one.
    """
    # One more of each kind (Laplace): no share is certain because nothing else has been seen so far.
    own, before = (counts + 1) / (facts + 2), (np.cumsum(counts) + 1) / (np.cumsum(facts) + 2)
    return _jumps(counts / facts, _noise(before * (1 - before), own * (1 - own), facts), SMALLEST_SHARE)


def _noise(before: Numbers, own: Numbers, facts: Ints) -> Numbers:
    """The variance of a mean of so many facts, from the values of the periods before or its own: the larger one."""
    noise: Numbers = np.maximum(np.append(np.inf, before[:-1]), own) / facts
    return noise


def _jumps(values: Numbers, noise: Numbers, smallest: float = 0.0) -> list[Jump]:
    jumps = []
    steps = np.diff(values)
    for place in range(EARLIER, len(values)):
        earlier, mean = values[:place], values[:place].mean()
        rounding = (_ROUNDING * abs(mean)) ** 2
        levels = earlier.var(ddof=1) * (1 + 1 / place) + noise[place] + rounding
        changes = np.mean(steps[: place - 1] ** 2) + noise[place] + rounding
        limit = stdtrit(place - 1, 1 - CHANCE / 2)
        away, step = abs(values[place] - mean), abs(steps[place - 1])
        if away > limit * np.sqrt(levels) and step > limit * np.sqrt(changes) and away >= smallest:
            jumps.append(Jump(place, float(values[place]), float(earlier.min()), float(earlier.max())))
    return jumps
