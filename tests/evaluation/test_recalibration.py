"""Calibration intercept and slope: the equations that define them, scikit-learn, and where they do not exist."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from nightjar.evaluation.recalibration import calibration_intercept, calibration_slope
from nightjar.evaluation.rows import Undefined

SCORES = st.sampled_from([0.0, 1e-9, 0.1, 0.3, 0.5, 0.8, 0.99, 1.0])
ROW = st.tuples(st.booleans(), SCORES, st.sampled_from([1.0, 2.0, 7.0]))


def log_odds(score):
    return logit(np.clip(score, np.finfo(float).eps, 1 - np.finfo(float).eps))


@settings(deadline=None)
@given(st.lists(ROW, min_size=1, max_size=30))
def test_they_solve_the_equations_of_the_greatest_likelihood(rows):
    """Of the slope, whose intercept is not told: whatever that is, the likelihood has its greatest value there."""
    label, score, weight = (np.array(column) for column in zip(*rows, strict=True))
    x = log_odds(score)
    intercept, slope = (measure(label, score, weight) for measure in (calibration_intercept, calibration_slope))
    if label.all() or not label.any():
        assert isinstance(intercept, Undefined)
        assert isinstance(slope, Undefined)
        return
    assert weight @ (label - expit(x + intercept)) == pytest.approx(0, abs=1e-7)
    parted = max(x[~label]) <= min(x[label]) or max(x[label]) <= min(x[~label])
    assert isinstance(slope, Undefined) == parted
    if not parted:
        beside = calibration_intercept(label, expit(slope * x), weight) if abs(slope) * max(abs(x)) < 30 else None
        if beside is not None:
            surplus = weight * (label - expit(slope * x + beside))
            assert surplus @ x == pytest.approx(0, abs=1e-5)


def test_the_slope_is_that_of_scikit_learn_s_regression():
    random = np.random.default_rng(0)
    x, weight = random.normal(size=500), random.integers(1, 5, 500)
    label = random.random(500) < expit(0.3 + 0.7 * x)
    fitted = LogisticRegression(C=np.inf, tol=1e-12, max_iter=1000).fit(x[:, None], label, weight)
    assert calibration_slope(label, expit(x), weight) == pytest.approx(fitted.coef_[0, 0], rel=1e-6)


def test_honest_probabilities_have_0_and_1_and_overconfident_ones_less():
    label = np.repeat([1, 0, 1, 0], [90, 10, 10, 90])
    honest = np.repeat([0.9, 0.1], 100)
    assert calibration_intercept(label, honest) == pytest.approx(0, abs=1e-12)
    assert calibration_slope(label, honest) == pytest.approx(1)
    assert calibration_slope(label, expit(2 * logit(honest))) == pytest.approx(0.5)
    assert calibration_slope(label, 1 - honest) == pytest.approx(-1)


def test_where_no_line_fits_the_reason_is_told():
    assert calibration_slope([0, 1], [0.4, 0.4]) == Undefined("all of the 2 scores are alike")
    parted = Undefined("a threshold parts the classes of the 3 rows: the slope would be infinite")
    assert calibration_slope([0, 1, 1], [0.4, 0.4, 0.9]) == parted
    assert calibration_slope([1, 0, 0], [0.2, 0.6, 0.9]) == parted
    assert calibration_intercept([0, 1], [0.4, 0.4]) == pytest.approx(-logit(0.4))


def test_a_score_of_0_is_a_step_that_only_halving_gets_near_to():
    """Eight of nine rows are positive, one of them at log-odds of -36: so the shift lies far from the others'."""
    y, score, weight = [0, 1, 1, 1, 1, 1, 1], [0.2, 0.2, 0.2, 0.2, 0.9, 0, 0.5], [1, 1, 1, 3, 1, 1, 1]
    shift = calibration_intercept(y, score, weight)
    assert np.average(expit(log_odds(score) + shift), weights=weight) == pytest.approx(8 / 9)
