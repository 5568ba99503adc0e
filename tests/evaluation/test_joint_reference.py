"""Columns that go together unlike in the reference, though no column by itself differs."""

import numpy as np
import pyarrow as pa
import pytest

from nightjar.errors import LearningError
from nightjar.evaluation.joint_reference import MISSED, NIGHTS, SEPARABILITY, JointReference, fit_joint_reference

DAYS, ROWS, GAP = 60, 120, 7
LEVELS = {"speed": None, "load": None, "site": ("north", "south"), "is_new": None}


def night(random, rows=ROWS, correlation=0.95):
    """Two numbers that go together, a text that says whether the first is above its mean, and a boolean."""
    speed = random.normal(size=rows)
    load = correlation * speed + (1 - correlation**2) ** 0.5 * random.normal(size=rows)
    site = np.where(random.random(rows) < 0.05, None, np.where(speed > 0, "north", "south"))
    return pa.table(
        {
            "speed": pa.array(speed, mask=random.random(rows) < 0.1),
            "load": pa.array(np.where(random.random(rows) < 0.02, np.inf, load)),
            "site": pa.array(site).dictionary_encode(),
            "is_new": pa.array(random.random(rows) < 0.3),
        }
    )


@pytest.fixture(scope="module")
def fitted():
    random = np.random.default_rng(0)
    rows = pa.concat_tables([night(random) for _ in range(DAYS)]).unify_dictionaries()
    days = np.repeat(np.datetime64("2024-01-01") + np.arange(DAYS), ROWS)
    return fit_joint_reference(rows, days, LEVELS, GAP), rows, days


def test_columns_that_no_longer_go_together_are_beyond_all_nights_and_a_night_like_them_is_not(fitted):
    reference, _, _ = fitted
    random = np.random.default_rng(1)
    usual, apart = (reference.compare(night(random, correlation=one)) for one in (0.95, 0.0))
    assert {name: len(own) for name, own in reference.nights.items()} == {SEPARABILITY: NIGHTS, MISSED: NIGHTS}
    assert {name: one.p for name, one in apart.items()} == dict.fromkeys((SEPARABILITY, MISSED), 1 / (NIGHTS + 1))
    assert min(one.p for one in usual.values()) > 1 / (NIGHTS + 1)
    assert apart[MISSED].value > 2 * apart[MISSED].usual


def test_it_survives_being_stored(fitted):
    reference, _, _ = fitted
    tonight, text = night(np.random.default_rng(2)), reference.to_json()
    assert JointReference.from_json(text).compare(tonight) == reference.compare(tonight)
    assert len(text) < 4 * 10_000
    with pytest.raises(LearningError, match="not a joint reference"):
        JointReference.from_json("{}")


def test_too_few_nights_have_none(fitted):
    _, rows, days = fitted
    few = (NIGHTS + GAP - 1) * ROWS
    assert fit_joint_reference(rows.slice(0, few), days[:few], LEVELS, GAP) is None
    with pytest.raises(LearningError, match="10 rows"):
        fitted[0].compare(rows.slice(0, 9))
