"""Native categories: codes by the model's own levels, unseen ones missing and counted, sets checked when opened."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from models.rows import FEATURES, MEMBERS, examples, training_rows
from nightjar.errors import LearningError, ModelError
from nightjar.models.boosters import lightgbm_booster, xgboost_booster
from nightjar.models.boosters.booster_files import open_booster, structure_of
from nightjar.models.boosters.lightgbm_booster import LightGbmClassifier
from nightjar.models.boosters.xgboost_booster import XgBoostClassifier
from nightjar.models.checking import check_model
from nightjar.models.columns import to_frame
from nightjar.models.estimators.native_boosting import put_codes_first
from nightjar.models.fitting import fit
from nightjar.models.predictor import scores_of
from nightjar.models.preprocessing.inputs import inputs_of
from nightjar.models.serialization.predictor_files import dump, open_predictor
from nightjar.models.serialization.tree_checks import require_sound_trees
from nightjar.models.trees import LEAF, trees_of_boosting
from nightjar.models.unseen import reads_native_categories, unseen_texts
from nightjar.settings.columns import Category, ColumnPreparation, Encoding, MissingLevel
from nightjar.settings.model import Estimator, Model
from nightjar.settings.preparation import (
    Imbalance,
    ImbalanceKind,
    Maker,
    MakerKind,
    Preparation,
    Selection,
    SelectionKind,
)
from nightjar.settings.task import Task

NATIVE = Preparation(category=Category(Encoding.NATIVE))
MODELS = {
    "boosting": Model(Estimator.BOOSTING, parameters={"max_iter": 30, "max_leaf_nodes": 2}, preparation=NATIVE),
    "lightgbm": Model(Estimator.LIGHTGBM, parameters={"n_estimators": 10}, preparation=NATIVE),
    "xgboost": Model(Estimator.XGBOOST, parameters={"n_estimators": 10, "max_depth": 3}, preparation=NATIVE),
}
EACH = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def carriers(*values):
    """Rows that differ in their carrier alone."""
    table = training_rows(40, seed=1)[0].slice(5, 1)
    rows = pa.concat_tables([table] * len(values))
    return rows.set_column(rows.column_names.index("carrier"), "carrier", pa.array(values, pa.string()))


@EACH
def test_an_unseen_level_scores_as_missing_and_is_named(model):
    predictor = fit(model, examples(), features=FEATURES, seed=0)
    rows = carriers("UA", "AA", None, "ZZ", "")

    scores = predictor.predict(rows)

    assert scores[0] > scores[1] + 0.01
    assert scores[2] == scores[3] == scores[4]
    assert unseen_texts(predictor, rows).to_pylist() == [None, None, None, "carrier", "carrier"]


@EACH
def test_a_stored_one_scores_and_counts_alike(model):
    predictor = fit(model, examples(), features=FEATURES, seed=0)
    structure, files = dump(predictor)
    rows = training_rows(100, seed=1)[0]

    opened = open_predictor(json.loads(json.dumps(structure)), files, "the model")

    assert opened.predict(rows).tolist() == predictor.predict(rows).tolist()
    assert reads_native_categories(structure)
    assert unseen_texts(opened, carriers("ZZ")).to_pylist() == ["carrier"]


def test_members_of_an_ensemble_count_too():
    members = {**MEMBERS, "native": MODELS["lightgbm"]}
    voting = Model(Estimator.VOTING, members=["tree", "native"])

    predictor = fit(voting, examples(), features=FEATURES, seed=0, members=members)

    assert unseen_texts(predictor, carriers("ZZ", "UA")).to_pylist() == ["carrier", None]


def test_a_null_is_no_unseen_level_where_it_is_a_level_that_training_had_not():
    own = ColumnPreparation(category=Category(Encoding.NATIVE, MissingLevel.UNKNOWN))
    model = Model(Estimator.XGBOOST, parameters={"n_estimators": 5}, preparation=Preparation(columns={"carrier": own}))
    full = examples(table=carriers(*["UA", "AA"] * 300), label=np.arange(600) % 2 == 0)

    predictor = fit(model, full, features=FEATURES, seed=0)

    assert unseen_texts(predictor, carriers(None, "ZZ")).to_pylist() == [None, "carrier"]


@EACH
def test_a_level_of_which_resampling_left_no_row_is_unseen(model):
    """Of 590 rows without the label ten are left: of ten levels of one row each the model has then seen few."""
    levels = [*map(str, range(10)), *["UA", "AA"] * 295]
    rows = examples(table=carriers(*levels), label=np.arange(600) >= 590)
    under = replace(model, imbalance=Imbalance(ImbalanceKind.UNDER))

    predictor = fit(under, rows, features=FEATURES, seed=0)
    plain = fit(model, rows, features=FEATURES, seed=0)

    texts = unseen_texts(predictor, carriers(*levels[:12])).to_pylist()
    assert texts.count("carrier") > 5
    assert texts[10:] == [None, None]
    scores = predictor.predict(carriers(None, *levels[:10]))
    assert all(score == scores[0] for score, text in zip(scores[1:], texts, strict=False) if text)
    assert unseen_texts(plain, carriers(*levels[:12])).to_pylist() == [None] * 12


@pytest.mark.parametrize(
    "model",
    [
        Model(Estimator.FOREST, preparation=NATIVE),
        Model(Estimator.LOGISTIC, preparation=NATIVE),
        Model(Estimator.LIGHTGBM, preparation=Preparation(category=Category(Encoding.NATIVE), components=2)),
        Model(
            Estimator.LIGHTGBM,
            preparation=Preparation(category=Category(Encoding.NATIVE), make=[Maker(MakerKind.CLUSTER)]),
        ),
        Model(
            Estimator.XGBOOST,
            preparation=Preparation(
                category=Category(Encoding.NATIVE), select=[Selection(SelectionKind.CORRELATION, threshold=0.9)]
            ),
        ),
    ],
)
def test_codes_are_refused_where_they_would_be_read_as_amounts(model):
    with pytest.raises(
        LearningError, match="encoding=native makes codes of carrier, which boosting, lightgbm and xgboost alone"
    ):
        check_model(model, FEATURES)


@pytest.mark.parametrize("task", [Task.CLASSIFICATION, Task.MULTICLASS, Task.REGRESSION])
def test_boosting_scores_codes_as_scikit_learn_does(task):
    """Its categories lie behind its numbers; the library puts them first, and encodes them anew."""
    rows = examples(task)
    predictor = fit(MODELS["boosting"], rows, features=FEATURES, task=task, seed=0)
    inputs, own = predictor.inputs(to_frame(rows.table, predictor.features)), predictor.estimator
    is_category = [bool(one.levels) for one in inputs_of(predictor.preparation)]
    plain = type(own)(**own.get_params()).set_params(categorical_features=is_category)
    label = np.unique(rows.label, return_inverse=True)[1] if rows.classes else rows.label

    plain.fit(inputs, label, sample_weight=rows.weight)

    assert is_category.index(True) > 0
    strange = inputs.copy()
    strange[::3, is_category.index(True)] = np.nan
    predict = "predict" if task is Task.REGRESSION else "predict_proba"
    assert getattr(own, predict)(strange).tolist() == getattr(plain, predict)(strange).tolist()
    trees = trees_of_boosting(own)
    sums = np.tile(trees.base, (len(strange), 1))
    for row, values in enumerate(trees.read(strange).T[:50]):
        for tree in trees.trees:
            node = 0
            while tree.input[node] != LEAF:
                is_lower = tree.fulfil(node, values[[tree.input[node]]])[0]
                node = (tree.lower if is_lower else tree.upper)[node]
            sums[row, tree.output] += tree.value[node, 0]
    np.testing.assert_allclose(sums[:50], own._raw_predict(strange)[:50], atol=1e-12)


def test_boosting_parts_sets_of_255_levels_at_most():
    levels = [f"{number:03}" for number in range(256)]
    rows = examples(table=carriers(*levels, *levels, *levels[:88]), label=np.arange(600) % 2 == 0)
    with pytest.raises(LearningError, match="carrier has 256 levels, and boosting parts sets of 255 at most"):
        fit(MODELS["boosting"], rows, features=FEATURES, seed=0)


def _of_mapper(change):
    return lambda model: change(model._bin_mapper)


ALTERED = {
    "a set that is not there": lambda model: model._predictors[0][0].nodes["bitset_idx"].__setitem__(0, 10**6),
    "a set that is too short": lambda model: setattr(
        model._predictors[0][0], "raw_left_cat_bitsets", np.zeros((1, 2), np.uint32)
    ),
    "a number as a set": lambda model: model._predictors[0][0].nodes["feature_idx"].__setitem__(0, 1),
    "a set as a number": lambda model: model._predictors[0][0].nodes["is_categorical"].__setitem__(0, 0),
    "too many levels": _of_mapper(lambda one: one.bin_thresholds_.__setitem__(0, np.arange(300.0))),
    "levels beyond a set's bits": _of_mapper(lambda one: one.bin_thresholds_.__setitem__(0, np.array([0.0, 10**9]))),
    "a category more": _of_mapper(lambda one: one.is_categorical_.__setitem__(1, 1)),
    "a mapper of fewer inputs": _of_mapper(lambda one: setattr(one, "is_categorical_", one.is_categorical_[:1])),
    "an order of other inputs": lambda model: setattr(model._preprocessor, "order", [0, 7]),
    "an order with an input twice": lambda model: setattr(model._preprocessor, "order", [1, 1]),
}


@pytest.mark.parametrize("change", ALTERED.values(), ids=ALTERED)
def test_altered_sets_of_boosting_are_refused_before_it_scores(change):
    random = np.random.default_rng(0)
    inputs = np.column_stack([random.normal(size=2000), random.integers(0, 40, 2000)])
    label = random.random(2000) < 0.2 + 0.6 * (inputs[:, 1] % 3 == 0)
    model = HistGradientBoostingClassifier(max_iter=2, early_stopping=False, categorical_features=[False, True])
    put_codes_first(model.fit(inputs, label))
    assert model._predictors[0][0].nodes["is_categorical"][0] == 1
    require_sound_trees(model, "the file")

    change(model)

    with pytest.raises(ModelError, match="the file holds a tree with nodes that lead outside"):
        require_sound_trees(model, "the file")


@cache
def fitted_with_sets(booster):
    """A booster of one number and one category of 70 levels, whose first tree parts levels at its root."""
    random = np.random.default_rng(0)
    inputs = np.column_stack([random.normal(size=4000), random.integers(0, 70, 4000)])
    label = random.random(4000) < 1 / (1 + np.exp(-inputs[:, 0] - 6 * (inputs[:, 1] % 3 == 0) + 3))
    model = booster(n_estimators=2, max_depth=2)
    model.levels = (0, 70)
    return model.fit(inputs, label), inputs


@pytest.mark.parametrize("booster", [LightGbmClassifier, XgBoostClassifier])
def test_sets_of_levels_are_kept_whole(booster):
    fitted, inputs = fitted_with_sets(booster)

    opened = open_booster(json.loads(json.dumps(structure_of(fitted))), fitted.model_, "the file")

    assert opened.model_ == fitted.model_
    assert scores_of(opened, inputs).tolist() == scores_of(fitted, inputs).tolist()
    by_level = scores_of(opened, np.column_stack([np.zeros(70), np.arange(70)]))
    assert by_level[::3].mean() > by_level[1::3].mean() + 0.05


TEXT = [
    ("num_cat", "0"),
    ("num_cat", "-1"),
    ("num_cat", "2"),
    ("num_cat", "4000000000"),
    ("cat_boundaries", ""),
    ("cat_boundaries", "0"),
    ("cat_boundaries", "0 2"),
    ("cat_boundaries", "0 4"),
    ("cat_boundaries", "1 3"),
    ("cat_boundaries", "0 -3"),
    ("cat_boundaries", "0 3 3"),
    ("cat_boundaries", "0 2000000000"),
    ("cat_threshold", ""),
    ("cat_threshold", "1 2"),
    ("cat_threshold", "1 2 3 4"),
    ("cat_threshold", "1 2 4294967296"),
    ("cat_threshold", "1 2 -3"),
    ("cat_threshold", "1 2 0.5"),
    ("threshold", "1 0.5 0.5"),
    ("threshold", "-1 0.5 0.5"),
    ("threshold", "0.5 0.5 0.5"),
    ("threshold", "inf 0.5 0.5"),
    ("split_feature", "0 0 0"),
    ("decision_type", "2 2 2"),
    ("decision_type", "9 9 9"),
    ("decision_type", "16 2 2"),
    ("internal_count", "4000 -1 5"),
    ("leaf_count", "1 2 3 4000000000"),
]


@pytest.mark.parametrize(("key", "value"), TEXT)
def test_an_altered_set_of_lightgbm_is_refused_before_the_library_opens_it(key, value, monkeypatch):
    fitted, _ = fitted_with_sets(LightGbmClassifier)
    (line,) = [line for line in fitted.model_.decode().split("\n\n")[1].split("\n") if line.startswith(f"{key}=")]
    altered = fitted.model_.decode().replace(f"\n{line}\n", f"\n{key}={value}\n", 1)
    monkeypatch.setattr(lightgbm_booster, "_library", lambda: pytest.fail("the library was asked"))

    assert altered != fitted.model_.decode()
    with pytest.raises(ModelError, match=r"lightgbm\.txt"):
        open_booster(structure_of(fitted), altered.encode(), "lightgbm.txt")


SETS = [
    ("categories", lambda _: []),
    ("categories", lambda old: old[:-1]),
    ("categories", lambda old: [*old, 3]),
    ("categories", lambda old: [70, *old[1:]]),
    ("categories", lambda old: [-1, *old[1:]]),
    ("categories", lambda old: [0.5, *old[1:]]),
    ("categories", lambda old: [True, *old[1:]]),
    ("categories", lambda old: [old[1], *old[1:]]),
    ("categories", lambda old: [10**12, *old[1:]]),
    ("categories", lambda _: None),
    ("categories_nodes", lambda _: []),
    ("categories_nodes", lambda old: [1, *old[1:]]),
    ("categories_nodes", lambda old: [-1, *old[1:]]),
    ("categories_nodes", lambda old: [*old, 2]),
    ("categories_nodes", lambda _: "0"),
    ("categories_segments", lambda old: [1, *old[1:]]),
    ("categories_segments", lambda old: [10**9, *old[1:]]),
    ("categories_segments", lambda _: []),
    ("categories_sizes", lambda old: [0, *old[1:]]),
    ("categories_sizes", lambda old: [10**9, *old[1:]]),
    ("categories_sizes", lambda old: [-1, *old[1:]]),
    ("split_type", lambda old: [0] * len(old)),
    ("split_type", lambda old: [2, *old[1:]]),
    ("split_indices", lambda old: [0] * len(old)),
    ("sum_hessian", lambda old: [-1.0] * len(old)),
    ("sum_hessian", lambda old: old[:-1]),
]


@pytest.mark.parametrize(("key", "change"), SETS)
def test_an_altered_set_of_xgboost_is_refused_before_the_library_opens_it(key, change, monkeypatch):
    fitted, _ = fitted_with_sets(XgBoostClassifier)
    model = json.loads(fitted.model_)
    tree = model["learner"]["gradient_booster"]["model"]["trees"][0]
    assert tree["split_type"][0] == 1
    tree[key] = change(tree[key])
    monkeypatch.setattr(xgboost_booster, "_library", lambda: pytest.fail("the library was asked"))

    with pytest.raises(ModelError, match=r"xgboost\.json"):
        open_booster(structure_of(fitted), json.dumps(model).encode(), "xgboost.json")


@pytest.mark.parametrize("booster", [LightGbmClassifier, XgBoostClassifier])
@pytest.mark.parametrize("levels", [[0], [0, -1], [0, 2.0], [0, 2**25], [70, 0], [0, 0], [0, 3]])
def test_levels_that_do_not_fit_the_model_are_refused(booster, levels):
    fitted, _ = fitted_with_sets(booster)

    with pytest.raises(ModelError, match="the file"):
        open_booster(structure_of(fitted) | {"levels": levels}, fitted.model_, "the file")
