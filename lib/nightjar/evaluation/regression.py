"""Metrics of predicted amounts. `y` holds the true ones, `score` the predicted; None, never NaN, where undefined.

`weight` says how many rows each one stands for, see `rows`.
"""

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError
from nightjar.evaluation.rows import Floats, floats, greatest, mean, rows_with_weight

GREATEST = 1e300
"""Sums of so great amounts are finite, over a hundred million rows."""


def check_amounts(y: npt.ArrayLike, score: npt.ArrayLike) -> tuple[Floats, Floats]:
    """The true and the predicted amounts as finite floats.

    Raises:
        LearningError: shapes differ, or a value is NaN, beyond `GREATEST` or not a number.
    """
    amounts, scores = floats("y", y), floats("score", score)
    if amounts.shape != scores.shape:
        raise LearningError(f"y has {len(amounts)} rows and score has {len(scores)}: each amount needs its score.")
    for name, values in (("y", amounts), ("score", scores)):
        strange = values[~(np.abs(values) <= GREATEST)]
        if len(strange):
            expected = f"expected numbers, none beyond {GREATEST:g}"
            raise LearningError(f"{name} holds {strange[0]} in {len(strange)} of {len(values)} rows: {expected}.")
    return amounts, scores


def rmse(y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> float | None:
    """Root of the mean squared error, in the unit of the label; None without rows.

    Raises:
        LearningError: see `check_amounts` and `rows.check_weight`.

    Example:
        >>> round(rmse([1, 2, 3], [1, 2, 5]), 4)
        1.1547
    """
    amounts, scores, weights = _drop_unweighted(y, score, weight)
    unit = greatest(amounts - scores)
    mse = mean(((amounts - scores) / unit) ** 2, weights)
    return None if mse is None else unit * float(np.sqrt(mse))


def mae(y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> float | None:
    """Mean absolute error, in the unit of the label; None without rows.

    Raises:
        LearningError: see `check_amounts` and `rows.check_weight`.

    Example:
        >>> round(mae([1, 2, 3], [1, 2, 5]), 4)
        0.6667
    """
    amounts, scores, weights = _drop_unweighted(y, score, weight)
    return mean(np.abs(amounts - scores), weights)


def r2(y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> float | None:
    """One minus the squared error over that of the rows' own mean: 1 is best, below 0 is worse than that mean.

    None unless there are two different labels.

    Raises:
        LearningError: see `check_amounts` and `rows.check_weight`.

    Example:
        >>> r2([1, 2, 3], [1, 2, 5])
        -1.0
    """
    amounts, scores, weights = _drop_unweighted(y, score, weight)
    if not len(amounts) or (amounts == amounts[0]).all():
        return None
    row_weights = 1.0 if weights is None else weights
    from_mean = amounts - np.average(amounts, weights=weights)
    unit = greatest(from_mean)
    squared, about_mean = ((amounts - scores) / unit) ** 2, (from_mean / unit) ** 2
    return float(1 - np.sum(row_weights * squared) / np.sum(row_weights * about_mean))


def _drop_unweighted(
    y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None
) -> tuple[Floats, Floats, Floats | None]:
    amounts, scores = check_amounts(y, score)
    rows, weights = rows_with_weight(weight, len(amounts))
    return amounts[rows], scores[rows], weights
