"""Metrics of decisions: published examples, and scikit-learn's on several classes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn

from nightjar.errors import LearningError
from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.confusion import accuracy, balanced_accuracy, confusion, f_beta, precision, recall
from nightjar.evaluation.metric_report import Truth, figure
from nightjar.evaluation.rows import NO_ROWS, Undefined
from nightjar.settings.task import Task

ROW = st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from([0.5, 1.0, 3.0]))


def test_finley_s_tornadoes():
    """2803 forecasts of 1884, in Murphy (1996), The Finley affair, Weather and Forecasting 11(1), 3-20: 28 tornadoes of
    51 were forecast, with 72 false alarms. 96.6% are right, and 98.2% of forecasts of no tornado at all.
    """
    tornado, forecast = np.repeat([1, 0, 1, 0], [28, 72, 23, 2680]), np.repeat([1, 1, 0, 0], [28, 72, 23, 2680])
    assert (2803 * confusion(tornado, forecast)).round().tolist() == [[2680, 72], [23, 28]]
    assert accuracy(tornado, forecast) == pytest.approx(0.966, abs=5e-4)
    assert accuracy(tornado, 0 * forecast) == pytest.approx(0.982, abs=5e-4)
    assert balanced_accuracy(tornado, 0 * forecast) == 0.5
    assert precision(tornado, forecast) == 28 / 100
    assert recall(tornado, forecast) == 28 / 51
    assert f_beta(tornado, forecast) == pytest.approx(2 * 28 / (100 + 51))


def test_fawcett_s_twenty_rows():
    """An introduction to ROC analysis, Pattern Recognition Letters 27 (2006), figure 3: 70% right from 0.54 on."""
    positive = [1, 1, 0, 1, 1, 1, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0]
    score = [0.9, 0.8, 0.7, 0.6, 0.55, 0.54, 0.53, 0.52, 0.51, 0.505]
    score += [0.4, 0.39, 0.38, 0.37, 0.36, 0.35, 0.34, 0.33, 0.3, 0.1]
    decision = np.array(score) >= 0.54
    assert accuracy(positive, decision) == 0.7
    assert recall(positive, decision) == 0.5
    assert recall(positive, decision, positive=0) == 0.9
    assert accuracy(positive, np.array(score) >= 0.5) == 0.6


@settings(deadline=None)
@given(st.lists(ROW, min_size=1, max_size=20))
def test_they_are_scikit_learn_s_for_each_of_several_classes(rows):
    y, decision, weight = (np.array(column) for column in zip(*rows, strict=True))
    assert accuracy(y, decision, weight) == pytest.approx(sklearn.accuracy_score(y, decision, sample_weight=weight))
    matrix = sklearn.confusion_matrix(y, decision, labels=[0, 1, 2], sample_weight=weight) / weight.sum()
    assert confusion(y, decision, weight, classes=3) == pytest.approx(matrix)
    if len(set(y)) > 1:
        expected = np.mean([recall(y, decision, weight, positive=one) for one in set(y)])
        assert balanced_accuracy(y, decision, weight) == pytest.approx(expected)
    options = {"labels": [1], "average": None, "sample_weight": weight, "zero_division": np.nan}
    for measure, theirs in ((precision, sklearn.precision_score), (recall, sklearn.recall_score)):
        value = measure(y, decision, weight)
        assert np.nan if isinstance(value, Undefined) else value == pytest.approx(theirs(y, decision, **options)[0])
    value = f_beta(y, decision, weight, beta=2)
    if not isinstance(value, Undefined):
        options["zero_division"] = 0.0
        assert value == pytest.approx(sklearn.fbeta_score(y, decision, beta=2, **options)[0])


def test_undefined_says_what_lacks():
    assert accuracy([], []) == balanced_accuracy([], []) == precision([], []) == NO_ROWS
    assert balanced_accuracy([1, 1], [0, 1]) == Undefined("all of the 2 rows are of class 1")
    assert precision([1, 1], [0, 0]) == Undefined("the 2 rows have no decision for class 1")
    assert recall([0, 0], [0, 1]) == Undefined("the 2 rows have no row of class 1")
    assert f_beta([0, 0], [0, 0]) == Undefined("the 2 rows have no row of class 1 or decision for it")
    assert f_beta([0, 0], [0, 1]) == 0


def test_a_figure_counts_the_rows_it_is_over_and_a_share_without_a_failure_has_a_lower_bound():
    truth = Truth(Task.CLASSIFICATION, np.tile([0, 1, 1], 10), Clusters(np.arange(30), np.arange(30) // 3))
    of_precision = figure(precision, truth, np.tile([0, 1, 0], 10))
    assert (of_precision.estimate, of_precision.high, of_precision.rows) == (1, 1, 10)
    assert of_precision.low == pytest.approx(0.025 ** (1 / 10))
    few = figure(precision, truth, np.arange(30) == 1)
    assert (few.estimate, few.low, few.rows) == (1, None, 1)
    assert few.reason == "what it measures is in too few of the 30 entities, or nearly all in one"
    assert figure(precision, truth, np.zeros(30)).reason == "the 30 rows have no decision for class 1"


@pytest.mark.parametrize(
    ("y", "decision", "says"),
    [
        (
            [0, 1],
            [0.2, 0.9],
            "decision holds 0.2 in 2 of 2 rows: expected the numbers of classes, from 0 on; compare sc",
        ),
        ([0, np.nan], [0, 1], "y holds nan in 1 of 2 rows"),
        ([0, -1], [0, 1], r"y holds -1\.0"),
        ([0, 1, 1], [0, 1], "y has 3 rows and decision has 2"),
    ],
)
def test_what_are_no_classes_is_refused(y, decision, says):
    for measure in (confusion, accuracy, balanced_accuracy, precision, recall, f_beta):
        with pytest.raises(LearningError, match=says):
            measure(y, decision)


def test_a_class_too_many_and_a_strange_beta_are_refused():
    with pytest.raises(LearningError, match="Class 2 is not one of 2 classes"):
        confusion([0, 2], [0, 1])
    with pytest.raises(LearningError, match="beta is 0: expected a number above 0"):
        f_beta([0, 1], [0, 1], beta=0)
