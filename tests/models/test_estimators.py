import subprocess
import sys
from dataclasses import fields

import numpy as np
import pyarrow as pa
import pytest

from models.rows import FEATURES, MODELS, training_rows
from nightjar.errors import LearningError
from nightjar.models.columns import FeatureColumn
from nightjar.models.estimators import PARAMETERS, fit
from nightjar.models.network import Options
from nightjar.settings.learning import Estimator, Model

ALL = pytest.mark.parametrize("estimator", list(MODELS), ids=lambda one: one.value)
LEARNING = pytest.mark.parametrize(
    "estimator", [Estimator.LOGISTIC, Estimator.BOOSTING, Estimator.NETWORK], ids=lambda one: one.value
)


def fitted(estimator, table, y, *, seed=0, features=FEATURES):
    return fit(MODELS[estimator], table, y, features=features, seed=seed)


@ALL
def test_every_estimator_learns_probabilities_from_rows_with_gaps(estimator):
    table, y = training_rows()

    probabilities = fitted(estimator, table, y).predict(table)

    assert probabilities.shape == y.shape
    assert probabilities.dtype == np.float64
    assert ((probabilities > 0) & (probabilities < 1)).all()
    assert abs(probabilities.mean() - y.mean()) < 0.1


@pytest.mark.parametrize("estimator", [Estimator.LOGISTIC, Estimator.BOOSTING])
def test_what_drives_the_label_is_found(estimator):
    table, y = training_rows(3000)
    later, y_later = training_rows(1000, seed=1)

    probabilities = fitted(estimator, table, y).predict(later)

    assert probabilities[y_later].mean() > probabilities[~y_later].mean() + 0.1


@ALL
def test_the_same_seed_gives_the_same_model(estimator):
    table, y = training_rows()

    first, again = (fitted(estimator, table, y, seed=3).predict(table) for _ in range(2))

    assert np.array_equal(first, again)


def test_baselines_are_what_one_would_reckon_by_hand():
    table = pa.table({"carrier": ["UA"] * 10 + ["AA"] * 10 + [None] * 20})
    y = np.array([True] * 10 + [False] * 30)
    features = (FeatureColumn("carrier", "category"),)
    tonight = pa.table({"carrier": ["UA", "AA", None, "unseen"]})

    majority = fit(MODELS[Estimator.MAJORITY], table, y, features=features, seed=0)
    rate = fit(MODELS[Estimator.RATE], table, y, features=features, seed=0)

    assert majority.predict(tonight).tolist() == [0.25] * 4
    assert rate.predict(tonight).tolist() == [(10 + 2.5) / 20, 2.5 / 20, 0.25, 0.25]


def test_a_baseline_asks_for_no_more_than_it_reads():
    table, y = training_rows()

    assert fitted(Estimator.MAJORITY, table, y).features == ()
    assert fitted(Estimator.RATE, table, y).features == (FeatureColumn("carrier", "category"),)
    assert fitted(Estimator.BOOSTING, table, y).features == FEATURES


@LEARNING
def test_dropped_features_are_not_used(estimator):
    table, y = training_rows()
    model = Model(estimator=estimator, parameters=MODELS[estimator].parameters, drop=["delay", "carrier"])

    predictor = fit(model, table, y, features=FEATURES, seed=0)

    assert [column.name for column in predictor.features] == ["hour", "holiday", "empty", "nothing"]
    assert len(predictor.predict(table.drop_columns(["delay", "carrier"]))) == len(y)


@LEARNING
def test_the_preparation_knows_training_rows_only(estimator):
    """Whatever stands in other rows, the model is the same: nothing is fitted when it predicts."""
    table, y = training_rows()
    predictor = fitted(estimator, table, y)
    before = predictor.predict(table)

    shifted = table.set_column(2, "delay", pa.array(np.full(len(y), 1e6)))
    predictor.predict(shifted.set_column(5, "carrier", pa.array(["XX"] * len(y))))

    assert np.array_equal(predictor.predict(table), before)
    assert "XX" not in str(predictor.preparation.named_transformers_["category"].categories_)


@pytest.mark.parametrize("estimator", [Estimator.LOGISTIC, Estimator.NETWORK])
def test_features_without_any_value_leave_the_training_rate(estimator):
    table = pa.table({"empty": pa.nulls(100, pa.float64()), "nothing": pa.nulls(100, pa.string())})
    y = np.arange(100) % 4 == 0
    features = (FeatureColumn("empty", "number"), FeatureColumn("nothing", "category"))

    probabilities = fitted(estimator, table, y, features=features).predict(table)

    assert len(set(probabilities)) == 1


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Model(estimator=Estimator.LOGISTIC, parameters={"c": 1}), "LOGISTIC has no parameter c. It knows C, class_"),
        (Model(estimator=Estimator.MAJORITY, parameters={"x": 1}), "MAJORITY has no parameter x. It knows none at all"),
        (Model(estimator=Estimator.BOOSTING, parameters={"early_stopping": True}), "no parameter early_stopping"),
        (Model(estimator=Estimator.LOGISTIC, parameters={"C": -1}), "LOGISTIC with {'C': -1} cannot be fitted"),
        (Model(estimator=Estimator.NETWORK, parameters={"hidden": "wide"}), "NETWORK|Expected"),
        (Model(estimator=Estimator.LOGISTIC, grid={"C": [1]}), r"still has a grid \(C\)"),
        (Model(estimator=Estimator.RATE), "column: None"),
        (Model(estimator=Estimator.RATE, parameters={"column": "wings"}), "column: 'wings'.*among hour, delay"),
        (Model(estimator=Estimator.LOGISTIC, drop=["wings"]), "drop names wings"),
        (Model(estimator=Estimator.BOOSTING, drop=["hour", "delay", "holiday", "carrier"]), "None of the 2 features"),
        (Model(estimator=Estimator.LOGISTIC, drop=[column.name for column in FEATURES]), "no feature to use"),
    ],
)
def test_models_that_cannot_be_fitted_are_refused(model, message):
    with pytest.raises(LearningError, match=message):
        fit(model, *training_rows(), features=FEATURES, seed=0)


@ALL
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros(600, dtype=bool), "label False: there is nothing to learn"),
        (np.full(600, np.nan), "found .*nan"),
        (np.array([True, False, None] * 200, dtype=object), "found .*None"),
        (np.arange(600) % 3, r"found .*2"),
        (np.array([True, False]), "one for each of the 600 rows"),
    ],
)
def test_labels_that_teach_nothing_are_refused(estimator, labels, message):
    with pytest.raises(LearningError, match=message):
        fitted(estimator, training_rows()[0], labels)


@ALL
def test_no_rows_are_refused(estimator):
    table, y = training_rows()

    with pytest.raises(LearningError, match="no training rows"):
        fitted(estimator, table[:0], y[:0])


@LEARNING
def test_infinite_and_unfitting_columns_are_named(estimator):
    table, y = training_rows()
    infinite = table.set_column(2, "delay", pa.array(np.where(y, np.inf, 0.0)))

    with pytest.raises(LearningError, match="Infinite values in the training rows: delay"):
        fitted(estimator, infinite, y)
    with pytest.raises(LearningError, match=r"missing: delay \(number\)"):
        fitted(estimator, table.drop_columns(["delay"]), y)


def test_the_networks_parameters_are_its_options():
    assert PARAMETERS[Estimator.NETWORK] == {option.name for option in fields(Options)}


def test_torch_is_not_imported_until_a_network_is_fitted():
    modules = "nightjar.models.estimators, nightjar.models.predictor, nightjar.registry.artifacts"
    program = f"import sys, {modules}; sys.exit('torch' in sys.modules)"

    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": ":".join(sys.path)})
