"""Measures with their intervals, and the difference between two models in a measure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError
from nightjar.evaluation import averages
from nightjar.evaluation.binary import gini, ks, roc_auc
from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.criteria import Standard, all_criteria, of_metric
from nightjar.evaluation.inference import OF_LISTS, OF_ROWS
from nightjar.evaluation.influence import Influence, of_mean
from nightjar.evaluation.intervals import LEVEL, Interval, Scale, interval
from nightjar.evaluation.ranking import in_lists, weight_of_list, without_order
from nightjar.evaluation.regression import check_amounts
from nightjar.evaluation.rows import (
    NO_ROWS,
    Floats,
    Measure,
    RowNumbers,
    Undefined,
    Value,
    mean,
    rows_with_weight,
)
from nightjar.settings.task import METRICS, Metric, Task


@dataclass(frozen=True, eq=False)
class Truth:
    """The labelled rows on which scores are evaluated, oldest first.

    Attributes:
        task: decides which metrics apply.
        label: the outcome of each row.
        clusters: which rows share an entity or a block of time.
        query: for a ranking: the number of each row's list. A list has the entity and the block of its first row.
        weight: how many rows each one stands for, see `rows`; of a ranking, one for all rows of a list. None: one each.
        standard: what measures ask of the project.
    """

    task: Task
    label: npt.NDArray[Any]
    clusters: Clusters
    query: RowNumbers | None = None
    weight: Floats | None = None
    standard: Standard = field(default_factory=Standard)

    def take(self, rows: RowNumbers) -> "Truth":
        """Some of the rows."""
        query = None if self.query is None else self.query[rows]
        weight = None if self.weight is None else self.weight[rows]
        return replace(self, label=self.label[rows], clusters=self.clusters.take(rows), query=query, weight=weight)


def headline(task: Task) -> Metric:
    """The task's main metric, which is reported first: ROC AUC, RMSE or NDCG."""
    return METRICS[task][0]


def intervals(truth: Truth, score: Floats) -> Mapping[str, Interval]:
    """Every figure of the task by name, the main metric first, each with its 95% interval.

    Raises:
        LearningError: labels, scores or weights that the measures refuse, or a ranking without lists.

    Example:
        >>> machine, night = np.tile(np.arange(4), 6), np.repeat(np.arange(6), 4)
        >>> truth = Truth(Task.REGRESSION, machine + 0.1 * night, Clusters(entity=machine, block=night))
        >>> mae = intervals(truth, machine + 0.5)["mae"]
        >>> round(mae.estimate, 3), round(mae.low, 3), round(mae.high, 3)
        (0.25, 0.114, 0.548)
    """
    result = {}
    for name, criterion in all_criteria(truth.task, truth.standard).items():
        label, own_score = criterion.columns(truth.label, score)
        result[name] = figure(criterion.measure, replace(truth, label=label), own_score, **criterion.parameters)
    return result


def metric_difference(metric: Metric, truth: Truth, a: Floats, b: Floats, confidence: float = LEVEL) -> Interval:
    """A metric of the task for scores `a` minus that for scores `b`, see `difference`.

    Raises:
        LearningError: as `intervals`.
    """
    criterion = of_metric(metric, truth.task, truth.standard)
    (label, of_a), (_, of_b) = (criterion.columns(truth.label, score) for score in (a, b))
    return difference(criterion.measure, replace(truth, label=label), of_a, of_b, confidence, **criterion.parameters)


def figure(
    measure: Measure, truth: Truth, score: npt.ArrayLike, confidence: float = LEVEL, **parameters: Any
) -> Interval:
    """A measure of rows or of lists with its interval, of 95% unless said otherwise; `inference` names them all.

    Args:
        measure: a function such as `confusion.recall`.
        truth: the rows; its labels and weights, and of a measure of lists its lists.
        score: what the measure takes beside labels: scores, decisions or bounds.
        confidence: of the interval.
        parameters: its own, such as `share` of `gains.lift`.

    Raises:
        LearningError: what the measure refuses, or a measure of lists without lists.

    Example:
        >>> from nightjar.evaluation.confusion import recall
        >>> machine, night = np.tile(np.arange(4), 6), np.repeat(np.arange(6), 4)
        >>> failed, score = machine > 1, (machine + night % 2) / 4
        >>> of_failures = figure(recall, Truth(Task.CLASSIFICATION, failed, Clusters(machine, night)), score >= 0.6)
        >>> of_failures.estimate, of_failures.rows
        (0.75, 12)
    """
    estimate, influence, clusters = _estimate(measure, truth, score, parameters)
    most = np.inf if measure in OF_LISTS else OF_ROWS[measure].most(**parameters)
    result = interval(estimate, influence, clusters, _scale(measure), most=most, confidence=confidence)
    if measure in (roc_auc, gini, ks, averages.roc_auc) and result.low is not None:
        rows, _ = rows_with_weight(truth.weight, len(truth.label))
        if not np.ptp(np.asarray(score)[rows], axis=0).any():
            # One score for all rows ranks nothing: 0.5 (Gini, KS: 0) by definition, whichever rows there are.
            return replace(result, low=result.estimate, high=result.estimate)
    return result


def difference(
    measure: Measure,
    truth: Truth,
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    confidence: float = LEVEL,
    **parameters: Any,
) -> Interval:
    """The measure of scores `a` minus that of scores `b`, on the same rows: errors that the two share cancel.

    Args:
        measure: as for `figure`.
        truth: as for `figure`.
        a: the scores of one model, or its decisions or bounds.
        b: those of the other one.
        confidence: of the interval.
        parameters: the measure's own.

    Raises:
        LearningError: as `figure`.

    Example:
        Errors of two models on four machines in three nights: with the whole interval below 0, the first one is better.

        >>> from nightjar.evaluation.regression import mae
        >>> truth = Truth(
        ...     Task.REGRESSION,
        ...     label=np.array([1.0, 2.0, 3.0, 4.0] * 3),
        ...     clusters=Clusters(entity=np.tile(np.arange(4), 3), block=np.repeat(np.arange(3), 4)),
        ... )
        >>> near, far = truth.label + 0.5, truth.label + np.tile([1.0, 1.1, 0.9, 1.2], 3)
        >>> gap = difference(mae, truth, near, far)
        >>> round(gap.estimate, 2), round(gap.low, 2), round(gap.high, 2)
        (-0.55, -0.76, -0.34)
    """
    of_a, influence_a, clusters = _estimate(measure, truth, a, parameters)
    of_b, influence_b, _ = _estimate(measure, truth, b, parameters)
    if isinstance(of_a, Undefined) or isinstance(of_b, Undefined):
        undefined = of_a if isinstance(of_a, Undefined) else of_b
        return interval(undefined, influence_a, clusters, Scale.PLAIN)
    is_share = _scale(measure) is Scale.LOGIT
    return interval(
        of_a - of_b,
        influence_a.minus(influence_b),
        clusters,
        Scale.SIGNED_SHARE if is_share else Scale.PLAIN,
        size=max(abs(of_a), abs(of_b)),
        confidence=confidence,
    )


def mean_interval(
    values: npt.ArrayLike, clusters: Clusters, weight: npt.ArrayLike | None = None, scale: Scale | None = None
) -> Interval:
    """The mean of one amount a row, such as a cost, with its 95% interval.

    It is symmetric on the `scale`; None: amounts of 0 or more keep it there.

    Raises:
        LearningError: values or weights that the metrics refuse.
    """
    estimate, influence, clusters = _mean(values, clusters, weight)
    by_values = Scale.LOG if np.min(values, initial=0) >= 0 else Scale.PLAIN
    return interval(estimate, influence, clusters, by_values if scale is None else scale)


def values_by_list(
    measure: Measure, truth: Truth, score: npt.ArrayLike, **parameters: Any
) -> tuple[RowNumbers, Floats]:
    """The first row of each list that has weight and an order to judge, and the value there of a measure of lists.

    Raises:
        LearningError: as `figure`.
    """
    query = _lists(truth)
    relevance, scores = check_amounts(truth.label, score)
    weight = weight_of_list(query, truth.weight)
    lists = in_lists(relevance, scores, query)
    chosen = lists.has_order if weight is None else lists.has_order & (weight[lists.first] > 0)
    return lists.first[chosen], OF_LISTS[measure](lists, **parameters)[chosen]


def _estimate(
    measure: Measure, truth: Truth, score: npt.ArrayLike, parameters: Mapping[str, Any]
) -> tuple[Value, Influence, Clusters]:
    """The measure, the influence of each row or list that has weight, and their clusters."""
    if measure in OF_LISTS:
        lists, values = values_by_list(measure, truth, score, **parameters)
        weight = weight_of_list(_lists(truth), truth.weight)
        estimate, influence, clusters = _mean(
            values, truth.clusters.take(lists), None if weight is None else weight[lists]
        )
        lacking = without_order(len(np.unique(_lists(truth)))) if len(truth.label) else NO_ROWS
        return estimate if len(lists) else lacking, influence, clusters
    value = measure(truth.label, score, truth.weight, **parameters)
    rows, weights = rows_with_weight(truth.weight, len(truth.label))
    labels, scores = (np.asarray(column, np.float64)[rows] for column in (truth.label, score))
    clusters = truth.clusters if isinstance(rows, slice) else truth.clusters.take(rows)
    if isinstance(value, Undefined):
        return value, Influence(np.zeros(len(labels)), ()), clusters
    ones = np.ones(len(labels))
    influence = OF_ROWS[measure].influence(labels, scores, ones if weights is None else weights, **parameters)
    return value, influence, clusters


def _mean(values: npt.ArrayLike, clusters: Clusters, weight: npt.ArrayLike | None) -> tuple[Value, Influence, Clusters]:
    numbers, _ = check_amounts(values, values)
    rows, weights = rows_with_weight(weight, len(numbers))
    numbers = numbers[rows]
    influence = of_mean(numbers, weights) if len(numbers) else Influence(numbers, ())
    return mean(numbers, weights), influence, clusters if isinstance(rows, slice) else clusters.take(rows)


def _scale(measure: Measure) -> Scale:
    return Scale.LOGIT if measure in OF_LISTS else OF_ROWS[measure].scale


def _lists(truth: Truth) -> RowNumbers:
    if truth.query is None:
        raise LearningError("A ranking is judged within lists: give `query`, the number of each row's list.")
    return truth.query
