"""Permutation importance: what a model loses, by groups of columns that stand in for each other."""

import numpy as np
import pyarrow as pa
import pytest

from models.rows import FEATURES, examples
from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.intervals import Interval
from nightjar.evaluation.metric_report import Truth
from nightjar.explanation.importance import PREDICTIONS, correlated_groups, permutation_importance
from nightjar.models.columns import FeatureColumn
from nightjar.models.examples import Examples
from nightjar.models.fitting import fit
from nightjar.settings.model import Estimator, Model
from nightjar.settings.task import Metric, Task

COLUMNS = tuple(FeatureColumn(name, "number") for name in ("signal", "copy", "weak", "noise"))


def table_of(rows, seed):
    """A signal, nearly a copy of it turned round, a weaker signal, and noise; 30 nights."""
    random = np.random.default_rng(seed)
    signal, weak = random.normal(size=(2, rows))
    table = {"signal": signal, "copy": -signal + random.normal(0, 0.1, rows), "weak": weak}
    label = random.random(rows) < 1 / (1 + np.exp(-2 * signal - weak))
    return pa.table(table | {"noise": random.normal(size=rows)}), label


def truth_of(label, **changes):
    nights = np.arange(len(label)) * 30 // len(label)
    return Truth(Task.CLASSIFICATION, label, Clusters(np.arange(len(label)), nights), **changes)


@pytest.fixture(scope="module")
def logistic():
    table, label = table_of(2000, 0)
    return fit(Model(Estimator.LOGISTIC), Examples(table, label), features=COLUMNS, seed=0)


@pytest.mark.parametrize("metric", [Metric.ROC_AUC, Metric.LOG_LOSS])
def test_a_column_that_another_one_stands_in_for_counts_with_it(logistic, metric):
    table, label = table_of(3000, 1)

    together, weak, noise = permutation_importance(logistic, table, truth_of(label), metric)

    assert (set(together.columns), weak.columns, noise.columns) == ({"signal", "copy"}, ("weak",), ("noise",))
    assert together.loss.low > weak.loss.high
    assert weak.loss.low > 0
    assert noise.loss.low < 0.01
    assert noise.loss.high < weak.loss.low


def test_an_interval_is_as_wide_as_of_one_permutation_and_not_of_twice_the_rows(logistic, monkeypatch):
    table, label = table_of(1000, 2)
    widths = []
    for repeats in (1, 4):
        monkeypatch.setattr("nightjar.explanation.importance.REPEATS", repeats)
        loss = permutation_importance(logistic, table, truth_of(label), Metric.LOG_LOSS)[0].loss
        widths.append(loss.high - loss.low)

    assert 0.6 < widths[1] / widths[0] < 1.3  # 0.5 if copies were further evidence


def test_of_more_rows_than_there_is_time_for_some_are_drawn(logistic, monkeypatch):
    table, label = table_of(1000, 3)
    monkeypatch.setattr("nightjar.explanation.importance.PREDICTIONS", 1200)

    importances = permutation_importance(logistic, table, truth_of(label), Metric.ROC_AUC)

    assert PREDICTIONS > 1200
    assert {one.loss.rows for one in importances} == {150}  # of which there are two permutations for four columns


def test_of_lists_longer_than_there_is_time_for_one_is_drawn(monkeypatch):
    rows = examples(Task.RANKING)
    model = Model(Estimator.TREE, parameters={"max_depth": 4})
    predictor = fit(model, rows, features=FEATURES, task=Task.RANKING, seed=0)
    clusters = Clusters(np.arange(600), np.arange(600) // 60)
    truth = Truth(Task.RANKING, rows.label, clusters, np.arange(600) // 200)
    for predictions in (1, 1200):
        monkeypatch.setattr("nightjar.explanation.importance.PREDICTIONS", predictions)

        importances = permutation_importance(predictor, rows.table, truth, Metric.NDCG)

        assert {one.loss.rows for one in importances} == {1}


def test_a_column_that_the_model_does_not_go_by_loses_nothing_for_certain():
    table, label = table_of(600, 5)
    model = Model(Estimator.TREE, parameters={"max_depth": 1})
    stump = fit(model, Examples(table, label), features=COLUMNS, seed=0)

    losses = {one.columns: one.loss for one in permutation_importance(stump, table, truth_of(label), Metric.LOG_LOSS)}

    assert losses["noise",] == Interval(0.0, 0.0, 0.0, 600)
    assert next(iter(losses.values())).rows == 600


def test_rows_of_one_class_give_a_reason_and_no_figure(logistic):
    table, label = table_of(300, 4)
    truth = truth_of(np.ones_like(label))

    importances = permutation_importance(logistic, table, truth, Metric.ROC_AUC)

    assert {one.loss.estimate for one in importances} == {None}
    assert all(one.loss.reason for one in importances)


@pytest.mark.parametrize("task", [Task.MULTICLASS, Task.RANKING])
def test_other_tasks_have_importances_too(task):
    rows = examples(task)
    model = Model(Estimator.TREE, parameters={"max_depth": 4})
    predictor = fit(model, rows, features=FEATURES, task=task, seed=0)
    clusters = Clusters(np.arange(600), np.arange(600) // 60)
    query = np.arange(600) // 6 if task is Task.RANKING else None
    metric = Metric.NDCG if task is Task.RANKING else Metric.LOG_LOSS

    importances = permutation_importance(predictor, rows.table, Truth(task, rows.label, clusters, query), metric)

    assert sorted(name for one in importances for name in one.columns) == sorted(one.name for one in FEATURES)
    assert importances[0].loss.low > 0


def test_levels_of_a_category_are_in_the_order_of_their_scores():
    """So a category goes with a number that says the same. A constant, no values and one row tell of nothing."""
    random = np.random.default_rng(0)
    flag = random.integers(0, 3, 400)
    words = np.array(["zebra", "emu", "ape"], dtype=object)[flag]
    table = pa.table({"flag": flag, "word": words, "same": np.ones(400), "none": pa.nulls(400, pa.float64())})
    kinds = {"flag": "number", "word": "category", "same": "number", "none": "number"}
    columns = tuple(FeatureColumn(name, kind) for name, kind in kinds.items())
    model = Model(Estimator.TREE, parameters={"max_depth": 3})
    predictor = fit(model, Examples(table, flag == 1), features=columns, seed=0)

    groups = correlated_groups(predictor, table, flag / 2)

    assert ("flag", "word") in groups
    assert ("same",) in groups
    assert ("none",) in groups
    assert len(correlated_groups(predictor, table.slice(0, 1), np.zeros(1))) == 4
