"""Out-of-fold predictions on the inner splits of training rows: each row's by a model fitted without it."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError
from nightjar.evaluation.rows import RowNumbers
from nightjar.models.examples import Examples, InnerSplit
from nightjar.models.predictor import Predictor

Fit = Callable[[Examples], Predictor]


def take_rows(examples: Examples, rows: RowNumbers) -> Examples:
    """Some of the rows, ascending and with repetitions, and the inner splits restricted to them.

    Rows stay on their side of each split; a split with an empty side is dropped.
    """
    return replace(examples.take(rows), inner=_restrict_splits(examples.inner, rows))


def _restrict_splits(splits: Sequence[InnerSplit], rows: RowNumbers) -> list[InnerSplit]:
    restricted = []
    for split in splits:
        train, test = (np.flatnonzero(np.isin(rows, part)) for part in (split.train, split.test))
        if len(train) and len(test):
            within = np.searchsorted(split.train, rows[train])
            restricted.append(InnerSplit(train, test, _restrict_splits(split.inner, within)))
    return restricted


def out_of_fold(fits: Sequence[Fit], examples: Examples, why: str) -> tuple[RowNumbers, npt.NDArray[np.float64]]:
    """Fit on the training part of each inner split, predict its test part.

    Args:
        fits: one function for each model.
        examples: with inner splits.
        why: what needs the predictions, for the error.

    Returns:
        The numbers of the predicted rows, (n,), and each model's scores, (n, models) or (n, classes, models), NaN of a
        class that its training part lacked. A row that is in several test parts is repeated.

    Raises:
        LearningError: there are no inner splits, or a model cannot be fitted on one of them.
    """
    if not examples.inner:
        raise LearningError(
            f"{why} is fitted on out-of-fold predictions, and these {len(examples.label)} training rows come without "
            "inner splits: give it more rows or dates, or leave it out."
        )
    scores = []
    for number, split in enumerate(examples.inner, start=1):
        part = replace(examples.take(split.train), inner=split.inner)
        test_rows = examples.table.take(split.test)
        try:
            predictors = [fit(part) for fit in fits]
            scores.append(np.stack([mask_unseen(one, one.predict(test_rows)) for one in predictors], axis=-1))
        except LearningError as error:
            place = f"inner split {number} of {len(examples.inner)}, {len(split.train)} training rows"
            raise LearningError(f"{why} ({place}): {error}") from error
    return np.concatenate([split.test for split in examples.inner]), np.concatenate(scores)


def mask_unseen(predictor: Predictor, scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A predictor's scores, NaN for those of several classes that its training rows lacked: they say nothing of it."""
    return np.where(predictor.is_seen(), scores, np.nan) if predictor.classes else scores
