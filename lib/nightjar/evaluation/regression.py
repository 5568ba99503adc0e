"""How good predicted amounts are. `y` holds the true ones, `score` the predicted; None, never NaN, where undefined."""

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError

Floats = npt.NDArray[np.float64]


def checked_amounts(y: npt.ArrayLike, score: npt.ArrayLike) -> tuple[Floats, Floats]:
    """The true and the predicted amounts as finite floats.

    Raises:
        LearningError: shapes differ, or a value is NaN, infinite or not a number.
    """
    amounts, scores = floats("y", y), floats("score", score)
    if amounts.shape != scores.shape:
        raise LearningError(f"y has {len(amounts)} rows and score has {len(scores)}: each amount needs its score.")
    for name, values in (("y", amounts), ("score", scores)):
        strange = values[~np.isfinite(values)]
        if len(strange):
            raise LearningError(f"{name} holds {strange[0]} in {len(strange)} of {len(values)} rows: expected numbers.")
    return amounts, scores


def rmse(y: npt.ArrayLike, score: npt.ArrayLike) -> float | None:
    """Root of the mean squared error, in the unit of the label; None without rows.

    Raises:
        LearningError: see `checked_amounts`.
    """
    amounts, scores = checked_amounts(y, score)
    return float(np.sqrt(np.mean((amounts - scores) ** 2))) if len(amounts) else None


def mae(y: npt.ArrayLike, score: npt.ArrayLike) -> float | None:
    """Mean absolute error, in the unit of the label; None without rows.

    Raises:
        LearningError: see `checked_amounts`.
    """
    amounts, scores = checked_amounts(y, score)
    return float(np.mean(np.abs(amounts - scores))) if len(amounts) else None


def r2(y: npt.ArrayLike, score: npt.ArrayLike) -> float | None:
    """One minus the squared error over that of the rows' own mean: 1 is best, below 0 is worse than that mean.

    None unless there are two different labels.

    Raises:
        LearningError: see `checked_amounts`.
    """
    amounts, scores = checked_amounts(y, score)
    if not len(amounts) or (amounts == amounts[0]).all():
        return None
    return float(1 - np.sum((amounts - scores) ** 2) / np.sum((amounts - amounts.mean()) ** 2))


def floats(name: str, values: npt.ArrayLike) -> Floats:
    """One value a row, as floats.

    Raises:
        LearningError: they are no numbers, or not one-dimensional.
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise LearningError(f"{name} must be numbers: {error}.") from error
    if array.ndim != 1:
        raise LearningError(f"{name} must be one-dimensional, one value a row; it has the shape {array.shape}.")
    return array
