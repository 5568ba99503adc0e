"""The rate of one column's values: a baseline that a person could keep on a slip of paper."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin


class ColumnRate(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """The training rate of each value of a single column, shrunk toward the rate of all rows.

    With `positives` of `rows` rows at a value, `rate = (positives + k * overall) / (rows + k)`: the posterior mean
    under a beta prior worth k rows (Gelman et al., Bayesian Data Analysis, 3rd ed., section 2.4). A value unseen in
    training, and NaN, get the overall rate.

    Attributes:
        pseudo_count: k, in rows.
        classes_: False and True.
        overall_: the training rate.
        values_: the values seen, ascending.
        rates_: the rate of each.
    """

    def __init__(self, pseudo_count: float = 10.0) -> None:
        self.pseudo_count = pseudo_count

    def fit(self, inputs: npt.NDArray[np.float64], y: npt.NDArray[np.bool_]) -> Self:
        """Count. `inputs` is (rows, 1), `y` is (rows,).

        Raises:
            ValueError: a pseudo-count below 0, or more than one column.
        """
        if not self.pseudo_count >= 0:
            raise ValueError(f"pseudo_count is {self.pseudo_count!r}: expected 0 or more rows.")
        values = _single(inputs)
        known = ~np.isnan(values)
        self.classes_ = np.array([False, True])
        self.overall_ = float(np.mean(y))
        self.values_, places, rows = np.unique(values[known], return_inverse=True, return_counts=True)
        positives = np.bincount(places, weights=y[known], minlength=len(rows))
        self.rates_ = (positives + self.pseudo_count * self.overall_) / (rows + self.pseudo_count)
        return self

    def predict_proba(self, inputs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Probabilities of False and of True, (rows, 2). `inputs` is (rows, 1)."""
        values = _single(inputs)
        rates = np.full(len(values), self.overall_)
        if len(self.values_):
            places = np.searchsorted(self.values_, values).clip(max=len(self.values_) - 1)
            seen = self.values_[places] == values
            rates[seen] = self.rates_[places[seen]]
        return np.column_stack([1 - rates, rates])

    def predict(self, inputs: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
        """The more likely class, (rows,)."""
        return self.predict_proba(inputs)[:, 1] > 0.5


def _single(inputs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    if inputs.ndim != 2 or inputs.shape[1] != 1:
        raise ValueError(f"The rate is of one column, found an array of shape {inputs.shape}.")
    return inputs[:, 0]
