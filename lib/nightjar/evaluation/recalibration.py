"""How probabilities would have to be shifted and stretched, on the scale of log-odds, to fit the outcomes.

`y` holds the outcomes (bool, or 0 and 1), `score` the predicted probabilities of the positive class, clipped to
[2.2e-16, 1 - 2.2e-16] as in `binary.log_loss`. `weight` says how many rows each one stands for, see `rows`.
Sources: Cox (1958), Two further applications of a model for binary regression, Biometrika 45(3/4), 562-565; Van Calster
et al. (2019), Calibration: the Achilles heel of predictive analytics, BMC Medicine 17, 230. Influences: those of an
M-estimator, Huber and Ronchetti (2009), Robust statistics, 2nd ed., section 3.2.
"""

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit, logit

from nightjar.evaluation.binary import Booleans, check_probabilities, without_both_classes
from nightjar.evaluation.influence import Influence
from nightjar.evaluation.log_odds import log_odds
from nightjar.evaluation.rows import Floats, Undefined, Value, drop_unweighted

_STEPS = 100
_BISECTIONS = 10_000  # at most: where scores of 0 and 1 make a step of the sum, only halving gets near it
_ENOUGH = 1e-12  # of a step of Newton's, beside the coefficients
_SAFE = 1e-6  # a smaller step moves the loss by no more than it is rounded, and cannot overshoot


def calibration_intercept(y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Value:
    """Calibration in the large: what has to be added to all log-odds, so that the mean probability is the rate.

    0 is best; below 0 the probabilities are too high. Undefined unless both classes are present.

    Raises:
        LearningError: see `binary.check_probabilities` and `rows.check_weight`.

    Example:
        Three of four are positive, with odds of 3 to 1, where even odds were predicted.

        >>> round(calibration_intercept([True, True, True, False], [0.5, 0.5, 0.5, 0.5]), 4)  # log(3)
        1.0986
    """
    outcomes, probabilities, weights = drop_unweighted(*check_probabilities(y, score), weight)
    return without_both_classes(outcomes) or _shift(outcomes, log_odds(probabilities), _or_ones(weights, outcomes))


def calibration_slope(y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Value:
    """The slope of the logistic regression of outcomes on predicted log-odds, with an intercept of its own.

    1 is best; below 1 the probabilities are too extreme, as those of an overfitted model are. Undefined unless both
    classes are present, where all scores are alike, and where a threshold parts the classes: it would be infinite.

    Raises:
        LearningError: see `binary.check_probabilities` and `rows.check_weight`.

    Example:
        Where 90% and 10% were predicted, three of four and one of four are positive: log(3) / log(9).

        >>> round(calibration_slope([1, 1, 1, 0, 1, 0, 0, 0], 4 * [0.9] + 4 * [0.1]), 4)
        0.5
    """
    outcomes, probabilities, weights = drop_unweighted(*check_probabilities(y, score), weight)
    undefined = without_both_classes(outcomes) or _without_overlap(outcomes, log_odds(probabilities))
    if undefined:
        return undefined
    return float(_fit(outcomes, log_odds(probabilities), _or_ones(weights, outcomes))[1])


def of_intercept(label: Floats, score: Floats, weights: Floats) -> Influence:
    """The influence on `calibration_intercept`."""
    outcomes, odds = label == 1, log_odds(score)
    chance = expit(odds + _shift(outcomes, odds, weights))
    values = weights * (outcomes - chance) / (weights @ (chance * (1 - chance)))
    return Influence(values, (weights * outcomes, weights * ~outcomes))


def of_slope(label: Floats, score: Floats, weights: Floats) -> Influence:
    """The influence on `calibration_slope`."""
    outcomes, odds = label == 1, log_odds(score)
    design = np.column_stack([np.ones(len(odds)), odds])
    chance = expit(design @ _fit(outcomes, odds, weights))
    information = design.T @ (design * (weights * chance * (1 - chance))[:, None])
    values = weights * (outcomes - chance) * (design @ np.linalg.solve(information, [0.0, 1.0]))
    return Influence(values, (weights * outcomes, weights * ~outcomes), degree=2)


def _or_ones(weights: Floats | None, outcomes: Booleans) -> Floats:
    return np.ones(len(outcomes)) if weights is None else weights


def _without_overlap(outcomes: Booleans, odds: Floats) -> Undefined | None:
    positive, negative = odds[outcomes], odds[~outcomes]
    if np.ptp(odds) == 0:
        return Undefined(f"all of the {len(odds):,} scores are alike")
    if negative.max() <= positive.min() or positive.max() <= negative.min():
        return Undefined(f"a threshold parts the classes of the {len(odds):,} rows: the slope would be infinite")
    return None


def _shift(outcomes: Booleans, odds: Floats, weights: Floats) -> float:
    """The shift lies between those that would do if all rows had the greatest log-odds, or the least."""
    rate = float(np.average(outcomes, weights=weights))
    low, high = (float(logit(rate) - end) for end in (odds.max(), odds.min()))
    if low == high:
        return low

    def surplus(shift: float) -> float:
        return float(weights @ (expit(odds + shift) - outcomes))

    slack = 1e-9 * (1 + abs(low) + abs(high))  # of sums that are rounded
    return float(brentq(surplus, low - slack, high + slack, xtol=1e-14, maxiter=_BISECTIONS))


def _fit(outcomes: Booleans, odds: Floats, weights: Floats) -> Floats:
    """Intercept and slope of the logistic regression by Newton's method, whose step is halved while it overshoots.

    Ours, not scikit-learn's: its solvers stop at a gradient of the mean loss, with half of the digits.
    """
    centre, spread = odds.mean(), odds.std()
    design = np.column_stack([np.ones(len(odds)), (odds - centre) / spread])
    sign = np.where(outcomes, 1.0, -1.0)

    def loss(coefficients: Floats) -> float:
        return float(weights @ np.logaddexp(0, -sign * (design @ coefficients)))

    coefficients = np.zeros(2)
    for _ in range(_STEPS):
        chance = expit(design @ coefficients)
        information = design.T @ (design * (weights * chance * (1 - chance))[:, None])
        step = np.linalg.solve(information, design.T @ (weights * (outcomes - chance)))
        while loss(coefficients + step) > loss(coefficients) and np.abs(step).max() > _SAFE:
            step /= 2
        coefficients = coefficients + step
        if np.abs(step).max() <= _ENOUGH * (1 + np.abs(coefficients).max()):
            break
    return np.array([coefficients[0] - coefficients[1] * centre / spread, coefficients[1] / spread])
