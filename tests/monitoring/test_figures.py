"""The figures of one night, whichever tables they come from."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from nightjar.errors import LearningError
from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.criteria import Standard
from nightjar.evaluation.metric_report import Truth
from nightjar.monitoring.figures import night_figures
from nightjar.settings.task import Task
from nightjar.tables import predictions

STANDARD = Standard(("early", "on_time", "late"), ((0, 1, 1), (1, 0, 1), (1, 1, 0)))


def figures_of(task, label, score, standard=STANDARD):
    rows = np.arange(len(label))
    truth = Truth(task, np.asarray(label), Clusters(rows, 0 * rows), standard=standard)
    return {(one.of, one.measure): one.interval for one in night_figures(truth, np.asarray(score, float))}


def test_a_night_of_two_classes_has_every_figure_with_an_interval_over_its_entities_and_deciles():
    random = np.random.default_rng(0)
    score = random.random(500)
    figures = figures_of(Task.CLASSIFICATION, random.random(500) < score, score)
    for name in ("roc_auc", "gini", "ks", "log_loss", "calibration_intercept", "calibration_slope", "lift_of_tenth"):
        one = figures["all", name]
        assert one.low < one.estimate < one.high
        assert one.reason is None
    deciles = [figures[f"decile {number}", "mean_score"] for number in range(1, 11)]
    assert [one.rows for one in deciles] == [50] * 10
    assert np.mean([one.estimate for one in deciles]) == pytest.approx(score.mean())
    assert (figures["all", "rows"].estimate, figures["all", "rows"].low) == (500, None)


def test_a_night_of_several_classes_says_what_each_class_was_taken_for():
    """Of four late rows two are taken for on time; the model does not know what is early."""
    label = [2, 2, 2, 2, 1, 1, 0]
    score = [[0, 0.4, 0.6]] * 2 + [[0, 0.7, 0.3]] * 4 + [[0, 1.0, 0]]
    figures = figures_of(Task.MULTICLASS, label, score)
    assert figures["class late", "predicted[on_time]"].estimate == 0.5
    assert figures["class late", "predicted[late]"].rows == 4
    assert ("class late", "predicted[early]") not in figures
    assert figures["class early", "predicted[on_time]"].estimate == 1
    assert figures["all", "recall[late]"].estimate == 0.5
    assert figures["all", "unseen_share"].estimate == pytest.approx(1 / 7)
    assert figures["all", "log_loss"].estimate is None
    assert figures["all", "log_loss"].reason.startswith("1 of 7 rows is of a class to which the model gives no")
    groups = [
        (one.rows, one.estimate) for (of, name), one in figures.items() if (of[:6], name) == ("decile", "accuracy")
    ]
    assert sum(rows for rows, _ in groups) == 7
    assert sum(rows * right for rows, right in groups) == pytest.approx(4)


def test_the_decisions_that_were_served_count_whatever_the_costs_are_by_now():
    served = replace(STANDARD, decisions=np.array([1, 1]))
    figures = figures_of(Task.MULTICLASS, [2, 1], [[0.1, 0.2, 0.7], [0.1, 0.8, 0.1]], served)
    assert figures["all", "accuracy"].estimate == figures["all", "expected_cost"].estimate == 0.5
    assert figures["class late", "predicted[on_time]"].estimate == 1


def test_a_night_without_outcomes_or_of_one_row_says_what_lacks_and_strange_scores_are_refused():
    nothing = figures_of(Task.MULTICLASS, np.array([], int), np.zeros((0, 3)))
    assert {(one.estimate, one.reason) for (_, name), one in nothing.items() if name != "rows"} == {
        (None, "there are no rows")
    }
    one = figures_of(Task.MULTICLASS, [2], [[0.2, 0.3, 0.5]])
    assert one["all", "balanced_accuracy"].reason == "all of the 1 rows are of class 2"
    assert (one["all", "accuracy"].estimate, one["all", "accuracy"].low) == (1, None)
    for score, says in (([[np.nan, 0.5, 0.5]], "nan"), ([[0.5, 0.5, 0.5]], "do not add up to 1")):
        with pytest.raises(LearningError, match=says):
            figures_of(Task.MULTICLASS, [2], score)
    with pytest.raises(LearningError, match="score holds nan"):
        figures_of(Task.REGRESSION, [1.0, 2.0], [np.nan, 1.0])


def test_probabilities_become_columns_in_the_order_of_classes_and_0_where_a_model_has_none():
    kind = pa.map_(pa.string(), pa.float64())
    maps = pa.chunked_array([pa.array([[("late", 0.4), ("early", 0.6)]], kind), pa.array([[("on_time", 1.0)]], kind)])
    table = predictions.unfold(pa.table({"score": [0.6, 1.0], "probabilities": maps}), STANDARD.classes)
    assert table.column_names == ["score", *(f"probability[{value}]" for value in STANDARD.classes)]
    assert predictions.probabilities_of(table, STANDARD.classes).tolist() == [[0.6, 0, 0.4], [0, 1, 0]]
