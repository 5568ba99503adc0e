"""What many rows are scored by gives the scores of the fitted model, to the last bit."""

from functools import cache

import numpy as np
import pyarrow as pa
import pytest

from models.rows import CANDIDATES, FEATURES, MEMBERS, SEVERAL, examples
from nightjar.errors import ModelError
from nightjar.models.columns import LARGEST
from nightjar.models.examples import Examples
from nightjar.models.fitting import fit
from nightjar.models.many_rows import BoostedProbabilities, BoostedValues, for_many_rows
from nightjar.settings.columns import Category, Encoding
from nightjar.settings.model import Estimator, Model
from nightjar.settings.preparation import Preparation
from nightjar.settings.task import Task

NUMBERS = FEATURES[:3]
GROWN = {"max_iter": 70, "min_samples_leaf": 2}
NATIVE = Preparation(category=Category(Encoding.NATIVE))
MODELS = {
    "boosting": (Task.CLASSIFICATION, Model(Estimator.BOOSTING, parameters=GROWN), NUMBERS),
    "boosting of words of 64 bits": (
        Task.CLASSIFICATION,
        Model(Estimator.BOOSTING, parameters=GROWN | {"max_leaf_nodes": 50}),
        NUMBERS,
    ),
    "boosting of categories": (Task.CLASSIFICATION, Model(Estimator.BOOSTING, parameters=GROWN), FEATURES),
    "boosting of amounts": (Task.REGRESSION, Model(Estimator.BOOSTING, parameters=GROWN), NUMBERS),
    "boosting of several classes": (Task.MULTICLASS, Model(Estimator.BOOSTING, parameters={"max_iter": 7}), NUMBERS),
    "lightgbm": (Task.CLASSIFICATION, Model(Estimator.LIGHTGBM, parameters={"min_child_samples": 2}), NUMBERS),
    "lightgbm of native categories": (
        Task.CLASSIFICATION,
        Model(Estimator.LIGHTGBM, parameters={"min_child_samples": 2}, preparation=NATIVE),
        FEATURES,
    ),
    "lightgbm of amounts": (Task.REGRESSION, Model(Estimator.LIGHTGBM), NUMBERS),
    "lightgbm of several classes": (
        Task.MULTICLASS,
        Model(Estimator.LIGHTGBM, parameters={"n_estimators": 5}),
        NUMBERS,
    ),
}
"""Models whose trees become bit vectors."""


@cache
def fitted(name):
    task, model, features = MODELS[name]
    return fit(model, examples(task), features=features, task=task, seed=0)


def rows_on_thresholds(predictor):
    """Rows that lie on thresholds of the model, right beside them, and without values; others at random."""
    vectors = for_many_rows(predictor).estimator.vectors
    numbers = [column.thresholds for column in vectors.columns if column.thresholds is not None]
    values = np.concatenate([[0.0, -0.0, LARGEST, -LARGEST], *numbers])
    values = values[np.abs(values) <= LARGEST]
    every = np.concatenate([values, np.nextafter(values, np.inf), np.nextafter(values, -np.inf), [np.nan] * 50])
    every = every[~(np.abs(every) > LARGEST)]
    random = np.random.default_rng(3)
    drawn = {name: random.choice(every, 20_000) for name in ("hour", "delay", "holiday", "empty")}
    table = {name: pa.array(column, from_pandas=True) for name, column in drawn.items()}
    carrier = random.choice(np.array(["AA", "UA", "HA", "new", None], dtype=object), 20_000)
    return pa.table(table | {"carrier": pa.array(carrier), "nothing": pa.nulls(20_000, pa.string())})


@pytest.mark.parametrize("name", MODELS)
def test_bit_vectors_score_as_the_library_does_on_thresholds_too(name):
    predictor, quick = fitted(name), for_many_rows(fitted(name))
    assert isinstance(quick.estimator, BoostedProbabilities | BoostedValues)
    rows = rows_on_thresholds(predictor)

    scores = quick.predict(rows)

    assert scores.tobytes() == predictor.predict(rows).tobytes()
    assert len(np.unique(scores)) > 100
    assert (
        quick.predict(rows[:0]).shape == predictor.predict(rows[:0]).shape == (0, *([len(SEVERAL)] * scores.ndim)[1:])
    )


LINEAR = {
    "logistic": (Task.CLASSIFICATION, Model(Estimator.LOGISTIC)),
    "several classes": (Task.MULTICLASS, Model(Estimator.LOGISTIC)),
    "ridge": (Task.REGRESSION, Model(Estimator.LINEAR)),
    "pairs": (Task.RANKING, Model(Estimator.LOGISTIC)),
}


@pytest.mark.parametrize("name", LINEAR)
def test_columns_instead_of_frames_give_linear_models_the_same_inputs(name):
    """An empty column is among them, whatever values it has when it is scored."""
    task, model = LINEAR[name]
    predictor = fit(model, examples(task), features=FEATURES[:4], task=task, seed=0)
    quick = for_many_rows(predictor)
    assert quick.input_columns is not None
    random = np.random.default_rng(1)
    columns = {name: np.where(random.random(30_007) < 0.1, np.nan, random.normal(0, 50, 30_007)) for name in "abc"}
    rows = pa.table(
        {
            "hour": pa.array(columns["a"], from_pandas=True),
            "delay": columns["b"],
            "holiday": random.random(30_007) < 0.5,
            "empty": pa.array(columns["c"], from_pandas=True),
        }
    )
    assert quick.predict(rows).tobytes() == predictor.predict(rows).tobytes()


@pytest.mark.slow
@pytest.mark.parametrize("name", CANDIDATES)
def test_every_candidate_scores_alike(name):
    task, model = CANDIDATES[name]
    predictor = fit(model, examples(task), features=FEATURES, task=task, seed=0, members=MEMBERS)
    rows = examples(task, seed=1).table
    assert for_many_rows(predictor).predict(rows).tobytes() == predictor.predict(rows).tobytes()


@pytest.mark.parametrize("value", [np.inf, 1e39])
def test_a_number_that_no_model_computes_with_is_refused_in_the_same_words(value):
    predictor = fitted("boosting")
    rows = rows_on_thresholds(predictor)
    rows = rows.set_column(1, "delay", pa.array([*[0.0] * 15_000, value, *[0.0] * 4_999]))
    messages = []
    for one in (predictor, for_many_rows(predictor)):
        with pytest.raises(ModelError) as refusal:
            one.predict(rows)
        messages.append(str(refusal.value))
    assert messages[0] == messages[1]
    assert "delay" in messages[0]


def test_a_member_of_an_ensemble_has_bit_vectors_too():
    bagging = Model(Estimator.BAGGING, parameters={"count": 2}, members=["boosting"])
    members = {"boosting": Model(Estimator.BOOSTING, parameters={"max_iter": 5, "min_samples_leaf": 5})}
    table = examples().table
    predictor = fit(
        bagging, Examples(table, examples().label), features=NUMBERS, task=Task.CLASSIFICATION, seed=0, members=members
    )
    quick = for_many_rows(predictor)
    assert all(isinstance(member.estimator, BoostedProbabilities) for member in quick.members)
    assert quick.predict(table).tobytes() == predictor.predict(table).tobytes()
