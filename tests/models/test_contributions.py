"""Contributions: equal to all coalitions counted, summing to the raw score, by source column."""

import json
import re
from math import isnan

import numpy as np
import pytest

from models.rows import FEATURES, examples, training_rows
from nightjar.errors import ModelError
from nightjar.models.boosters.lightgbm_booster import LightGbm, LightGbmClassifier, LightGbmRegressor
from nightjar.models.boosters.xgboost_booster import XgBoostClassifier, XgBoostRegressor
from nightjar.models.contributions import contributions
from nightjar.models.fitting import fit
from nightjar.settings.columns import Category, Encoding
from nightjar.settings.model import Estimator, Model
from nightjar.settings.preparation import Preparation
from nightjar.settings.task import Task
from oracles.shapley import Node, shapley

NATIVE = Preparation(category=Category(Encoding.NATIVE))


def rows(count=3000):
    """A number, a category of 40 levels, a number with nulls, a category of three."""
    random = np.random.default_rng(0)
    inputs = random.normal(size=(count, 4))
    inputs[:, 1], inputs[:, 3] = random.integers(0, 40, count), random.integers(0, 3, count)
    inputs[random.random(count) < 0.2, 2] = np.nan
    inputs[random.random(count) < 0.1, 1] = np.nan
    odds = inputs[:, 0] + 3 * (inputs[:, 1] % 4 == 0) + np.nan_to_num(inputs[:, 2], nan=1) - inputs[:, 3]
    return inputs, random.random(count) < 1 / (1 + np.exp(-odds)), random.integers(1, 4, count).astype(float)


def nodes_of_lightgbm(booster):
    def build(node):
        if "leaf_value" in node:
            return Node(node["leaf_count"], node["leaf_value"])
        children = build(node["left_child"]), build(node["right_child"])
        at, threshold, default = node["split_feature"], node["threshold"], node["default_left"]
        levels = set(map(float, str(threshold).split("||"))) if node["decision_type"] == "==" else None

        def goes_lower(row):
            if levels is not None:
                return row[at] in levels
            return default if isnan(row[at]) else row[at] <= threshold

        return Node(node["internal_count"], 0.0, at, goes_lower, children)

    return [build(tree["tree_structure"]) for tree in booster._opened.dump_model()["tree_info"]], 0.0


def nodes_of_xgboost(booster):
    model = json.loads(booster.model_)["learner"]
    (base,) = json.loads(model["learner_model_param"]["base_score"])

    def build(tree, at):
        lower, upper, value = (tree[key][at] for key in ("left_children", "right_children", "split_conditions"))
        if lower < 0:
            return Node(tree["sum_hessian"][at], value)
        sets = zip(*(tree[f"categories_{part}"] for part in ("nodes", "segments", "sizes")), strict=True)
        levels = [set(tree["categories"][start : start + size]) for node, start, size in sets if node == at]
        index, default = tree["split_indices"][at], bool(tree["default_left"][at])

        def goes_lower(row):
            if isnan(row[index]):
                return default
            return row[index] not in levels[0] if levels else np.float32(row[index]) < np.float32(value)

        return Node(tree["sum_hessian"][at], 0.0, index, goes_lower, (build(tree, lower), build(tree, upper)))

    trees = model["gradient_booster"]["model"]["trees"]
    return [build(tree, 0) for tree in trees], np.log(base / (1 - base)) if "Class" in type(booster).__name__ else base


@pytest.mark.parametrize("booster", [LightGbmClassifier, LightGbmRegressor, XgBoostClassifier, XgBoostRegressor])
def test_contributions_of_boosters_are_shapley_values(booster):
    inputs, label, weight = rows()
    fitted = booster(n_estimators=3, max_depth=3)
    fitted.levels = (0, 40, 0, 3)
    fitted.fit(inputs, label, weight)
    trees, base = (nodes_of_lightgbm if isinstance(fitted, LightGbm) else nodes_of_xgboost)(fitted)

    expected = np.array([np.sum([shapley(tree, row) for tree in trees], axis=0) for row in inputs[:40]])
    expected[:, -1] += base

    assert np.abs(expected[:, [0, 1]]).max(axis=0).min() > 0.05
    tolerance = 1e-12 if isinstance(fitted, LightGbm) else 2e-6
    np.testing.assert_allclose(fitted.contributions(inputs[:40])[:, 0], expected, atol=tolerance)


MODELS = {
    "lightgbm": (Model(Estimator.LIGHTGBM, parameters={"n_estimators": 20}, preparation=NATIVE), 1e-12),
    "xgboost": (Model(Estimator.XGBOOST, parameters={"n_estimators": 20, "max_depth": 3}, preparation=NATIVE), 1e-5),
    "linear": (Model(Estimator.LOGISTIC), 1e-12),
}


@pytest.mark.parametrize("name", list(MODELS))
@pytest.mark.parametrize("task", [Task.CLASSIFICATION, Task.REGRESSION])
def test_they_are_of_source_columns_and_add_up_to_the_raw_score(name, task):
    model, tolerance = MODELS[name]
    if name == "linear" and task is Task.REGRESSION:
        model = Model(Estimator.LINEAR)
    predictor = fit(model, examples(task), features=FEATURES, task=task, seed=0)
    table = training_rows(200, seed=1)[0]

    parts = contributions(predictor, table)

    score = predictor.predict(table)
    raw = np.log(score / (1 - score)) if task is Task.CLASSIFICATION else score
    assert parts.columns == tuple(column.name for column in FEATURES)
    assert parts.values.shape == (200, 1, len(FEATURES))
    summed = parts.base + parts.values.sum(axis=2)[:, 0]
    np.testing.assert_allclose(summed, raw, atol=tolerance * max(1, abs(raw).max()))
    by_column = dict(zip(parts.columns, np.abs(parts.values[:, 0]).max(axis=0), strict=True))
    assert min(by_column["hour"], by_column["delay"], by_column["carrier"]) > 0.05
    assert by_column["empty"] == 0
    assert by_column["nothing"] == pytest.approx(0)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Model(Estimator.TREE), "A DecisionTreeClassifier has no exact contributions"),
        (Model(Estimator.MAJORITY), "A DummyClassifier has no exact contributions"),
        (Model(Estimator.LOGISTIC, preparation=Preparation(components=2)), "makes inputs of several features"),
    ],
)
def test_where_they_would_not_be_exact_there_are_none(model, message):
    predictor = fit(model, examples(), features=FEATURES, seed=0)

    with pytest.raises(ModelError, match=message):
        contributions(predictor, training_rows(5)[0])


@pytest.mark.parametrize("name", ["lightgbm", "xgboost"])
def test_a_booster_that_was_stored_without_the_rows_of_its_nodes_has_none(name):
    predictor = fit(MODELS[name][0], examples(), features=FEATURES, seed=0)
    counts = rb'(_count=|"sum_hessian":\[)[^\n\]]*'
    zeros = re.sub(counts, lambda found: re.sub(rb"[0-9][0-9.e+-]*", b"0", found[0]), predictor.estimator.model_)
    predictor.estimator.with_model(zeros, "the file")
    table = training_rows(5)[0]

    assert np.isfinite(predictor.predict(table)).all()
    with pytest.raises(ModelError, match="without the rows of its nodes: train it again"):
        contributions(predictor, table)


def test_a_table_without_rows_has_no_contributions():
    predictor = fit(MODELS["lightgbm"][0], examples(), features=FEATURES, seed=0)

    assert contributions(predictor, training_rows(5)[0].slice(0, 0)).values.shape == (0, 1, len(FEATURES))
