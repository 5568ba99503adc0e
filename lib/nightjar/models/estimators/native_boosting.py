"""Native categories of scikit-learn's histogram boosting.

It puts categories before numbers, and encodes them by a transformer of its own, which on our codes changes nothing:
they are 0 and so on already. In its stead a fitted one has `CodesFirst`, which holds no function and can be stored.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin

from nightjar.models.preprocessing.inputs import Input

Floats = npt.NDArray[np.float64]
MOST_LEVELS = 255
"""Of a category: bins of a column, of which one is left for missing values."""


class CodesFirst(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Inputs in the order in which the trees read them.

    Attributes:
        order: the number of the input that is read first, and so on.
    """

    def __init__(self, order: Sequence[int] = ()) -> None:
        self.order = order

    def transform(self, inputs: npt.ArrayLike) -> Floats:
        """The inputs, (rows, inputs)."""
        return np.asarray(inputs, dtype=np.float64)[:, list(self.order)]


def declare_categories(estimator: Any, inputs: Sequence[Input]) -> None:
    """Tell an unfitted boosting which of its inputs are codes of native categories.

    Raises:
        ValueError: one has more levels than it can part.
    """
    most = min(estimator.max_bins, MOST_LEVELS)
    for one in inputs:
        if one.levels > most:
            raise ValueError(
                f"{one.column} has {one.levels} levels, and boosting parts sets of {most} at most: choose another "
                "encoding for it, or lightgbm or xgboost."
            )
    if any(one.levels for one in inputs):
        estimator.set_params(categorical_features=[bool(one.levels) for one in inputs])


def put_codes_first(estimator: Any) -> None:
    """Let a fitted boosting take codes as they are.

    Raises:
        ValueError: training rows have not had all codes, so that it knows them by other numbers.
    """
    is_category = estimator.is_categorical_
    if is_category is None:
        return
    for levels in estimator._preprocessor.named_transformers_["encoder"].categories_:  # noqa: SLF001  (no public form)
        codes = levels[~np.isnan(levels)]
        if not np.array_equal(codes, np.arange(len(codes))):
            raise ValueError("Levels of a native category are without a training row: choose another encoding.")
    order = [*np.flatnonzero(is_category).tolist(), *np.flatnonzero(~is_category).tolist()]
    estimator._preprocessor = CodesFirst(order)  # noqa: SLF001


def order_of(estimator: Any) -> list[int]:
    """The number of the input that the trees of a fitted boosting read first, and so on."""
    own = getattr(estimator, "_preprocessor", None)
    return list(range(estimator.n_features_in_)) if own is None else list(own.order)


def levels_of(estimator: Any) -> list[int]:
    """Of each input, in the order of the trees, how many levels a native category has; 0 of a number."""
    mapper = estimator._bin_mapper  # noqa: SLF001
    pairs = zip(mapper.is_categorical_, mapper.bin_thresholds_, strict=True)
    return [len(values) if is_category else 0 for is_category, values in pairs]
