"""LightGBM and XGBoost: what is stored of their models, what is refused, and how many trees they take."""

import json

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import log_loss, mean_squared_error

from models.rows import CANDIDATES, FEATURES, examples, inner_splits
from nightjar.errors import LearningError, ModelError
from nightjar.models.boosters import lightgbm_bins, lightgbm_booster, xgboost_booster
from nightjar.models.boosters.booster_files import open_booster, structure_of
from nightjar.models.boosters.lightgbm_booster import LightGbmClassifier, LightGbmOfClasses, LightGbmRegressor
from nightjar.models.boosters.xgboost_booster import XgBoostClassifier, XgBoostOfClasses, XgBoostRegressor
from nightjar.models.checking import check_model
from nightjar.models.columns import FeatureColumn
from nightjar.models.examples import Examples
from nightjar.models.fitting import fit
from nightjar.models.predictor import scores_of
from nightjar.models.serialization.predictor_files import dump, open_predictor
from nightjar.settings.model import Estimator, Model
from nightjar.settings.task import Task

CLASSIFIERS = [LightGbmClassifier, XgBoostClassifier]
BOOSTERS = [*CLASSIFIERS, LightGbmRegressor, XgBoostRegressor]
MODULES = {"LightGbm": lightgbm_booster, "XgBoost": xgboost_booster}
EACH = pytest.mark.parametrize("booster", BOOSTERS, ids=lambda one: one.__name__)
EACH_CLASSIFIER = pytest.mark.parametrize("booster", CLASSIFIERS, ids=lambda one: one.__name__)


def rows(count=1500, seed=0):
    random = np.random.default_rng(seed)
    inputs = random.normal(size=(count, 4))
    inputs[random.random(count) < 0.2, 1] = np.nan
    inputs[:, 3] = 7
    odds = 2 * inputs[:, 0] + np.nan_to_num(inputs[:, 1], nan=1)
    return inputs, random.random(count) < 1 / (1 + np.exp(-odds)), random.integers(1, 4, count).astype(float)


def of_three_classes(count=600):
    random = np.random.default_rng(0)
    inputs = random.normal(size=(count, 2))
    return inputs, np.digitize(inputs[:, 0] + random.normal(0, 0.3, count), [-0.5, 0.5])


def module_of(booster):
    return next(module for name, module in MODULES.items() if booster.__name__.startswith(name))


FITS = [
    {},
    {"num_leaves": 7, "learning_rate": 0.3, "max_depth": 3, "min_child_weight": 0.1, "min_split_gain": 0.01},
    {"reg_alpha": 0.1, "reg_lambda": 1, "subsample": 0.5, "subsample_freq": 1, "colsample_bytree": 0.6},
    {"min_child_samples": 300},
    {"max_bin": 15},
    {"random_state": 1},
    {},
]


@pytest.mark.parametrize("weighted", [False, True])
def test_rows_that_another_fit_has_sorted_into_bins_give_the_same_model(weighted):
    inputs, label, weight = rows()
    inputs[:, 3] = np.arange(len(inputs)) % 5

    def models(before):
        lightgbm_bins._recent.clear()
        for number, options in enumerate(FITS):
            before()
            booster = LightGbmClassifier(n_estimators=5, **options)
            booster.levels = (0, 0, 0, 5 if number == 5 else 0)
            booster.monotone = (1, 0, 0, 0) if number == 6 else ()
            turned, weights = label ^ (number % 2 == 1), weight if weighted or number == 4 else None
            yield booster.fit(inputs, turned, weights).model_

    together = list(models(lambda: None))
    assert 1 < len(lightgbm_bins._recent) < len(FITS)
    assert together == list(models(lightgbm_bins._recent.clear))
    assert len(set(together)) == len(FITS)


def test_only_so_many_rows_stay_sorted_into_bins(monkeypatch):
    inputs, label, _ = rows()
    monkeypatch.setattr(lightgbm_bins, "MOST_BYTES", 2 * inputs.size)
    lightgbm_bins._recent.clear()
    for shift in range(4):
        LightGbmClassifier(n_estimators=1).fit(inputs + shift, label)
    assert len(lightgbm_bins._recent) == 2
    LightGbmClassifier(n_estimators=1).fit(np.tile(inputs, (3, 1)), np.tile(label, 3))
    assert len(lightgbm_bins._recent) == 2


@EACH
def test_of_a_stored_model_as_much_is_kept_as_its_scores_need(booster, monkeypatch):
    inputs, label, weight = rows()
    raw, library = [], module_of(booster)._library()
    train = library.train
    monkeypatch.setattr(
        library, "train", lambda *arguments, **options: raw.append(train(*arguments, **options)) or raw[0]
    )
    pruned = {"gamma": 3.0} if booster in (XgBoostClassifier, XgBoostRegressor) else {"min_split_gain": 3.0}

    fitted = booster(n_estimators=30, colsample_bytree=0.6, **pruned).fit(inputs, label, weight)

    data = library.DMatrix(inputs) if module_of(booster) is xgboost_booster else inputs
    assert scores_of(fitted, inputs).tolist() == raw[0].predict(data).astype(float).tolist()
    opened = open_booster(json.loads(json.dumps(structure_of(fitted))), fitted.model_, "the file")
    assert opened.model_ == fitted.model_
    assert scores_of(opened, inputs).tolist() == scores_of(fitted, inputs).tolist()


@EACH
def test_models_of_one_and_of_two_threads_are_the_same(booster, monkeypatch):
    inputs, label, weight = rows(20_000)
    one = booster(n_estimators=5, subsample=0.8).fit(inputs, label, weight)
    options = booster._options
    threads = {"num_threads": 2} if module_of(booster) is lightgbm_booster else {"nthread": 2}
    monkeypatch.setattr(booster, "_options", lambda self: options(self) | threads)

    assert booster(n_estimators=5, subsample=0.8).fit(inputs, label, weight).model_ == one.model_


TEXT = [
    (b"tree\n", b"tree\nloaded=yes\nversion=v3\n"),
    (b"version=v4", b"version=v3"),
    (b"num_class=1", b"num_class=9"),
    (b"max_feature_idx=3", b"max_feature_idx=9"),
    (b"objective=binary sigmoid:1", b"objective=custom"),
    (b"objective=binary sigmoid:1", b"objective=regression"),
    (b"Tree=0", b"Tree=1"),
    (b"num_leaves=4", b"num_leaves=5"),
    (b"num_leaves=4", b"num_leaves=0"),
    (b"num_leaves=4", b"num_leaves=999999999"),
    (b"num_cat=0", b"num_cat=1"),
    (b"is_linear=0", b"is_linear=1"),
    (b"split_feature=", b"split_feature=4"),
    (b"split_feature=", b"split_feature=-"),
    (b"threshold=", b"threshold=nan "),
    (b"threshold=", b"threshold=1,5 #"),
    (b"decision_type=", b"decision_type=1"),
    (b"left_child=1", b"left_child=0"),
    (b"left_child=1", b"left_child=7"),
    (b"right_child=2", b"right_child=-9"),
    (b"left_child=1", b"left_child=4"),
    (b"right_child=2", b"right_child=5"),
    (b"right_child=2", b"right_child=1"),
    (b"leaf_value=", b"leaf_value=0 "),
    (b"leaf_value=", b"leaf_value=0x1p3#"),
    (b"leaf_value=-0.", b"leaf_value=inf "),
    (b"leaf_value=-0.", b"leaf_value=-1e999"),
    (b"end of trees", b"end"),
    (b"Tree=0", b"\xffTree=0"),
]


@pytest.mark.parametrize(("text", "other"), TEXT)
def test_an_altered_text_of_lightgbm_is_refused_before_the_library_opens_it(text, other, monkeypatch):
    inputs, label, _ = rows(400)
    fitted = LightGbmClassifier(n_estimators=2, num_leaves=4).fit(inputs, label)
    assert text in fitted.model_
    monkeypatch.setattr(lightgbm_booster, "_library", lambda: pytest.fail("the library was asked"))

    with pytest.raises(ModelError, match=r"lightgbm\.txt"):
        open_booster(structure_of(fitted), fitted.model_.replace(text, other, 1), "lightgbm.txt")


def first(**changes):
    def change(model):
        model["learner"]["gradient_booster"]["model"]["trees"][0].update(changes)

    return change


def at_root(key, value):
    def change(model):
        model["learner"]["gradient_booster"]["model"]["trees"][0][key][0] = value

    return change


ROUNDS = {
    LightGbmOfClasses: [(b"num_class=3", b"num_class=2"), (b"num_tree_per_iteration=3", b"num_tree_per_iteration=1")],
    XgBoostOfClasses: [
        (b'"tree_info":[0,1,2', b'"tree_info":[0,1,1'),
        (b'"tree_info":[0,1,2', b'"tree_info":[0,1,2,0'),
        (b'"tree_info":[0,1,2', b'"tree_info":[0,1,9'),
        (b'"base_score":"[', b'"base_score":"[0.5,'),
        (b'"base_score":"[', b'"base_score":"[[],'),
        (b'"multi:softprob"', b'"binary:logistic"'),
    ],
}


@pytest.mark.parametrize(
    ("booster", "text", "other"), [(booster, *pair) for booster, pairs in ROUNDS.items() for pair in pairs]
)
def test_trees_that_are_no_rounds_of_the_classes_are_refused(booster, text, other):
    fitted = booster(n_estimators=2).fit(*of_three_classes())
    assert text in fitted.model_

    with pytest.raises(ModelError, match="the file"):
        open_booster(structure_of(fitted), fitted.model_.replace(text, other, 1), "the file")


@pytest.mark.parametrize("booster", ROUNDS)
@pytest.mark.parametrize("outputs", [0, 1, 2, 4, 3.0, "3", 10**9])
def test_a_number_of_classes_that_is_not_the_models_is_refused(booster, outputs):
    fitted = booster(n_estimators=2).fit(*of_three_classes())

    with pytest.raises(ModelError, match="the file"):
        open_booster(structure_of(fitted) | {"outputs": outputs}, fitted.model_, "the file")


@pytest.mark.parametrize("booster", ROUNDS)
def test_probabilities_of_classes_sum_to_1(booster):
    inputs, label = of_three_classes()
    fitted = booster(n_estimators=10).fit(inputs, label)

    np.testing.assert_allclose(fitted.predict_proba(inputs).sum(axis=1), 1, rtol=1e-14)
    assert (fitted.predict_proba(inputs).argmax(axis=1) == label).mean() > 0.7


@pytest.mark.parametrize("estimator", [Estimator.LIGHTGBM, Estimator.XGBOOST])
def test_a_class_that_training_has_not_seen_has_probability_0(estimator):
    """The inner split that stops early has one fewer still among its training rows."""
    inputs, label = of_three_classes(600)
    label = np.array([0, 2, 3])[np.where(np.arange(600) < 300, np.minimum(label, 1), label)]
    rows = Examples(
        pa.table({"x": inputs[:, 0]}), label, inner=inner_splits(600, 1), classes=("early", "never", "on time", "late")
    )
    model = Model(estimator, parameters={"n_estimators": 40, "early_stopping_rounds": 5})

    predictor = fit(model, rows, features=(FeatureColumn("x", "number"),), task=Task.MULTICLASS, seed=0)
    structure, files = dump(predictor)
    opened = open_predictor(json.loads(json.dumps(structure)), files, "the model")

    probabilities = opened.predict(rows.table)
    assert probabilities.shape == (600, 4)
    assert (probabilities[:, 1] == 0).all()
    assert (probabilities[:, [0, 2, 3]] > 0).all()
    assert probabilities.tolist() == predictor.predict(rows.table).tolist()


JSON = [
    lambda model: model.pop("learner"),
    lambda model: model.update(version="3"),
    lambda model: model.update(version=[3, 2]),
    lambda model: model["learner"]["gradient_booster"].update(name="dart"),
    lambda model: model["learner"]["objective"].update(name="rank:map"),
    lambda model: model["learner"]["learner_model_param"].update(num_feature="9"),
    lambda model: model["learner"]["learner_model_param"].update(base_score="[NaN]"),
    lambda model: model["learner"]["learner_model_param"].update(base_score="[1e300]"),
    lambda model: model["learner"]["learner_model_param"].update(base_score="[5]"),
    lambda model: model["learner"]["objective"].update(name="reg:squarederror"),
    lambda model: model["learner"]["gradient_booster"]["model"].update(trees="none"),
    first(left_children=[]),
    first(left_children=[1, 1]),
    first(split_indices="0000"),
    at_root("left_children", 0),
    at_root("left_children", -1),
    at_root("right_children", 10**6),
    at_root("right_children", 1),
    at_root("right_children", 1.5),
    at_root("split_indices", 4),
    at_root("split_indices", -1),
    at_root("split_type", 1),
    at_root("default_left", 2),
    at_root("split_conditions", float("inf")),
    at_root("split_conditions", "0.5"),
]


@pytest.mark.parametrize("change", JSON)
def test_altered_json_of_xgboost_is_refused_before_the_library_opens_it(change, monkeypatch):
    inputs, label, _ = rows(400)
    fitted = XgBoostClassifier(n_estimators=2, max_depth=2).fit(inputs, label)
    model = json.loads(fitted.model_)
    change(model)
    monkeypatch.setattr(xgboost_booster, "_library", lambda: pytest.fail("the library was asked"))

    with pytest.raises(ModelError, match=r"xgboost\.json"):
        open_booster(structure_of(fitted), json.dumps(model).encode(), "xgboost.json")


@pytest.mark.parametrize(
    "structure",
    [{"inputs": 0}, {"inputs": "4"}, {"inputs": 3}, {"inputs": 10**9}, {"shift": [0.0]}, {"shift": [1e999] * 4}],
)
def test_a_structure_that_does_not_fit_its_model_is_refused(structure):
    inputs, label, _ = rows(400)
    fitted = XgBoostClassifier(n_estimators=2).fit(inputs, label)

    with pytest.raises(ModelError, match=r"xgboost\.json"):
        open_booster(structure_of(fitted) | structure, fitted.model_, "xgboost.json")


@EACH
def test_the_number_of_trees_is_the_one_with_the_least_loss_on_later_rows(booster):
    train, test = rows(600), rows(600, seed=1)
    inputs, label, weight = test
    losses = []
    for size in range(1, 31):
        scores = scores_of(booster(n_estimators=size, learning_rate=0.4).fit(*train), inputs)
        measure = log_loss if booster in CLASSIFIERS else mean_squared_error
        losses.append(measure(label, scores, sample_weight=weight))

    stopped = booster(n_estimators=30, learning_rate=0.4, early_stopping_rounds=6).choose_size(train, test)

    assert stopped.n_estimators == int(np.argmin(losses)) + 1
    assert 1 < stopped.n_estimators < 24


def test_without_an_inner_split_it_cannot_stop_early():
    _, model = CANDIDATES["stopped lightgbm"]

    with pytest.raises(LearningError, match="early_stopping_rounds needs an inner split of the training rows"):
        fit(model, examples(inner=()), features=FEATURES, seed=0)


@EACH_CLASSIFIER
def test_neighbouring_great_numbers_stay_apart(booster):
    """A moment in microseconds, of which 32 bits show about every second minute."""
    seconds = np.repeat(np.arange(200.0), 10)
    inputs = 1.7e15 + seconds[:, None] * 1e6
    label = seconds > 100

    fitted = booster(n_estimators=30).fit(inputs, label)

    assert scores_of(fitted, inputs)[seconds == 100].max() < 0.1
    assert scores_of(fitted, inputs)[seconds == 101].min() > 0.9


@EACH_CLASSIFIER
def test_one_great_amount_hides_no_small_ones(booster):
    inputs = np.arange(1_000.0)[:, None]
    label = inputs[:, 0] >= 500
    inputs[0] = 1e12

    scores = scores_of(booster(n_estimators=20).fit(inputs, label), inputs)

    assert scores[400] < 0.1
    assert scores[600] > 0.9


def test_an_error_of_xgboost_is_one_line():
    with pytest.raises(ValueError, match=r"^[^\n]*max_bin[^\n]*$") as refused:
        XgBoostClassifier(max_bin=-7).fit(*rows(100)[:2])
    assert "Stack trace" not in str(refused.value)


@EACH_CLASSIFIER
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_estimators": 0}, "n_estimators is 0: expected a whole number from 1 to 100000"),
        ({"learning_rate": "fast"}, "learning_rate is 'fast': expected a number from"),
        ({"subsample": float("nan")}, "subsample is nan: expected"),
        ({"max_bin": True}, "max_bin is True: expected a whole number"),
        ({"early_stopping_rounds": 0}, "early_stopping_rounds is 0: expected"),
        ({"early_stopping": True}, "has no parameter early_stopping here.*It knows .*early_stopping_rounds"),
    ],
)
def test_parameters_out_of_range_are_refused_before_a_row_is_read(booster, parameters, message):
    estimator = Estimator.LIGHTGBM if booster is LightGbmClassifier else Estimator.XGBOOST

    with pytest.raises(LearningError, match=message):
        check_model(Model(estimator, parameters=parameters), FEATURES)
