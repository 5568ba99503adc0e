"""The figures of a model on judged rows, by task: every metric with its interval, and how two models differ in one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError
from nightjar.evaluation.intervals import Interval, block_bootstrap, mean_block_bootstrap, paired_block_bootstrap
from nightjar.evaluation.metrics import MEASURES
from nightjar.evaluation.ranking import mean_ndcg, weight_of_list
from nightjar.evaluation.regression import checked_amounts
from nightjar.evaluation.rows import Floats
from nightjar.settings.task import Metric, Task

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Truth:
    """What scores are judged on, oldest row first.

    Attributes:
        task: says which metrics there are.
        label: the outcome of each row.
        block: names the block of each row that is resampled as a whole, such as its date.
        query: for a ranking: the number of each row's list. A list belongs to the block of its first row.
        weight: how many rows each one stands for, see `rows`; of a ranking, one for all rows of a list. None: one each.
    """

    task: Task
    label: npt.NDArray[Any]
    block: npt.NDArray[Any]
    query: Rows | None = None
    weight: Floats | None = None


def headline(task: Task) -> Metric:
    """The metric of the task that is told first: ROC AUC, RMSE or NDCG."""
    return next(metric for metric in Metric if metric.task is task)


def intervals(truth: Truth, score: Floats, *, seed: int) -> Mapping[str, Interval]:
    """Every metric of the task by name, each with its 95% interval over resampled blocks.

    Raises:
        LearningError: labels, scores or weights that the metrics refuse, or a ranking without lists.
    """
    if truth.task is Task.RANKING:
        lists, values = ndcg_by_list(truth, score)
        return {Metric.NDCG.value: _mean_over_lists(truth, lists, values, seed)}
    return {
        metric.value: block_bootstrap(truth.label, score, truth.block, measure, weight=truth.weight, seed=seed)
        for metric, measure in MEASURES.items()
        if metric.task is truth.task
    }


def difference(metric: Metric, truth: Truth, a: Floats, b: Floats, *, seed: int) -> Interval:
    """The metric of scores `a` minus that of scores `b`, on the same resamples of the same rows.

    Raises:
        LearningError: as `intervals`.
    """
    if metric is not Metric.NDCG:
        measure, weight = MEASURES[metric], truth.weight
        return paired_block_bootstrap(truth.label, a, b, truth.block, measure, weight=weight, seed=seed)
    lists, of_a = ndcg_by_list(truth, a)
    _, of_b = ndcg_by_list(truth, b)
    return _mean_over_lists(truth, lists, of_a - of_b, seed)


def ndcg_by_list(truth: Truth, score: Floats) -> tuple[Rows, Floats]:
    """The first row of each list that has weight and an order to judge, and its NDCG; scores do not decide which.

    Raises:
        LearningError: as `intervals`.
    """
    query = _lists(truth)
    relevance, scores = checked_amounts(truth.label, score)
    weight = weight_of_list(query, truth.weight)
    order = np.argsort(query, kind="stable")
    starts = np.flatnonzero(np.diff(query[order])) + 1
    judged = {}
    for rows in np.split(order, starts):
        value = mean_ndcg(relevance[rows], scores[rows], query[rows])
        if value is not None and (weight is None or weight[rows[0]] > 0):
            judged[rows[0]] = value
    return np.array(list(judged), np.intp), np.array(list(judged.values()), np.float64)


def _mean_over_lists(truth: Truth, lists: Rows, values: Floats, seed: int) -> Interval:
    weight = weight_of_list(_lists(truth), truth.weight)
    of_lists = None if weight is None else weight[lists]
    return mean_block_bootstrap(values, truth.block[lists], weight=of_lists, seed=seed)


def _lists(truth: Truth) -> Rows:
    if truth.query is None:
        raise LearningError("A ranking is judged within lists: give `query`, the number of each row's list.")
    return truth.query
