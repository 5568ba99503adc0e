"""How probabilities have to be moved to fit outcomes, where few rows say little: drawn to what was predicted."""

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from nightjar.evaluation.rows import Floats

_PSEUDO_ROWS = 20  # of each class, all together
_PRIOR_PRECISION = 4.0  # of shift and stretch around 0 and 1, in units of a row's information
_STEPS = 50
_TINY = np.finfo(np.float64).eps


def class_shifts(label: npt.NDArray[np.intp], score: Floats, weight: Floats) -> Floats:
    """The logarithm of how much more often each class came than was predicted; a rare one is drawn to 0."""
    pseudo, classes = _PSEUDO_ROWS * float(weight.mean()), score.shape[1]
    came = np.bincount(label, weight, classes)
    expected = weight @ score
    shifts: Floats = np.log((came + pseudo / classes) / (expected + pseudo / classes))
    return shifts


def fit_log_odds(label: Floats, score: Floats, weight: Floats) -> tuple[Floats, float]:
    """Shift and stretch of the log-odds that fit the outcomes best, drawn to 0 and 1 where rows say little.

    Newton's method on a strictly concave likelihood; its step is halved while it overshoots.
    """
    design = np.column_stack([np.ones(len(score)), log_odds(score)])
    centre, fitted = np.array([0.0, 1.0]), np.array([0.0, 1.0])

    def value(at: Floats) -> float:
        odds = design @ at
        return float(
            weight @ (label * odds - np.logaddexp(0, odds)) - _PRIOR_PRECISION / 2 * ((at - centre) ** 2).sum()
        )

    for _ in range(_STEPS):
        chance = expit(design @ fitted)
        slope = design.T @ (weight * (label - chance)) - _PRIOR_PRECISION * (fitted - centre)
        curve = design.T @ (design * (weight * chance * (1 - chance))[:, None]) + _PRIOR_PRECISION * np.eye(2)
        step, now = np.linalg.solve(curve, slope), value(fitted)
        while value(fitted + step) < now and np.abs(step).max() > _TINY:
            step = step / 2
        fitted = fitted + step
        if np.abs(step).max() < 1e-10:  # far below what any figure shows
            break
    return fitted[:1], float(fitted[1])


def log_odds(score: Floats) -> Floats:
    """The log-odds of probabilities, clipped to [2.2e-16, 1 - 2.2e-16]."""
    odds: Floats = logit(np.clip(score, _TINY, 1 - _TINY))
    return odds
