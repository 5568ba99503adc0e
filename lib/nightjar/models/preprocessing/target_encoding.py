"""Encoders of categories by the labels of their levels: means, or of several classes shares."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import validate_data

from nightjar.errors import LearningError
from nightjar.models.examples import InnerSplit
from nightjar.models.preprocessing.encoding import Floats, Levels, distinct_levels, look_up, sums_by_level


class TargetMeans(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The mean label of a level's training rows, shrunk toward the mean of all: (sum + k * prior) / (rows + k).

    The training rows themselves get means without their own labels (Micci-Barreca, "A preprocessing
    scheme for high-cardinality categorical attributes", 2001, for the shrinkage): `fit_transform` gives the test
    rows of each inner split the means of its training rows, and all others the prior. scikit-learn's TargetEncoder
    assigns rows to folds at random, across time, or by splits that have every row in one test part, which walk-forward
    splits have not. Row weights are not used.

    Attributes:
        pseudo_count: k, in rows.
        inner: splits of the rows it will be fitted on. They are meaningless for other rows, so stored copies have none.
        prior_: the mean label of all rows, for levels unseen.
        levels_: of each column.
        means_: of each column: of null, of each level, of one unseen.
    """

    def __init__(self, pseudo_count: float = 10.0, inner: Sequence[InnerSplit] = ()) -> None:
        self.pseudo_count = pseudo_count
        self.inner = inner

    def fit(self, frame: pd.DataFrame, label: npt.NDArray[Any]) -> Self:
        """Compute the means."""
        validate_data(self, frame, skip_check_array=True)
        outcome = np.asarray(label, dtype=np.float64)
        self.prior_ = float(outcome.mean())
        self.levels_ = [distinct_levels(frame[name]) for name in frame]
        columns = zip(frame, self.levels_, strict=True)
        self.means_ = [self._means(frame[name], levels, outcome) for name, levels in columns]
        return self

    def transform(self, frame: pd.DataFrame) -> Floats:
        """The means, (rows, columns), for rows that are no training rows."""
        validate_data(self, frame, reset=False, skip_check_array=True)
        return look_up(frame, self.levels_, self.means_)

    def fit_transform(self, frame: pd.DataFrame, label: npt.NDArray[Any]) -> Floats:
        """The means for the training rows, each without its own label.

        Raises:
            LearningError: there are no inner splits, or a row is on both sides of one.
        """
        means = np.full(frame.shape, self.fit(frame, label).prior_)
        for split in self._check_inner(frame):
            fold = TargetMeans(self.pseudo_count).fit(frame.iloc[split.train], label[split.train])
            means[split.test] = fold.transform(frame.iloc[split.test])
        return means

    def __getstate__(self) -> dict[str, Any]:
        """The state without the inner splits."""
        return {**super().__getstate__(), "inner": ()}

    def _check_inner(self, frame: pd.DataFrame) -> Sequence[InnerSplit]:
        names = ", ".join(frame.columns)
        if not self.inner:
            raise LearningError(f"target encoding of {names} needs inner splits of the training rows: there are none.")
        for number, split in enumerate(self.inner):
            overlap = np.intersect1d(split.train, split.test)
            if len(overlap):
                raise LearningError(
                    f"target encoding of {names}: row {overlap[0]} is on both sides of the inner split {number}, "
                    "and would be encoded by its own label."
                )
        return self.inner

    def _means(self, column: "pd.Series[Any]", levels: Levels, outcome: Floats) -> Floats:
        rows = sums_by_level(column, levels, np.ones(len(outcome))) + self.pseudo_count
        sums = sums_by_level(column, levels, outcome) + self.pseudo_count * self.prior_
        means = np.divide(sums, rows, out=np.full(len(rows), self.prior_), where=rows > 0)
        return np.append(means, self.prior_)


class TargetShares(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Of several classes the share of each among a level's training rows: `TargetMeans` of each class against the rest.

    Attributes:
        pseudo_count: see `TargetMeans`.
        inner: see `TargetMeans`.
        classes_: numbers of the classes that training rows have, ascending.
        means_: of each of these classes.
    """

    def __init__(self, pseudo_count: float = 10.0, inner: Sequence[InnerSplit] = ()) -> None:
        self.pseudo_count = pseudo_count
        self.inner = inner

    def fit(self, frame: pd.DataFrame, label: npt.NDArray[Any]) -> Self:
        """Compute the shares."""
        validate_data(self, frame, skip_check_array=True)
        self.classes_ = np.unique(label)
        self.means_ = [TargetMeans(self.pseudo_count).fit(frame, label == number) for number in self.classes_]
        return self

    def transform(self, frame: pd.DataFrame) -> Floats:
        """The shares, (rows, classes x columns), for rows that are no training rows."""
        return np.column_stack([one.transform(frame) for one in self.means_])

    def fit_transform(self, frame: pd.DataFrame, label: npt.NDArray[Any]) -> Floats:
        """The shares for the training rows, each without its own label.

        Raises:
            LearningError: as `TargetMeans.fit_transform`.
        """
        classes = self.fit(frame, label).classes_
        means = [TargetMeans(self.pseudo_count, self.inner) for _ in classes]
        return np.column_stack(
            [one.fit_transform(frame, label == number) for one, number in zip(means, classes, strict=True)]
        )

    def get_feature_names_out(self, _input_features: object = None) -> npt.NDArray[np.object_]:
        """The feature's name and the number of the class."""
        names = self.feature_names_in_
        return np.array([f"{name}_{number}" for number in self.classes_ for name in names], dtype=object)

    def __getstate__(self) -> dict[str, Any]:
        """The state without the inner splits."""
        return {**super().__getstate__(), "inner": ()}
