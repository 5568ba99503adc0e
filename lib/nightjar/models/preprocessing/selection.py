"""Steps that select some of the prepared columns. A fitted step holds the mask of columns only."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.impute import SimpleImputer

from nightjar.errors import LearningError
from nightjar.models.preprocessing.relevance import SELECTORS, Criteria, Floats, Mask
from nightjar.settings.preparation import THRESHOLDS, Selection, SelectionKind
from nightjar.settings.task import Task


class _ColumnSelection(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Some columns of an array, in their order.

    Attributes:
        kept_: whether each column is selected, (columns,).
    """

    kept_: Mask

    def transform(self, inputs: Floats) -> Floats:
        """The selected columns, (rows, selected columns)."""
        return inputs[:, self.kept_]

    def get_feature_names_out(self, input_features: Sequence[str]) -> npt.NDArray[np.object_]:
        """Their names."""
        return np.asarray(input_features, dtype=object)[self.kept_]


class WithValues(_ColumnSelection):
    """The columns that have a value in training: boosting of scikit-learn 1.9 cannot bin a column without any."""

    def fit(self, inputs: Floats, _label: object = None) -> Self:
        """Find these columns.

        Raises:
            LearningError: no column has a value.
        """
        self.kept_ = np.asarray(~np.isnan(inputs).all(axis=0))
        if not self.kept_.any():
            raise LearningError(f"No feature has a value in any of the {len(inputs)} training rows.")
        return self


class Selected(_ColumnSelection):
    """The columns that one `Selection` selects. Nulls count as the median of their column.

    Attributes:
        kind: of `SelectionKind`, its value.
        threshold, keep, penalty: as in `Selection`.
        task: of `Task`, its value; a ranking's labels count as amounts.
        seed: of every random choice.
    """

    def __init__(
        self, kind: str, *, threshold: float = 0.0, keep: int = 0, penalty: float = 0.0, task: str, seed: int = 0
    ) -> None:
        self.kind = kind
        self.threshold = threshold
        self.keep = keep
        self.penalty = penalty
        self.task = task
        self.seed = seed

    def fit(self, inputs: Floats, label: npt.NDArray[Any]) -> Self:
        """Select the columns.

        Raises:
            LearningError: none is selected, or the kind does not apply to them.
        """
        complete = SimpleImputer(strategy="median", keep_empty_features=True).fit_transform(inputs)
        criteria = Criteria(
            self.threshold, self.keep, self.penalty, classes=Task(self.task).has_classes, seed=self.seed
        )
        self.kept_ = SELECTORS[SelectionKind(self.kind)](complete, label, criteria)
        if not self.kept_.any():
            limit = f"penalty={self.penalty:g}" if self.kind == "l1" else f"threshold={self.threshold:g}"
            raise LearningError(
                f"The selection {self.kind.upper()} ({limit}) leaves none of the {inputs.shape[1]} prepared columns "
                f"in {len(inputs)} training rows. Lower it."
            )
        return self


def selection_step(settings: Selection, task: Task, seed: int) -> Selected:
    """An unfitted step, as `Selection` says."""
    threshold = settings.threshold
    return Selected(
        settings.kind.value,
        threshold=THRESHOLDS.get(settings.kind, 0.0) if threshold is None else threshold,
        keep=settings.keep or 0,
        penalty=settings.penalty,
        task=task.value,
        seed=seed,
    )
