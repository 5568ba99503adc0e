"""The mean label at each value of one column: a baseline that a person could keep on a slip of paper."""

from typing import Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from nightjar.models.estimators.parameter_checks import check_pseudo_count

Floats = npt.NDArray[np.float64]


class ColumnRate(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """The training mean of the label at each value of a single column, shrunk toward the mean of all rows.

    For booleans it is a rate, hence a probability. With `total` over `rows` rows at a value, `rate = (total + k *
    overall) / (rows + k)`: for booleans, the posterior mean under a beta prior worth k rows (Gelman et al., Bayesian
    Data Analysis, 3rd ed., section 2.4). A value unseen in training, and NaN, get the overall mean. A weight counts
    as so many rows.

    Attributes:
        pseudo_count: k, in rows.
        overall_: the training mean.
        values_: the values seen, ascending.
        rates_: the mean at each.
        is_rate_: whether labels were booleans, so that the means are probabilities.
    """

    def __init__(self, pseudo_count: float = 10.0) -> None:
        self.pseudo_count = pseudo_count

    def fit(self, inputs: Floats, y: npt.NDArray[np.bool_] | Floats, sample_weight: Floats | None = None) -> Self:
        """Compute the means. `inputs` is (rows, 1), `y` and the weights are (rows,).

        Raises:
            ValueError: a pseudo-count below 0, or more than one column.
        """
        check_pseudo_count(self.pseudo_count)
        values = _single(inputs)
        has_value = ~np.isnan(values)
        weight = np.ones(len(y)) if sample_weight is None else sample_weight
        self.overall_ = float(np.average(y, weights=weight))
        self.is_rate_ = bool(np.asarray(y).dtype == np.bool_)
        self.values_, codes = np.unique(values[has_value], return_inverse=True)
        rows = np.bincount(codes, weights=weight[has_value], minlength=len(self.values_))
        total = np.bincount(codes, weights=(weight * y)[has_value], minlength=len(self.values_))
        size = rows + self.pseudo_count
        # Without a pseudo-count, a value whose rows all weigh nothing has no mean of its own.
        self.rates_ = np.divide(
            total + self.pseudo_count * self.overall_, size, out=np.full(len(rows), self.overall_), where=size > 0
        )
        return self

    def predict(self, inputs: Floats) -> Floats:
        """The mean at each row's value, (rows,). `inputs` is (rows, 1)."""
        values = _single(inputs)
        rates = np.full(len(values), self.overall_)
        if len(self.values_):
            codes = np.searchsorted(self.values_, values).clip(max=len(self.values_) - 1)
            seen = self.values_[codes] == values
            rates[seen] = self.rates_[codes[seen]]
        return rates


class ClassRates(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Like `ColumnRate`, of several classes: the share of each among the training rows at each value of the column.

    Attributes:
        pseudo_count: as of `ColumnRate`; with it the shares add up to 1.
        classes_: their numbers.
        rates_: of each class.
    """

    def __init__(self, pseudo_count: float = 10.0) -> None:
        self.pseudo_count = pseudo_count

    def fit(self, inputs: Floats, y: npt.NDArray[np.int64], sample_weight: Floats | None = None) -> Self:
        """Compute the shares. `inputs` is (rows, 1); `y` numbers the classes from 0.

        Raises:
            ValueError: see `ColumnRate.fit`.
        """
        self.classes_ = np.arange(int(y.max()) + 1)
        self.rates_ = [ColumnRate(self.pseudo_count).fit(inputs, y == code, sample_weight) for code in self.classes_]
        return self

    def predict_proba(self, inputs: Floats) -> Floats:
        """The shares at each row's value, (rows, classes). `inputs` is (rows, 1)."""
        return np.column_stack([rate.predict(inputs) for rate in self.rates_])


def _single(inputs: Floats) -> Floats:
    if inputs.ndim != 2 or inputs.shape[1] != 1:
        raise ValueError(f"The rate is of one column, found an array of shape {inputs.shape}.")
    return inputs[:, 0]
