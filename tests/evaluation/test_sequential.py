"""Confidence sequences of randomised arms, beside slow ones by entities and integrals, and beside all draws of arms."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightjar.evaluation import sequential
from nightjar.evaluation.sequential import FEWEST, arm, evidence, tuning
from oracles import experiments as oracle

NIGHTS = 4
ENTITIES = st.lists(
    st.builds(
        oracle.Entity,
        st.integers(0, NIGHTS - 1),
        st.sampled_from(["champion", "challenger"]),
        st.sampled_from([1.0, 1.25, 2.0]),
        st.integers(-50, 50).map(float),
    ),
    min_size=1,
    max_size=30,
)


def arms_of(entities, nights=NIGHTS):
    """One group for each entity."""
    result = []
    for role in ("champion", "challenger"):
        own = [one for one in entities if one.arm == role]
        cell, value, weight = (np.array([getattr(one, name) for one in own]) for name in ("night", "value", "weight"))
        ones = np.ones(len(own))
        result.append(arm(cell.astype(int), (nights,), value, weight, ones, 0 * ones))
    return result


@given(ENTITIES)
def test_the_evidence_is_that_of_entities_one_by_one(entities):
    of = evidence(*arms_of(entities))
    nights, expected = oracle.evidence(entities)
    for night, (difference, weight, variance) in zip(nights, expected, strict=True):
        assert of.weight[night] == pytest.approx(weight)
        assert of.variance[night] == pytest.approx(variance, abs=1e-8)
        if difference is None:
            assert np.isnan(of.difference[night])
        else:
            assert of.difference[night] == pytest.approx(difference, abs=1e-9)


@given(ENTITIES)
def test_groups_of_entities_say_what_their_entities_say(entities):
    single = arms_of(entities)
    for role, whole in zip(("champion", "challenger"), single, strict=True):
        groups = {}
        for one in entities:
            if one.arm == role:
                groups.setdefault((one.night, one.weight), []).append(one.value)
        columns = [(night, np.mean(own), weight, len(own), np.var(own)) for (night, weight), own in groups.items()]
        cell, value, weight, number, variance = np.array(columns, float).reshape(-1, 5).T
        grouped = arm(cell.astype(int), (NIGHTS,), value, weight, number, variance)
        for name in ("entities", "weight", "weight_squared", "mean", "first", "second"):
            np.testing.assert_allclose(getattr(grouped, name), getattr(whole, name), atol=1e-6)


@pytest.mark.parametrize("drawn", [1, 2, 4])
@pytest.mark.parametrize("effects", [[3.0] * 6, [0.0, 9.0, -4.0, 2.0, 11.0, 0.0]])
def test_over_all_draws_the_difference_is_the_effect_and_its_variance_no_less_than_it_is(drawn, effects):
    """The values are what they are; only who is drawn is random. With one effect for all the variance is exact."""
    values = np.array([0.0, 1.0, 1.0, 2.0, 5.0, 100.0])
    seen = []
    for chosen in combinations(range(6), drawn):
        entities = [
            oracle.Entity(0, "challenger", 1.0, values[place] + effects[place])
            if place in chosen
            else oracle.Entity(0, "champion", 1.0, values[place])
            for place in range(6)
        ]
        weight, gap, variance = oracle.of_night(entities)
        assert evidence(*arms_of(entities, 1)).difference[0] == pytest.approx(gap)
        seen.append((gap, gap * weight, variance(np.mean(effects))))
    gaps, sums, variances = np.array(seen).T
    assert gaps.mean() == pytest.approx(np.mean(effects))
    if len(set(effects)) == 1:
        assert variances.mean() == pytest.approx(sums.var())
    else:
        assert variances.mean() > sums.var()


@given(st.floats(0.01, 1e4), st.sampled_from([0.01, 0.05, 0.2]), st.floats(0.01, 1e4))
@settings(max_examples=30)
def test_the_sum_at_the_bound_is_where_the_mixture_has_won_its_stake(variance, level, precision):
    both = sequential.two_sided_reach(variance, level, precision)
    one = sequential.one_sided_reach(variance, level, precision)
    assert both == pytest.approx(oracle.reach(variance, level, precision, one_sided=False), rel=1e-4)
    assert one == pytest.approx(oracle.reach(variance, level, precision, one_sided=True), rel=1e-4)
    assert one < both


def test_bounds_are_tightest_where_they_are_tuned():
    for one_sided, reach in ((False, sequential.two_sided_reach), (True, sequential.one_sided_reach)):
        tuned = tuning(0.05, 40.0, one_sided=one_sided)
        others = [reach(40.0, 0.05, tuned * times) for times in (0.3, 0.7, 1.4, 3.0)]
        assert reach(40.0, 0.05, tuned) < min(others)


def test_nothing_is_said_before_both_arms_have_entities_enough():
    """One entity a night in the challenger's arm, two in the champion's."""
    night = np.arange(FEWEST + 1)
    random = np.random.default_rng(0)
    arms = []
    for each in (2, 1):
        cell = np.repeat(night, each)
        ones = np.ones(len(cell))
        arms.append(arm(cell, (len(night),), random.normal(size=len(cell)), ones, ones, 0 * ones))
    of = evidence(*arms)
    bounds = sequential.two_sided(of, 0.05, 1.0)
    assert np.isinf(bounds.low[: FEWEST - 1]).all()
    assert np.isfinite(bounds.low[FEWEST - 1 :]).all()
    guard = sequential.lower(of, 0.05, 1.0)
    assert (guard.high == np.inf).all()
    assert (guard.low[FEWEST - 1 :] > bounds.low[FEWEST - 1 :]).all()
    assert (sequential.lower(of.turned(), 0.05, 1.0).low == -of.difference - (of.difference - guard.low))[-1]


def test_a_shock_of_a_night_moves_nothing():
    """A night's 20 entities all gain 1,000, in a night on which another share is drawn."""
    random = np.random.default_rng(1)
    entities = [
        oracle.Entity(night, "challenger" if random.random() < share else "champion", 1.0, random.normal())
        for night, share in enumerate([0.1, 0.2, 0.5, 0.5])
        for _ in range(20)
    ]
    shocked = [oracle.Entity(one.night, one.arm, one.weight, one.value + 1000 * (one.night == 2)) for one in entities]
    one, other = (evidence(*arms_of(own)) for own in (entities, shocked))
    np.testing.assert_allclose(other.difference, one.difference, atol=1e-9)
    np.testing.assert_allclose(other.variance, one.variance, rtol=1e-6)
