"""How far off an estimate may be, by how far earlier ones were."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightjar.evaluation.estimate_intervals import Line, Outcome, half_width, interval_score, reach
from oracles import reaches as oracle


def test_the_width_is_the_residual_that_19_of_20_nights_do_not_exceed():
    """Of 19 nights the greatest, of 39 the second greatest; of 18 none would be wide enough."""
    assert half_width(np.arange(1, 20)) == 19
    assert half_width(-np.arange(1, 40)) == 38
    assert half_width(np.arange(18)) is None
    assert half_width(np.arange(9), confidence=0.9) == 8
    assert half_width(np.array([99, *range(1, 91)])) == 87, "what was longer ago than 90 nights is forgotten"


def test_intervals_hold_as_often_as_they_say_where_nights_come_in_any_order():
    random = np.random.default_rng(0)
    inside = [abs(random.standard_t(3)) <= half_width(random.standard_t(3, 39)) for _ in range(2000)]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.016)


def test_coverage_counts_intervals_that_were_made_before_the_outcome_and_as_late_as_labels_came():
    """Outcomes are 1 off, up or down, from the 41st night on 3: with labels after 4 nights 4 intervals miss, not 1."""
    swing = np.where(np.arange(60) % 2, 1, -1) * np.where(np.arange(60) < 40, 1, 3)
    past = [Outcome(0.0, float(one)) for one in swing]
    at_once, late = reach(past), reach(past, delay=4)
    assert (at_once.nights, late.nights) == (60, 60)
    assert round((1 - at_once.coverage) * (60 - 19)) < round((1 - late.coverage) * (60 - 22))
    assert 2.9 < at_once.half < 3.3
    assert reach(past[:30]).coverage is None, "of 11 intervals no share is told"


def test_what_is_known_of_a_night_before_its_labels_came_does_not_depend_on_later_ones():
    random = np.random.default_rng(1)
    past = [Outcome(*pair) for pair in random.normal(size=(40, 2))]
    other = [*past[:-1], Outcome(past[-1].estimate, 99.0)]
    assert reach(past[:-1]) == reach(other[:-1])
    assert reach(other).half == pytest.approx(reach(past).half, abs=2), "one of 40 nights may be far off"


def test_estimates_that_say_nothing_are_drawn_to_what_was_realised_lately():
    """Of 90 nights without relation the slope is what 30 nights of the prior leave; of 9 nothing is drawn."""
    random = np.random.default_rng(2)
    estimates = np.tile([1.0, -1.0], 45)
    outcomes = [Outcome(one, 5 + noise) for one, noise in zip(estimates, np.repeat([0.1, -0.1], 45), strict=True)]
    line = Line.fit(outcomes)
    assert (line.realised, line.slope) == (pytest.approx(5), pytest.approx(30 / 120, abs=0.01))
    assert Line.fit(outcomes[:9]) == Line()
    assert Line.fit([Outcome(0.5, value) for value in random.normal(size=20)]).slope == 1


def test_the_interval_score_is_the_width_and_forty_times_what_it_misses():
    low, high = np.array([1.0, 1.0, 1.0]), np.array([2.0, 2.0, 2.0])
    assert interval_score(low, high, np.array([1.5, 0.9, 2.2])) == pytest.approx([1, 5, 9])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 230), st.integers(1, 40), st.integers(0, 2**32 - 1), st.booleans())
def test_all_nights_at_once_reach_as_far_as_night_by_night(nights, delay, seed, is_constant):
    random = np.random.default_rng(seed)
    estimates = np.full(nights, 0.1) if is_constant else random.normal(0.7, 0.05, nights)
    realised = estimates + random.standard_t(3, nights)
    outcomes = [Outcome(*map(float, pair)) for pair in zip(estimates, realised, strict=True)]
    line, half, coverage = oracle.reach(outcomes, delay)
    own = reach(outcomes, delay)
    assert (own.line.estimate, own.line.realised, own.line.slope) == pytest.approx(line)
    assert (own.half, own.coverage, own.nights) == (pytest.approx(half), coverage, min(nights, 90))
    assert own.line == Line.fit(outcomes)
