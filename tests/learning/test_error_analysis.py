"""Where a winner fails: declared and found slices, the most wrong rows, errors by night, the learning curve."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from learning import problems
from nightjar.errors import LearningError
from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.criteria import Standard
from nightjar.evaluation.intervals import Interval
from nightjar.evaluation.metric_report import Truth
from nightjar.learning import error_analysis
from nightjar.learning.analysis.learning_curve import learning_curve
from nightjar.learning.analysis.losses import Loss, loss_of
from nightjar.learning.analysis.over_time import WORST, losses_by_night, worst_rows
from nightjar.learning.analysis.slices import MOST_VALUES, LossRows, analyse_slices, declared_slices, require_slices
from nightjar.learning.splits.folding import Fold
from nightjar.learning.training_plan import TrainingPlan
from nightjar.settings.analysis import Analysis, SliceCondition
from nightjar.settings.fairness import GroupFairness
from nightjar.settings.task import Metric, Task
from report import nights

NIGHTS, A_NIGHT = 30, 200


def period(seed):
    """Scores that say nothing at the site `east` by night, where the outcome is chance."""
    random = np.random.default_rng(seed)
    rows = NIGHTS * A_NIGHT
    site, hour = random.choice(["north", "east", "west"], rows), random.integers(0, 24, rows)
    columns = pa.table({"site": site, "hour": hour, "noise": random.normal(size=rows)})
    score = random.choice([0.1, 0.9], rows)
    label = random.random(rows) < np.where((site == "east") & (hour >= 18), 0.5, score)
    clusters = Clusters(np.arange(rows), np.repeat(np.arange(NIGHTS), A_NIGHT))
    truth = Truth(Task.CLASSIFICATION, label, clusters)
    losses = loss_of(Task.CLASSIFICATION, Metric.ROC_AUC, Standard())
    return LossRows(columns, losses.of(label, score), clusters, None), truth, score


def test_a_slice_found_on_the_folds_is_confirmed_on_the_final_period_beside_the_baseline_and_those_declared():
    searched, *_ = period(0)
    final, truth, score = period(1)
    settings = Analysis(
        slices={"late": [SliceCondition("hour", low=20)], "noise_3": [SliceCondition("noise", low=3)]}, least_rows=50
    )
    declared = declared_slices(settings, ["site"], final.columns)
    entries, about = analyse_slices(searched, final, np.full(len(score), 0.69), declared, settings, truth, score)
    names = ["late", "noise_3", *(f"site is {site}" for site in sorted({"north", "east", "west"}))]
    assert sorted(entry["name"] for entry in entries if entry["is_declared"]) == sorted(names)
    (east,) = (entry for entry in entries if not entry["is_declared"])
    assert east["text"] in ("site is east and hour >= 18", "hour >= 18 and site is east")
    inside = (final.columns["site"].to_numpy() == "east") & (final.columns["hour"].to_numpy() >= 18)
    assert (east["rows"], east["error"]) == (inside.sum(), pytest.approx(final.loss[inside].mean()))
    assert east["low"] > 0
    assert (east["is_confirmed"], east["baseline_error"]) == (True, pytest.approx(0.69))
    assert east["calibration"]["low"] > 0.3
    few = next(entry for entry in entries if entry["name"] == "noise_3")
    assert few["reason"].startswith("too few rows: it has")
    assert (few["is_confirmed"], few["calibration"]) == (False, None)
    assert about["candidates"] >= about["confirmed"] == 1
    assert about["confidence"] == pytest.approx(1 - 0.05 / (len(declared) + about["candidates"]))


def plan_of(rows, project=None):
    """A training whose final period is the last four days."""
    final = Fold("final", problems.FIRST, problems.FIRST, np.arange(640), np.arange(640, 800))
    plain, chosen = problems.problem(), project or nights.project()
    return TrainingPlan(
        *(None, chosen, problems.search(), problems.FIRST, rows, None, None, final, plain, final.train, None)
    )


def test_of_many_rows_a_sample_over_all_nights_is_searched(monkeypatch):
    monkeypatch.setattr(error_analysis, "MOST_SEARCHED", 100)
    rows = replace(problems.rows(), weight=np.arange(800.0))
    scores = np.where(np.arange(800) < 160, np.nan, 0.5 + np.arange(800) / 2000)
    loss = Loss("number", lambda _, score: 2000 * (score - 0.5))

    some = error_analysis.searched_rows(plan_of(rows), loss, scores)

    index = some.weight.astype(int)
    assert (len(set(index)), some.of_rows) == (100, 480)
    assert (index.min() >= 160, index.max() < 640, some.clusters.blocks) == (True, True, 12)
    assert some.loss == pytest.approx(index)
    assert some.columns.equals(rows.features.take(index))
    monkeypatch.setattr(error_analysis, "MOST_SEARCHED", 480)
    everything = error_analysis.searched_rows(plan_of(rows), loss, scores)
    assert everything.weight.tolist() == list(range(160, 640))


def test_columns_of_groups_are_not_searched_but_declared_slices_of_them_stay():
    fairness = GroupFairness(groups=["flight"], allow_as_feature=["flight"])
    project = replace(nights.project(), fairness=fairness)
    rows = problems.rows()
    rows = replace(
        rows,
        features=rows.features.rename_columns(["x", "flight"]),
        slices=pa.table({"flight": rows.features["noise"], "site": pa.array(["north"] * 800)}),
    )
    loss = Loss("number", lambda _, score: score)
    searched = error_analysis.searched_rows(plan_of(rows, project), loss, np.linspace(0, 1, 800))
    assert searched.columns.column_names == ["x", "site"]
    assert searched.columns.num_rows == 640
    require_slices(Analysis(slices={"late": [SliceCondition("flight", low=5)]}), rows)


def test_rows_searched_are_told_beside_those_that_they_are_a_sample_of():
    final, truth, score = period(1)
    some = replace(final, of_rows=9_000_000)
    _, about = analyse_slices(some, final, final.loss, {}, Analysis(), truth, score)
    assert (about["rows"], about["of_rows"]) == (NIGHTS * A_NIGHT, 9_000_000)
    assert analyse_slices(final, final, final.loss, {}, Analysis(), truth, score)[1]["of_rows"] == NIGHTS * A_NIGHT


def test_the_most_frequent_values_of_a_column_are_slices_equal_ones_by_name():
    values = ["b", "a", None, "c", "b", "c"] + [str(number) for number in range(100, 200)]
    declared = declared_slices(Analysis(), ["site"], pa.table({"site": values}))
    assert list(declared)[:4] == ["site is b", "site is c", "site is 100", "site is 101"]
    assert len(declared) == MOST_VALUES
    assert list(declared_slices(Analysis(), ["site"], pa.table({"site": [None, "a", None]}))) == [
        "site is missing",
        "site is a",
    ]


def test_too_few_rows_to_search_are_told():
    final, truth, score = period(1)
    few = LossRows(final.columns.slice(0, 30), final.loss[:30], final.clusters.take(np.arange(30)), None)
    entries, about = analyse_slices(few, final, final.loss, {}, Analysis(), truth, score)
    assert entries == []
    assert about["reason"] == "too few rows: 30 were scored out of fold, and at least 200 are needed"
    assert analyse_slices(None, final, final.loss, {}, Analysis(), truth, score)[1]["reason"] == (
        "no slices were searched for"
    )


def test_declared_slices_are_checked():
    with pytest.raises(ValueError, match="either values or low and high"):
        Analysis(slices={"late": [{"column": "hour"}]})
    with pytest.raises(ValueError, match="a number below high=5"):
        Analysis(slices={"late": [{"column": "hour", "low": 5, "high": 5}]})
    texts = Analysis(slices={"late": [SliceCondition("site", low=5)]})
    final, truth, score = period(1)
    with pytest.raises(LearningError, match="asks for numbers, but site is of type"):
        analyse_slices(None, final, final.loss, declared_slices(texts, [], final.columns), texts, truth, score)
    rows = problems.rows()
    sites = replace(rows, slices=pa.table({"site": pa.array(["north"] * len(rows.label))}))
    require_slices(Analysis(slices={"north": [SliceCondition("site", values=["north"])]}), sites)
    with pytest.raises(LearningError, match="asks for numbers, but site is of type"):
        require_slices(texts, sites)


@pytest.mark.parametrize(
    ("task", "metric", "standard", "name", "expected"),
    [
        (Task.CLASSIFICATION, Metric.ROC_AUC, Standard(), "log_loss", [-np.log(0.8), -np.log(0.3)]),
        (Task.REGRESSION, Metric.RMSE, Standard(), "squared_error", [0.04, 0.49]),
        (Task.REGRESSION, Metric.MAE, Standard(), "mae", [0.2, 0.7]),
    ],
)
def test_the_loss_of_a_row(task, metric, standard, name, expected):
    loss = loss_of(task, metric, standard)
    assert loss.name == name
    assert loss.of(np.array([1, 0]), np.array([0.8, 0.7])) == pytest.approx(expected)


def test_the_loss_of_several_classes_is_the_cost_of_the_decision_where_there_are_costs():
    label, scores = np.array([0, 2]), np.array([[0.7, 0.2, 0.1], [0.5, 0.1, 0.4]])
    plain = loss_of(Task.MULTICLASS, Metric.LOG_LOSS, Standard(("a", "b", "c")))
    assert plain.of(label, scores) == pytest.approx([-np.log(0.7), -np.log(0.4)])
    costs = ((0, 1, 1), (1, 0, 1), (9, 9, 0))
    priced = loss_of(Task.MULTICLASS, Metric.LOG_LOSS, Standard(("a", "b", "c"), costs))
    assert (priced.name, priced.of(label, scores).tolist()) == ("expected_cost", [1.0, 0.0])
    assert loss_of(Task.RANKING, Metric.NDCG, Standard()) is None


def test_the_most_wrong_rows_have_keys_and_features_without_those_of_groups():
    rows, final = problems.rows(), np.arange(400, 800)
    scores = np.linspace(0, 1, 400)
    loss, baseline = np.abs(rows.label[final] - scores), np.full(400, 0.5)
    worst = worst_rows(rows, final, scores, loss, baseline, {"noise"})
    assert worst.column_names == ["row", "prediction_time", "outcome", "score", "loss", "loss_of_baseline", "x"]
    assert len(worst) == WORST
    assert worst["loss"].to_pylist() == sorted(loss, reverse=True)[:WORST]
    assert worst["x"].to_pylist() == rows.features["x"].take(worst["row"].to_numpy()).to_pylist()


def test_keys_and_features_with_the_names_of_computed_columns_do_not_take_their_place():
    rows, final = problems.rows(), np.arange(400, 800)
    rows = replace(
        rows,
        features=rows.features.rename_columns(["loss", "score"]),
        key=rows.key.rename_columns(["outcome", "prediction_time"]),
    )
    scores, loss = np.linspace(0, 1, 400), np.arange(400.0)
    worst = worst_rows(rows, final, scores, loss, np.zeros(400), set())
    assert worst["loss"].to_pylist() == sorted(loss, reverse=True)[:WORST]
    assert worst["score"].to_pylist() == scores[::-1][:WORST].tolist()
    numbers = worst["outcome (column)"].to_numpy()
    assert worst["outcome"].to_pylist() == rows.label[numbers].tolist()
    assert worst["loss (column)"].to_pylist() == rows.features["loss"].take(numbers).to_pylist()
    assert worst["score (column)"].to_pylist() == rows.features["score"].take(numbers).to_pylist()


def test_errors_by_night_are_means_by_weight():
    rows = replace(problems.rows(), weight=np.arange(1.0, 801.0))
    final = np.arange(720, 800)
    scores = np.full(80, 0.25)
    first, second = losses_by_night(rows, final, scores, np.arange(80.0), np.ones(80))
    weight = rows.weight[final][:40]
    assert (first["night"], first["rows"]) == ("2024-03-19", 40)
    assert first["error"] == pytest.approx(np.average(np.arange(40.0), weights=weight))
    assert first["residual"] == pytest.approx(np.average(rows.label[final][:40] - 0.25, weights=weight))
    assert second["baseline_error"] == 1
    assert "residual" not in losses_by_night(rows, final, np.ones((80, 3)) / 3, np.ones(80), np.ones(80))[0]


def test_a_learning_curve_fits_the_last_days_and_says_what_cannot_be_fitted():
    rows = problems.rows()
    fold = Fold(
        "final",
        problems.FIRST + timedelta(days=16),
        problems.FIRST + timedelta(days=19),
        np.arange(640),
        np.arange(640, 800),
    )

    def fit_scores(chosen):
        if len(chosen) < 100:
            raise LearningError("There are too few rows.\nMore about it.")
        return np.full(160, len(chosen), float)

    curve = learning_curve(rows, fold, fit_scores, np.full(160, 640.0), lambda scores: Interval(scores[0], 0, 999, 160))
    assert [(one["days"], one["rows"], one["estimate"]) for one in curve] == [
        (2, 80, None),
        (4, 160, 160),
        (8, 320, 320),
        (16, 640, 640),
    ]
    assert curve[0]["reason"] == "it cannot be fitted: There are too few rows."
    assert (curve[1]["night"], curve[-1]["night"]) == ("2024-03-13", "2024-03-01")
