"""A predictor for many rows: the same scores, bit by bit, from compiled trees and from columns instead of frames."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from nightjar.errors import ModelError
from nightjar.models.bit_vectors import BitVectors, bit_vectors
from nightjar.models.boosters.lightgbm_booster import LightGbm, LightGbmClassifier, LightGbmOfClasses
from nightjar.models.predictor import BLOCK_ROWS, InputColumns, Predictor
from nightjar.models.preprocessing.columnwise import prepared_columns
from nightjar.models.trees import trees_of_boosting, trees_of_lightgbm

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BoostedValues:
    """Boosting whose trees are bit vectors: values.

    Attributes:
        vectors: of its trees.
        estimator: as it was fitted; what makes scores of sums is its own.
    """

    vectors: BitVectors
    estimator: Any

    def predict(self, inputs: Floats) -> Floats:
        """A value for each row, (rows,)."""
        sums = self.vectors.sums(inputs)
        if isinstance(self.estimator, LightGbm):
            return sums[:, 0]
        values: Floats = self.estimator._loss.link.inverse(sums.ravel())  # noqa: SLF001  (it has no public form)
        return values


@dataclass(frozen=True, eq=False)
class BoostedProbabilities:
    """The same of classes.

    Attributes:
        vectors: of its trees.
        estimator: as it was fitted.
    """

    vectors: BitVectors
    estimator: Any

    def predict_proba(self, inputs: Floats) -> Floats:
        """The probability of each class, (rows, classes)."""
        sums = self.vectors.sums(inputs)
        if not isinstance(self.estimator, LightGbm):
            probabilities: Floats = self.estimator._loss.predict_proba(sums)  # noqa: SLF001
            return probabilities
        from nightjar.compiled import trees as compiled  # noqa: PLC0415  (loading Numba takes half a second)

        if isinstance(self.estimator, LightGbmOfClasses):
            compiled.softmax(sums)
            return np.asarray(sums / sums.sum(axis=1, keepdims=True))
        compiled.logistic(sums[:, 0])
        return np.column_stack([1 - sums[:, 0], sums[:, 0]])


def for_many_rows(predictor: Predictor) -> Predictor:
    """The predictor with boosting by bit vectors, also in its members, and without frames, where that is possible."""
    members = tuple(for_many_rows(member) for member in predictor.members)
    estimator = _estimator(predictor.estimator)
    by_rows = not isinstance(estimator, BoostedValues | BoostedProbabilities)
    columns = _input_columns(predictor, by_rows=by_rows)
    return replace(predictor, estimator=estimator, members=members, input_columns=columns)


def _input_columns(predictor: Predictor, *, by_rows: bool) -> InputColumns | None:
    """What stands for its preparation. Matrix products differ in their last bits by how their rows lie."""
    columns = prepared_columns(predictor.preparation)
    if columns is None or any(column.type != "number" for column in predictor.features):
        return None
    if by_rows and columns:
        blank = pd.DataFrame(0.0, range(BLOCK_ROWS), [column.name for column in predictor.features])
        by_rows = bool(predictor.inputs(blank).flags.c_contiguous)
    return InputColumns(columns, by_rows)


def _estimator(estimator: Any) -> Any:
    vectors = _vectors(estimator)
    if vectors is None:
        return estimator
    has_classes = isinstance(estimator, HistGradientBoostingClassifier | LightGbmClassifier | LightGbmOfClasses)
    return (BoostedProbabilities if has_classes else BoostedValues)(vectors, estimator)


def _vectors(estimator: Any) -> BitVectors | None:
    match estimator:
        case HistGradientBoostingClassifier() | HistGradientBoostingRegressor() if _is_exact(estimator):
            return bit_vectors(trees_of_boosting(estimator))
        case LightGbm():
            try:
                return bit_vectors(trees_of_lightgbm(estimator))
            except ModelError:  # it takes zeros for missing values
                return None
    return None


def _is_exact(estimator: Any) -> bool:
    """Whether boosting of scikit-learn computes with numbers of 64 bits."""
    return bool(estimator._baseline_prediction.dtype == np.float64)  # noqa: SLF001
