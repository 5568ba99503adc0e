"""Native categories: codes by the model's own levels, unseen ones missing and counted, sets checked when opened."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pyarrow as pa
import pytest

from models.rows import FEATURES, MEMBERS, examples, training_rows
from nightjar.errors import LearningError, ModelError
from nightjar.models.boosters import lightgbm_booster, xgboost_booster
from nightjar.models.boosters.booster_files import open_booster, structure_of
from nightjar.models.boosters.lightgbm_booster import LightGbmClassifier
from nightjar.models.boosters.xgboost_booster import XgBoostClassifier
from nightjar.models.checking import check_model
from nightjar.models.fitting import fit
from nightjar.models.predictor import scores_of
from nightjar.models.serialization.predictor_files import dump, open_predictor
from nightjar.models.unseen import unseen_texts
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

NATIVE = Preparation(category=Category(Encoding.NATIVE))
MODELS = {
    "lightgbm": Model(Estimator.LIGHTGBM, parameters={"n_estimators": 10}, preparation=NATIVE),
    "xgboost": Model(Estimator.XGBOOST, parameters={"n_estimators": 10, "max_depth": 3}, preparation=NATIVE),
}
BOTH = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def carriers(*values):
    """Rows that differ in their carrier alone."""
    table = training_rows(40, seed=1)[0].slice(5, 1)
    rows = pa.concat_tables([table] * len(values))
    return rows.set_column(rows.column_names.index("carrier"), "carrier", pa.array(values, pa.string()))


@BOTH
def test_an_unseen_level_scores_as_missing_and_is_named(model):
    predictor = fit(model, examples(), features=FEATURES, seed=0)
    rows = carriers("UA", "AA", None, "ZZ", "")

    scores = predictor.predict(rows)

    assert scores[0] > scores[1] + 0.01
    assert scores[2] == scores[3] == scores[4]
    assert unseen_texts(predictor, rows).to_pylist() == [None, None, None, "carrier", "carrier"]


@BOTH
def test_a_stored_one_scores_and_counts_alike(model):
    predictor = fit(model, examples(), features=FEATURES, seed=0)
    structure, files = dump(predictor)
    rows = training_rows(100, seed=1)[0]

    opened = open_predictor(json.loads(json.dumps(structure)), files, "the model")

    assert opened.predict(rows).tolist() == predictor.predict(rows).tolist()
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


@BOTH
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
        Model(Estimator.BOOSTING, preparation=NATIVE),
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
    with pytest.raises(LearningError, match="encoding=native makes codes of carrier, which lightgbm and xgboost alone"):
        check_model(model, FEATURES)


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
