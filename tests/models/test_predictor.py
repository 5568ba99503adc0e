import json
import re
from dataclasses import replace
from decimal import Decimal
from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.rows import CANDIDATES, FEATURES, MEMBERS, MODELS, examples, training_rows
from nightjar.errors import LearningError, ModelError
from nightjar.models import predictor as predictor_module
from nightjar.models.columns import FeatureColumn
from nightjar.models.examples import Examples
from nightjar.models.fitting import fit
from nightjar.models.serialization.predictor_files import dump, open_predictor
from nightjar.settings.columns import Bins, Number, Scale, Shape
from nightjar.settings.model import Estimator, Model
from nightjar.settings.preparation import Preparation
from nightjar.settings.task import Task

ALL = pytest.mark.parametrize("name", list(CANDIDATES))
DIFFERENT = pytest.mark.parametrize(
    "name",
    [
        "rule",
        "logistic",
        "boosting",
        "neighbours",
        "network",
        "isotonic",
        "stacking for classification",
        "pairs",
        "isotonic for several classes",
    ],
)


@cache
def fit_candidate(name):
    task, model = CANDIDATES[name]
    return fit(model, examples(task), features=FEATURES, task=task, seed=0, members=MEMBERS)


ROWS = st.fixed_dictionaries(
    {
        "hour": st.none() | st.integers(-(2**31), 2**31 - 1),
        "delay": st.none() | st.floats(-1e12, 1e12) | st.just(float("nan")),
        "holiday": st.none() | st.booleans(),
        "empty": st.none() | st.floats(-1e12, 1e12),
        "carrier": st.none() | st.sampled_from(["AA", "UA", "HA", ""]) | st.text(),
        "nothing": st.none() | st.text(),
    }
)
SCHEMA = training_rows(2)[0].schema.remove(0)


@pytest.mark.slow
@DIFFERENT
@settings(deadline=None, max_examples=8)
@given(rows=st.lists(ROWS, min_size=1, max_size=6), cut=st.integers(1, 6))
def test_a_row_is_predicted_alike_alone_in_any_chunk_and_beside_other_columns(name, rows, cut):
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    predictor = fit_candidate(name)

    whole = predictor.predict(table)

    pieces = pa.concat_tables([table[:cut], table[cut:]])  # an Arrow column in two chunks
    reordered = table.select(table.column_names[::-1]).append_column("extra", pa.array([b"x"] * len(rows)))
    alone = [predictor.predict(table[row : row + 1])[0] for row in range(len(rows))]
    assert name == "pairs" or ((whole >= 0) & (whole <= 1)).all()
    for other in (predictor.predict(pieces), predictor.predict(reordered), alone):
        np.testing.assert_allclose(other, whole, rtol=1e-12, atol=1e-12)


@pytest.mark.slow
@ALL
def test_a_score_is_the_same_to_the_last_bit_whatever_rows_are_scored_with_it(name):
    """A night's rows are shared out to tasks in one way today and in another one tomorrow."""
    table, _ = training_rows(400, seed=1)
    together, random = fit_candidate(name).predict(table), np.random.default_rng(2)
    for rows in (1, 5, 65, 201):
        chosen = random.permutation(len(table))[:rows]
        assert np.array_equal(fit_candidate(name).predict(table.take(pa.array(chosen))), together[chosen])


@pytest.mark.slow
@ALL
def test_a_stored_predictor_predicts_the_same_to_the_last_bit(name):
    table, _ = training_rows(400, seed=1)
    structure, files = dump(fit_candidate(name))

    opened = open_predictor(json.loads(json.dumps(structure)), files, "the artifact")

    assert np.array_equal(opened.predict(table), fit_candidate(name).predict(table))
    assert opened.features == fit_candidate(name).features


@DIFFERENT
def test_more_rows_than_a_chunk_keep_their_order(name, monkeypatch):
    table, _ = training_rows()
    whole = fit_candidate(name).predict(table)

    monkeypatch.setattr(predictor_module, "CHUNK_ROWS", 64)

    np.testing.assert_array_equal(fit_candidate(name).predict(table), whole)


@ALL
def test_no_rows_no_scores(name):
    scores = fit_candidate(name).predict(training_rows()[0][:0])

    assert scores.shape == ((0, 4) if CANDIDATES[name][0] is Task.MULTICLASS else (0,))
    assert scores.dtype == np.float64


def test_other_arrow_types_of_the_same_numbers_and_strings_are_the_same_row():
    table = pa.table({"hour": [1], "delay": [2.5], "holiday": [True], "carrier": ["UA"]})
    empty = {"empty": pa.nulls(1, pa.float64()), "nothing": pa.nulls(1, pa.string())}
    same = pa.table(
        {
            "hour": pa.array([1.0], pa.float32()),
            "delay": pa.array([Decimal("2.50")]),
            "holiday": pa.array([1], pa.uint8()),
            "carrier": pa.array(["UA"], pa.large_string()).dictionary_encode(),
            "empty": pa.nulls(1, pa.bool_()),
            "nothing": pa.nulls(1, pa.string_view()),
        }
    )
    for name, column in empty.items():
        table = table.append_column(name, column)

    assert fit_candidate("logistic").predict(same) == fit_candidate("logistic").predict(table)


def test_a_table_that_does_not_fit_is_refused_with_all_differences():
    table = training_rows()[0].drop_columns(["hour"]).set_column(1, "delay", pa.array(["long"] * 600))

    with pytest.raises(ModelError) as refusal:
        fit_candidate("boosting").predict(table)

    assert "  missing: hour (number)\n  changed: delay is category, expected number\n" in str(refusal.value)


def test_infinite_numbers_are_refused_by_name():
    table = training_rows()[0].set_column(2, "delay", pa.array([0.0] * 599 + [-np.inf]))

    with pytest.raises(ModelError, match=r"Infinite values in delay \(rows 0 to 599\)"):
        fit_candidate("boosting").predict(table)


OUTSIZED = (1e39, -1.797e308)


@pytest.mark.parametrize("value", OUTSIZED)
@pytest.mark.parametrize(
    "name",
    ["logistic", "forest", "boosting", "neighbours", "network", "stacking for classification", "ridge of amounts"],
)
def test_a_number_beyond_float32_is_refused_with_its_column_and_rows(name, value):
    """In two of the last chunk's 88 rows, the last one among them, and in training in all of them."""
    task, model = CANDIDATES[name]
    text = f"The column delay holds {value:g} in 2 of "
    outsized = training_rows()[0].to_pydict()["delay"]
    outsized[550] = outsized[599] = value
    table = training_rows()[0].set_column(2, "delay", pa.array(outsized))

    with pytest.raises(ModelError, match=re.escape(f"{text}88 rows, and models compute with numbers up to 3.403e+38")):
        fit_candidate(name).predict(table[512:])
    error = ModelError if "stacking" in name else LearningError  # a member predicts the newer rows first
    with pytest.raises(error, match=re.escape(text)):
        fit(model, replace(examples(task), table=table), features=FEATURES, task=task, seed=0, members=MEMBERS)


@pytest.mark.parametrize("value", OUTSIZED)
@pytest.mark.parametrize("number", [Number(winsorise=0.1), Number(shape=Shape.SIGNED_LOG), Number(bins=Bins.UNIFORM)])
def test_what_brings_such_a_number_back_lets_it_be(number, value):
    model = replace(MODELS[Estimator.FOREST], preparation=Preparation(number=number))
    table, late = training_rows()
    outsized = table.set_column(2, "delay", pa.array([value, *table["delay"].to_pylist()[1:]]))

    predictor = fit(model, Examples(outsized, late), features=FEATURES, task=Task.CLASSIFICATION, seed=0)

    assert np.isfinite(predictor.predict(outsized)).all()


@pytest.mark.filterwarnings("ignore:overflow")
def test_what_scaling_takes_out_of_all_bounds_is_no_score():
    """By a training range of 1e-290 or 1e-269; a ridge multiplies it by 100 more."""
    scaled, late = Preparation(number=Number(scale=Scale.MIN_MAX)), np.arange(100) % 2 == 0
    forest, ridge = replace(MODELS[Estimator.FOREST], preparation=scaled), Model(Estimator.LINEAR, preparation=scaled)
    for model, task, size, message in (
        (forest, Task.CLASSIFICATION, 1e-290, "The model cannot compute with rows 0 to 0: Input X contains infinity"),
        (ridge, Task.REGRESSION, 1e-269, "1 scores are not finite, the first inf of row 0"),
    ):
        label = late if task is Task.CLASSIFICATION else late * 100.0
        tiny = Examples(pa.table({"delay": np.where(late, size, 0.0)}), label)
        predictor = fit(model, tiny, features=FEATURES[1:2], task=task, seed=0)
        with pytest.raises(ModelError, match=message):
            predictor.predict(pa.table({"delay": [1e38]}))


@pytest.mark.parametrize("estimator", [one for one in MODELS if one not in (Estimator.RULE, Estimator.RATE)])
def test_a_single_feature_of_either_type_is_enough(estimator):
    table, late = training_rows()
    for column in (FeatureColumn("delay", "number"), FeatureColumn("carrier", "category")):
        predictor = fit(MODELS[estimator], Examples(table, late), features=(column,), task=Task.CLASSIFICATION, seed=0)

        assert len(predictor.predict(table.select([column.name])[:1])) == 1


@pytest.mark.parametrize(
    ("kind", "base", "stated"),
    [
        ("PanicException", BaseException, True),  # of a library in Rust: what it raises can be imported from nowhere
        ("RuntimeError", Exception, True),  # of one in C++
        ("KeyboardInterrupt", BaseException, False),
        ("NoSpaceLeft", OSError, False),  # of the machine: another model would meet it, too
    ],
)
def test_a_crash_of_native_code_is_a_failure_of_the_model_and_of_no_table(kind, base, stated):
    """So that the next of the chain serves the night, and nobody looks for a damaged log."""

    class Crashing:
        def predict_proba(self, inputs):
            raise type(kind, (base,), {})(f"called on\n{len(inputs)} rows")

    table, _ = training_rows(3)
    broken = replace(fit_candidate("logistic"), estimator=Crashing(), input_columns=None)
    with pytest.raises(ModelError if stated else base) as raised:
        broken.predict(table)
    is_stated = isinstance(raised.value, ModelError)
    assert is_stated == stated
    assert not stated or re.search(rf"cannot compute with rows 0 to 2: {kind}: called on \d+ rows", str(raised.value))
