"""Every metric of a task with its interval, and the difference of two models, over entities and blocks."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightjar.errors import LearningError
from nightjar.evaluation.binary import gini, ks, roc_auc
from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.criteria import Standard
from nightjar.evaluation.intervals import Interval
from nightjar.evaluation.metric_report import Truth, difference, figure, headline, intervals, values_by_list
from nightjar.evaluation.metrics import measures
from nightjar.evaluation.ranking import mean_ndcg
from nightjar.evaluation.regression import mae
from nightjar.evaluation.rows import Undefined, number_or_none
from nightjar.settings.task import METRICS, Task

CLUSTERS = Clusters(np.arange(8), np.repeat(np.arange(4), 2))
SECOND = 1 / np.log2(3)
"""The NDCG of a list whose only relevant row comes second."""


@pytest.mark.parametrize(
    ("task", "label", "names"),
    [
        (Task.CLASSIFICATION, [1, 0, 1, 0, 1, 0, 1, 0], {"gini", "ks", "calibration_slope", "lift_of_tenth"}),
        (Task.MULTICLASS, [1, 0, 2, 0, 1, 2, 1, 0], {"accuracy", "unseen_share", "recall[a]", "roc_auc[c]"}),
        (Task.REGRESSION, [1.5, 1.0, -2.0, 7.0, 1.0, 0.5, 2.0, 1.0], {"smape", "pinball"}),
        (Task.RANKING, [1.0, 0.0, 2.0, 0.0, 1.0, 0.0, 1.0, 0.0], {"recall_at_k"}),
    ],
)
def test_a_task_has_an_interval_for_each_of_its_figures_the_main_metric_first(task, label, names):
    standard = Standard(("a", "b", "c"), ((0, 1, 2), (1, 0, 1), (3, 1, 0)), places=1, quantile=0.8)
    truth = Truth(task, np.array(label), CLUSTERS, np.array([0, 0, 1, 1, 2, 2, 3, 3]), standard=standard)
    score = np.array([0.9, 0.2, 0.4, 0.6, 0.7, 0.1, 0.3, 0.4])
    shown = np.column_stack([1 - score, 0.6 * score, 0.4 * score]) if task is Task.MULTICLASS else score
    result = intervals(truth, shown)
    metrics = [metric.value for metric in METRICS[task]]
    assert names | set(metrics) <= set(result)
    assert list(result)[: len(metrics)] == metrics
    assert headline(task).value == metrics[0]
    assert all(result[name].estimate is not None or result[name].reason for name in result)
    values = measures(task, truth.label, shown, truth.query, standard=standard, every=True)
    assert {name: one.estimate for name, one in result.items()} == {
        name: number_or_none(values[name]) for name in result
    }


def test_one_score_for_all_rows_has_an_area_of_a_half_whichever_rows_there_are():
    truth = Truth(Task.CLASSIFICATION, np.array([1, 0, 1, 0, 0, 0, 1, 0]), CLUSTERS)
    result = intervals(truth, np.full(8, 0.3))
    assert result["roc_auc"] == Interval(0.5, 0.5, 0.5, 8)
    assert figure(gini, truth, np.full(8, 0.3)) == figure(ks, truth, np.full(8, 0.3)) == Interval(0, 0, 0, 8)
    weighted = replace(truth, weight=np.array([1.0] * 7 + [0]))
    assert figure(roc_auc, weighted, np.array([0.3] * 7 + [0.9])) == Interval(0.5, 0.5, 0.5, 7)
    assert result["average_precision"].low < 3 / 8 < result["average_precision"].high


def test_a_slice_of_one_row_has_a_figure_without_bounds_and_says_why():
    one = Truth(Task.CLASSIFICATION, np.array([1]), Clusters(np.zeros(1, int), np.zeros(1, int)))
    brier = intervals(one, np.array([0.4]))["brier"]
    reason = "there are too few entities (1) and blocks of time (1): bounds need 3 of either"
    assert (brier.estimate, brier.low, brier.rows, brier.reason) == (pytest.approx(0.36), None, 1, reason)


def test_lists_and_not_rows_are_what_a_ranking_is_judged_by():
    """Day 0 has a right list, days 1 and 2 wrong ones; a list of one row and one without relevance do not count."""
    day = np.array([0, 0, 1, 2, 1, 2, 1, 1, 1])
    query = np.array([5, 5, 1, 2, 1, 2, 7, 8, 8])
    label = np.array([1.0, 0.0, 3.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0])
    score = np.array([0.9, 0.1, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
    truth = Truth(Task.RANKING, label, Clusters(np.arange(9), day), query)

    lists, values = values_by_list(mean_ndcg, truth, score)

    assert dict(zip(lists.tolist(), values.tolist(), strict=True)) == pytest.approx({0: 1.0, 2: SECOND, 3: SECOND})
    ndcg = intervals(truth, score)["ndcg"]
    assert ndcg.estimate == pytest.approx((1 + 2 * SECOND) / 3)
    assert 0 < ndcg.low < ndcg.estimate < ndcg.high < 1
    apart = difference(mean_ndcg, truth, -score, score)
    assert apart.estimate == pytest.approx((SECOND + 2 - 1 - 2 * SECOND) / 3)
    assert apart.high - apart.estimate == pytest.approx(4.302653 * 2 / 3 * (1 - SECOND))  # t of 3 lists


ROW = st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 4), st.integers(0, 4))


@given(st.lists(ROW, min_size=1, max_size=25))
def test_the_estimate_is_the_mean_over_all_lists(rows):
    day, query, label, score = (np.array(column) for column in zip(*rows, strict=True))
    truth = Truth(Task.RANKING, label.astype(float), Clusters(np.arange(len(rows)), day), query)
    result = intervals(truth, score.astype(float))["ndcg"].estimate
    expected = mean_ndcg(label.astype(float), score.astype(float), query)
    assert result == (None if isinstance(expected, Undefined) else pytest.approx(expected))


def test_a_difference_of_losses_is_of_the_same_rows():
    """The second model errs by 1 or 2 more on each row, however far off both are."""
    truth = Truth(Task.REGRESSION, np.zeros(6), Clusters(np.arange(6), np.repeat(np.arange(3), 2)))
    result = difference(mae, truth, np.array([1.0, 1, 5, 5, 9, 9]), np.array([2.0, -3, 6, -7, 10, -11]))
    assert result.estimate == -1.5
    assert result.high - result.estimate == pytest.approx(2.570582 * np.sqrt(0.25 / 5))  # t of 6 rows


def test_a_ranking_without_lists_and_amounts_that_are_none_are_refused():
    score, two = np.array([0.5, 0.5]), Clusters(np.arange(2), np.arange(2))
    with pytest.raises(LearningError, match="give `query`, the number of each row's list"):
        intervals(Truth(Task.RANKING, np.array([1.0, 0.0]), two), score)
    with pytest.raises(LearningError, match="y holds nan in 1 of 2 rows"):
        intervals(Truth(Task.REGRESSION, np.array([1.0, np.nan]), two), score)
