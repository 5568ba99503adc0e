"""How far off an estimate may be, by how far earlier ones were."""

import numpy as np
import pytest

from nightjar.evaluation.estimate_intervals import Outcome, half_width, interval_score, reach


def outcomes(residuals):
    return [Outcome(0.0, float(one)) for one in residuals]


def test_the_width_is_the_residual_that_19_of_20_nights_do_not_exceed():
    """Of 19 nights the greatest, of 39 the second greatest; of 18 none would be wide enough."""
    assert half_width(outcomes(range(1, 20))) == 19
    assert half_width(outcomes(-np.arange(1, 40))) == 38
    assert half_width(outcomes(range(18))) is None
    assert half_width(outcomes(range(9)), confidence=0.9) == 8
    assert half_width(outcomes([99, *range(1, 91)])) == 87, "what was longer ago than 90 nights is forgotten"


def test_intervals_hold_as_often_as_they_say_where_nights_come_in_any_order():
    random = np.random.default_rng(0)
    held = [abs(random.standard_t(3)) <= half_width(outcomes(random.standard_t(3, 39))) for _ in range(2000)]
    assert np.mean(held) == pytest.approx(0.95, abs=0.016)


def test_coverage_counts_intervals_that_were_made_before_the_outcome_and_as_late_as_labels_came():
    """Residuals of 1, from the 26th night on of 2: with labels after 4 nights, 4 intervals miss until it is seen."""
    past = outcomes([1.0] * 25 + [2.0] * 25)
    assert reach(past).coverage == pytest.approx(1 - 1 / 31)
    assert reach(past, delay=4).coverage == pytest.approx(1 - 4 / 28)
    assert (reach(past).half, reach(past).nights) == (2, 50)
    assert reach(past[:30]).coverage is None, "of 11 intervals no share is told"


def test_the_interval_score_is_the_width_and_forty_times_what_it_misses():
    low, high = np.array([1.0, 1.0, 1.0]), np.array([2.0, 2.0, 2.0])
    assert interval_score(low, high, np.array([1.5, 0.9, 2.2])) == pytest.approx([1, 5, 9])
