"""From rows to evidence to a decision, for each task: fitted before the final period, judged on it."""

import json
from dataclasses import asdict, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import builders
from nightjar.evaluation.metrics import measures
from nightjar.learning.final import judge
from nightjar.learning.rows import TrainingRows
from nightjar.learning.search.candidates import Candidate
from nightjar.learning.splits.folding import Fold
from nightjar.models.columns import FeatureColumn
from nightjar.registry.promotion import decide
from nightjar.settings.model import Estimator, Model
from nightjar.settings.task import Metric, Task

FIRST, DAYS, A_DAY = date(2024, 3, 1), 16, 24
LOGISTIC, LINEAR = Candidate("w", Model(Estimator.LOGISTIC)), Candidate("w", Model(Estimator.LINEAR))
MAJORITY = Candidate("majority", Model(Estimator.MAJORITY, baseline=True))
MEAN = Candidate("mean", Model(Estimator.MEAN, baseline=True))
STUMP = Candidate("stump", Model(Estimator.TREE, parameters={"max_depth": 1}, baseline=True))


def made(task) -> TrainingRows:
    """Rows in which x decides: the chance of a yes, an amount in hundreds, or how relevant a row is in its list."""
    random = np.random.default_rng(3)
    day = np.repeat([np.datetime64(FIRST + timedelta(days=number)) for number in range(DAYS)], A_DAY)
    x, noise = random.normal(size=(2, len(day)))
    label = {
        Task.CLASSIFICATION: x + noise > 0,
        Task.REGRESSION: 100 * (3 * x + noise),
        Task.RANKING: np.clip(np.round(2 * x + noise), 0, 4),
    }[task]
    instant = day.astype("datetime64[us]")
    table, columns = pa.table({"x": x}), (FeatureColumn("x", "number"),)
    query = np.arange(len(day)) // 6 if task is Task.RANKING else None
    key = pa.table({"row": np.arange(len(day)), "prediction_time": instant})
    return TrainingRows(table, columns, key, label, day, instant, instant, timedelta(0), FIRST, {}, "d1", query=query)


def final(last_days: int) -> Fold:
    split = (DAYS - last_days) * A_DAY
    start, end = FIRST + timedelta(days=DAYS - last_days), FIRST + timedelta(days=DAYS - 1)
    return Fold("final", start, end, np.arange(split), np.arange(split, DAYS * A_DAY))


def judged(metric, winner, baselines, *, last_days=6, weight=None):
    project = builders.machines(Path("files"))
    query = ["site", "prediction_time"] if metric.task is Task.RANKING else []
    project = replace(project, label=replace(project.label, task=metric.task, query=query))
    settings = builders.search(metric=metric)
    rows = replace(made(metric.task), weight=weight)
    return judge(rows, final(last_days), winner, baselines, project, settings)


@pytest.mark.parametrize(
    ("metric", "winner", "weak"),
    [
        (Metric.ROC_AUC, LOGISTIC, MAJORITY),
        (Metric.LOG_LOSS, LOGISTIC, MAJORITY),
        (Metric.RMSE, LINEAR, MEAN),
        (Metric.R2, LINEAR, MEAN),
        (Metric.NDCG, LOGISTIC, MEAN),
        (Metric.NDCG, LINEAR, MEAN),
    ],
)
def test_a_good_model_beats_the_strongest_baseline_with_its_whole_interval(metric, winner, weak):
    evidence, scores = judged(metric, winner, [weak, STUMP])
    rows, fold = made(metric.task), final(6)
    test = rows.examples(fold.test)
    expected = measures(metric.task, test.label, scores, test.query)
    names = {one.value for one in Metric if one.task is metric.task}
    assert set(evidence.candidate) == {"name", *names}
    for name in names:
        assert evidence.candidate[name]["estimate"] == pytest.approx(expected[name])
    assert (evidence.metric, evidence.period) == (metric.value, ("2024-03-11", "2024-03-16"))
    assert set(evidence.baselines) == {weak.name, "stump"}
    difference = evidence.difference
    assert (difference["over"], difference["better"]) == ("stump", 1 if metric.greater_is_better else -1)
    of_stump = evidence.baselines["stump"][metric.value]["estimate"]
    assert difference["estimate"] == pytest.approx(expected[metric.value] - of_stump)
    assert decide(json.loads(json.dumps(asdict(evidence), allow_nan=False))).promoted


@pytest.mark.parametrize(("metric", "winner"), [(Metric.LOG_LOSS, LOGISTIC), (Metric.NDCG, LINEAR)])
def test_rows_of_the_final_period_count_for_as_many_as_they_stand_for(metric, winner):
    weight = np.repeat(np.where(np.arange(DAYS * A_DAY // 6) % 2, 5.0, 1.0), 6)  # one for all rows of a list
    evidence, scores = judged(metric, winner, [STUMP], weight=weight)
    test = replace(made(metric.task), weight=weight).examples(final(6).test)
    found = evidence.candidate[metric.value]["estimate"]
    assert found == pytest.approx(measures(metric.task, test.label, scores, test.query, test.weight)[metric.value])
    assert found != pytest.approx(measures(metric.task, test.label, scores, test.query)[metric.value])


def test_a_model_that_is_no_better_than_the_mean_is_not_promoted():
    evidence, _ = judged(Metric.RMSE, Candidate("w", MEAN.model), [MEAN])
    assert evidence.difference["estimate"] == 0.0
    decision = decide(asdict(evidence))
    assert not decision.promoted
    assert "not reliably better, rmse +0.0000" in decision.reason


def test_one_day_is_no_evidence_about_amounts():
    evidence, _ = judged(Metric.RMSE, LINEAR, [MEAN], last_days=1)
    assert evidence.candidate["rmse"]["low"] is None
    assert decide(asdict(evidence)).reason.endswith("rmse cannot be compared, too few days.")
