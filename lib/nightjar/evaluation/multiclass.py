"""Metrics of probabilities for three classes and more, and of decisions by what they cost.

`y` holds the number of each row's class, from 0 on, and `score` its probabilities, (rows, classes), which add up to 1.
`weight` says how many rows each one stands for, see `rows`. A class to which no row gives a probability above 0 is one
that the model has not seen, since a `Predictor` gives any other one at least 2.2e-308: its rows count as errors, and
leave without a value what has none for them. For one class against all others, take the measures of `binary` and
`reliability` of `y == number` and `score[:, number]`.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError
from nightjar.evaluation.confusion import check_decisions
from nightjar.evaluation.decisions import row_costs
from nightjar.evaluation.influence import Influence, of_mean
from nightjar.evaluation.reliability import expected_calibration_error, of_calibration_error
from nightjar.evaluation.rows import (
    Floats,
    RowNumbers,
    Undefined,
    Value,
    drop_unweighted,
    floats,
    mean,
    rows_with_weight,
)

_SLACK = 1e-4
"""The most by which the sum of a row's probabilities may differ from 1: as many of 32 bits may."""


def check_class_probabilities(y: npt.ArrayLike, score: npt.ArrayLike) -> tuple[RowNumbers, Floats]:
    """The classes as numbers, and the probabilities as floats.

    Raises:
        LearningError: shapes differ, a class is not one of those with probabilities, or a row's probabilities are not
            numbers from 0 to 1 that add up to 1.
    """
    try:
        probabilities = np.asarray(score, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise LearningError(f"score must be numbers, one for each row and class: {error}.") from error
    if probabilities.ndim != 2 or probabilities.shape[1] < 2:
        shape = f"it has the shape {probabilities.shape}"
        raise LearningError(f"score must be the probabilities of all classes, (rows, classes); {shape}.")
    labels = floats("y", y)
    classes, _ = check_decisions(labels, labels)
    rows, number = probabilities.shape
    if len(classes) != rows:
        raise LearningError(f"y has {len(classes)} rows and score has {rows}: each class needs its probabilities.")
    outside = ~((probabilities >= 0) & (probabilities <= 1)).all(axis=1)
    apart = ~outside & (np.abs(probabilities.sum(axis=1) - 1) > _SLACK)
    for is_strange, what in ((outside, "expected probabilities from 0 to 1"), (apart, "they do not add up to 1")):
        if is_strange.any():
            first = probabilities[is_strange][0].tolist()
            raise LearningError(f"score holds {first} in {np.count_nonzero(is_strange)} of {rows} rows: {what}.")
    greatest = int(classes.max(initial=0))
    if greatest >= number:
        raise LearningError(f"Class {greatest} is not one of {number} classes, which are numbered from 0.")
    return classes, probabilities


def log_loss(y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Value:
    """Mean negative log-likelihood per row, in nats (natural logarithm), clipped as `binary.log_loss`.

    Undefined without rows, and where rows are of a class that the model has not seen: no loss would be great enough.
    Source: Good (1952), Rational decisions, Journal of the Royal Statistical Society B 14(1), 107-114.

    Raises:
        LearningError: see `check_class_probabilities` and `rows.check_weight`.

    Example:
        >>> round(log_loss([0, 1, 2], [[0.5, 0.5, 0], [0.2, 0.6, 0.2], [0, 0.2, 0.8]]), 4)
        0.4757
        >>> log_loss([0, 1, 2], [[0.5, 0.5, 0], [0.2, 0.8, 0], [0.1, 0.9, 0]])
        Undefined(reason='1 of 3 rows is of a class to which the model gives no probability')
    """
    classes, probabilities, weights = drop_unweighted(*check_class_probabilities(y, score), weight)
    unseen = int(is_unseen(classes, probabilities).sum())
    if unseen:
        verb = "is" if unseen == 1 else "are"
        return Undefined(
            f"{unseen:,} of {len(classes):,} rows {verb} of a class to which the model gives no probability"
        )
    return mean(log_losses(classes, probabilities), weights)


def brier(y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Value:
    """Mean over rows of the squared distance between the probabilities and the outcome, summed over classes.

    From 0 (best) to 2; of two classes it is twice `binary.brier`. Undefined without rows.
    Source: Brier (1950), Monthly Weather Review 78(1), 1-3, in its own form.

    Raises:
        LearningError: see `check_class_probabilities` and `rows.check_weight`.

    Example:
        >>> round(brier([0, 2], [[0.5, 0.5, 0], [0, 0.2, 0.8]]), 4)
        0.29
    """
    classes, probabilities, weights = drop_unweighted(*check_class_probabilities(y, score), weight)
    return mean(squared_distances(classes, probabilities), weights)


def top_label_calibration_error(
    y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None, *, bins: int | None = 15
) -> Value:
    """How far the greatest probability of rows is from the share of them that are of that class.

    It is `reliability.expected_calibration_error` of that; of classes of one probability the first one counts.
    Source: Kumar, Liang and Ma (2019), Verified uncertainty calibration, NeurIPS 32.

    Raises:
        LearningError: see `check_class_probabilities` and `rows.check_weight`; also fewer than one bin.

    Example:
        >>> round(top_label_calibration_error([0, 0, 2, 1], 4 * [[0.7, 0.2, 0.1]]), 4)  # half are of class 0
        0.2
    """
    classes, probabilities = check_class_probabilities(y, score)
    return expected_calibration_error(*top_label(classes, probabilities), weight, bins=bins)


def unseen_share(y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Value:
    """The share of rows of classes that the model has not seen; undefined without rows.

    Raises:
        LearningError: see `check_class_probabilities` and `rows.check_weight`.

    Example:
        >>> unseen_share([0, 2], [[0.5, 0.5, 0], [0.1, 0.9, 0]])
        0.5
    """
    classes, probabilities, weights = drop_unweighted(*check_class_probabilities(y, score), weight)
    return mean(is_unseen(classes, probabilities), weights)


def expected_cost(
    y: npt.ArrayLike, decision: npt.ArrayLike, weight: npt.ArrayLike | None = None, *, costs: npt.ArrayLike
) -> Value:
    """Mean cost per row of the decisions; undefined without rows.

    Args:
        y: the class of each row, numbered from 0.
        decision: the class that was decided for.
        weight: how many rows each one stands for, see `rows`.
        costs: `costs[class][decision]`, (classes, classes), 0 or more.

    Raises:
        LearningError: see `decisions.row_costs` and `rows.check_weight`; also a cost below 0.

    Example:
        >>> expected_cost([0, 1, 2, 2], [0, 1, 1, 0], costs=[[0, 1, 1], [1, 0, 1], [5, 2, 0]])
        1.75
    """
    classes, decisions = check_decisions(y, decision)
    rows, weights = rows_with_weight(weight, len(classes))
    return mean(decision_costs(classes, decisions, costs=costs)[rows], weights)


def log_losses(classes: RowNumbers, probabilities: Floats) -> Floats:
    """The log loss of each row, clipped as in `log_loss`."""
    tiny = np.finfo(np.float64).eps
    losses: Floats = -np.log(np.clip(_of_class(classes, probabilities), tiny, 1 - tiny))
    return losses


def squared_distances(classes: RowNumbers, probabilities: Floats) -> Floats:
    """What each row adds to `brier`."""
    own = _of_class(classes, probabilities)
    distances: Floats = (probabilities**2).sum(axis=1) - own**2 + (1 - own) ** 2
    return distances


def is_unseen(classes: RowNumbers, probabilities: Floats) -> Floats:
    """1 for each row of a class to which no row gives a probability above 0, else 0."""
    unseen: Floats = np.where(probabilities.any(axis=0), 0.0, 1.0)
    return unseen[classes]


def top_label(classes: RowNumbers, probabilities: Floats) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Whether each row is of its most probable class, and that class's probability."""
    top = probabilities.argmax(axis=1) if len(probabilities) else classes
    return classes == top, probabilities.max(axis=1, initial=0)


def decision_costs(classes: RowNumbers, decisions: RowNumbers, *, costs: npt.ArrayLike) -> Floats:
    """The cost of each row.

    Raises:
        LearningError: see `decisions.row_costs`; also a cost below 0.
    """
    matrix: Any = np.asarray(costs, dtype=np.float64)
    if (matrix < 0).any():
        raise LearningError(f"costs hold {matrix.min():g}: a cost is 0 or more.")
    return row_costs(classes, decisions, matrix)


def of_losses(label: Floats, score: Floats, weights: Floats) -> Influence:
    """The influence on `log_loss`."""
    return of_mean(log_losses(label.astype(np.intp), score), weights)


def of_brier(label: Floats, score: Floats, weights: Floats) -> Influence:
    """The influence on `brier`."""
    return of_mean(squared_distances(label.astype(np.intp), score), weights)


def of_top_label(label: Floats, score: Floats, weights: Floats, *, bins: int | None = 15) -> Influence:
    """The influence on `top_label_calibration_error`, the bins being what they are."""
    is_right, top = top_label(label.astype(np.intp), score)
    return of_calibration_error(is_right.astype(np.float64), top, weights, bins=bins)


def of_unseen(label: Floats, score: Floats, weights: Floats) -> Influence:
    """The influence on `unseen_share`."""
    return of_mean(is_unseen(label.astype(np.intp), score), weights)


def of_cost(label: Floats, decision: Floats, weights: Floats, *, costs: npt.ArrayLike) -> Influence:
    """The influence on `expected_cost`."""
    return of_mean(decision_costs(label.astype(np.intp), decision.astype(np.intp), costs=costs), weights)


def _of_class(classes: RowNumbers, probabilities: Floats) -> Floats:
    """Each row's probability of its own class."""
    return probabilities[np.arange(len(classes)), classes]
