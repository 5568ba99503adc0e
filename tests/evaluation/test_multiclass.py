"""Metrics of several classes: scikit-learn's, and by hand where it has none or another definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn

from nightjar.errors import LearningError
from nightjar.evaluation import averages, multiclass
from nightjar.evaluation.averages import Average
from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.confusion import accuracy, balanced_accuracy
from nightjar.evaluation.metric_report import Truth, difference, figure
from nightjar.evaluation.rows import NO_ROWS, Undefined
from nightjar.settings.task import Task

EIGHT = np.array([0, 0, 0, 1, 1, 2, 2, 2])
SURE = np.array(
    [
        [0.8, 0.1, 0.1],
        [0.5, 0.3, 0.2],
        [0.2, 0.5, 0.3],
        [0.1, 0.8, 0.1],
        [0.4, 0.4, 0.2],
        [0.1, 0.1, 0.8],
        [0.3, 0.4, 0.3],
        [0.0, 0.3, 0.7],
    ]
)
WEIGHT = np.array([1, 2, 1, 1, 3, 1, 1, 0.5])
ROW = st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from([0.5, 1.0, 3.0]))


def test_eight_rows_by_hand():
    """Pairs won by each class against the others are 13 of 15, 10.5 of 12 and 14.5 of 15. Of the top labels 0.8 is
    right three times of three, 0.7 once, 0.5 once of two, 0.4 never of two (of equals the first class counts).
    """
    decision = SURE.argmax(axis=1)
    assert averages.roc_auc(EIGHT, SURE) == pytest.approx((13 / 15 + 10.5 / 12 + 14.5 / 15) / 3)
    own = [0.8, 0.5, 0.2, 0.8, 0.4, 0.8, 0.3, 0.7]
    assert multiclass.log_loss(EIGHT, SURE) == pytest.approx(-np.log(own).mean())
    assert multiclass.brier(EIGHT, SURE) == pytest.approx(np.mean([0.06, 0.38, 0.98, 0.06, 0.56, 0.06, 0.74, 0.18]))
    errors = 3 * 0.2 + 0.3 + 2 * 0.0 + 2 * 0.4
    assert multiclass.top_label_calibration_error(EIGHT, SURE, bins=None) == pytest.approx(errors / 8)
    assert averages.recall(EIGHT, decision) == pytest.approx((2 / 3 + 1 / 2 + 2 / 3) / 3)
    assert averages.recall(EIGHT, decision) == balanced_accuracy(EIGHT, decision)
    costs = [[0, 1, 2], [1, 0, 1], [4, 2, 0]]
    assert multiclass.expected_cost(EIGHT, decision, costs=costs) == (1 + 1 + 2) / 8


@pytest.mark.parametrize("average", list(Average))
def test_weighted_rows_and_averages_are_scikit_learn_s(average):
    options = {"average": average.value, "sample_weight": WEIGHT}
    expected = sklearn.roc_auc_score(EIGHT, SURE, multi_class="ovr", **options)
    assert averages.roc_auc(EIGHT, SURE, WEIGHT, average=average) == pytest.approx(expected)
    of_class = sklearn.average_precision_score(np.eye(3)[EIGHT], SURE, average=None, sample_weight=WEIGHT)
    shares = np.bincount(EIGHT, WEIGHT) if average is Average.WEIGHTED else None
    expected = np.average(of_class, weights=shares)
    assert averages.average_precision(EIGHT, SURE, WEIGHT, average=average) == pytest.approx(expected)
    expected = sklearn.log_loss(EIGHT, SURE, sample_weight=WEIGHT)
    assert multiclass.log_loss(EIGHT, SURE, WEIGHT) == pytest.approx(expected)
    expected = sklearn.brier_score_loss(EIGHT, SURE, sample_weight=WEIGHT, labels=[0, 1, 2])
    assert multiclass.brier(EIGHT, SURE, WEIGHT) == pytest.approx(expected)


@settings(deadline=None, max_examples=40)
@given(st.lists(ROW, min_size=1, max_size=20), st.sampled_from(list(Average)))
def test_decisions_are_scored_as_by_scikit_learn_over_the_classes_that_have_rows(rows, average):
    y, decision, weight = (np.array(column) for column in zip(*rows, strict=True))
    present = sorted(set(y))
    if len(present) < 2:
        reason = f"all of the {len(y)} rows are of class {y[0]}"
        assert averages.precision(y, decision, weight, average=average) == Undefined(reason)
        return
    options = {"labels": present, "average": average.value, "sample_weight": weight, "zero_division": 0.0}
    for ours, theirs in (
        (averages.precision, sklearn.precision_score),
        (averages.recall, sklearn.recall_score),
        (averages.f_beta, sklearn.f1_score),
    ):
        assert ours(y, decision, weight, average=average) == pytest.approx(theirs(y, decision, **options))
    micro = sklearn.f1_score(y, decision, labels=[0, 1, 2], average="micro", sample_weight=weight)
    assert accuracy(y, decision, weight) == pytest.approx(micro)


def test_a_class_that_the_model_has_not_seen_counts_as_an_error_and_leaves_no_log_loss():
    score = np.array([[0.7, 0.3, 0], [0.4, 0.6, 0], [0.5, 0.5, 0], [0.9, 0.1, 0]])
    y = [0, 1, 2, 2]
    reason = "2 of 4 rows are of a class to which the model gives no probability"
    assert multiclass.log_loss(y, score) == Undefined(reason)
    assert multiclass.unseen_share(y, score) == 0.5
    assert accuracy(y, score.argmax(axis=1)) == 0.5
    assert averages.recall(y, score.argmax(axis=1)) == pytest.approx(2 / 3)
    assert averages.roc_auc(y, score) == pytest.approx((2 / 3 + 1 + 1 / 2) / 3)
    assert multiclass.brier(y, score) == pytest.approx((0.18 + 0.32 + 1.5 + 1.82) / 4)
    assert multiclass.log_loss(y[:2], score[:2]) == pytest.approx(-np.log([0.7, 0.6]).mean())
    certain = np.array([[0.0, 1.0, 0.0], [0.2, 0.5, 0.3]])  # wrong, but of a class that it has seen
    assert multiclass.log_loss([0, 1], certain) == pytest.approx((36.04 - np.log(0.5)) / 2, abs=0.01)


def test_a_slice_of_one_row_and_a_constant_say_what_they_lack():
    one = Truth(Task.REGRESSION, np.array([2]), Clusters(np.zeros(1, int), np.zeros(1, int)))
    result = figure(averages.roc_auc, one, SURE[:1])
    assert (result.estimate, result.reason) == (None, "all of the 1 rows are of class 2")
    assert figure(multiclass.brier, one, SURE[:1]).reason.startswith("there are too few entities")
    assert multiclass.log_loss([], np.zeros((0, 3))) == averages.recall([], []) == NO_ROWS
    rows = np.arange(30)
    many = Truth(Task.REGRESSION, rows % 3, Clusters(rows, rows // 6))
    constant = figure(averages.roc_auc, many, np.tile([0.5, 0.3, 0.2], (30, 1)))
    assert (constant.estimate, constant.low, constant.high) == (0.5, 0.5, 0.5)


def test_a_figure_has_bounds_where_each_class_is_in_several_nights_and_a_difference_cancels_what_is_shared():
    random = np.random.default_rng(0)
    night, entity = np.arange(300) // 30, np.arange(300) % 30
    y = random.integers(0, 3, 300)
    sharp, noise = 0.3 * np.eye(3)[y] + 0.7 * random.dirichlet(np.ones(3), 300), random.dirichlet(np.ones(3), 300)
    truth = Truth(Task.REGRESSION, y, Clusters(entity, night))
    for measure in (averages.roc_auc, multiclass.log_loss, multiclass.brier):
        alone, gap = figure(measure, truth, sharp), difference(measure, truth, sharp, 0.9 * sharp + 0.1 * noise)
        assert alone.low <= alone.estimate <= alone.high
        assert alone.rows == 300
        assert gap.high - gap.low < alone.high - alone.low
    few = Truth(Task.REGRESSION, np.where(night < 2, y, 0), Clusters(entity, night))
    assert figure(averages.roc_auc, few, sharp).reason.startswith("what it measures is in too few of the")


@pytest.mark.parametrize(
    ("y", "score", "says"),
    [
        ([0, 1], [[0.5, 0.5, 0], [np.nan, 0.5, 0.5]], r"score holds \[nan, 0.5, 0.5\] in 1 of 2 rows: expected probab"),
        ([0, 1], [[0.5, 0.5, 0], [1.5, -0.5, 0]], r"score holds \[1.5, -0.5, 0.0\] in 1 of 2 rows: expected"),
        ([0, 1], [[0.5, 0.5, 0.5], [0.2, 0.5, 0.3]], r"\[0.5, 0.5, 0.5\] in 1 of 2 rows: they do not add up to 1"),
        ([0, 1], [0.5, 0.5], r"all classes, \(rows, classes\); it has the shape \(2,\)"),
        ([0, 3], [[0.5, 0.5, 0], [0.2, 0.5, 0.3]], "Class 3 is not one of 3 classes"),
        ([0, -1], [[0.5, 0.5, 0], [0.2, 0.5, 0.3]], r"y holds -1\.0"),
        ([0], [[0.5, 0.5, 0], [0.2, 0.5, 0.3]], "y has 1 rows and score has 2"),
        ([0], [["much", "more", "most"]], "score must be numbers, one for each row and class"),
    ],
)
def test_what_are_no_probabilities_of_classes_is_refused_by_every_measure(y, score, says):
    for measure in (
        *(multiclass.log_loss, multiclass.brier, multiclass.top_label_calibration_error, multiclass.unseen_share),
        *(averages.roc_auc, averages.average_precision),
    ):
        with pytest.raises(LearningError, match=says):
            measure(y, score)


@pytest.mark.parametrize(
    ("costs", "says"),
    [
        ([[0, 1], [1, 0]], "expected a square"),
        ([[0, 1, 1], [1, 0, -1], [1, 1, 0]], "costs hold -1: a cost is 0 or more"),
    ],
)
def test_a_matrix_of_other_classes_or_below_zero_is_refused(costs, says):
    with pytest.raises(LearningError, match=says):
        multiclass.expected_cost([0, 2], [0, 1], costs=costs)
