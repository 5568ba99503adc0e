from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightjar.errors import LearningError
from nightjar.evaluation.binary import average_precision, brier, log_loss, roc_auc
from nightjar.evaluation.criteria import Standard
from nightjar.evaluation.metrics import measures, neutral_scores
from nightjar.evaluation.reliability import expected_calibration_error
from nightjar.evaluation.rows import NO_ROWS, Undefined
from nightjar.settings.task import METRICS, Metric, Task

STANDARD = Standard(("a", "b", "c"), ((0, 1, 1), (1, 0, 1), (3, 2, 0)))
BINARY = (roc_auc, average_precision, log_loss, brier, expected_calibration_error)


def scores_for(task, score):
    score = np.asarray(score, float)
    return np.column_stack([1 - score, score, 0 * score]) if task is Task.MULTICLASS else score


def classification_measures(y, score):
    return measures(Task.CLASSIFICATION, y, score)


def test_measures_of_four_rows():
    result = classification_measures([1, 0, 1, 0], [0.8, 0.2, 0.5, 0.5])

    assert result == {
        "roc_auc": 0.875,  # of four pairs three are won and one is tied
        "average_precision": pytest.approx((1 + 2 / 3) / 2),
        "log_loss": pytest.approx(-(2 * np.log(0.8) + 2 * np.log(0.5)) / 4),
        "brier": pytest.approx((0.04 + 0.04 + 0.25 + 0.25) / 4),
        "expected_calibration_error": pytest.approx((0.2 + 0.2 + 0 + 0) / 4),
        "positive_rate": 0.5,
        "mean_score": 0.5,
        "rows": 4,
    }


def test_measures_of_amounts():
    result = measures(Task.REGRESSION, [1.0, 2, 3, 6], [1.0, 2, 5, 4])

    assert result == {
        "rmse": pytest.approx(np.sqrt(8 / 4)),
        "mae": 1.0,
        "r2": pytest.approx(1 - 8 / 14),
        "mape": pytest.approx((2 / 3 + 2 / 6) / 4),
        "smape": pytest.approx((4 / 8 + 4 / 10) / 4),
        "pinball": 0.5,
        "mean_label": 3.0,
        "mean_score": 3.0,
        "rows": 4,
    }


def test_measures_of_a_ranking_are_taken_within_its_lists():
    first, second = 1 + 0.5, 0.5 + 1  # discounts of places 1 to 3 are 1, 0.63, 0.5
    query = np.array([7, 7, 7, 2, 2, 2])

    result = measures(Task.RANKING, [1, 0, 1, 1, 0, 1], [3, 2, 1, -1, -2, -3], query)

    best = 1 + 1 / np.log2(3)
    assert result == {
        "ndcg": pytest.approx((first / best + second / best) / 2),
        "precision_at_k": pytest.approx(2 / 10),
        "recall_at_k": 1.0,
        "mean_average_precision": pytest.approx(((1 + 2 / 3) / 2 + (1 + 2 / 3) / 2) / 2),
        "mean_reciprocal_rank": 1.0,
        "mean_label": pytest.approx(4 / 6),
        "mean_score": 0.0,
        "rows": 6,
    }


def test_one_class_has_no_auc_but_everything_else():
    result = classification_measures([True, True], [0.5, 1.0])

    assert result["roc_auc"] == Undefined("all of the 2 rows are positive")
    assert result["log_loss"] == pytest.approx(np.log(2) / 2)
    assert result["brier"] == pytest.approx(0.125)
    assert result["rows"] == 2
    without = classification_measures([False, False], [0.5, 1.0])
    assert without["average_precision"] == Undefined("none of the 2 rows is positive")


@pytest.mark.parametrize("task", list(Task))
def test_no_rows_measure_nothing(task):
    result = measures(task, [], scores_for(task, []), np.array([], dtype=np.intp), standard=STANDARD)

    assert result.pop("rows") == 0
    assert set(result.values()) == {NO_ROWS}


def test_every_metric_is_measured_for_its_task_and_no_other():
    query = np.array([0, 0])
    for task in Task:
        result = measures(task, [1, 0], scores_for(task, [0.5, 0.4]), query, standard=STANDARD)
        assert {metric for metric in Metric if metric.value in result} == set(METRICS[task])
    assert {metric for metrics in METRICS.values() for metric in metrics} == set(Metric)
    assert Metric.LOG_LOSS.tasks == (Task.CLASSIFICATION, Task.MULTICLASS)


def test_measures_of_several_classes():
    """Class c is not told to the model: two of four rows are decided right, by the costs one more for b."""
    label, score = [0, 1, 2, 1], np.array([[0.6, 0.4, 0], [0.7, 0.3, 0], [0.2, 0.8, 0], [0.1, 0.9, 0]])
    result = measures(Task.MULTICLASS, label, score, standard=STANDARD, every=True)
    assert isinstance(result["log_loss"], Undefined)
    assert (result["unseen_share"], result["accuracy"], result["rows"]) == (0.25, 0.5, 4)
    assert (result["recall[a]"], result["recall[b]"], result["recall[c]"]) == (1, 0.5, 0)
    assert result["balanced_accuracy"] == result["roc_auc[c]"] == 0.5
    assert result["expected_cost"] == (1 + 2) / 4
    assert (result["rate[b]"], result["mean_score[b]"]) == (0.5, pytest.approx(2.4 / 4))
    dear = replace(STANDARD, costs=((0, 1, 1), (9, 0, 1), (9, 2, 0)))
    assert measures(Task.MULTICLASS, label, score, standard=dear)["expected_cost"] == (1 + 2) / 4
    with pytest.raises(LearningError, match="by their names and the costs of mistakes"):
        measures(Task.MULTICLASS, label, score)


def test_places_and_quantile_are_the_project_s():
    standard = replace(STANDARD, places=1, quantile=0.9)
    query, label, score = np.zeros(3, np.intp), [1.0, 0.0, 2.0], [0.9, 0.5, 0.1]
    ranked = measures(Task.RANKING, label, score, query, standard=standard)
    assert (ranked["precision_at_k"], ranked["recall_at_k"], ranked["mean_reciprocal_rank"]) == (1, 0.5, 1)
    amounts = measures(Task.REGRESSION, [10.0, 10.0], [8.0, 11.0], standard=standard)
    assert (amounts["pinball"], amounts["mape"]) == (pytest.approx(0.95), pytest.approx(0.15))


def test_neutral_scores_know_no_more_classes_than_those_beside_them():
    assert neutral_scores(Task.REGRESSION, 2, Standard()).tolist() == [0, 0]
    seen = neutral_scores(Task.MULTICLASS, 2, STANDARD, np.array([[0.4, 0.6, 0], [1, 0, 0]]))
    assert seen.tolist() == 2 * [[0.5, 0.5, 0]]


def test_a_ranking_without_lists_is_refused():
    with pytest.raises(LearningError, match="within lists: give `query`"):
        measures(Task.RANKING, [1, 0], [0.5, 0.4])


def test_a_certain_and_wrong_score_costs_36_nats():
    assert log_loss([0], [1.0]) == pytest.approx(36.04, abs=0.01)


def test_order_takes_margins_but_probabilities_are_needed_elsewhere():
    assert roc_auc([0, 1], [-3.0, 7.0]) == 1.0
    assert average_precision([0, 1], [-3.0, 7.0]) == 1.0
    for measure in (log_loss, brier, expected_calibration_error, classification_measures):
        with pytest.raises(LearningError, match=r"7\.0"):
            measure([0, 1], [0.0, 7.0])


@pytest.mark.parametrize(
    ("y", "score", "says"),
    [
        ([1, 0], [0.5, np.nan], "score holds nan in 1 of 2 rows"),
        ([1, 0], [0.5, None], "score holds nan"),
        ([1, 0], [0.5, np.inf], "score holds inf"),
        ([1, np.nan], [0.5, 0.5], "y holds nan"),
        ([1, 2], [0.5, 0.5], r"y holds 2\.0"),
        ([1, 0, 1], [0.5, 0.5], "3 rows and score has 2"),
        ([[1], [0]], [0.5, 0.5], "one-dimensional"),
        ([1, 0], ["high", "low"], "score must be numbers"),
    ],
)
def test_unusable_rows_are_refused_by_every_measure(y, score, says):
    for measure in (*BINARY, classification_measures):
        with pytest.raises(LearningError, match=says):
            measure(y, score)
    if "y holds 2" not in says:
        with pytest.raises(LearningError, match=says):
            measures(Task.REGRESSION, y, score)


def test_amounts_that_are_all_alike_have_no_r2():
    assert measures(Task.REGRESSION, [2.0, 2.0], [1.0, 3.0])["r2"] == Undefined("all of the 2 labels are 2")


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])), min_size=1, max_size=30))
def test_auc_is_the_share_of_pairs_won(rows):
    """The oracle compares every positive with every negative."""
    pairs = [(p > n) + (p == n) / 2 for y, p in rows if y for other, n in rows if not other]

    value = roc_auc(*zip(*rows, strict=True))
    assert value == pytest.approx(np.mean(pairs)) if pairs else isinstance(value, Undefined)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])), min_size=1, max_size=30))
def test_average_precision_is_the_mean_precision_down_to_each_positive(rows):
    reached = [np.mean([other for other, p in rows if p >= score]) for y, score in rows if y]

    value = average_precision(*zip(*rows, strict=True))
    assert value == pytest.approx(np.mean(reached)) if reached else isinstance(value, Undefined)


def test_the_calibration_error_of_different_scores_is_taken_over_bins_of_equal_mass():
    """The oracle cuts the sorted rows into fifteen pieces of twenty, in some of which there are too many, in others too
    few positives.
    """
    random = np.random.default_rng(0)
    score = random.permutation(np.linspace(0.01, 0.99, 300))
    y = random.random(300) < score
    order = np.argsort(score)
    pieces = [(y[one].mean(), score[one].mean()) for one in np.split(order, 15)]

    assert expected_calibration_error(y, score) == pytest.approx(np.mean([abs(rate - mean) for rate, mean in pieces]))


def test_rows_of_one_score_are_never_parted():
    """Parted by chance, an honest constant would seem dishonest: of ten rows, three of them true, at 0.3."""
    y = np.arange(10) < 3

    assert expected_calibration_error(y, np.full(10, 0.3)) == pytest.approx(0)
    assert expected_calibration_error(y, np.full(10, 0.5)) == pytest.approx(0.2)
