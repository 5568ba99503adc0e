"""Out-of-fold predictions: of each row by a model that was fitted without it, on the inner splits of training rows."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError
from nightjar.models.examples import Examples, Rows
from nightjar.models.predictor import Predictor

Fit = Callable[[Examples], Predictor]


def taken(examples: Examples, rows: Rows) -> Examples:
    """Some of the rows, in the given order, each as often as it is named, with what is left of the inner splits.

    A split keeps its rows among these, on their side; one that has none left on a side is gone.
    """
    inner = [tuple(np.flatnonzero(np.isin(rows, part)) for part in split) for split in examples.inner]
    left = [(train, test) for train, test in inner if len(train) and len(test)]
    return Examples(
        examples.table.take(rows),
        examples.label[rows],
        None if examples.weight is None else examples.weight[rows],
        None if examples.query is None else examples.query[rows],
        left,
    )


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
    for number, (train, test) in enumerate(examples.inner, start=1):
        part, judged = taken(examples, train), examples.table.take(test)
        try:
            scores.append(np.column_stack([fit(part).predict(judged) for fit in fits]))
        except LearningError as error:
            place = f"inner split {number} of {len(examples.inner)}, {len(train)} training rows"
            raise LearningError(f"{why} ({place}): {error}") from error
    return np.concatenate([test for _, test in examples.inner]), np.concatenate(scores)
