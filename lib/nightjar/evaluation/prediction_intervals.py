"""Metrics of predicted intervals: `bounds` holds the lower and the upper end of each row's, (rows, 2).

`y` holds the true amounts. An honest 90% interval holds 90% of them; of honest ones the narrower is better.
`weight` says how many rows each one stands for, see `rows`.
Source: Gneiting and Raftery (2007), Strictly proper scoring rules, prediction, and estimation, Journal of the American
Statistical Association 102(477), 359-378, section 6.2.
"""

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError
from nightjar.evaluation.regression import check_amounts
from nightjar.evaluation.rows import Floats, Value, mean, rows_with_weight


def check_bounds(y: npt.ArrayLike, bounds: npt.ArrayLike) -> tuple[Floats, Floats]:
    """The true amounts, and the bounds as (rows, 2), all of them finite.

    Raises:
        LearningError: see `regression.check_amounts`; also bounds of another shape, or a lower one above the upper one.
    """
    ends = np.asarray(bounds)
    if ends.ndim != 2 or ends.shape[1] != 2:
        raise LearningError(f"bounds have the shape {ends.shape}: expected the lower and the upper end, (rows, 2).")
    amounts, lower = check_amounts(y, ends[:, 0])
    _, upper = check_amounts(y, ends[:, 1])
    crossed = np.flatnonzero(lower > upper)
    if len(crossed):
        raise LearningError(
            f"{len(crossed)} of {len(lower)} intervals have a lower end above the upper one, the first one from "
            f"{lower[crossed[0]]:g} to {upper[crossed[0]]:g}: sort the quantiles of each row."
        )
    return amounts, np.column_stack([lower, upper])


def interval_coverage(y: npt.ArrayLike, bounds: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Value:
    """The share of amounts that lie in their interval, ends included; undefined without rows.

    Raises:
        LearningError: see `check_bounds` and `rows.check_weight`.

    Example:
        >>> interval_coverage([1, 5, 9, 4], [[0, 2], [5, 6], [3, 8], [2, 4]])
        0.75
    """
    amounts, ends = check_bounds(y, bounds)
    rows, weights = rows_with_weight(weight, len(amounts))
    return mean(is_covered(amounts, ends)[rows], weights)


def interval_width(y: npt.ArrayLike, bounds: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Value:
    """The mean width of the intervals, in the unit of the label; undefined without rows.

    Raises:
        LearningError: see `check_bounds` and `rows.check_weight`.

    Example:
        >>> interval_width([1, 5], [[0, 2], [5, 6]])
        1.5
    """
    amounts, ends = check_bounds(y, bounds)
    rows, weights = rows_with_weight(weight, len(amounts))
    return mean(widths(amounts, ends)[rows], weights)


def is_covered(amounts: Floats, bounds: Floats) -> Floats:
    """1 for each amount that lies in its interval, else 0."""
    return ((bounds[:, 0] <= amounts) & (amounts <= bounds[:, 1])).astype(np.float64)


def widths(amounts: Floats, bounds: Floats) -> Floats:  # noqa: ARG001  (the shape of every loss)
    """The width of each interval."""
    width: Floats = bounds[:, 1] - bounds[:, 0]
    return width
