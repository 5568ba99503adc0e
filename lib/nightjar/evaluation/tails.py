"""How rare a value is among few: their own shares, and beyond the highest a generalised Pareto tail."""

from dataclasses import dataclass

import numpy as np

from nightjar.evaluation.rows import Floats

_SHARE = 0.15
_FEWEST = 10
_LEAST_SCALE = 0.25


@dataclass(frozen=True, eq=False)
class Tail:
    """The distribution of a statistic over nights without a change.

    Attributes:
        values: ascending.
        threshold: from which on excesses follow the tail.
        share: of the values that are beyond it.
        shape, scale: of the generalised Pareto distribution of the excesses.
    """

    values: Floats
    threshold: float
    share: float
    shape: float
    scale: float

    def p(self, value: float) -> float:
        """The chance that a night without a change is at least so far; never 0.

        Below the threshold the share of values at least as great, with this one among them.
        """
        if value <= self.threshold:
            return float(1 + (self.values >= value).sum()) / (1 + len(self.values))
        return float(self.share * (1 + self.shape * (value - self.threshold) / self.scale) ** (-1 / self.shape))

    def reach(self, chance: float) -> float:
        """The value whose `p` is a chance below `share`."""
        return float(self.threshold + self.scale / self.shape * ((chance / self.share) ** -self.shape - 1))


def fit_tail(values: Floats, least: float) -> Tail:
    """Fit the tail to the highest 15% of values, 10 at least.

    By probability-weighted moments; a shape below 0, a finite end, is not believed of so few values and is 0. 1 / k is
    added to the shape for k excesses: with an exponential tail, whose mean is estimated from k excesses, the chance
    that the next one is above x is about (1 + x / (k mean))**-k, not exp(-x / mean).

    Args:
        values: at least 20.
        least: values below it count as this one: however alike the nights are, less is never rare.

    Source: Hosking and Wallis (1987), Parameter and quantile estimation for the generalized Pareto distribution,
    Technometrics 29(3), 339-349; Pickands (1975), Statistical inference using extreme order statistics, Annals of
    Statistics 3(1), 119-131.

    Example:
        >>> tail = fit_tail(np.random.default_rng(0).exponential(size=200), 0.0)
        >>> round(tail.reach(0.005), 1), round(-float(np.log(0.005)), 1)
        (5.4, 5.3)
    """
    ordered = np.sort(np.maximum(values, least))
    beyond = max(_FEWEST, round(_SHARE * len(ordered)))
    threshold = float(ordered[-beyond - 1])
    excess = ordered[-beyond:] - threshold
    mean = float(excess.mean())
    weighted = float((excess * np.arange(beyond - 1, -1, -1)).sum() / (beyond * (beyond - 1)))
    shape = 2 - mean / (mean - 2 * weighted) if mean > 2 * weighted else 0.0
    shape = min(max(shape, 0.0), 0.9)
    scale = max(mean * (1 - shape), _LEAST_SCALE)
    return Tail(ordered, threshold, (1 + beyond) / (1 + len(ordered)), shape + 1 / beyond, scale)
