"""Metrics of decisions: how often the decision for a class is right, and how often the class is found.

`y` holds each row's class and `decision` the class that was decided for, numbered from 0 (bool, or 0 and 1, for two
classes); of two classes that is `score >= threshold`. `weight` says how many rows each one stands for, see `rows`.
"""

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError
from nightjar.evaluation.rows import (
    NO_ROWS,
    Floats,
    RowNumbers,
    Undefined,
    Value,
    drop_unweighted,
    floats,
)


def check_decisions(y: npt.ArrayLike, decision: npt.ArrayLike) -> tuple[RowNumbers, RowNumbers]:
    """The classes and the decisions as numbers of classes.

    Raises:
        LearningError: shapes differ, or a value is no whole number from 0 on.
    """
    classes, decisions = floats("y", y), floats("decision", decision)
    if classes.shape != decisions.shape:
        raise LearningError(f"y has {len(classes)} rows and decision has {len(decisions)}: each class needs its own.")
    for name, values in (("y", classes), ("decision", decisions)):
        strange = values[~((values >= 0) & (values == np.round(values)) & np.isfinite(values))]
        if len(strange):
            raise LearningError(
                f"{name} holds {strange[0]} in {len(strange)} of {len(values)} rows: expected the numbers of classes, "
                "from 0 on; compare scores with a threshold first (score >= threshold)."
            )
    return classes.astype(np.intp), decisions.astype(np.intp)


def confusion(
    y: npt.ArrayLike, decision: npt.ArrayLike, weight: npt.ArrayLike | None = None, *, classes: int = 2
) -> Floats:
    """The share of rows of each class (first axis) that each class was decided for (second axis); all 0 without rows.

    Raises:
        LearningError: see `check_decisions` and `rows.check_weight`; also a class beyond the number of classes.

    Example:
        Two of three positive rows are found, and the negative one is not mistaken.

        >>> confusion([True, True, True, False], [True, True, False, False])
        array([[0.25, 0.  ],
               [0.25, 0.5 ]])
    """
    truth, decided, weights = _weighted(y, decision, weight)
    greatest = int(max(truth.max(initial=0), decided.max(initial=0)))
    if greatest >= classes:
        raise LearningError(f"Class {greatest} is not one of {classes} classes, which are numbered from 0.")
    counts = np.bincount(classes * truth + decided, weights, classes**2).reshape(classes, classes)
    shares: Floats = counts / (counts.sum() or 1.0)
    return shares


def accuracy(y: npt.ArrayLike, decision: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Value:
    """The share of rows whose class was decided for; undefined without rows.

    Raises:
        LearningError: see `check_decisions` and `rows.check_weight`.

    Example:
        >>> accuracy([True, True, True, False], [True, True, False, False])
        0.75
    """
    truth, decided, weights = _weighted(y, decision, weight)
    return _ratio(*accuracy_terms(truth, decided), weights, "row")


def balanced_accuracy(y: npt.ArrayLike, decision: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Value:
    """The mean recall of the classes that have rows: chance is 1 / classes, however rare one is.

    Undefined with fewer than two such classes, where nothing can be mistaken for the other.
    Source: Brodersen, Ong, Stephan and Buhmann (2010), The balanced accuracy and its posterior distribution, ICPR.

    Raises:
        LearningError: see `check_decisions` and `rows.check_weight`.

    Example:
        >>> round(balanced_accuracy([True, True, True, False], [True, True, False, False]), 4)
        0.8333
    """
    truth, decided, weights = _weighted(y, decision, weight)
    of_class = np.bincount(truth, weights)
    present = np.flatnonzero(of_class)
    if len(present) < 2:
        return Undefined(f"all of the {len(truth):,} rows are of class {present[0]}") if len(present) else NO_ROWS
    return float(np.mean(np.bincount(truth, weights * (truth == decided))[present] / of_class[present]))


def precision(
    y: npt.ArrayLike, decision: npt.ArrayLike, weight: npt.ArrayLike | None = None, *, positive: int = 1
) -> Value:
    """Of the rows decided for the class `positive`, the share that is of it; undefined without such a decision.

    Source: van Rijsbergen (1979), Information retrieval, 2nd ed., chapter 7; so are `recall` and `f_beta`.

    Raises:
        LearningError: see `check_decisions` and `rows.check_weight`.

    Example:
        >>> precision([True, True, False, False], [True, False, True, True]) == 1 / 3
        True
    """
    truth, decided, weights = _weighted(y, decision, weight)
    return _ratio(*precision_terms(truth, decided, positive=positive), weights, f"decision for class {positive}")


def recall(
    y: npt.ArrayLike, decision: npt.ArrayLike, weight: npt.ArrayLike | None = None, *, positive: int = 1
) -> Value:
    """Of the rows of the class `positive`, the share that was decided for it; undefined without such a row.

    Raises:
        LearningError: see `check_decisions` and `rows.check_weight`.

    Example:
        >>> recall([True, True, False, False], [True, False, True, True])
        0.5
    """
    truth, decided, weights = _weighted(y, decision, weight)
    return _ratio(*recall_terms(truth, decided, positive=positive), weights, f"row of class {positive}")


def f_beta(
    y: npt.ArrayLike,
    decision: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    *,
    beta: float = 1.0,
    positive: int = 1,
) -> Value:
    """The weighted harmonic mean of precision and recall, where recall counts `beta` times as much as precision.

    It is (1 + beta²) TP / ((1 + beta²) TP + beta² FN + FP), 0 where only one of the two is undefined; undefined without
    a row of the class and a decision for it.

    Raises:
        LearningError: see `check_decisions` and `rows.check_weight`; also a `beta` that is not above 0.

    Example:
        >>> f_beta([True, True, False, False], [True, False, True, True])
        0.4
    """
    check_beta(beta)
    truth, decided, weights = _weighted(y, decision, weight)
    terms = f_beta_terms(truth, decided, beta=beta, positive=positive)
    return _ratio(*terms, weights, f"row of class {positive} or decision for it")


def check_beta(beta: float) -> None:
    """Raise LearningError unless it is a number above 0."""
    if not 0 < beta < np.inf:
        raise LearningError(
            f"beta is {beta}: expected a number above 0, 1 for as much weight on recall as on precision."
        )


def accuracy_terms(y: RowNumbers, decision: RowNumbers) -> tuple[Floats, Floats]:
    """What each row adds to the numerator and to the denominator of the measure, as in the following functions."""
    return (y == decision).astype(np.float64), np.ones(len(y))


def precision_terms(y: RowNumbers, decision: RowNumbers, *, positive: int = 1) -> tuple[Floats, Floats]:
    decided = (decision == positive).astype(np.float64)
    return decided * (y == positive), decided


def recall_terms(y: RowNumbers, decision: RowNumbers, *, positive: int = 1) -> tuple[Floats, Floats]:
    return precision_terms(decision, y, positive=positive)


def f_beta_terms(y: RowNumbers, decision: RowNumbers, *, beta: float = 1.0, positive: int = 1) -> tuple[Floats, Floats]:
    of_class, decided = y == positive, decision == positive
    numerator = (1 + beta**2) * (of_class & decided)
    return numerator, numerator + beta**2 * (of_class & ~decided) + (~of_class & decided)


def _weighted(
    y: npt.ArrayLike, decision: npt.ArrayLike, weight: npt.ArrayLike | None
) -> tuple[RowNumbers, RowNumbers, Floats]:
    truth, decided, weights = drop_unweighted(*check_decisions(y, decision), weight)
    return truth, decided, np.ones(len(truth)) if weights is None else weights


def _ratio(numerator: Floats, denominator: Floats, weights: Floats, lacking: str) -> Value:
    if not len(weights):
        return NO_ROWS
    whole = weights @ denominator
    return float(weights @ numerator / whole) if whole else Undefined(f"the {len(weights):,} rows have no {lacking}")
