"""The metrics of a model by task, each with its interval, and the difference between two models in a metric."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError
from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.influence import Influence, of_mean, of_metric
from nightjar.evaluation.intervals import Interval, Scale, interval
from nightjar.evaluation.metrics import MEASURES
from nightjar.evaluation.ranking import mean_ndcg, weight_of_list
from nightjar.evaluation.regression import check_amounts
from nightjar.evaluation.rows import Floats, RowNumbers, mean, rows_with_weight
from nightjar.settings.task import Metric, Task

SCALES = {
    Metric.ROC_AUC: Scale.LOGIT,
    Metric.AVERAGE_PRECISION: Scale.LOGIT,
    Metric.BRIER: Scale.LOGIT,
    Metric.NDCG: Scale.LOGIT,
    Metric.LOG_LOSS: Scale.LOG,
    Metric.RMSE: Scale.LOG,
    Metric.MAE: Scale.LOG,
    Metric.R2: Scale.PLAIN,
}
"""Metrics that lie in [0, 1], those that are 0 or more, and R², which is 1 or less."""


@dataclass(frozen=True, eq=False)
class Truth:
    """The labelled rows on which scores are evaluated, oldest first.

    Attributes:
        task: decides which metrics apply.
        label: the outcome of each row.
        clusters: which rows share an entity or a block of time.
        query: for a ranking: the number of each row's list. A list has the entity and the block of its first row.
        weight: how many rows each one stands for, see `rows`; of a ranking, one for all rows of a list. None: one each.
    """

    task: Task
    label: npt.NDArray[Any]
    clusters: Clusters
    query: RowNumbers | None = None
    weight: Floats | None = None


def headline(task: Task) -> Metric:
    """The task's main metric, which is reported first: ROC AUC, RMSE or NDCG."""
    return next(metric for metric in Metric if metric.task is task)


def intervals(truth: Truth, score: Floats) -> Mapping[str, Interval]:
    """Every metric of the task by name, each with its 95% interval.

    Raises:
        LearningError: labels, scores or weights that the metrics refuse, or a ranking without lists.

    Example:
        >>> machine, night = np.tile(np.arange(4), 6), np.repeat(np.arange(6), 4)
        >>> truth = Truth(Task.REGRESSION, machine + 0.1 * night, Clusters(entity=machine, block=night))
        >>> mae = intervals(truth, machine + 0.5)["mae"]
        >>> round(mae.estimate, 3), round(mae.low, 3), round(mae.high, 3)
        (0.25, 0.114, 0.548)
    """
    result = {}
    for metric in (metric for metric in Metric if metric.task is truth.task):
        estimate, influence, clusters = _estimate(metric, truth, score)
        result[metric.value] = interval(estimate, influence, clusters, SCALES[metric])
        if metric is Metric.ROC_AUC and result[metric.value].low is not None and np.ptp(score) == 0:
            # One score for all rows ranks nothing: 0.5 by definition, whichever rows there are.
            result[metric.value] = Interval(estimate, estimate, estimate)
    return result


def difference(metric: Metric, truth: Truth, a: Floats, b: Floats) -> Interval:
    """The metric of scores `a` minus that of scores `b`, on the same rows: errors that the two share cancel.

    Raises:
        LearningError: as `intervals`.

    Example:
        Errors of two models on four machines in three nights: with the whole interval below 0, the first one is better.

        >>> truth = Truth(
        ...     Task.REGRESSION,
        ...     label=np.array([1.0, 2.0, 3.0, 4.0] * 3),
        ...     clusters=Clusters(entity=np.tile(np.arange(4), 3), block=np.repeat(np.arange(3), 4)),
        ... )
        >>> near, far = truth.label + 0.5, truth.label + np.tile([1.0, 1.1, 0.9, 1.2], 3)
        >>> gap = difference(Metric.MAE, truth, near, far)
        >>> round(gap.estimate, 2), round(gap.low, 2), round(gap.high, 2)
        (-0.55, -0.76, -0.34)
    """
    metric_a, influence_a, clusters = _estimate(metric, truth, a)
    metric_b, influence_b, _ = _estimate(metric, truth, b)
    if metric_a is None or metric_b is None:
        return Interval(None, None, None)
    scale = Scale.SIGNED_SHARE if SCALES[metric] is Scale.LOGIT else Scale.PLAIN
    size = max(abs(metric_a), abs(metric_b))
    return interval(metric_a - metric_b, influence_a.minus(influence_b), clusters, scale, size=size)


def mean_interval(values: npt.ArrayLike, clusters: Clusters, weight: npt.ArrayLike | None = None) -> Interval:
    """The mean of one amount of 0 or more a row, such as a cost, with its 95% interval.

    Raises:
        LearningError: values or weights that the metrics refuse.
    """
    return interval(*_mean(values, clusters, weight), Scale.LOG)


def ndcg_by_list(truth: Truth, score: Floats) -> tuple[RowNumbers, Floats]:
    """The first row and the NDCG of each list that has weight and rows of different relevance, whatever the scores.

    Raises:
        LearningError: as `intervals`.
    """
    query = _lists(truth)
    relevance, scores = check_amounts(truth.label, score)
    weight = weight_of_list(query, truth.weight)
    order = np.argsort(query, kind="stable")
    starts = np.flatnonzero(np.diff(query[order])) + 1
    ndcg_of_row = {}
    for rows in np.split(order, starts):
        value = mean_ndcg(relevance[rows], scores[rows], query[rows])
        if value is not None and (weight is None or weight[rows[0]] > 0):
            ndcg_of_row[rows[0]] = value
    return np.array(list(ndcg_of_row), np.intp), np.array(list(ndcg_of_row.values()), np.float64)


def _estimate(metric: Metric, truth: Truth, score: Floats) -> tuple[float | None, Influence, Clusters]:
    """The metric, the influence of each row (of a ranking: of each list) that has weight, and their clusters."""
    if metric is Metric.NDCG:
        lists, values = ndcg_by_list(truth, score)
        weight = weight_of_list(_lists(truth), truth.weight)
        return _mean(values, truth.clusters.take(lists), None if weight is None else weight[lists])
    labels, scores = check_amounts(truth.label, score)
    estimate = MEASURES[metric](labels, scores, truth.weight)
    rows, weights = rows_with_weight(truth.weight, len(labels))
    labels, scores, clusters = (
        labels[rows],
        scores[rows],
        truth.clusters if isinstance(rows, slice) else truth.clusters.take(rows),
    )
    influence = Influence(np.zeros(len(labels)), ())
    if estimate is not None:
        influence = of_metric(metric, labels, scores, weights)
    return estimate, influence, clusters


def _mean(
    values: npt.ArrayLike, clusters: Clusters, weight: npt.ArrayLike | None
) -> tuple[float | None, Influence, Clusters]:
    numbers, _ = check_amounts(values, values)
    rows, weights = rows_with_weight(weight, len(numbers))
    numbers = numbers[rows]
    influence = of_mean(numbers, weights) if len(numbers) else Influence(numbers, ())
    return mean(numbers, weights), influence, clusters if isinstance(rows, slice) else clusters.take(rows)


def _lists(truth: Truth) -> RowNumbers:
    if truth.query is None:
        raise LearningError("A ranking is judged within lists: give `query`, the number of each row's list.")
    return truth.query
