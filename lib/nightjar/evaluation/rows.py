"""The input and the outcome of measures: one number a row, row weights, and why a measure has no value.

A weight is the number of rows that a row stands for.

A row sampled with probability p has the weight 1 / p: it stands for similar rows that were not sampled. Only the
proportions of weights matter. A row of weight 0 is as if it were absent; without weights each row stands for itself.
Source: Horvitz and Thompson (1952), Journal of the American Statistical Association 47(260), 663-685.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError

Floats = npt.NDArray[np.float64]
RowNumbers = npt.NDArray[np.intp]
First = TypeVar("First", bound=np.generic)
Second = TypeVar("Second", bound=np.generic)


@dataclass(frozen=True)
class Undefined:
    """In place of a measure's value where these rows give it none: neither NaN, which spreads, nor a bare None.

    Attributes:
        reason: what the rows lack, as a clause: "none of the 12 rows is positive".
    """

    reason: str


Value = float | Undefined
Measure = Callable[..., Value]
"""A measure of labels and scores, and of weights where there are some."""
NO_ROWS = Undefined("there are no rows")


def number_or_none(value: Value) -> float | None:
    """The value as tables and files store it, where undefined is null."""
    return None if isinstance(value, Undefined) else value


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


def check_weight(weight: npt.ArrayLike | None, rows: int) -> Floats | None:
    """The weights in units of the greatest one, so that their sums and products are finite; None if there are none.

    Raises:
        LearningError: there is not one for each row, one is negative, NaN or infinite, or all are 0.
    """
    if weight is None:
        return None
    weights = floats("weight", weight)
    if len(weights) != rows:
        raise LearningError(f"weight has {len(weights)} rows beside {rows}: each row needs its weight.")
    strange = weights[~(np.isfinite(weights) & (weights >= 0))]
    if len(strange):
        raise LearningError(f"weight holds {strange[0]} in {len(strange)} of {rows} rows: expected 0 or more.")
    if rows and not weights.any():
        raise LearningError(f"All {rows} rows have weight 0: there is nothing to measure.")
    scaled: Floats = weights / weights.max(initial=0)
    return scaled


def rows_with_weight(weight: npt.ArrayLike | None, rows: int) -> tuple[slice | npt.NDArray[np.intp], Floats | None]:
    """The rows with a weight above 0, as an index into any column, and their weights.

    Raises:
        LearningError: see `check_weight`.
    """
    weights = check_weight(weight, rows)
    if weights is None:
        return slice(None), None
    numbers = np.flatnonzero(weights)
    return numbers, weights[numbers]


def drop_unweighted(
    label: npt.NDArray[First], score: npt.NDArray[Second], weight: npt.ArrayLike | None
) -> tuple[npt.NDArray[First], npt.NDArray[Second], Floats | None]:
    """Checked labels and scores of the rows with a weight above 0, and their weights.

    Raises:
        LearningError: see `check_weight`.
    """
    rows, weights = rows_with_weight(weight, len(label))
    return label[rows], score[rows], weights


def mean(values: npt.NDArray[Any], weight: Floats | None) -> Value:
    """The mean over rows, with checked weights; undefined without rows."""
    return float(np.average(values, weights=weight)) if len(values) else NO_ROWS


def greatest(values: Floats) -> float:
    """The greatest absolute value, the unit in which squares are neither infinite nor 0; 1 where all are 0."""
    return float(np.abs(values).max(initial=0)) or 1.0
