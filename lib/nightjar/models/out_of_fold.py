"""Out-of-fold predictions: of each row by a model that was fitted without it, on the inner splits of training rows."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError
from nightjar.models.examples import Examples, InnerSplit, Rows
from nightjar.models.predictor import Predictor

Fit = Callable[[Examples], Predictor]


def taken(examples: Examples, rows: Rows) -> Examples:
    """Some of the rows, ascending, each as often as it is named, with what is left of the inner splits.

    A split keeps its rows among these, on their side; one that has none left on a side is gone.
    """
    return replace(examples.take(rows), inner=_left(examples.inner, rows))


def _left(splits: Sequence[InnerSplit], rows: Rows) -> list[InnerSplit]:
    found = []
    for split in splits:
        train, test = (np.flatnonzero(np.isin(rows, part)) for part in (split.train, split.test))
        if len(train) and len(test):
            within = np.searchsorted(split.train, rows[train])
            found.append(InnerSplit(train, test, _left(split.inner, within)))
    return found


def out_of_fold(fits: Sequence[Fit], examples: Examples, why: str) -> tuple[Rows, npt.NDArray[np.float64]]:
    """Fit on the training part of each inner split, predict its test part.

    Args:
        fits: how each model is fitted.
        examples: with inner splits.
        why: what needs the predictions, for the error.

    Returns:
        The numbers of the rows predicted, (n,), and each model's score of them, (n, models). A row that is in several
        test parts is there as often.

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
        judged = examples.table.take(split.test)
        try:
            scores.append(np.column_stack([fit(part).predict(judged) for fit in fits]))
        except LearningError as error:
            place = f"inner split {number} of {len(examples.inner)}, {len(split.train)} training rows"
            raise LearningError(f"{why} ({place}): {error}") from error
    return np.concatenate([split.test for split in examples.inner]), np.concatenate(scores)
