"""What is counted batch by batch is what a look at every value finds."""

import math
from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightjar.profiling.stored import levels, lowest
from nightjar.profiling.stored.columns import ColumnCounter, Kind
from nightjar.profiling.stored.levels import LevelCounter
from nightjar.profiling.stored.lowest import Distinct, Sample
from oracles import stored_profiles as oracle

PERIODS = 3
NUMBERS = st.one_of(
    st.none(), st.sampled_from([0.0, -0.0, math.nan, math.inf, -math.inf]), st.floats(-1e6, 1e6), st.integers(-3, 3)
)


def facts_of(values):
    """Some batches of facts: the period and the value of each."""
    return st.lists(st.lists(st.tuples(st.integers(0, PERIODS - 1), values), max_size=12), min_size=1, max_size=4)


def counted(batches, kind):
    """The history of one column of these facts."""
    counter = ColumnCounter(pa.field("x", kind), PERIODS)
    sample = Sample(PERIODS, int(counter.kind is Kind.NUMBER))
    facts = np.zeros(PERIODS, np.int64)
    for batch in batches:
        periods = np.array([period for period, _ in batch], np.int64)
        facts += np.bincount(periods, minlength=PERIODS)
        numbers = counter.add(periods, pa.array([value for _, value in batch], kind))
        sample.add(periods, [] if numbers is None else [numbers])
    return counter.history(facts, sample, 0)


def by_period(batches):
    return [[value for batch in batches for number, value in batch if number == period] for period in range(PERIODS)]


@given(facts_of(NUMBERS))
def test_numbers_are_counted_as_value_by_value(batches):
    history = counted(batches, pa.float64())
    figures = history.numbers
    for period, values in enumerate(by_period(batches)):
        expected = oracle.of_numbers([None if one is None else float(one) for one in values])
        assert (history.facts[period], history.missing[period]) == (len(values), expected["missing"])
        assert figures.not_finite[period] == expected["not finite"]
        assert figures.zeros[period] == expected["zeros"]
        if expected["mean"] is None:
            assert np.isnan([figures.mean[period], *figures.quantiles[period]]).all()
            continue
        scale = 1 + max(abs(one) for one in values if one is not None and math.isfinite(one))
        assert figures.mean[period] == pytest.approx(expected["mean"], rel=1e-12, abs=1e-12 * scale)
        assert figures.variance[period] == pytest.approx(expected["variance"], rel=1e-9, abs=1e-9 * scale**2)
        assert figures.quantiles[period].tolist() == expected["quantiles"]


@given(facts_of(st.one_of(st.none(), st.sampled_from(["a", "b", "ä", "", "x" * 40]))))
def test_texts_are_counted_as_value_by_value(batches):
    history = counted(batches, pa.string())
    named = dict(zip(history.levels.names, history.levels.counts, strict=True))
    totals = [int(counts.sum()) for counts in history.levels.counts]
    assert totals == sorted(totals, reverse=True)
    assert history.levels.is_complete
    for period, values in enumerate(by_period(batches)):
        expected = oracle.of_texts(values)
        assert {name: counts[period] for name, counts in named.items() if counts[period]} == expected
        assert history.levels.distinct[period] == len(expected)
        assert history.missing[period] == values.count(None)


def test_booleans_days_and_instants_are_counted_and_other_types_only_where_they_are_missing():
    batches = [[(0, True), (0, False), (1, None)], [(1, True)]]
    assert counted(batches, pa.bool_()).trues.tolist() == [1, 1, 0]
    days = [[(0, date(2024, 1, 2)), (2, None)], [(0, date(1950, 1, 1)), (1, date(2024, 1, 1))]]
    moments = counted(days, pa.date32()).moments
    assert (moments.oldest[:2].tolist(), moments.newest[:2].tolist()) == ([-7305, 19723], [19724, 19723])
    assert moments.oldest[2] > moments.newest[2]
    lists = counted([[(0, ["a"]), (0, None)]], pa.list_(pa.string()))
    assert (lists.missing.tolist(), lists.present.tolist()) == ([1, 0, 0], [1, 0, 0])


def test_quantiles_of_many_facts_are_of_a_sample_that_does_not_depend_on_batches(monkeypatch):
    monkeypatch.setattr(lowest, "SAMPLED", 2_000)
    values, periods = np.random.default_rng(1).normal(size=60_000), np.repeat([0, 1], 30_000)

    def sampled(size):
        sample = Sample(2, 1)
        for start in range(0, len(values), size):
            sample.add(periods[start : start + size], [values[start : start + size]])
        return sample.quantiles(0, (0.05, 0.5, 0.95))

    assert sampled(60_000).tolist() == sampled(7_919).tolist()
    np.testing.assert_allclose(sampled(60_000), [[-1.645, 0, 1.645]] * 2, atol=0.15)


def test_many_different_texts_are_counted_to_a_few_percent_and_few_exactly():
    distinct = Distinct(2)
    for start in range(0, 40_000, 10_000):
        texts = [f"u{number % 25_000}" for number in range(start, start + 10_000)]
        distinct.add(np.zeros(10_000, np.int64), np.arange(10_000), texts)
    for _ in range(2):
        distinct.add(np.ones(1_000, np.int64), np.arange(1_000), [f"u{number}" for number in range(1_000)])
    many, few = distinct.counts().tolist()
    assert few == 1_000
    assert many == pytest.approx(25_000, rel=0.1)


def test_of_too_many_texts_the_frequent_ones_are_counted_on(monkeypatch):
    monkeypatch.setattr(levels, "MOST_LEVELS", 10)
    counter = LevelCounter(1)
    for batch in range(8):
        texts = [f"rare {batch} {number}" for number in range(15)] + ["often"] * 30
        counter.add(np.zeros(len(texts), np.int64), pa.array(texts))
    counted_levels = counter.levels()
    assert (counted_levels.names[0], counted_levels.counts[0].tolist()) == ("often", [240])
    assert not counted_levels.is_complete
    assert len(counted_levels.names) <= 20 + 15
    assert counted_levels.distinct.tolist() == [8 * 15 + 1]
