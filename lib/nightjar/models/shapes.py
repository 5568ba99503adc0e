"""Own steps for numbers, where scikit-learn has none that a skops file could hold. Null is NaN, and stays it."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import validate_data

from nightjar.errors import LearningError, ModelError


class Filled(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Columns without any training value become 0 throughout: nothing can be fitted to them.

    A value that turns up when scoring counts for nothing either: no estimator has learned what to do with it.

    Attributes:
        empty_: whether a column is one, (columns,).
    """

    def fit(self, frame: pd.DataFrame, _label: object = None) -> Self:
        """Find them."""
        validate_data(self, frame, skip_check_array=True)
        self.empty_ = frame.isna().all().to_numpy()
        return self

    def transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The columns, those without a training value as 0."""
        validate_data(self, frame, reset=False, skip_check_array=True)
        return frame.assign(**dict.fromkeys(frame.columns[self.empty_], 0.0))


class Winsorised(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Values beyond two training quantiles become those quantiles.

    Attributes:
        share: below the low quantile, and above the high one.
        low_, high_: the quantiles (linear between values), (columns,); NaN, which bounds nothing, for empty columns.
    """

    def __init__(self, share: float = 0.01) -> None:
        self.share = share

    def fit(self, frame: pd.DataFrame, _label: object = None) -> Self:
        """Find the quantiles."""
        validate_data(self, frame, skip_check_array=True)
        self.low_ = frame.quantile(self.share).to_numpy()
        self.high_ = frame.quantile(1 - self.share).to_numpy()
        return self

    def transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The values, none beyond the quantiles."""
        validate_data(self, frame, reset=False, skip_check_array=True)
        return frame.clip(self.low_, self.high_, axis=1)


class Logged(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """sign(x) log(1 + |x|); unless it is signed, a value below 0 is an error.

    Attributes:
        signed: whether values may be below 0.
    """

    def __init__(self, signed: bool = False) -> None:  # noqa: FBT001, FBT002 - scikit-learn's own way
        self.signed = signed

    def fit(self, frame: pd.DataFrame, _label: object = None) -> Self:
        """Check the training values.

        Raises:
            LearningError: a value is below 0.
        """
        validate_data(self, frame, skip_check_array=True)
        found = self._below_zero(frame)
        if found:
            raise LearningError(f"{found}. Use SIGNED_LOG or POWER for it, or drop the column.")
        return self

    def transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The logarithms.

        Raises:
            ModelError: a value is below 0.
        """
        validate_data(self, frame, reset=False, skip_check_array=True)
        found = self._below_zero(frame)
        if found:
            raise ModelError(f"{found}. The model was trained on none: make it 0 or more, or null.")
        values = frame.to_numpy()
        return pd.DataFrame(np.sign(values) * np.log1p(np.abs(values)), frame.index, frame.columns)

    def _below_zero(self, frame: pd.DataFrame) -> str | None:
        if self.signed:
            return None
        lowest = frame.min()
        below = lowest[lowest < 0]
        if below.empty:
            return None
        return f"The column {below.index[0]} holds {below.iloc[0]:g}, and LOG takes numbers of 0 or more"


class Binned(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The place of a number's bin, 0 for the lowest. Null stays NaN (scikit-learn's own binning refuses it).

    Attributes:
        kind: "quantile", "uniform" or "edges".
        count: for the first two: bins at most. Quantiles that are equal make one edge.
        edges: for "edges": the inner edges, ascending.
        edges_: of each column; a bin holds its lower edge, not its upper one.
    """

    def __init__(self, kind: str = "quantile", count: int = 5, edges: Sequence[float] = ()) -> None:
        self.kind = kind
        self.count = count
        self.edges = edges

    def fit(self, numbers: Any, _label: object = None) -> Self:
        """Find the edges; `numbers` is a frame or an array, (rows, columns)."""
        validate_data(self, numbers, skip_check_array=True)
        self.edges_ = [self._inner_edges(column[~np.isnan(column)]) for column in np.asarray(numbers, np.float64).T]
        return self

    def transform(self, numbers: Any) -> npt.NDArray[np.float64]:
        """Places, (rows, columns)."""
        validate_data(self, numbers, reset=False, skip_check_array=True)
        values = np.asarray(numbers, np.float64)
        columns = zip(self.edges_, values.T, strict=True)
        places = np.column_stack([np.searchsorted(edges, column, side="right") for edges, column in columns])
        return np.where(np.isnan(values), np.nan, places)

    def _inner_edges(self, known: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        if self.kind == "edges":
            return np.array(self.edges, dtype=np.float64)
        if not len(known):
            return np.empty(0)
        steps = np.linspace(0, 1, self.count + 1)[1:-1]
        if self.kind == "quantile":
            return np.unique(np.quantile(known, steps))
        low, high = known.min(), known.max()
        return np.unique(low + steps * (high - low))
