"""A fitted model: a table in, a probability for each of its rows out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.compose import ColumnTransformer

from nightjar.errors import ModelError
from nightjar.models.columns import FeatureColumn, difference, infinite_columns, to_frame

CHUNK_ROWS = 10_000
"""Rows that are predicted at once: they stay in the cache, which nearly halves the time of one large piece."""
BLOCK_ROWS = 64
"""A chunk is filled up to a multiple of these."""


class Classifier(Protocol):
    """What predicts from prepared numbers: a scikit-learn classifier, a `ColumnRate` or a `Perceptron`."""

    def predict_proba(self, inputs: Any) -> npt.NDArray[np.float64]:
        """Probabilities of False and of True, (rows, 2)."""


@dataclass(frozen=True, eq=False)
class Predictor:
    """A fitted model with everything that was fitted along with it.

    Attributes:
        features: the columns it reads, in the order it was fitted with.
        preparation: fitted; turns the features into the estimator's numbers. None: the estimator reads no feature.
        estimator: fitted.
    """

    features: tuple[FeatureColumn, ...]
    preparation: ColumnTransformer | None
    estimator: Classifier

    def predict(self, table: pa.Table) -> npt.NDArray[np.float64]:
        """The probability of True for each row, in row order; no rows, no probabilities.

        Other columns than the features are ignored. A null is a value that is not there, whatever its column.

        Raises:
            ModelError: a feature is missing or of another type (names all of them), or a number is infinite.
        """
        require_features(self.features, table.schema)
        pieces = [self._predict_chunk(table, start) for start in range(0, table.num_rows, CHUNK_ROWS)]
        return np.concatenate([np.empty(0), *pieces])

    def _predict_chunk(self, table: pa.Table, start: int) -> npt.NDArray[np.float64]:
        frame = to_frame(table.slice(start, CHUNK_ROWS), self.features)
        rows = len(frame)
        # Matrix products treat the last few rows in a way of their own: filled up, a row's score does not depend on
        # the rows it is scored with, to the last bit.
        frame = frame.take(np.minimum(np.arange(rows + -rows % BLOCK_ROWS), rows - 1))
        infinite = infinite_columns(frame, self.features)
        if infinite:
            where = f"rows {start} to {start + rows - 1}"
            raise ModelError(f"Infinite values in {', '.join(infinite)} ({where}): a model can only use finite ones.")
        inputs = frame if self.preparation is None else self.preparation.transform(frame)
        return np.asarray(self.estimator.predict_proba(inputs)[:rows, 1], dtype=np.float64)


def require_features(features: Sequence[FeatureColumn], schema: pa.Schema) -> None:
    """Raise ModelError unless a table of this schema has the features."""
    lines = difference(features, schema)
    if lines:
        raise ModelError(
            "The table does not fit the model:\n  "
            + "\n  ".join(lines)
            + "\nBuild the features with the definitions it was trained on, or train a model on these."
        )
