from decimal import Decimal
from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.rows import FEATURES, MODELS, training_rows
from nightjar.errors import ModelError
from nightjar.models import predictor as predictor_module
from nightjar.models.columns import FeatureColumn
from nightjar.models.estimators import fit
from nightjar.settings.learning import Estimator

ALL = pytest.mark.parametrize("estimator", list(MODELS), ids=lambda one: one.value)


@cache
def fitted(estimator):
    return fit(MODELS[estimator], *training_rows(), features=FEATURES, seed=0)


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


@ALL
@settings(deadline=None, max_examples=30)
@given(rows=st.lists(ROWS, min_size=1, max_size=12), cut=st.integers(1, 12))
def test_a_row_is_predicted_alike_alone_in_any_chunk_and_beside_other_columns(estimator, rows, cut):
    """To 1e-12, for BLAS adds up in another order for another number of rows; baselines and trees exactly."""
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    predictor = fitted(estimator)

    whole = predictor.predict(table)

    pieces = pa.concat_tables([table[:cut], table[cut:]])  # an Arrow column in two chunks
    reordered = table.select(table.column_names[::-1]).append_column("extra", pa.array([b"x"] * len(rows)))
    alone = [predictor.predict(table[row : row + 1])[0] for row in range(len(rows))]
    tolerance = 1e-12 if estimator in (Estimator.LOGISTIC, Estimator.NETWORK) else 0
    assert ((whole >= 0) & (whole <= 1)).all()
    for other in (predictor.predict(pieces), predictor.predict(reordered), alone):
        np.testing.assert_allclose(other, whole, rtol=0, atol=tolerance)


@ALL
def test_more_rows_than_a_chunk_keep_their_order(estimator, monkeypatch):
    table, _ = training_rows()
    whole = fitted(estimator).predict(table)

    monkeypatch.setattr(predictor_module, "CHUNK_ROWS", 7)

    np.testing.assert_allclose(fitted(estimator).predict(table), whole, rtol=0, atol=1e-12)


@ALL
def test_a_score_is_the_same_to_the_last_bit_whatever_rows_are_scored_with_it(estimator):
    """A night's rows are shared out to tasks in one way today and in another one tomorrow."""
    table, _ = training_rows(400, seed=1)
    together, random = fitted(estimator).predict(table), np.random.default_rng(2)
    for rows in (1, 3, 5, 63, 65, 201):
        chosen = random.permutation(len(table))[:rows]
        assert np.array_equal(fitted(estimator).predict(table.take(pa.array(chosen))), together[chosen])


@ALL
def test_no_rows_no_probabilities(estimator):
    probabilities = fitted(estimator).predict(training_rows()[0][:0])

    assert probabilities.shape == (0,)
    assert probabilities.dtype == np.float64


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

    assert fitted(Estimator.LOGISTIC).predict(same) == fitted(Estimator.LOGISTIC).predict(table)


def test_a_table_that_does_not_fit_is_refused_with_all_differences():
    table = training_rows()[0].drop_columns(["hour"]).set_column(1, "delay", pa.array(["long"] * 600))

    with pytest.raises(ModelError) as refusal:
        fitted(Estimator.BOOSTING).predict(table)

    assert "  missing: hour (number)\n  changed: delay is category, expected number\n" in str(refusal.value)


def test_infinite_numbers_are_refused_by_name():
    table = training_rows()[0].set_column(2, "delay", pa.array([0.0] * 599 + [-np.inf]))

    with pytest.raises(ModelError, match=r"Infinite values in delay \(rows 0 to 599\)"):
        fitted(Estimator.BOOSTING).predict(table)


def test_a_single_feature_of_either_type_is_enough():
    table, y = training_rows()
    for column in (FeatureColumn("delay", "number"), FeatureColumn("carrier", "category")):
        for estimator in (Estimator.LOGISTIC, Estimator.BOOSTING, Estimator.NETWORK):
            predictor = fit(MODELS[estimator], table, y, features=(column,), seed=0)

            assert len(predictor.predict(table.select([column.name])[:1])) == 1
