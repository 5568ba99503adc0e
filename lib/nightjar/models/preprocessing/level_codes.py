"""Codes of categories, for estimators that split by sets of levels."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import validate_data

from nightjar.models.preprocessing.encoding import distinct_levels, level_numbers

Floats = npt.NDArray[np.float64]


class LevelCodes(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The place of a level among those of the training rows, in code point order; NaN of null and of one unseen.

    Attributes:
        levels_: of each column.
    """

    def fit(self, frame: pd.DataFrame, _label: object = None) -> Self:
        """List the levels."""
        validate_data(self, frame, skip_check_array=True)
        self.levels_ = [distinct_levels(frame[name]) for name in frame]
        return self

    def transform(self, frame: pd.DataFrame) -> Floats:
        """The codes, (rows, columns)."""
        codes = self._codes(frame)
        return np.where(codes > 0, codes - 1.0, np.nan)

    def unseen(self, frame: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Whether each value is a level that no training row has, (rows, columns)."""
        return np.asarray(self._codes(frame) < 0)

    def _codes(self, frame: pd.DataFrame) -> npt.NDArray[np.intp]:
        validate_data(self, frame, reset=False, skip_check_array=True)
        columns = zip(frame, self.levels_, strict=True)
        return np.column_stack([level_numbers(frame[name], levels) for name, levels in columns])


def native_steps(prepared: Any) -> list[tuple[Pipeline, list[str]]]:
    """The steps of a fitted preparation that make codes of native categories, each with its columns."""
    columns = prepared.named_steps.get("columns") if isinstance(prepared, Pipeline) else None
    steps = () if columns is None else columns.transformers_
    return [
        (step, list(names))
        for _, step, names in steps
        if isinstance(step, Pipeline) and isinstance(step[-1], LevelCodes)
    ]
