"""Own encoders of categories: frames of text in (null is NaN), float64 arrays out. Unseen levels are never an error."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import murmurhash3_32
from sklearn.utils.validation import validate_data

from nightjar.evaluation.rows import RowNumbers

Floats = npt.NDArray[np.float64]
Levels = npt.NDArray[np.object_]


class LevelTexts(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Categories as text: numbers in plain notation ("3", "0.5"), nulls as NaN or the level that replaces them.

    Attributes:
        missing: None (NaN), "mode" (the most frequent level, the first in code point order of equals) or "unknown".
        fill_: the level of each column's nulls; NaN where there is none.
    """

    def __init__(self, missing: str | None = None) -> None:
        self.missing = missing

    def fit(self, frame: pd.DataFrame, _label: object = None) -> Self:
        """Find the level that replaces nulls."""
        validate_data(self, frame, skip_check_array=True)
        self.fill_ = np.array([self._level_of_nulls(frame[name]) for name in frame], dtype=object)
        return self

    def transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The texts, a frame of objects."""
        validate_data(self, frame, reset=False, skip_check_array=True)
        texts = {name: _texts(frame[name]) for name in frame}
        if self.missing is not None:
            texts = {
                name: texts[name].where(texts[name].notna(), fill) for name, fill in zip(texts, self.fill_, strict=True)
            }
        return pd.DataFrame(texts, index=frame.index, columns=frame.columns)

    def _level_of_nulls(self, column: "pd.Series[Any]") -> object:
        if self.missing != "mode":
            return np.nan if self.missing is None else self.missing
        modes = _texts(column).mode()
        return np.nan if modes.empty else modes.min()


class Frequencies(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The share of training rows that have the level. Null counts as a level; the share of an unseen level is 0.

    Attributes:
        levels_: of each column.
        shares_: of each column: of null, of each level, of one unseen.
    """

    def fit(self, frame: pd.DataFrame, _label: object = None) -> Self:
        """Count the levels."""
        validate_data(self, frame, skip_check_array=True)
        self.levels_ = [distinct_levels(frame[name]) for name in frame]
        ones = np.ones(len(frame))
        sums = [sums_by_level(frame[name], levels, ones) for name, levels in zip(frame, self.levels_, strict=True)]
        self.shares_ = [np.append(counts / len(frame), 0.0) for counts in sums]
        return self

    def transform(self, frame: pd.DataFrame) -> Floats:
        """Shares, (rows, columns)."""
        validate_data(self, frame, reset=False, skip_check_array=True)
        return look_up(frame, self.levels_, self.shares_)


class Hashed(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A one in the column that the level's MurmurHash3 (of a fixed seed) selects; a null has zeros only.

    Attributes:
        buckets: columns for each feature.
    """

    def __init__(self, buckets: int = 32) -> None:
        self.buckets = buckets

    def fit(self, frame: pd.DataFrame, _label: object = None) -> Self:
        """Nothing is learned but the columns' names."""
        validate_data(self, frame, skip_check_array=True)
        return self

    def transform(self, frame: pd.DataFrame) -> Floats:
        """Zeros and ones, (rows, columns x buckets)."""
        validate_data(self, frame, reset=False, skip_check_array=True)
        return np.column_stack([self._one_hot(frame[name]) for name in frame])

    def get_feature_names_out(self, _input_features: object = None) -> npt.NDArray[np.object_]:
        """The feature's name and the bucket's number."""
        return np.array([f"{name}_{at}" for name in self.feature_names_in_ for at in range(self.buckets)], dtype=object)

    def _one_hot(self, column: "pd.Series[Any]") -> Floats:
        codes, levels = pd.factorize(column)
        hashes = [murmurhash3_32(level, seed=0, positive=True) % self.buckets for level in levels]
        rows = np.vstack([np.eye(self.buckets)[hashes], np.zeros(self.buckets)])  # the last one, -1, is of null
        return rows[codes]


def _texts(column: "pd.Series[Any]") -> "pd.Series[Any]":
    if column.dtype == object:
        return column
    codes, values = pd.factorize(column + 0.0)  # -0.0 is 0.0
    texts = [np.format_float_positional(value, trim="-") for value in values]
    return pd.Series(np.array([*texts, np.nan], dtype=object)[codes], index=column.index)  # the last, -1, is null


def distinct_levels(column: "pd.Series[Any]") -> Levels:
    """The levels of a column, in code point order."""
    return np.array(sorted(column.dropna().unique()), dtype=object)


def level_numbers(column: "pd.Series[Any]", levels: Levels) -> RowNumbers:
    """The number of each row's level: 0 of null, 1 and so on of the levels, -1 of any other."""
    positions = pd.Index(levels, dtype=object).get_indexer(pd.Index(column, dtype=object))
    return np.where(column.isna(), 0, np.where(positions < 0, -1, positions + 1)).astype(np.intp)


def sums_by_level(column: "pd.Series[Any]", levels: Levels, values: Floats) -> Floats:
    """The sum of the values at null, and at each level."""
    sums: Floats = np.bincount(level_numbers(column, levels), weights=values, minlength=len(levels) + 1).astype(
        np.float64
    )
    return sums


def look_up(frame: pd.DataFrame, levels: Sequence[Levels], tables: Sequence[Floats]) -> Floats:
    columns = zip(frame, levels, tables, strict=True)
    return np.column_stack([table[level_numbers(frame[name], names)] for name, names, table in columns])
