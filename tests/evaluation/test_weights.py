"""Rows that stand for several: the oracle of a whole-number weight is the row, repeated so many times."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.measuring import call
from nightjar.errors import LearningError
from nightjar.evaluation.binary import average_precision, roc_auc
from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.criteria import Standard
from nightjar.evaluation.inference import OF_ROWS
from nightjar.evaluation.intervals import Interval
from nightjar.evaluation.metric_report import (
    Truth,
    difference,
    intervals,
    mean_interval,
    metric_difference,
    values_by_list,
)
from nightjar.evaluation.metrics import measures
from nightjar.evaluation.ranking import mean_ndcg
from nightjar.evaluation.regression import r2, rmse
from nightjar.evaluation.reliability import expected_calibration_error
from nightjar.evaluation.rows import Undefined
from nightjar.settings.task import METRICS, Task

QUICK = settings(deadline=None, max_examples=25)  # calls of scikit-learn: slow on a busy machine

TASKS = st.sampled_from(list(Task))
SCALES = st.sampled_from([1e-6, 0.1, 1 / 3, 7.0, 1e300])
ROW = st.tuples(
    st.booleans(),
    st.sampled_from([0.0, 0.2, 0.5, 0.9]),  # few, so that they tie
    st.integers(0, 4),
    st.integers(0, 3),
)
STANDARD = Standard(("a", "b", "c"), ((0, 1, 2), (1, 0, 1), (3, 1, 0)), places=2, quantile=0.8)
EACH = Clusters(np.arange(3), np.arange(3))
LEAST_ROW = (True, 0.5, 0, 1)  # calibration bins take the least weight as one row: one row has weight 1


@st.composite
def weighted_rows(draw):
    """The label, score, block and whole-number weight of each row."""
    rows = [*draw(st.lists(ROW, max_size=30)), LEAST_ROW]
    return [np.array(column) for column in zip(*rows, strict=True)]


@st.composite
def truths(draw):
    """A task's truth with whole-number weights, alike within lists, and the scores of two models."""
    label, score, block, weight = draw(weighted_rows())
    query = np.arange(len(label)) // draw(st.integers(1, 4))
    clusters = Clusters(np.arange(len(label)) // 2, block)
    task = draw(TASKS)
    labels = (label * (1 + (score > 0.3)) if task is Task.MULTICLASS else label).astype(float)
    truth = Truth(task, labels, clusters, query, weight[::-1][query].astype(float), STANDARD)
    return truth, scores_for(task, score), np.roll(scores_for(task, score), 1, axis=0)


def repeat_rows(truth, *scores):
    """The same without weights: each row, or each list, as often as it says."""
    times = truth.weight.astype(int)
    rows = np.repeat(np.arange(len(times)), times)
    copy = np.concatenate([np.arange(one) for one in times])
    query = truth.query[rows] + 100 * copy
    whole = Truth(truth.task, truth.label[rows], truth.clusters.take(rows), query, standard=truth.standard)
    return whole, *(score[rows] for score in scores)


def measures_of(truth, score):
    result = measures(truth.task, truth.label, score, truth.query, truth.weight, truth.standard, every=True)
    return result.pop("rows"), result


def comparable(truth, actual, expected):
    """What is in bins only where a row has the weight 1, for which bins take the least one."""
    binned = () if 1 in truth.weight else ("calibration_error", "reliability", "resolution")
    return [{name: one[name] for name in one if not any(part in name for part in binned)} for one in (actual, expected)]


def scores_for(task, score):
    if task is not Task.MULTICLASS:
        return np.asarray(score)
    return np.column_stack([1 - np.asarray(score), 0.6 * np.asarray(score), 0.4 * np.asarray(score)])


def same(actual, expected):
    """Intervals and numbers by name, or None."""
    if isinstance(actual, Interval):
        return all(same(getattr(actual, one), getattr(expected, one)) for one in ("estimate", "low", "high"))
    if isinstance(actual, Undefined):
        return isinstance(expected, Undefined)
    if isinstance(actual, dict):
        return set(actual) == set(expected) and all(same(actual[name], expected[name]) for name in actual)
    return actual is expected if actual is None or expected is None else actual == pytest.approx(expected, 1e-9, 1e-9)


def test_a_sample_of_the_easy_rows_with_weights_gives_the_auc_of_the_whole():
    """Of a thousand negatives that score low only every tenth is kept, of all other rows each one.

    A positive at 0.5 beats 1000 of 1100 negatives, but only 100 of the 200 that were kept.
    """
    sample = {"positive": (0.5, 10, 1), "easy": (0.1, 100, 10), "hard": (0.8, 100, 1)}
    score, weight = (np.repeat([one[part] for one in sample.values()], [10, 100, 100]) for part in (0, 2))
    label = np.arange(210) < 10

    assert roc_auc(label, score, weight) == pytest.approx(1000 / 1100)
    assert roc_auc(label, score) == 0.5


@pytest.mark.parametrize("measure", OF_ROWS, ids=lambda one: one.__name__)
@QUICK
@given(weighted_rows())
def test_a_whole_number_weight_is_the_row_repeated(measure, rows):
    label, score, _, weight = rows
    whole = call(measure, np.repeat(label, weight), np.repeat(score, weight))
    assert same(call(measure, label, score, weight), whole)


@QUICK
@given(truths())
def test_so_it_is_for_all_measures_of_a_task_together(one):
    truth, score, _ = one
    if not truth.weight.any():
        return
    rows, actual = measures_of(truth, score)
    _, expected = measures_of(*repeat_rows(truth, score))
    assert same(*comparable(truth, actual, expected))
    assert rows == len(score)


@QUICK
@given(truths())
def test_so_it_is_for_intervals_and_differences(one):
    truth, a, b = one
    if not truth.weight.any():
        return
    whole, of_a, of_b = repeat_rows(truth, a, b)
    assert same(*comparable(truth, intervals(truth, a), intervals(whole, of_a)))
    for metric in METRICS[truth.task]:
        assert same(metric_difference(metric, truth, a, b), metric_difference(metric, whole, of_a, of_b))


@QUICK
@given(weighted_rows())
def test_so_it_is_for_a_mean(rows):
    _, value, block, weight = rows
    entity = np.arange(len(value)) // 2
    result = mean_interval(value, Clusters(entity, block), weight)
    whole = Clusters(np.repeat(entity, weight), np.repeat(block, weight))
    assert same(result, mean_interval(np.repeat(value, weight), whole))


@QUICK
@given(truths(), SCALES)
def test_only_the_proportions_of_weights_matter(one, scale):
    truth, a, b = one
    if not truth.weight.any():
        return
    scaled = replace(truth, weight=scale * truth.weight)
    assert same(measures_of(scaled, a)[1], measures_of(truth, a)[1])
    assert same(intervals(scaled, a), intervals(truth, a))
    for metric in METRICS[truth.task]:
        assert same(metric_difference(metric, scaled, a, b), metric_difference(metric, truth, a, b))


@QUICK
@given(truths())
def test_weights_of_one_are_no_weights(one):
    truth, a, b = one
    none, ones = replace(truth, weight=None), replace(truth, weight=np.ones(len(a)))
    assert same(measures_of(ones, a)[1], measures_of(none, a)[1])
    assert same(intervals(ones, a), intervals(none, a))
    for metric in METRICS[truth.task]:
        assert same(metric_difference(metric, ones, a, b), metric_difference(metric, none, a, b))


@given(st.integers(1, 400), SCALES)
def test_calibration_bins_part_different_scores_of_equal_weight_as_those_without(rows, scale):
    random = np.random.default_rng(rows)
    label, score = random.random(rows) < 0.3, random.random(rows)
    result = expected_calibration_error(label, score, np.full(rows, scale))
    assert result == pytest.approx(expected_calibration_error(label, score), 1e-9, 1e-12)


@given(st.integers(0, 1000), st.integers(2, 15))
def test_calibration_bins_part_different_scores_as_if_rows_were_repeated(seed, bins):
    random = np.random.default_rng(seed)
    label, score, weight = random.random(60) < 0.3, random.random(60), random.choice([0, 1, 1, 9], 60)
    result = expected_calibration_error(label, score, weight, bins=bins)
    whole = expected_calibration_error(np.repeat(label, weight), np.repeat(score, weight), bins=bins)
    assert result == pytest.approx(whole, 1e-9, 1e-12)


def test_what_rows_with_a_weight_cannot_answer_is_none():
    """The only negative, and the only label but 1, has no weight."""
    label, score, weight = [1, 0, 1], [0.5, 0.2, 0.9], [1, 0, 2]
    assert roc_auc(label, score, weight) == Undefined("all of the 2 rows are positive")
    assert average_precision([0, 1, 0], score, weight) == Undefined("none of the 2 rows is positive")
    assert r2(label, score, weight) == Undefined("all of the 2 labels are 1")
    truth = Truth(Task.CLASSIFICATION, np.array(label), EACH, weight=np.array(weight))
    reason = "all of the 2 rows are positive"
    assert intervals(truth, np.array(score))["roc_auc"] == Interval(None, None, None, 0, reason)
    assert difference(r2, replace(truth, task=Task.REGRESSION), score, score).estimate is None


def test_a_ranking_whose_weight_lies_on_lists_without_an_order_has_no_figure():
    """The first list has an order to judge and no weight, the second weight and one row."""
    truth = Truth(Task.RANKING, np.array([1.0, 0, 1]), EACH, np.array([0, 0, 1]), np.array([0.0, 0, 5]))
    score = np.array([0.1, 0.2, 0.3])
    reason = "none of the 2 lists has two rows or more and a relevant one among them"
    assert values_by_list(mean_ndcg, truth, score)[0].tolist() == []
    assert set(intervals(truth, score).values()) == {Interval(None, None, None, 0, reason)}
    assert mean_ndcg(truth.label, score, truth.query, truth.weight) == Undefined(reason)


def test_a_list_counts_by_the_mean_weight_of_its_rows():
    """A right list of weight 3 in all, 1 on average, and a wrong one of weight 6, 3 on average."""
    label, query = np.array([1.0, 0, 0, 1, 0]), np.array([0, 0, 0, 1, 1])
    result = mean_ndcg(label, np.array([3.0, 2, 1, 1, 2]), query, np.array([1.0, 1, 1, 2, 4]))
    assert result == pytest.approx((1 + 3 / np.log2(3)) / 4)


@pytest.mark.parametrize(
    ("weight", "says"),
    [
        ([1, 2], "weight has 2 rows beside 3"),
        ([[1], [2], [3]], "weight must be one-dimensional"),
        (["much", "more", "most"], "weight must be numbers"),
        ([1, np.nan, 1], "weight holds nan in 1 of 3 rows: expected 0 or more"),
        ([1, np.inf, 1], "weight holds inf in 1 of 3 rows"),
        ([1, -2, -2], r"weight holds -2\.0 in 2 of 3 rows"),
        ([0, 0, 0], "All 3 rows have weight 0: there is nothing to measure"),
    ],
)
def test_unusable_weights_are_refused_everywhere(weight, says):
    y, score, query = [0, 1, 1], np.array([0.1, 0.2, 0.3]), np.zeros(3, np.intp)
    refusing = [
        *(partial(call, measure, y, score, weight) for measure in OF_ROWS),
        *(partial(measures, task, y, scores_for(task, score), query, weight, STANDARD) for task in Task),
        partial(mean_ndcg, np.array(y), score, query, weight),
        partial(mean_interval, score, EACH, weight),
        *(partial(intervals, Truth(t, np.array(y), EACH, query, weight, STANDARD), scores_for(t, score)) for t in Task),
        partial(difference, rmse, Truth(Task.REGRESSION, np.array(y), EACH, weight=weight), score, score),
    ]
    for refuse in refusing:
        with pytest.raises(LearningError, match=says):
            refuse()
