"""Calibration: a curve from a classifier's scores to calibrated probabilities, fitted on out-of-fold predictions."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from nightjar.errors import LearningError
from nightjar.settings.model import Calibration

Floats = npt.NDArray[np.float64]

LEAST = 1e-7
"""Probabilities are clipped to this distance from 0 and 1 before their log-odds are taken."""


@dataclass(frozen=True)
class Platt:
    """Logistic in the score's log-odds: `expit(slope * logit(score) + intercept)`.

    Source: Platt (1999), Probabilistic outputs for support vector machines, with log-odds for his margins.
    """

    slope: float
    intercept: float

    def __call__(self, score: Floats) -> Floats:
        """A probability for each score."""
        return np.asarray(expit(self.slope * log_odds(score) + self.intercept), dtype=np.float64)


@dataclass(frozen=True)
class Isotonic:
    """Linear between knots, and constant before the first and after the last one.

    Source: Zadrozny and Elkan (2002), Transforming classifier scores into accurate multiclass probability estimates.

    Attributes:
        score: of each knot, increasing.
        probability: at each knot, non-decreasing.
    """

    score: tuple[float, ...]
    probability: tuple[float, ...]

    def __call__(self, score: Floats) -> Floats:
        """A probability for each score."""
        return np.interp(score, self.score, self.probability)


def fit_calibration(
    kind: Calibration, score: Floats, label: npt.NDArray[np.bool_], weight: Floats | None
) -> Platt | Isotonic:
    """Fit the curve to out-of-fold scores.

    Raises:
        LearningError: all these rows have the same label.
    """
    if label.all() or not label.any():
        rows = f"All {len(label)} out-of-fold rows have the label {bool(label[0])}"
        raise LearningError(f"{rows}: {kind.word} calibration needs both.")
    if kind is Calibration.ISOTONIC:
        steps = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(score, label, sample_weight=weight)
        return Isotonic(tuple(steps.X_thresholds_.tolist()), tuple(steps.y_thresholds_.tolist()))
    return _platt(score, label, np.ones(len(label)) if weight is None else weight)


def _platt(score: Floats, label: npt.NDArray[np.bool_], weight: Floats) -> Platt:
    # Platt's targets: each class gets one more row of the other kind. So scores that separate the labels without an
    # error have a finite optimum too, and two coefficients from many rows need no other penalty.
    target = np.where(label, 1 - 1 / (weight[label].sum() + 2), 1 / (weight[~label].sum() + 2))
    inputs = np.tile(log_odds(score), 2)[:, None]
    shares = np.concatenate([weight * target, weight * (1 - target)])
    outcomes = np.repeat([True, False], len(label))
    line = LogisticRegression(C=np.inf, solver="newton-cholesky").fit(inputs, outcomes, shares)
    return Platt(float(line.coef_[0, 0]), float(line.intercept_[0]))


def log_odds(probability: Floats) -> Floats:
    """The log-odds of probabilities, which are clipped so that they are finite."""
    return np.asarray(logit(np.clip(probability, LEAST, 1 - LEAST)), dtype=np.float64)


@dataclass(frozen=True)
class PerClass:
    """A curve for each of several classes against all others, whose probabilities are then divided by their sum.

    A row for which all of them are 0 keeps its uncalibrated probabilities.
    Source: Zadrozny and Elkan (2002), as above, section 5.

    Attributes:
        curves: in the order of the classes; None: out-of-fold rows do not tell, and the score stays as it is.
    """

    curves: tuple[Platt | Isotonic | None, ...]

    def __call__(self, score: Floats) -> Floats:
        """Probabilities, (rows, classes), for scores of the same shape."""
        columns = zip(self.curves, score.T, strict=True)
        calibrated = np.column_stack([own if curve is None else curve(own) for curve, own in columns])
        total = calibrated.sum(axis=1, keepdims=True)
        return np.where(total > 0, calibrated / np.where(total > 0, total, 1), score)


def fit_per_class(kind: Calibration, score: Floats, label: npt.NDArray[np.int64], weight: Floats | None) -> PerClass:
    """Fit the curves to out-of-fold scores, (rows, classes), and the numbers of the rows' classes.

    A curve learns from the rows of folds whose training part had its class: of others the score is NaN. A class that
    none or all of these rows have, or of whose score there is one value only, has no curve.
    """
    curves: list[Platt | Isotonic | None] = []
    for code, own in enumerate(score.T):
        rows = ~np.isnan(own)
        is_class, weights = label[rows] == code, None if weight is None else weight[rows]
        tells = len(np.unique(own[rows])) > 1 and is_class.any() and not is_class.all()
        curves.append(fit_calibration(kind, own[rows], is_class, weights) if tells else None)
    return PerClass(tuple(curves))
