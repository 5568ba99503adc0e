"""What MLflow's loader makes of a data frame: the scores of our own entry point, whatever pandas calls its columns."""

from functools import cache

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from models.rows import FEATURES, SEVERAL, examples, training_rows
from nightjar.errors import ModelError
from nightjar.evaluation.decisions import choose_classes
from nightjar.models.examples import Examples
from nightjar.models.fitting import fit
from nightjar.registry.pyfunc import Scorer
from nightjar.settings.model import Estimator, Model
from nightjar.settings.task import Task

NUMBERS, TEXTS = ["hour", "delay", "holiday", "empty"], ["carrier", "nothing"]
ROWS, _ = training_rows(400, seed=1)


@cache
def predictor():
    """Read by its estimator: an integer, a float, a boolean and text."""
    return fit(
        Model(Estimator.BOOSTING, parameters={"max_iter": 5}), Examples(*training_rows()), features=FEATURES, seed=0
    )


def without(names):
    """The rows, the last one without values in these columns."""
    last = ROWS.num_rows - 1
    columns = {
        name: pa.concat_arrays([ROWS[name].combine_chunks()[:last], pa.nulls(1, ROWS[name].type)]) for name in names
    }
    return pa.table({name: columns.get(name, ROWS[name]) for name in ROWS.column_names})


@pytest.mark.parametrize("names", [["hour"], ["delay"], ["holiday"], ["carrier"], NUMBERS + TEXTS], ids="+".join)
@pytest.mark.parametrize("nothing", [None, np.nan, pd.NA, pd.NaT])
def test_a_batch_without_any_value_in_a_column_is_scored_like_its_rows_in_a_larger_one(names, nothing):
    rows = without(names)
    expected = predictor().predict(rows)[-1:]
    plain = [{column.name: rows[column.name][-1].as_py() for column in FEATURES}]

    assert np.array_equal(predictor().predict(pa.Table.from_pylist(plain)), expected)
    frame = pd.DataFrame(plain).assign(**{name: [nothing] for name in names})
    assert np.array_equal(Scorer(predictor()).predict(frame), expected)
    objects = frame.astype(object)
    assert np.array_equal(Scorer(predictor()).predict(objects), expected)
    assert np.array_equal(Scorer(predictor()).predict(rows.to_pandas()), predictor().predict(rows))


def test_a_value_of_another_type_is_refused():
    """One value is enough to say what a column is."""
    frame = ROWS.to_pandas().assign(carrier=[1.5] + [np.nan] * (ROWS.num_rows - 1))
    with pytest.raises(ModelError, match="changed: carrier is number, expected category"):
        Scorer(predictor()).predict(frame)


def test_no_rows_no_scores():
    assert len(Scorer(predictor()).predict(ROWS.to_pandas().iloc[:0])) == 0


def test_several_classes_are_a_frame_with_the_predicted_one_and_each_probability():
    rows = examples(Task.MULTICLASS)
    costs = ((0.0, 1.0, 1.0, 9.0), (1.0, 0.0, 1.0, 1.0), (1.0, 1.0, 0.0, 1.0), (9.0, 1.0, 1.0, 0.0))
    model = Model(Estimator.BOOSTING, parameters={"max_iter": 5})
    fitted = fit(model, rows, features=FEATURES, task=Task.MULTICLASS, seed=0)
    scores, frame = fitted.predict(ROWS), Scorer(fitted, costs).predict(ROWS.to_pandas())
    assert list(frame.columns) == ["predicted", "score", *(f"probability[{value}]" for value in SEVERAL)]
    assert np.array_equal(frame.iloc[:, 2:].to_numpy(), scores)
    assert frame["predicted"].tolist() == [SEVERAL[code] for code in choose_classes(scores, costs)]
    assert frame["score"].tolist() == [row[f"probability[{row['predicted']}]"] for _, row in frame.iterrows()]
