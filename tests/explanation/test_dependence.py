"""Partial dependence and the curves of single rows."""

import numpy as np
import pyarrow as pa
import pytest

from models.rows import CLASSIFIED, FEATURES, examples, training_rows
from nightjar.errors import ModelError
from nightjar.explanation.dependence import dependence
from nightjar.models.fitting import fit


@pytest.fixture(scope="module")
def boosting():
    return fit(CLASSIFIED["boosting"], examples(), features=FEATURES, seed=0)


def test_curves_are_the_scores_of_rows_with_another_value(boosting):
    table = training_rows(50, seed=1)[0]

    curves = dependence(boosting, table, "delay")

    assert curves.values[-1] is None
    assert list(curves.values[:-1]) == sorted(curves.values[:-1])
    assert curves.curves.shape == (50, len(curves.values))
    place = table.schema.get_field_index("delay")
    for at in (0, len(curves.values) - 1):
        changed = table.set_column(place, "delay", pa.array([curves.values[at]] * 50, pa.float64()))
        assert curves.curves[:, at].tolist() == boosting.predict(changed).tolist()
    assert curves.mean[0] < curves.mean[-2]  # longer delays are late more often
    np.testing.assert_allclose(curves.mean, curves.curves.mean(axis=0))


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("carrier", {"AA", "DL", "UA", "HA", None}),
        ("holiday", {False, True}),
        ("empty", {None}),
        ("hour", set(range(24))),
    ],
)
def test_the_values_are_those_that_rows_have(boosting, column, values):
    got = dependence(boosting, training_rows(400, seed=1)[0], column).values

    assert set(got) <= values
    assert len(got) == len(set(got)) >= min(len(values), 15)


def test_a_column_that_the_model_does_not_read_is_refused(boosting):
    table = training_rows(5)[0]

    for rows, column in ((table, "note"), (table.slice(0, 0), "delay")):
        with pytest.raises(ModelError, match=f"reads no column {column}, or there are no rows"):
            dependence(boosting, rows, column)
