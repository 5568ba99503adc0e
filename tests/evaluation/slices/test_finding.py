"""Slices found, compared with the rest, and told in words."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightjar.errors import LearningError
from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.slices.comparing import compare_all, compare_with_rest
from nightjar.evaluation.slices.conditions import Condition, Slice
from nightjar.evaluation.slices.finding import find_slices
from oracles.slices import difference_to_rest

JFK = Slice((Condition("origin", values=("JFK",)),))


def world(seed: int = 0, rows: int = 12_000, nights: int = 24):
    """Nights with shocks; more errors from JFK in the evening, whatever the seats, and where the wind is missing."""
    random = np.random.default_rng(seed)
    night = np.repeat(np.arange(nights), rows // nights)
    origin, hour = random.choice(["JFK", "LGA", "EWR"], rows), random.uniform(0, 24, rows)
    wind = np.where(random.random(rows) < 0.05, np.nan, random.normal(size=rows))
    chance = np.where((origin == "JFK") & (hour >= 17.3), 0.45, np.where(np.isnan(wind), 0.4, 0.2))
    wrong = random.random(rows) < chance * np.exp(0.2 * random.normal(size=nights))[night]
    table = pa.table({"origin": origin, "hour": hour, "wind": wind, "seats": random.integers(50, 300, rows)})
    return table, wrong.astype(np.float64), Clusters(np.arange(rows), night)


def test_planted_slices_are_found_and_confirmed_on_other_nights():
    rows, wrong, clusters = world()
    slices = find_slices(rows, wrong, clusters, least_rows=200)
    evening, missing = slices
    assert str(missing) == "wind is missing"
    origin, hour = sorted(evening.conditions, key=lambda one: -len(one.values))
    assert str(origin) == "origin is JFK"
    assert hour.low == pytest.approx(17.3, abs=0.4)
    assert hour.high is None
    other, wrong_there, others = world(seed=1)
    compared = compare_all(slices, other, wrong_there, others, least_rows=200)
    assert all(one.is_worse for one in compared)
    assert [one.rows for one in compared] == [int(one.of(other).sum()) for one in slices]


def test_rows_without_differences_have_no_slice():
    rows, wrong, clusters = world()
    shuffled = np.random.default_rng(0).permutation(wrong)
    for loss in (shuffled, np.zeros(len(wrong)), np.full(len(wrong), 0.3)):
        assert find_slices(rows, loss, clusters, least_rows=200) == []
    assert find_slices(rows.slice(0, 10), wrong[:10], clusters.take(np.arange(10)), least_rows=200) == []


def test_a_night_of_a_storm_is_one_piece_of_evidence():
    """One night has far more errors, and a column of its own value: no slice, as no other night says so."""
    random = np.random.default_rng(0)
    night = np.repeat(np.arange(30), 300)
    wrong = random.random(9000) < np.where(night == 7, 0.6, 0.2)
    rows = pa.table({"weather": random.normal(size=30)[night]})
    assert find_slices(rows, wrong.astype(float), Clusters(np.arange(9000), night), least_rows=100) == []


@given(
    st.lists(st.tuples(st.booleans(), st.integers(-3, 3), st.integers(1, 3)), min_size=2, max_size=30).filter(
        lambda rows: len({inside for inside, *_ in rows}) == 2
    )
)
def test_the_difference_is_that_of_two_means(rows):
    inside, loss, weight = (list(column) for column in zip(*rows, strict=True))
    clusters = Clusters(np.arange(len(rows)), np.arange(len(rows)) % 5)
    compared = compare_with_rest(
        np.array(inside), np.array(loss, float), clusters, np.array(weight, float), least_rows=1
    )
    assert compared.difference.estimate == pytest.approx(difference_to_rest(inside, loss, weight), abs=1e-9)
    assert compared.rows == sum(inside)


@pytest.mark.parametrize(
    ("origins", "nights", "reason"),
    [
        (["JFK"] * 1 + ["LGA"] * 99, 10, "too few rows: it has 1, and at least 20 are needed"),
        (["JFK"] * 90 + ["LGA"] * 10, 10, "too few rows: there are beside it 10, and at least 20 are needed"),
        (["LGA"] * 100, 10, "there are no rows in it"),
        (["JFK"] * 100, 10, "all rows are in it"),
        (
            ["JFK", "JFK", "LGA", "LGA"] * 25,
            2,
            "its rows are of 2 blocks of time, and fewer than 3 say nothing of others",
        ),
    ],
)
def test_what_cannot_be_judged_has_a_reason(origins, nights, reason):
    loss = np.random.default_rng(0).random(100)
    clusters = Clusters(np.arange(100), np.arange(100) % nights)
    (compared,) = compare_all([JFK], pa.table({"origin": origins}), loss, clusters, least_rows=20)
    assert compared.difference.reason.startswith(reason)
    assert compared.difference.low is None
    assert not compared.is_worse


def test_conditions_in_words_and_in_files():
    conditions = [
        Condition("hour", low=17),
        Condition("hour", high=5.5),
        Condition("hour", 5, 17),
        Condition("origin", values=("JFK",)),
        Condition("origin", values=("JFK", None)),
        Condition("origin", values=("JFK", "LGA"), is_other=True),
    ]
    assert [str(one) for one in conditions] == [
        "hour >= 17",
        "hour < 5.5",
        "5 <= hour < 17",
        "origin is JFK",
        "origin is one of JFK, missing",
        "origin is none of JFK, LGA",
    ]
    assert Slice((conditions[3], conditions[0])).to_json() == {
        "text": "origin is JFK and hour >= 17",
        "conditions": [{"column": "origin", "values": ["JFK"]}, {"column": "hour", "low": 17, "high": None}],
    }
    assert conditions[5].to_json() == {"column": "origin", "other_than": ["JFK", "LGA"]}


def test_conditions_of_a_column_that_is_missing_or_of_another_type_are_refused():
    rows = pa.table({"origin": ["JFK"], "flag": [True], "number": [7]})
    with pytest.raises(LearningError, match="of the column airport, expected one of"):
        Slice((Condition("airport", values=("JFK",)),)).of(rows)
    with pytest.raises(LearningError, match="asks for numbers, but origin is of type string"):
        Slice((Condition("origin", low=1),)).of(rows)
    assert Condition("flag", values=("true",)).of(rows).tolist() == [True]
    assert Condition("number", values=("7",)).of(rows).tolist() == [True]
