"""Contributions: Shapley values as enumeration gives them, summing to the raw score, by source column."""

import json
import re
import weakref
from dataclasses import replace
from math import isnan

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit, softmax
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from models.rows import CANDIDATES, FEATURES, MEMBERS, examples, training_rows
from nightjar.errors import ModelError
from nightjar.explanation import tree_shapley as module
from nightjar.explanation.contributions import Contributions, contributions, trees_of
from nightjar.explanation.raw_scores import LOG_ODDS, LOG_VALUE, PROBABILITY, VALUE, scale_of
from nightjar.explanation.sum_check import require_sums
from nightjar.explanation.tree_shapley import tree_shapley
from nightjar.models.boosters.lightgbm_booster import LightGbm, LightGbmClassifier, LightGbmOfClasses, LightGbmRegressor
from nightjar.models.boosters.xgboost_booster import XgBoost, XgBoostClassifier, XgBoostOfClasses, XgBoostRegressor
from nightjar.models.columns import to_frame
from nightjar.models.fitting import fit
from nightjar.models.preprocessing.inputs import inputs_of
from nightjar.settings.columns import Category, Encoding
from nightjar.settings.model import Calibration, Estimator, Model
from nightjar.settings.preparation import Imbalance, ImbalanceKind, Preparation
from nightjar.settings.task import Task
from oracles.shapley import Node, expectation, shapley

NATIVE = Preparation(category=Category(Encoding.NATIVE))
SHARES = Preparation(category=Category(Encoding.TARGET))
LEVELS = 40
SIZES = (0, LEVELS, 0, 3, 0, 0, 0, 0)
"""Levels of each input that is a native category."""


def rows(random, count, inputs):
    """Numbers, a category of 40 levels, one of three; nulls in two columns; weights."""
    values = random.normal(size=(count, inputs)).round(2)
    for place, levels in enumerate(SIZES[:inputs]):
        if levels:
            values[:, place] = random.integers(0, levels, count)
    values[random.random(values.shape) < 0.15] = np.nan
    known = np.nan_to_num(values, nan=1)
    odds = known[:, 0] + 3 * (known[:, 1] % 4 == 0) * (known[:, -1] > 0) + known.sum(axis=1) / 4
    return values, odds + random.normal(size=count), random.integers(1, 4, count).astype(float)


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
            if isnan(row[at]):
                return default if node["missing_type"] == "NaN" else threshold >= 0
            return row[at] <= threshold

        return Node(node["internal_count"], 0.0, at, goes_lower, children)

    trees = booster._opened.dump_model()["tree_info"]
    return [
        [build(tree["tree_structure"]) for tree in trees[one :: booster.outputs_]] for one in range(booster.outputs_)
    ]


def nodes_of_xgboost(booster):
    model = json.loads(booster.model_)["learner"]

    def build(tree, at):
        lower, upper, value = (tree[key][at] for key in ("left_children", "right_children", "split_conditions"))
        if lower < 0:
            return Node(tree["sum_hessian"][at], float(np.float32(value)))
        sets = zip(*(tree[f"categories_{part}"] for part in ("nodes", "segments", "sizes")), strict=True)
        levels = [set(tree["categories"][start : start + size]) for node, start, size in sets if node == at]
        index, default = tree["split_indices"][at], bool(tree["default_left"][at])

        def goes_lower(row):
            if isnan(row[index]):
                return default
            value_of = np.float32(row[index] - booster.shift_[index])
            return row[index] not in levels[0] if levels else value_of < np.float32(value)

        return Node(tree["sum_hessian"][at], 0.0, index, goes_lower, (build(tree, lower), build(tree, upper)))

    trees = model["gradient_booster"]["model"]["trees"]
    return [[build(tree, 0) for tree in trees[one :: booster.outputs_]] for one in range(booster.outputs_)]


def nodes_of_boosting(estimator):
    def build(nodes, at):
        node = nodes[at]
        if node["is_leaf"]:
            return Node(float(node["count"]), float(node["value"]))
        index, missing = int(node["feature_idx"]), bool(node["missing_go_to_left"])
        children = build(nodes, node["left"]), build(nodes, node["right"])
        goes = lambda row: missing if isnan(row[index]) else row[index] <= node["num_threshold"]  # noqa: E731
        return Node(float(node["count"]), 0.0, index, goes, children)

    rounds = estimator._predictors
    return [[build(one[output].nodes, 0) for one in rounds] for output in range(len(rounds[0]))]


def nodes_of_forest(estimator):
    members = getattr(estimator, "estimators_", [estimator])
    count = members[0].tree_.value.shape[2]
    outputs = [1] if hasattr(estimator, "classes_") and count == 2 else range(count)

    def build(tree, at, output):
        cover = float(tree.weighted_n_node_samples[at])
        if tree.children_left[at] < 0:
            return Node(cover, float(tree.value[at, 0, output]) / len(members))
        index, missing = int(tree.feature[at]), bool(tree.missing_go_to_left[at])
        children = tuple(build(tree, child[at], output) for child in (tree.children_left, tree.children_right))
        goes = lambda row: missing if isnan(row[index]) else np.float32(row[index]) <= tree.threshold[at]  # noqa: E731
        return Node(cover, 0.0, index, goes, children)

    return [[build(member.tree_, 0, output) for member in members] for output in outputs]


def nodes_of(estimator):
    if isinstance(estimator, LightGbm):
        return nodes_of_lightgbm(estimator)
    if isinstance(estimator, XgBoost):
        return nodes_of_xgboost(estimator)
    return nodes_of_boosting(estimator) if hasattr(estimator, "_predictors") else nodes_of_forest(estimator)


BOOSTERS = [
    LightGbmClassifier,
    LightGbmOfClasses,
    LightGbmRegressor,
    XgBoostClassifier,
    XgBoostOfClasses,
    XgBoostRegressor,
]
HISTOGRAM = [HistGradientBoostingClassifier, HistGradientBoostingRegressor]
FORESTS = [ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor]
TREES = [DecisionTreeClassifier, DecisionTreeRegressor]


def unfitted(kind, depth, inputs):
    if kind in BOOSTERS:
        estimator = kind(n_estimators=2, max_depth=depth)
        estimator.levels = SIZES[:inputs]
        return estimator
    if kind in HISTOGRAM:
        return kind(max_iter=2, max_depth=depth, min_samples_leaf=3, early_stopping=False)
    return kind(max_depth=depth, random_state=0, **({"n_estimators": 2} if kind in FORESTS else {}))


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    inputs=st.integers(2, 8),
    depth=st.integers(1, 6),
    shared=st.booleans(),
    several=st.booleans(),
)
@pytest.mark.parametrize("kind", [*BOOSTERS, *HISTOGRAM, *FORESTS, *TREES], ids=lambda one: one.__name__)
def test_they_are_shapley_values_by_enumeration(kind, seed, inputs, depth, shared, several):
    """Of columns: `shared` makes the first and the last input of one."""
    random = np.random.default_rng(seed)
    values, odds, weight = rows(random, 120, inputs)
    label = odds if "Regressor" in kind.__name__ else odds > np.median(odds)
    if "OfClasses" in kind.__name__ or (several and kind not in BOOSTERS and hasattr(kind, "predict_proba")):
        label = np.digitize(odds, np.quantile(odds, [0.3, 0.7]))
    estimator = unfitted(kind, depth, inputs).fit(values, label, sample_weight=weight)
    players = [*range(inputs - 1), 0] if shared else list(range(inputs))
    count = max(players) + 1

    found, base = tree_shapley(trees_of(estimator), players, count, values[:3])

    for output, trees in enumerate(nodes_of(estimator)):
        for row, own in zip(values[:3], found[:, output], strict=True):
            worth = lambda group, row=row, trees=trees: sum(expectation(tree, row, group, players) for tree in trees)  # noqa: E731
            expected = shapley(count, worth)
            np.testing.assert_allclose(own, expected[:-1], atol=1e-9)
            assert base[output] - trees_of(estimator).base[output] == pytest.approx(expected[-1], abs=1e-9)


def strange_rows(count=1000):
    """Rows with values missing everywhere, and with a carrier that training has not seen."""
    table = training_rows(count, seed=1)[0]
    random = np.random.default_rng(2)
    for column in ("hour", "delay", "holiday", "carrier"):
        values = np.array(table[column].to_pylist(), dtype=object)
        values[random.random(count) < 0.2] = None
        if column == "carrier":
            values[random.random(count) < 0.2] = "ZZ"
        table = table.set_column(table.schema.get_field_index(column), column, pa.array(values, table[column].type))
    return table


def raw_scores(predictor, table, scale):
    """From the scores that are served: what the contributions have to sum to."""
    score = replace(predictor, calibration=None).predict(table)
    if score.ndim == 2:
        return score[:, predictor.is_seen()]
    return {LOG_ODDS: logit, LOG_VALUE: np.log}.get(scale, np.asarray)(score)[:, np.newaxis]


MEANS = {
    f"mean of trees for {task.value}": (task, Model(Estimator.BAGGING, parameters={"count": 3}, members=["tree"]))
    for task in Task
}
OF_SHARES = {
    name: replace(model, preparation=SHARES, drop=["nothing"])
    for name, model in {
        "logistic": Model(Estimator.LOGISTIC),
        "tree, under-sampled": replace(CANDIDATES["tree"][1], imbalance=Imbalance(ImbalanceKind.UNDER)),
        "lightgbm": Model(Estimator.LIGHTGBM, parameters={"n_estimators": 5}),
        "xgboost": Model(Estimator.XGBOOST, parameters={"n_estimators": 5}),
    }.items()
}
"""Without the column that is null in all rows: to its training rows the encoding gives the share of their fold."""
EXTRA = {
    "native lightgbm": (Task.CLASSIFICATION, Model(Estimator.LIGHTGBM, preparation=NATIVE)),
    "native lightgbm for several": (
        Task.MULTICLASS,
        Model(Estimator.LIGHTGBM, preparation=NATIVE, parameters={"n_estimators": 10}),
    ),
    "native xgboost for several": (
        Task.MULTICLASS,
        Model(Estimator.XGBOOST, preparation=NATIVE, parameters={"n_estimators": 10}),
    ),
    **{f"target {name} for several": (Task.MULTICLASS, model) for name, model in OF_SHARES.items()},
    "forest of several": (Task.MULTICLASS, Model(Estimator.FOREST, parameters={"n_estimators": 5, "max_depth": 5})),
    **MEANS,
}
REFUSED = re.compile(
    r"network|neighbours|rule|(stacking|voting) for (class|multi)|AdaBoost|Quadratic|naive_bayes|SGDClass"
)
"""Candidates that are not additive in an exact way, and get sampled values."""


def refuse_what_does_not_sum(predictor, table, parts, tolerance):
    """The check of every explained row passes, and does not once one contribution of one row is off."""
    served = predictor.predict(table)
    require_sums(predictor, table, parts, served)
    if not parts.columns or predictor.seen == (3,):
        return
    row = int(np.argmin(np.abs(served.reshape(len(served), -1)[:, -1] - 0.5)))
    values = parts.values.copy()
    values[row, 0, 0] += 20 * tolerance * max(1, np.abs(values[row]).max(), np.abs(parts.base).max())
    with pytest.raises(ModelError, match=f"The reasons of 1 of 1,000 rows do not explain.*in row {row} contributions"):
        require_sums(predictor, table, replace(parts, values=values), served)


@pytest.mark.parametrize("name", [*CANDIDATES, *EXTRA])
def test_of_every_estimator_they_sum_to_the_raw_score_or_are_refused(name):
    task, model = {**CANDIDATES, **EXTRA}[name]
    predictor = fit(model, examples(task), features=FEATURES, task=task, seed=0, members=MEMBERS)
    table = strange_rows()
    if REFUSED.search(name):
        with pytest.raises(ModelError, match=r"no exact contributions|exact contributions only where each is additive"):
            contributions(predictor, table)
        return

    parts = contributions(predictor, table)

    assert parts.values.shape == (1000, len(parts.base), len(predictor.features))
    summed, raw = parts.base + parts.values.sum(axis=2), raw_scores(predictor, table, parts.scale)
    if predictor.classes and parts.scale == LOG_ODDS:
        summed = softmax(summed, axis=1)
    np.testing.assert_allclose(summed, raw, atol=1e-6 * max(1, np.abs(raw).max()))
    refuse_what_does_not_sum(predictor, table, parts, 1e-5 if "xgboost" in name else 1e-6)
    moves = dict(zip(parts.columns, np.ptp(parts.values, axis=0).max(axis=0), strict=True))
    assert moves.get("empty", 0) == 0
    assert moves.get("nothing", 0) == 0


def test_of_a_linear_model_they_are_shapley_values_beside_average_inputs():
    predictor = fit(Model(Estimator.LOGISTIC), examples(), features=FEATURES, seed=0)
    table = training_rows(3, seed=1)[0]
    names = [column.name for column in FEATURES]
    inputs = predictor.inputs(to_frame(table, predictor.features))
    owner = np.array([names.index(one.column) for one in inputs_of(predictor.preparation)])
    values = contributions(predictor, table).values[:, 0]
    for row, own in zip(inputs, values, strict=True):
        worth = lambda group, row=row: logit(  # noqa: E731
            predictor.estimator.predict_proba(np.where(np.isin(owner, list(group)), row, 0)[None])[0, 1]
        )
        np.testing.assert_allclose(own, shapley(len(names), worth)[:-1], atol=1e-9)


def test_scores_that_the_model_did_not_give_are_explained_by_nothing():
    """Of a calibrated model the margin is computed once more: what was served has to be its calibrated score."""
    model = Model(Estimator.LIGHTGBM, parameters={"n_estimators": 5}, calibration=Calibration.PLATT)
    predictor = fit(model, examples(), features=FEATURES, seed=0)
    table = training_rows(20, seed=1)[0]
    parts, served = contributions(predictor, table), predictor.predict(table)
    require_sums(predictor, table, parts, served)
    served[3] += 1e-4
    with pytest.raises(ModelError, match=r"gives row 3 the score .* and it was served with"):
        require_sums(predictor, table, parts, served)


@pytest.mark.parametrize("margin", [-30.0, -16.0, 0.0, 16.0, 30.0, 40.0])
def test_a_margin_that_its_probability_does_not_tell_is_compared_as_a_probability(margin):
    """1 - 1e-13 has three digits left: they tell the margin to a hundredth, and a wrong one by far all the same."""
    predictor = fit(Model(Estimator.BOOSTING, parameters={"max_iter": 1}), examples(), features=FEATURES, seed=0)
    served = expit(np.array([margin]))
    parts = Contributions(("delay",), np.array([[[margin + 1]]]), np.array([-1.0]), LOG_ODDS)
    require_sums(predictor, training_rows(1)[0], parts, served)
    for wrong in (-2.0, 2.0):
        off = replace(parts, values=parts.values - np.sign(margin or 1) * abs(margin) * 2 + wrong)
        with pytest.raises(ModelError, match="do not explain their scores"):
            require_sums(predictor, training_rows(1)[0], off, served)


def test_what_is_explained_is_the_margin_before_calibration():
    calibrated = Model(Estimator.LIGHTGBM, parameters={"n_estimators": 5}, calibration=Calibration.PLATT)
    plain = Model(Estimator.LIGHTGBM, parameters={"n_estimators": 5})
    table = training_rows(20, seed=1)[0]

    one, other = (fit(model, examples(), features=FEATURES, seed=0) for model in (calibrated, plain))

    assert one.predict(table).tolist() != other.predict(table).tolist()
    assert contributions(one, table).values.tolist() == contributions(other, table).values.tolist()


def test_a_mean_of_models_on_another_scale_is_refused():
    members = {"boosting": Model(Estimator.BOOSTING, parameters={"max_iter": 5})}
    model = Model(Estimator.BAGGING, parameters={"count": 2}, members=["boosting"])
    predictor = fit(model, examples(), features=FEATURES, seed=0, members=members)

    with pytest.raises(
        ModelError, match=r"only where each is additive on its scale.*HistGradientBoostingClassifier is not"
    ):
        contributions(predictor, training_rows(5)[0])


def test_a_preparation_that_mixes_columns_is_refused():
    model = Model(Estimator.LOGISTIC, preparation=Preparation(components=2))
    predictor = fit(model, examples(), features=FEATURES, seed=0)

    with pytest.raises(ModelError, match="makes inputs of several features"):
        contributions(predictor, training_rows(5)[0])


@pytest.mark.parametrize("estimator", [Estimator.LIGHTGBM, Estimator.XGBOOST])
def test_a_booster_that_was_stored_without_the_rows_of_its_nodes_has_none(estimator):
    predictor = fit(Model(estimator, preparation=NATIVE), examples(), features=FEATURES, seed=0)
    counts = rb'(_count=|"sum_hessian":\[)[^\n\]]*'
    zeros = re.sub(counts, lambda part: re.sub(rb"[0-9][0-9.e+-]*", b"0", part[0]), predictor.estimator.model_)
    predictor.estimator.with_model(zeros, "the file")
    table = training_rows(5)[0]

    assert np.isfinite(predictor.predict(table)).all()
    with pytest.raises(ModelError, match="No training rows are on record for a node"):
        contributions(predictor, table)


def test_a_table_without_rows_has_no_contributions():
    predictor = fit(Model(Estimator.LIGHTGBM), examples(), features=FEATURES, seed=0)

    assert contributions(predictor, training_rows(5)[0].slice(0, 0)).values.shape == (0, 1, len(FEATURES))


def test_of_two_classes_among_several_both_have_effects():
    rows = examples(Task.MULTICLASS, label=np.where(training_rows()[1], 3, 0))
    predictor = fit(CANDIDATES["logistic"][1], rows, features=FEATURES, task=Task.MULTICLASS, seed=0)

    parts = contributions(predictor, rows.table)

    first, second = parts.values.transpose(1, 0, 2)
    assert np.abs(first).max() > 0
    np.testing.assert_allclose(first, -second)
    summed = softmax(parts.base + parts.values.sum(axis=2), axis=1)
    np.testing.assert_allclose(summed, predictor.predict(rows.table)[:, [0, 3]], atol=1e-9)


def test_the_rate_of_a_classification_is_a_probability_and_that_of_amounts_a_value():
    model = CANDIDATES["rate"][1]
    for task, scale in ((Task.CLASSIFICATION, PROBABILITY), (Task.REGRESSION, VALUE)):
        predictor = fit(model, examples(task), features=FEATURES, task=task, seed=0)
        assert contributions(predictor, training_rows(5)[0]).scale == scale
        assert scale_of(predictor) == scale


def test_of_many_trees_one_is_walked_at_a_time(monkeypatch):
    """A forest that is grown to the end would else take gigabytes."""
    forest = RandomForestRegressor(5, random_state=0).fit(np.arange(40.0)[:, np.newaxis], np.arange(40.0))
    walks, earlier = weakref.WeakSet(), []
    prepare = module._prepare

    def counting(*arguments):
        earlier.append(len(walks))
        walk = prepare(*arguments)
        walks.add(walk)
        return walk

    monkeypatch.setattr(module, "_prepare", counting)
    tree_shapley(trees_of(forest), [0], 1, np.arange(3.0)[:, np.newaxis])

    assert earlier == [0, 1, 1, 1, 1]
