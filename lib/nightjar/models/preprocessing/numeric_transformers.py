"""Own steps for numbers, where scikit-learn has none that a skops file could hold. Null is NaN, and stays NaN."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import validate_data

from nightjar.errors import LearningError, ModelError
from nightjar.models.columns import LARGEST


class Filled(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Columns without any training value become 0 throughout, because nothing can be fitted to them.

    So do values of these columns when scoring, because no estimator has learned from any.

    Attributes:
        empty_: whether each column has no training value, (columns,).
    """

    def fit(self, frame: pd.DataFrame, _label: object = None) -> Self:
        """Find the empty columns."""
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
        problem = self._below_zero(frame)
        if problem:
            raise LearningError(f"{problem}. Use SIGNED_LOG or POWER for it, or drop the column.")
        return self

    def transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The logarithms.

        Raises:
            ModelError: a value is below 0.
        """
        validate_data(self, frame, reset=False, skip_check_array=True)
        problem = self._below_zero(frame)
        if problem:
            raise ModelError(f"{problem}. The model was trained on none: make it 0 or more, or null.")
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


class Bounded(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Numbers unchanged; absolute values beyond `LARGEST` are an error, in training and when scoring.

    Trees compute in float32, and scaling squares its inputs: a greater number would silently spoil its whole column.
    """

    def fit(self, frame: pd.DataFrame, _label: object = None) -> Self:
        """Check the training values.

        Raises:
            LearningError: a value is beyond `LARGEST`.
        """
        validate_data(self, frame, skip_check_array=True)
        problem = self._beyond(frame)
        if problem:
            raise LearningError(
                f"{problem}. Make it null or smaller where it is made, bring it back by shape=SIGNED_LOG, winsorise or "
                "bins, or drop the column."
            )
        return self

    def transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The numbers.

        Raises:
            ModelError: a value is beyond `LARGEST`.
        """
        validate_data(self, frame, reset=False, skip_check_array=True)
        problem = self._beyond(frame)
        if problem:
            raise ModelError(f"{problem}. Make it null or smaller where it is made.")
        return frame

    def _beyond(self, frame: pd.DataFrame) -> str | None:
        """A message about the first column with such a number: the number of rows, and the first value."""
        beyond = np.abs(frame.to_numpy()) > LARGEST
        if not beyond.any():
            return None
        column = int(beyond.any(axis=0).argmax())
        rows = frame.index[beyond[:, column]].unique()  # chunks are padded by repeating their last row
        value = frame.iloc[:, column].to_numpy()[beyond[:, column]][0]
        return (
            f"The column {frame.columns[column]} holds {value:g} in {len(rows):,} of {frame.index.nunique():,} rows, "
            f"and models compute with numbers up to {LARGEST:.4g} in size (after the column's shape, if it has one)"
        )


class Resized(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Columns multiplied, exactly, by the power of two that brings their greatest absolute value near to 1.

    scikit-learn's scalers (1.9) treat a column whose range is below 2e-15 as constant, whatever its unit.

    Attributes:
        factors_: of each column.
    """

    def fit(self, numbers: Any, _label: object = None) -> Self:
        """Find the powers; `numbers` is a frame or an array, (rows, columns)."""
        validate_data(self, numbers, skip_check_array=True)
        sizes = np.fmax.reduce(np.abs(np.asarray(numbers, np.float64)), axis=0, initial=0.0)
        self.factors_ = np.ldexp(1.0, np.clip(-np.frexp(sizes)[1], -1022, 1022))
        return self

    def transform(self, numbers: Any) -> npt.NDArray[np.float64]:
        """The columns, (rows, columns)."""
        validate_data(self, numbers, reset=False, skip_check_array=True)
        with np.errstate(over="ignore"):
            return np.asarray(np.asarray(numbers, np.float64) * self.factors_)


class Binned(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The number of a value's bin, 0 for the lowest. Null stays NaN (scikit-learn's own binning refuses it).

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
        """Bin numbers, (rows, columns)."""
        validate_data(self, numbers, reset=False, skip_check_array=True)
        values = np.asarray(numbers, np.float64)
        columns = zip(self.edges_, values.T, strict=True)
        places = np.column_stack([np.searchsorted(edges, column, side="right") for edges, column in columns])
        return np.where(np.isnan(values), np.nan, places)

    def _inner_edges(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        if self.kind == "edges":
            return np.array(self.edges, dtype=np.float64)
        if not len(values):
            return np.empty(0)
        steps = np.linspace(0, 1, self.count + 1)[1:-1]
        if self.kind == "quantile":
            return np.unique(np.quantile(values, steps))
        low, high = values.min(), values.max()
        return np.unique(low * (1 - steps) + high * steps)  # high - low may be beyond the greatest number
