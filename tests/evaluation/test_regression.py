"""Errors of predicted amounts and of predicted intervals: published examples, scikit-learn, and what is undefined."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn

from nightjar.errors import LearningError
from nightjar.evaluation.prediction_intervals import interval_coverage, interval_width
from nightjar.evaluation.regression import mae, mape, pinball, r2, rmse, smape
from nightjar.evaluation.rows import NO_ROWS, Undefined

AMOUNT = st.sampled_from([-3.0, 0.5, 1.0, 2.0, 40.0])
ROWS = st.lists(st.tuples(AMOUNT, AMOUNT, st.sampled_from([0.5, 1.0, 3.0])), min_size=2, max_size=20)


def test_an_error_of_50_either_way():
    """Makridakis (1993): of 150 predicted as 100 it is 33%, of 100 predicted as 150 50%; symmetric 40% both times."""
    assert mape([150], [100]) == pytest.approx(1 / 3)
    assert mape([100], [150]) == 0.5
    assert smape([150], [100]) == smape([100], [150]) == 0.4


@settings(deadline=None)
@given(ROWS, st.sampled_from([0.05, 0.5, 0.9]))
def test_they_are_scikit_learn_s(rows, quantile):
    label, score, weight = (np.array(column) for column in zip(*rows, strict=True))
    theirs = {
        mae: sklearn.mean_absolute_error,
        rmse: sklearn.root_mean_squared_error,
        mape: sklearn.mean_absolute_percentage_error,
    }
    for measure, their in theirs.items():
        assert measure(label, score, weight) == pytest.approx(their(label, score, sample_weight=weight))
    loss = sklearn.mean_pinball_loss(label, score, sample_weight=weight, alpha=quantile)
    assert pinball(label, score, weight, quantile=quantile) == pytest.approx(loss)
    if len(set(label)) > 1:
        assert r2(label, score, weight) == pytest.approx(sklearn.r2_score(label, score, sample_weight=weight))
    by_hand = [2 * abs(y - s) / (abs(y) + abs(s)) for y, s in zip(label, score, strict=True)]
    assert smape(label, score, weight) == pytest.approx(np.average(by_hand, weights=weight))


def test_percentages_of_nothing_are_undefined_or_no_error():
    assert mape([0, 2, 0], [1, 2, 0]) == Undefined("2 of 3 labels are 0, of which no error is a share")
    assert mape([0, 2], [1, 2], weight=[0, 1]) == 0
    too_great = Undefined("the errors are together more than 1e308 times their labels")
    assert mape([1e-300], [1e300]) == mape(np.full(4, 1e-8), np.full(4, 1e300)) == too_great
    assert smape([0, 0], [0, 5]) == 1
    assert smape([1e300, -1e300], [-1e300, 1e300]) == 2
    assert mape([], []) == smape([], []) == pinball([], []) == interval_coverage([], np.empty((0, 2))) == NO_ROWS


def test_errors_that_cannot_be_squared_have_no_r2():
    too_great = Undefined("the squared errors are more than 1e308 times those of the mean")
    assert r2([1, 2, 3], [1, 2, 1e200]) == too_great
    assert r2([1e200, 2e200, 3e200], [1e200, 2e200, 5e200]) == pytest.approx(-1)


@pytest.mark.parametrize("quantile", [0, 1, np.nan, 90])
def test_a_quantile_that_is_none_is_refused(quantile):
    with pytest.raises(LearningError, match=r"quantile is .*: expected a number between 0 and 1"):
        pinball([1], [2], quantile=quantile)


def test_intervals_cover_their_ends_and_weights_count():
    label, bounds = [1, 2, 3, 4], [[1, 5], [0, 2], [4, 9], [0, 3]]
    assert interval_coverage(label, bounds) == 0.5
    assert interval_coverage(label, bounds, weight=[2, 4, 1, 1]) == 0.75
    assert interval_width(label, bounds) == (4 + 2 + 5 + 3) / 4


@pytest.mark.parametrize(
    ("bounds", "says"),
    [
        ([1, 2], r"bounds have the shape \(2,\): expected the lower and the upper end, \(rows, 2\)"),
        ([[1, 2, 3]], r"bounds have the shape \(1, 3\)"),
        ([[0, 2]], "y has 2 rows and score has 1"),
        ([[0, 2], [3, np.nan]], "score holds nan in 1 of 2 rows"),
        ([[0, 2], [3, 1]], "1 of 2 intervals have a lower end above the upper one, the first one from 3 to 1"),
    ],
)
def test_what_are_no_intervals_is_refused(bounds, says):
    for measure in (interval_coverage, interval_width):
        with pytest.raises(LearningError, match=says):
            measure([1, 2], bounds)
