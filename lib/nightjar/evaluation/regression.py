"""Metrics of predicted amounts. `y` holds the true ones, `score` the predicted.

`weight` says how many rows each one stands for, see `rows`; what has no value is `rows.Undefined`, never NaN.
"""

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError
from nightjar.evaluation.rows import (
    NO_ROWS,
    Floats,
    Undefined,
    Value,
    drop_unweighted,
    floats,
    greatest,
    mean,
)

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


def rmse(y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Value:
    """Root of the mean squared error, in the unit of the label; undefined without rows.

    Raises:
        LearningError: see `check_amounts` and `rows.check_weight`.

    Example:
        >>> round(rmse([1, 2, 3], [1, 2, 5]), 4)
        1.1547
    """
    amounts, scores, weights = drop_unweighted(*check_amounts(y, score), weight)
    unit = greatest(amounts - scores)
    mse = mean(((amounts - scores) / unit) ** 2, weights)
    return mse if isinstance(mse, Undefined) else unit * float(np.sqrt(mse))


def mae(y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Value:
    """Mean absolute error, in the unit of the label; undefined without rows.

    Raises:
        LearningError: see `check_amounts` and `rows.check_weight`.

    Example:
        >>> round(mae([1, 2, 3], [1, 2, 5]), 4)
        0.6667
    """
    amounts, scores, weights = drop_unweighted(*check_amounts(y, score), weight)
    return mean(np.abs(amounts - scores), weights)


def r2(y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Value:
    """One minus the squared error over that of the rows' own mean: 1 is best, below 0 is worse than that mean.

    Undefined unless there are two different labels, and where the errors are too great to be squared in their unit.

    Raises:
        LearningError: see `check_amounts` and `rows.check_weight`.

    Example:
        >>> r2([1, 2, 3], [1, 2, 5])
        -1.0
    """
    amounts, scores, weights = drop_unweighted(*check_amounts(y, score), weight)
    if not len(amounts):
        return NO_ROWS
    if (amounts == amounts[0]).all():
        return Undefined(f"all of the {len(amounts):,} labels are {amounts[0]:g}")
    row_weights = 1.0 if weights is None else weights
    from_mean = amounts - np.average(amounts, weights=weights)
    unit = greatest(from_mean)
    with np.errstate(over="ignore"):
        squared, about_mean = ((amounts - scores) / unit) ** 2, (from_mean / unit) ** 2
        result = float(1 - np.sum(row_weights * squared) / np.sum(row_weights * about_mean))
    return (
        result if np.isfinite(result) else Undefined("the squared errors are more than 1e308 times those of the mean")
    )


def mape(y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Value:
    """Mean absolute percentage error, as a share: the mean of |error| / |label|.

    Undefined without rows and where a label is 0: no error is a share of nothing. It favours low predictions, whose
    errors are at most 1.
    Source: Hyndman and Koehler (2006), Another look at measures of forecast accuracy, International Journal of
    Forecasting 22(4), 679-688; so is `smape`.

    Raises:
        LearningError: see `check_amounts` and `rows.check_weight`.

    Example:
        >>> mape([1, 2, 4], [1, 3, 5])
        0.25
        >>> mape([0, 2], [1, 2])
        Undefined(reason='1 of 2 labels are 0, of which no error is a share')
    """
    amounts, scores, weights = drop_unweighted(*check_amounts(y, score), weight)
    zeros = int(np.count_nonzero(amounts == 0))
    if zeros:
        return Undefined(f"{zeros:,} of {len(amounts):,} labels are 0, of which no error is a share")
    with np.errstate(over="ignore"):
        result = mean(absolute_percentages(amounts, scores), weights)
    is_number = isinstance(result, Undefined) or np.isfinite(result)
    return result if is_number else Undefined("the errors are together more than 1e308 times their labels")


def smape(y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Value:
    """Symmetric mean absolute percentage error, from 0 to 2: the mean of 2 |error| / (|label| + |prediction|).

    A row of which both are 0 has no error. Undefined without rows.
    Source: Makridakis (1993), Accuracy measures: theoretical and practical concerns, International Journal of
    Forecasting 9(4), 527-529.

    Raises:
        LearningError: see `check_amounts` and `rows.check_weight`.

    Example:
        >>> smape([1, 0], [3, 0])
        0.5
    """
    amounts, scores, weights = drop_unweighted(*check_amounts(y, score), weight)
    return mean(symmetric_percentages(amounts, scores), weights)


def pinball(
    y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None, *, quantile: float = 0.5
) -> Value:
    """Mean pinball (quantile) loss, in the unit of the label: least for the quantile; half of `mae` for the median.

    A label above its prediction costs `quantile` for each unit, one below 1 - `quantile`. Undefined without rows.
    Source: Koenker and Bassett (1978), Regression quantiles, Econometrica 46(1), 33-50.

    Raises:
        LearningError: see `check_amounts` and `rows.check_weight`; also a quantile that is not between 0 and 1.

    Example:
        >>> pinball([10, 10], [8, 11], quantile=0.9)
        0.95
    """
    amounts, scores, weights = drop_unweighted(*check_amounts(y, score), weight)
    return mean(pinball_losses(amounts, scores, quantile=quantile), weights)


def absolute_percentages(amounts: Floats, scores: Floats) -> Floats:
    """|error| / |label| of each row, no label being 0."""
    with np.errstate(over="ignore"):
        shares: Floats = np.abs((amounts - scores) / amounts)
    return shares


def symmetric_percentages(amounts: Floats, scores: Floats) -> Floats:
    """2 |error| / (|label| + |prediction|) of each row, 0 where both are 0."""
    whole = np.abs(amounts) + np.abs(scores)
    shares: Floats = 2 * np.abs(amounts - scores) / np.where(whole == 0, 1, whole)
    return shares


def pinball_losses(amounts: Floats, scores: Floats, *, quantile: float = 0.5) -> Floats:
    """The loss of each row.

    Raises:
        LearningError: a quantile that is not between 0 and 1.
    """
    if not 0 < quantile < 1:
        raise LearningError(f"quantile is {quantile}: expected a number between 0 and 1, such as 0.5 for the median.")
    errors = amounts - scores
    losses: Floats = np.where(errors >= 0, quantile, quantile - 1) * errors
    return losses
