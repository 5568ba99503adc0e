"""A rule of thumb: a person's experience, written as an expression over the features."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin

from nightjar.models.estimators.rule_evaluation import evaluate
from nightjar.models.estimators.rule_grammar import parse
from nightjar.models.preprocessing.encoding import Levels, distinct_levels, level_numbers

Floats = npt.NDArray[np.float64]


class RuleOfThumb(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The value of an expression (`rule_grammar`) for each row: one column; no: 0, yes: 1, null: NaN.

    Attributes:
        expression: of a number, of yes and no, or of texts.
        texts_: the texts that it gives training rows, in code point order; a row has the number of its text, from 1,
            and NaN where it has none of them. None: it gives no texts, like all rules of models from before.
    """

    texts_: Levels | None = None

    def __init__(self, expression: str) -> None:
        self.expression = expression

    def fit(self, frame: pd.DataFrame, _label: object = None) -> Self:
        """Take note of the texts."""
        values = self._values(frame)
        self.texts_ = distinct_levels(values) if values.dtype == object else None
        return self

    def transform(self, frame: pd.DataFrame) -> Floats:
        """The value of each row, (rows, 1)."""
        values = self._values(frame)
        if self.texts_ is None:
            return values.to_numpy(dtype=np.float64).reshape(-1, 1)
        numbers = level_numbers(values, self.texts_).astype(np.float64)
        return np.where(numbers > 0, numbers, np.nan).reshape(-1, 1)

    def _values(self, frame: pd.DataFrame) -> "pd.Series[Any]":
        return pd.Series(np.broadcast_to(np.asarray(evaluate(parse(self.expression), frame)), len(frame)))

    def get_feature_names_out(self, _input_features: object = None) -> npt.NDArray[np.object_]:
        """The expression itself."""
        return np.array([self.expression], dtype=object)


class NumberOrPrior(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A single number unchanged; the training mean of the label where it is missing.

    Attributes:
        probability: whether the number is a probability, which is clipped to [0, 1].
        prior_: the mean.
    """

    def __init__(self, *, probability: bool = False) -> None:
        self.probability = probability

    def fit(self, _inputs: Floats, y: npt.NDArray[Any], sample_weight: Floats | None = None) -> Self:
        """Compute the mean."""
        self.prior_ = float(np.average(y, weights=sample_weight))
        return self

    def predict(self, inputs: Floats) -> Floats:
        """The number of each row, (rows,). `inputs` is (rows, 1)."""
        numbers = np.where(np.isnan(inputs[:, 0]), self.prior_, inputs[:, 0])
        return np.clip(numbers, 0, 1) if self.probability else numbers
