"""A fitted model: a table in, a score for each of its rows out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from nightjar.errors import ModelError, NightjarError, is_panic
from nightjar.models.columns import LARGEST, FeatureColumn, difference, infinite_columns, to_floats, to_frame

CHUNK_ROWS = 10_000
"""Rows that are predicted at once; a chunk fits the cache, which nearly halves the time of one large piece."""
BLOCK_ROWS = 64
"""Chunks are padded to a multiple of this number of rows."""
SUM_TOLERANCE = 1e-6
"""How far from 1 the sum of the probabilities of several classes may be, which a booster computes in float32."""
LEAST = float(np.finfo(np.float64).tiny)
"""The least probability of a class that training rows had: 0 says that they lacked it."""

Floats = npt.NDArray[np.float64]


class FittedPreparation(Protocol):
    """Turns a frame of features into an estimator's numbers."""

    def transform(self, frame: pd.DataFrame) -> Any:
        """(rows, inputs)."""


class Regressor(Protocol):
    """Predicts a value, or a ranking score; an ensemble or a network also the probabilities of several classes."""

    def predict(self, inputs: Any) -> Any:
        """One value for each row, (rows,); probabilities are (rows, classes)."""


class Classifier(Protocol):
    """Predicts the probabilities of the classes that it was fitted to, such as False and True."""

    def predict_proba(self, inputs: Any) -> Any:
        """Probabilities in the order of the classes, (rows, classes)."""


class Calibrator(Protocol):
    """Turns scores into calibrated probabilities, row by row."""

    def __call__(self, score: Floats) -> Floats:
        """A probability for each score, (rows,); of several classes both are (rows, classes)."""


class InputColumn(Protocol):
    """One of an estimator's inputs, made of one feature."""

    @property
    def feature(self) -> str:
        """The feature's name."""

    def prepare(self, values: Floats) -> Floats:
        """The input's values, (rows,), for those of the feature."""


@dataclass(frozen=True)
class InputColumns:
    """What stands for a preparation that makes each input of one number.

    Attributes:
        columns: the inputs, in order.
        by_rows: whether a row's inputs lie side by side, as the preparation gives them; else those of a column.
    """

    columns: Sequence[InputColumn]
    by_rows: bool


@dataclass(frozen=True, eq=False)
class Predictor:
    """A fitted model with its preparation, members and calibration.

    Attributes:
        features: the columns it reads, in the order it was fitted with; of an ensemble, all that its members read.
        preparation: fitted; turns the features into the estimator's numbers. None: the estimator reads no feature, or
            the features as they are.
        estimator: fitted. Of an ensemble, it takes the members' scores, (rows, members) or (rows, classes, members).
        members: of an ensemble; each prepares the features in its own way.
        calibration: fitted; None: the estimator's scores are given as they are.
        classes: of several classes: their values, in the order of the probabilities; otherwise none.
        seen: numbers of the classes that the estimator gives probabilities of, ascending: of one that is no ensemble
            those that training rows had.
        input_columns: in place of the preparation, where no number is beyond `LARGEST`; see `many_rows`. Not stored.
    """

    features: tuple[FeatureColumn, ...]
    preparation: FittedPreparation | None
    estimator: Classifier | Regressor
    members: tuple["Predictor", ...] = ()
    calibration: Calibrator | None = None
    classes: tuple[str, ...] = ()
    seen: tuple[int, ...] = ()
    input_columns: InputColumns | None = None

    def predict(self, table: pa.Table) -> Floats:
        """The score of each row, in row order.

        That is the probability of True, the probabilities of several classes, (rows, classes), the value, or for a
        ranking a number that is greater for rows that belong earlier. Other columns than the features are ignored.
        Nulls are missing values in every column. A class that no training row had has probability 0, any other one at
        least `LEAST`.

        Raises:
            ModelError: a feature is missing or of another type (names all of them), a number is infinite or so great
                that the model cannot compute with it, a score would not be finite, or probabilities of classes would
                not sum to 1.
        """
        require_features(self.features, table.schema)
        pieces = [self._predict_chunk(table, start) for start in range(0, table.num_rows, CHUNK_ROWS)]
        return np.concatenate([np.empty((0, len(self.classes)) if self.classes else 0), *pieces])

    def scores(self, frame: pd.DataFrame) -> Floats:
        """The score of each row of a frame that has the features, of several classes (rows, classes)."""
        return self._scores_of(self.inputs(frame))

    def _scores_of(self, inputs: Any) -> Floats:
        if not self.classes:
            score = scores_of(self.estimator, inputs)
            return score if self.calibration is None else self.calibration(score)
        score = self._probabilities(inputs)
        score = score if self.calibration is None else self.calibration(score)
        return np.where((score == 0) & self.is_seen(), LEAST, score)

    def _probabilities(self, inputs: Any) -> Floats:
        """Of all classes: one that a stacking lacks has the mean of its members' probabilities."""
        score = np.zeros((len(inputs), len(self.classes)))
        if self.members:
            score += inputs.mean(axis=-1)
            score[:, self.seen] = 0
        rest = np.maximum(1 - score.sum(axis=1, keepdims=True), 0)
        score[:, self.seen] = rest * probabilities_of(self.estimator, inputs)
        return score

    def is_seen(self) -> npt.NDArray[np.bool_]:
        """Whether training rows had each of several classes: of an ensemble, those of any member."""
        if not self.members:
            return np.isin(np.arange(len(self.classes)), self.seen)
        by_member = np.array([member.is_seen() for member in self.members])
        return np.asarray(by_member.any(axis=0))

    def inputs(self, frame: pd.DataFrame) -> Any:
        """What the estimator gets for a frame that has the features: an array, or the frame as it is."""
        if self.members:
            return np.stack([member.scores(frame) for member in self.members], axis=-1)
        own = frame[[column.name for column in self.features]]
        return own if self.preparation is None else self.preparation.transform(own)

    def _predict_chunk(self, table: pa.Table, start: int) -> Floats:
        chunk = table.slice(start, CHUNK_ROWS)
        rows = len(chunk)
        # Matrix products treat the last few rows differently: with padding, a row's score does not depend on the rows
        # it is scored with, to the last bit.
        padded = np.minimum(np.arange(rows + -rows % BLOCK_ROWS), rows - 1)
        inputs = None if self.input_columns is None else self._inputs_by_column(chunk, padded, self.input_columns)
        try:
            if inputs is None:
                scores = self.scores(self._frame(chunk, padded, start))[:rows]
            else:
                scores = self._scores_of(inputs)[:rows]
        except BaseException as error:
            if not _is_of_model(error):
                raise
            words = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
            raise ModelError(
                f"The model cannot compute with rows {start} to {start + rows - 1}: {' '.join(words.split())}"
            ) from error
        unbounded = np.flatnonzero(~np.isfinite(scores).reshape(rows, -1).all(axis=1))
        if len(unbounded):
            first = f"{scores[unbounded[0]]} of row {start + unbounded[0]}"
            raise ModelError(f"{len(unbounded):,} scores are not finite, the first {first}: its numbers are too great.")
        if self.classes:
            _require_probabilities(scores, start)
        return scores

    def _frame(self, chunk: pa.Table, padded: npt.NDArray[np.intp], start: int) -> pd.DataFrame:
        frame = to_frame(chunk, self.features).take(padded)
        infinite = infinite_columns(frame, self.features)
        if infinite:
            where = f"rows {start} to {start + len(chunk) - 1}"
            raise ModelError(f"Infinite values in {', '.join(infinite)} ({where}): a model can only use finite ones.")
        return frame

    def _inputs_by_column(self, chunk: pa.Table, padded: npt.NDArray[np.intp], inputs: InputColumns) -> Floats | None:
        """The estimator's inputs, (rows, inputs); None where a number is beyond `LARGEST`: the preparation says so."""
        values = {column.name: to_floats(chunk[column.name]) for column in self.features}
        if any((np.abs(column) > LARGEST).any() for column in values.values()):
            return None
        prepared = np.empty((len(inputs.columns), len(padded)))
        for place, column in enumerate(inputs.columns):
            prepared[place, : len(chunk)] = column.prepare(values[column.feature])
            prepared[place, len(chunk) :] = prepared[place, len(chunk) - 1]
        return np.ascontiguousarray(prepared.T) if inputs.by_rows else prepared.T


def _is_of_model(error: BaseException) -> bool:
    """Whether an estimator, whose native code may raise anything, has failed, and neither we nor the machine."""
    if isinstance(error, NightjarError | MemoryError | OSError):
        return False
    return isinstance(error, Exception) or is_panic(error)


def scores_of(estimator: Classifier | Regressor, inputs: Any) -> Floats:
    """A classifier's probabilities of True; the values of anything else."""
    if hasattr(estimator, "predict_proba"):
        return np.asarray(estimator.predict_proba(inputs)[:, 1], dtype=np.float64)
    return np.asarray(estimator.predict(inputs), dtype=np.float64)


def probabilities_of(estimator: Classifier | Regressor, inputs: Any) -> Floats:
    """The probabilities of several classes, (rows, classes), which networks and ensembles `predict`."""
    predict = estimator.predict_proba if hasattr(estimator, "predict_proba") else estimator.predict
    return np.asarray(predict(inputs), dtype=np.float64)


def _require_probabilities(scores: Floats, start: int) -> None:
    """Raise ModelError for a row whose probabilities are below 0 or do not sum to 1; `start` numbers the first row."""
    sums = scores.sum(axis=1)
    wrong = np.flatnonzero((scores < 0).any(axis=1) | (np.abs(sums - 1) > SUM_TOLERANCE))
    if len(wrong):
        row = scores[wrong[0]].tolist()
        raise ModelError(
            f"The probabilities of {len(wrong):,} rows are below 0 or do not sum to 1, the first those of row "
            f"{start + wrong[0]}, {row}, which sum to {sums[wrong[0]]}: the model is damaged."
        )


def require_features(features: Sequence[FeatureColumn], schema: pa.Schema) -> None:
    """Raise ModelError unless a table of this schema has the features."""
    lines = difference(features, schema)
    if lines:
        raise ModelError(
            "The table does not fit the model:\n  "
            + "\n  ".join(lines)
            + "\nBuild the features with the definitions it was trained on, or train a model on these."
        )
