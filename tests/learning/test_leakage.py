"""A column that only the future could hold is named; one that is merely good is not."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from learning import problems
from nightjar.learning.leakage import suspect_features
from nightjar.models.columns import feature_columns

ROWS = problems.rows()
LATE = ROWS.label
RANDOM = np.random.default_rng(0)
EVERY = np.arange(len(LATE))
NOISE = RANDOM.normal(size=len(LATE))
FEW_WRONG = LATE ^ (RANDOM.random(len(LATE)) < 0.02)


def rows_with(values):
    features = ROWS.features.append_column("planted", pa.array(values, from_pandas=True))
    return replace(ROWS, features=features, columns=feature_columns(features.schema, features.column_names))


@pytest.mark.parametrize(
    "planted",
    [
        np.where(LATE, 30.0, 0.0) + NOISE,
        np.where(LATE, -30.0, 0.0) + NOISE,
        np.where(LATE, np.nan, NOISE),
        np.where(LATE, NOISE, np.nan),
        LATE,
        np.where(FEW_WRONG, "late", "on time"),
        np.where(LATE, None, "on time"),
    ],
)
def test_a_column_from_the_future_is_named(planted):
    (name, area), *others = suspect_features(rows_with(planted), EVERY).items()
    assert (name, others) == ("planted", [])
    assert 0.95 <= area <= 1


@pytest.mark.parametrize(
    "values",
    [
        NOISE,
        np.full(len(LATE), np.nan),
        np.full(len(LATE), None),
        np.arange(len(LATE)).astype(str),  # each row a level of its own: in the older half it would tell all
        np.where(np.arange(len(LATE)) < len(LATE) // 2, LATE.astype(str), "new"),
    ],
)
def test_a_column_that_tells_little_of_newer_rows_is_not(values):
    rows = rows_with(pa.array(values, pa.string(), from_pandas=True) if values.dtype == object else values)
    assert suspect_features(rows, EVERY) == {}


AMOUNT = np.exp(np.random.default_rng(7).normal(size=len(LATE)))


@pytest.mark.parametrize(
    ("planted", "suspect"),
    [
        (AMOUNT + RANDOM.normal(0, 0.01, len(AMOUNT)), True),
        (-(AMOUNT**3), True),
        (np.round(AMOUNT, 1).astype(str), True),
        (np.log(AMOUNT) + RANDOM.normal(size=len(AMOUNT)), False),
        (np.zeros(len(NOISE)), False),
        (np.full(len(NOISE), np.nan), False),
    ],
)
def test_of_amounts_a_column_is_asked_about_by_its_rank_correlation(planted, suspect):
    strengths = suspect_features(replace(rows_with(planted), label=AMOUNT), EVERY)
    assert list(strengths) == (["planted"] if suspect else [])
    assert all(0.95 <= strength <= 1 for strength in strengths.values())
    assert suspect_features(replace(rows_with(planted), label=np.ones(len(NOISE))), EVERY) == {}
    assert suspect_features(replace(rows_with(planted), label=AMOUNT), EVERY[:38]) == {}


@pytest.mark.parametrize("positives", [0, 1, 9, 10])
def test_a_few_positives_tell_nothing(positives):
    """They can all be above the others by chance."""
    label = np.arange(len(LATE)) >= len(LATE) - positives
    strengths = suspect_features(replace(rows_with(label), label=label), EVERY)
    assert list(strengths) == (["planted"] if positives == 10 else [])


def test_only_the_given_rows_are_looked_at():
    """Planted from the 401st row on; rows of the final period are not for looking at."""
    planted = np.where(np.arange(len(LATE)) < 400, NOISE, LATE)
    assert list(suspect_features(rows_with(planted), EVERY)) == ["planted"]
    assert suspect_features(rows_with(planted), EVERY[:400]) == {}
