"""Criteria of column selection: pure functions from complete numbers to a mask of the selected columns.

Each takes the inputs (rows, columns), the label (rows,) and the criteria, of which it uses some.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.feature_selection import RFE, chi2, f_classif, f_regression, mutual_info_classif, mutual_info_regression
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression
from sklearn.preprocessing import StandardScaler

from nightjar.errors import LearningError
from nightjar.settings.preparation import SelectionKind

Labels = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

SOLVER_STEPS = 1000
"""The most steps of a linear model's solver; on scaled columns a few dozen suffice."""

SMALLEST_EIGENVALUE = 1e-10
"""Of a correlation matrix; smaller ones are rounding errors. So the greatest inflation factor is 1e10."""


@dataclass(frozen=True)
class Criteria:
    """The parameters of a selection.

    Attributes:
        threshold, keep, penalty: as in settings/preparation.py `Selection`.
        classes: whether the label is a class rather than an amount.
        seed: of every random choice.
    """

    threshold: float
    keep: int
    penalty: float
    classes: bool
    seed: int


def above_variance(inputs: Floats, _label: Labels, criteria: Criteria) -> Mask:
    """Columns whose variance is above the threshold; that of equal values is 0, whatever the rounding."""
    varied = np.ptp(inputs, axis=0) > 0
    return np.where(varied, np.var(inputs, axis=0), 0.0) > criteria.threshold


def below_correlation(inputs: Floats, _label: Labels, criteria: Criteria) -> Mask:
    """Columns whose absolute correlation with each selected column before them is at most the threshold."""
    correlates = np.abs(_correlations(inputs)) > criteria.threshold
    selected = np.zeros(inputs.shape[1], dtype=np.bool_)
    for column in range(len(selected)):
        selected[column] = not (correlates[column] & selected).any()
    return selected


def below_inflation(inputs: Floats, _label: Labels, criteria: Criteria) -> Mask:
    """Columns that remain after dropping the one of the greatest inflation factor until none exceeds the threshold.

    The factor is 1 / (1 - R^2) of the regression on all others: the diagonal of the inverse correlation matrix
    (Belsley, Kuh & Welsch, Regression Diagnostics, 1980, section 3.2). Of equals the last one is dropped.
    """
    correlations = _correlations(inputs)
    remaining = np.arange(inputs.shape[1])
    while len(remaining) > 1:
        factors = _inflation(correlations[np.ix_(remaining, remaining)])
        if factors.max() <= criteria.threshold:
            break
        greatest = np.flatnonzero(factors >= factors.max() * (1 - 1e-6))[-1]
        remaining = np.delete(remaining, greatest)
    return np.isin(np.arange(inputs.shape[1]), remaining)


def most_informative(inputs: Floats, label: Labels, criteria: Criteria) -> Mask:
    """The columns with the most mutual information with the label, estimated from nearest neighbours."""
    score = mutual_info_classif if criteria.classes else mutual_info_regression
    return _greatest(score(inputs, label, random_state=criteria.seed), criteria.keep)


def most_varied(inputs: Floats, label: Labels, criteria: Criteria) -> Mask:
    """The columns with the greatest F: of an analysis of variance, or of a regression on the column alone."""
    varied = np.ptp(inputs, axis=0) > 0
    scores = np.zeros(inputs.shape[1])
    scores[varied] = (f_classif if criteria.classes else f_regression)(inputs[:, varied], label)[0]
    return _greatest(scores, criteria.keep)


def most_dependent(inputs: Floats, label: Labels, criteria: Criteria) -> Mask:
    """The columns with the greatest chi-squared between their sums by class and those expected.

    Raises:
        LearningError: a column holds a value below 0.
    """
    lowest = inputs.min(axis=0)
    if (lowest < 0).any():
        column = int(np.argmax(lowest < 0))
        raise LearningError(
            f"CHI_SQUARED takes columns of 0 or more: prepared column {column} (the first is 0) holds "
            f"{lowest[column]:g}. Prepare numbers by scale=MIN_MAX or by bins, or select by ANOVA."
        )
    return _greatest(chi2(inputs, label)[0], criteria.keep)


def by_elimination(inputs: Floats, label: Labels, criteria: Criteria) -> Mask:
    """Recursive elimination of the column with the smallest weight in a linear model of scaled columns."""
    linear = LogisticRegression(max_iter=SOLVER_STEPS) if criteria.classes else LinearRegression()
    elimination = RFE(linear, n_features_to_select=min(criteria.keep, inputs.shape[1]))
    return np.asarray(elimination.fit(_standardise(inputs), label).support_, dtype=np.bool_)


def with_weight(inputs: Floats, label: Labels, criteria: Criteria) -> Mask:
    """The columns with a nonzero weight in a linear model of scaled columns under an L1 penalty.

    The loss is the mean log loss, or half the mean squared error of the label at standard deviation 1.
    """
    if criteria.classes:
        strength = 1 / (criteria.penalty * len(label))
        model = LogisticRegression(
            C=strength, l1_ratio=1.0, solver="saga", max_iter=SOLVER_STEPS, random_state=criteria.seed
        )
        return _has_weight(model.fit(_standardise(inputs), label).coef_)
    spread = np.std(label) or 1.0
    model = Lasso(alpha=criteria.penalty, max_iter=SOLVER_STEPS)
    return _has_weight(model.fit(_standardise(inputs), label / spread).coef_)


def most_used(inputs: Floats, label: Labels, criteria: Criteria) -> Mask:
    """The columns that lower the impurity most in a random forest."""
    forest = RandomForestClassifier if criteria.classes else RandomForestRegressor
    return _greatest(forest(random_state=criteria.seed).fit(inputs, label).feature_importances_, criteria.keep)


SELECTORS: Mapping[SelectionKind, Callable[[Floats, Labels, Criteria], Mask]] = {
    SelectionKind.VARIANCE: above_variance,
    SelectionKind.CORRELATION: below_correlation,
    SelectionKind.VIF: below_inflation,
    SelectionKind.MUTUAL_INFORMATION: most_informative,
    SelectionKind.ANOVA: most_varied,
    SelectionKind.CHI_SQUARED: most_dependent,
    SelectionKind.RFE: by_elimination,
    SelectionKind.L1: with_weight,
    SelectionKind.TREE_IMPORTANCE: most_used,
}


def _standardise(inputs: Floats) -> Floats:
    return np.asarray(StandardScaler().fit_transform(inputs))


def _correlations(inputs: Floats) -> Floats:
    """Pearson's correlations; those of a column without variance are 0."""
    centred = inputs - inputs.mean(axis=0)
    size = np.sqrt((centred**2).sum(axis=0))
    unit = np.divide(centred, size, out=np.zeros_like(centred), where=(np.ptp(inputs, axis=0) > 0) & (size > 0))
    correlations: Floats = unit.T @ unit
    np.fill_diagonal(correlations, 1.0)
    return correlations


def _inflation(correlations: Floats) -> Floats:
    eigenvalues, vectors = np.linalg.eigh(correlations)
    return np.asarray((vectors**2 / np.maximum(eigenvalues, SMALLEST_EIGENVALUE)).sum(axis=1))


def _has_weight(weights: Floats) -> Mask:
    """Whether a column has a weight, for any class."""
    return np.asarray((np.abs(np.atleast_2d(weights)) > 1e-5).any(axis=0))  # as scikit-learn's SelectFromModel has it


def _greatest(scores: Floats, keep: int) -> Mask:
    """A mask of the `keep` greatest scores, of equals the first; NaN comes last."""
    order = np.argsort(-np.nan_to_num(scores, nan=-np.inf), kind="stable")
    return np.isin(np.arange(len(scores)), order[:keep])
