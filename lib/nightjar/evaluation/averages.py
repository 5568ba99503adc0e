"""Measures of one class against all others, averaged over the classes that have rows.

`y` holds the number of each row's class, from 0 on; `score` the probabilities, (rows, classes), or `decision` the class
that was decided for. `weight` says how many rows each one stands for, see `rows`. `Average.MACRO` takes each class for
one, however rare it is, `Average.WEIGHTED` by its share of the rows. A class without rows says nothing and is left out.
The micro averages of precision, recall and F are all `confusion.accuracy`: each row has one class and one decision.

Sources: Provost and Domingos (2000), Well-trained PETs, CeDER working paper IS-00-04, for the weighted area; Hand and
Till (2001), Machine Learning 45(2), 171-186, for what one-vs-rest areas leave out: they move with the classes' shares.
"""

from collections.abc import Callable
from enum import Enum
from functools import partial

import numpy as np
import numpy.typing as npt

from nightjar.evaluation import binary, confusion, influence
from nightjar.evaluation.confusion import check_decisions
from nightjar.evaluation.influence import Influence, of_ratio
from nightjar.evaluation.multiclass import check_class_probabilities
from nightjar.evaluation.rows import NO_ROWS, Floats, RowNumbers, Undefined, Value, drop_unweighted

Terms = Callable[..., tuple[Floats, Floats]]
OfClass = Callable[[int], float]
InfluenceOfClass = Callable[[int], Influence]


class Average(Enum):
    """How much each class counts: one as much as another, or by its rows."""

    MACRO = "macro"
    WEIGHTED = "weighted"


def roc_auc(
    y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None, *, average: Average = Average.MACRO
) -> Value:
    """The average of `binary.roc_auc` of each class against all others; undefined unless two classes have rows.

    Raises:
        LearningError: see `multiclass.check_class_probabilities` and `rows.check_weight`.

    Example:
        >>> round(roc_auc([0, 1, 2], [[0.6, 0.3, 0.1], [0.2, 0.3, 0.5], [0.1, 0.2, 0.7]]), 4)
        0.9167
    """
    return _of_scores(binary.roc_auc, y, score, weight, average)


def average_precision(
    y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None, *, average: Average = Average.MACRO
) -> Value:
    """The average of `binary.average_precision` of each class; undefined unless two classes have rows.

    Raises:
        LearningError: see `multiclass.check_class_probabilities` and `rows.check_weight`.

    Example:
        >>> round(average_precision([0, 1, 1], [[0.6, 0.3, 0.1], [0.2, 0.3, 0.5], [0.1, 0.2, 0.7]]), 4)
        0.7917
    """
    return _of_scores(binary.average_precision, y, score, weight, average)


def precision(
    y: npt.ArrayLike, decision: npt.ArrayLike, weight: npt.ArrayLike | None = None, *, average: Average = Average.MACRO
) -> Value:
    """The average of `confusion.precision`; that of a class that was never decided for counts as 0.

    Undefined unless two classes have rows; so are `recall` and `f_beta`.

    Raises:
        LearningError: see `confusion.check_decisions` and `rows.check_weight`.

    Example:
        >>> precision([0, 1, 2, 2], [0, 0, 2, 2])
        0.5
    """
    return _of_decisions(confusion.precision_terms, y, decision, weight, average)


def recall(
    y: npt.ArrayLike, decision: npt.ArrayLike, weight: npt.ArrayLike | None = None, *, average: Average = Average.MACRO
) -> Value:
    """The average of `confusion.recall`: macro, it is the balanced accuracy; weighted, the accuracy.

    Raises:
        LearningError: see `confusion.check_decisions` and `rows.check_weight`.

    Example:
        >>> recall([0, 1, 2, 2], [0, 0, 2, 2], average=Average.WEIGHTED)
        0.75
    """
    return _of_decisions(confusion.recall_terms, y, decision, weight, average)


def f_beta(
    y: npt.ArrayLike,
    decision: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    *,
    beta: float = 1.0,
    average: Average = Average.MACRO,
) -> Value:
    """The average of `confusion.f_beta` of each class, not the F of averaged precision and recall.

    Source: Opitz and Burst (2019), Macro F1 and macro F1, arXiv 1911.03347, on why the one is not the other.

    Raises:
        LearningError: see `confusion.check_decisions` and `rows.check_weight`; also a `beta` that is not above 0.

    Example:
        >>> round(f_beta([0, 1, 2, 2], [0, 0, 2, 2]), 4)
        0.5556
    """
    confusion.check_beta(beta)
    return _of_decisions(partial(confusion.f_beta_terms, beta=beta), y, decision, weight, average)


def of_roc_auc(label: Floats, score: Floats, weights: Floats, *, average: Average = Average.MACRO) -> Influence:
    """The influence on `roc_auc`."""
    return _influence_of_scores(binary.roc_auc, influence.of_roc_auc, label, score, weights, average)


def of_average_precision(
    label: Floats, score: Floats, weights: Floats, *, average: Average = Average.MACRO
) -> Influence:
    """The influence on `average_precision`."""
    return _influence_of_scores(
        binary.average_precision, influence.of_average_precision, label, score, weights, average
    )


def of_terms(terms: Terms) -> Callable[..., Influence]:
    """The influence on an average of ratios of such terms."""

    def influence_of(
        label: Floats, decision: Floats, weights: Floats, *, average: Average = Average.MACRO, beta: float | None = None
    ) -> Influence:
        own = terms if beta is None else partial(terms, beta=beta)

        def of_class(number: int) -> Influence:
            numerator, denominator = own(label, decision, positive=number)
            if not weights @ denominator:
                return Influence(np.zeros(len(label)), ())
            return of_ratio(numerator, denominator, weights)

        value = partial(_ratio, own, label, decision, weights)
        return _averaged(value, of_class, label, weights, average)

    return influence_of


def _of_scores(
    measure: Callable[..., Value],
    y: npt.ArrayLike,
    score: npt.ArrayLike,
    weight: npt.ArrayLike | None,
    average: Average,
) -> Value:
    classes, probabilities, weights = drop_unweighted(*check_class_probabilities(y, score), weight)

    def of_class(number: int) -> float:
        return _number(measure(classes == number, probabilities[:, number], weights))

    return _average(of_class, classes, np.ones(len(classes)) if weights is None else weights, average)


def _of_decisions(
    terms: Terms, y: npt.ArrayLike, decision: npt.ArrayLike, weight: npt.ArrayLike | None, average: Average
) -> Value:
    classes, decisions, weights = drop_unweighted(*check_decisions(y, decision), weight)
    weights = np.ones(len(classes)) if weights is None else weights
    return _average(partial(_ratio, terms, classes, decisions, weights), classes, weights, average)


def _influence_of_scores(
    measure: Callable[..., Value],
    influence_of: Callable[..., Influence],
    label: Floats,
    score: Floats,
    weights: Floats,
    average: Average,
) -> Influence:
    def value(number: int) -> float:
        return _number(measure(label == number, score[:, number], weights))

    def of_class(number: int) -> Influence:
        return influence_of((label == number).astype(np.float64), score[:, number], weights)

    return _averaged(value, of_class, label, weights, average)


def _average(of_class: OfClass, classes: RowNumbers, weights: Floats, average: Average) -> Value:
    present = np.unique(classes)
    if len(present) < 2:
        return Undefined(f"all of the {len(classes):,} rows are of class {present[0]}") if len(present) else NO_ROWS
    return float(np.average([of_class(one) for one in present], weights=_shares(classes, weights, average)))


def _averaged(
    value: OfClass, of_class: InfluenceOfClass, label: Floats, weights: Floats, average: Average
) -> Influence:
    """The influence on an average: that on each class's value, and of the rows on the shares that they count by."""
    shares = _shares(label, weights, average)
    classes = np.unique(label)
    values, degree = np.zeros(len(label)), 1
    for number, share in zip(classes, shares, strict=True):
        own = of_class(int(number))
        values += share * own.values
        degree = max(degree, own.degree)
    if average is Average.WEIGHTED:
        of_classes = np.array([value(int(one)) for one in classes])
        values += weights / weights.sum() * (of_classes[np.searchsorted(classes, label)] - shares @ of_classes)
    return Influence(values, tuple(weights * (label == number) for number in classes), degree)


def _shares(classes: RowNumbers | Floats, weights: Floats, average: Average) -> Floats:
    """How much each class with rows counts, in their order; together 1."""
    _, numbers = np.unique(classes, return_inverse=True)
    sums = np.asarray(np.bincount(numbers, weights), np.float64)
    return sums / sums.sum() if average is Average.WEIGHTED else np.full(len(sums), 1 / len(sums))


def _ratio(
    terms: Terms, classes: RowNumbers | Floats, decisions: RowNumbers | Floats, weights: Floats, number: int
) -> float:
    numerator, denominator = terms(classes, decisions, positive=number)
    whole = weights @ denominator
    return float(weights @ numerator / whole) if whole else 0.0


def _number(value: Value) -> float:
    if isinstance(value, Undefined):  # both the class and others have rows
        raise TypeError(value.reason)
    return value
