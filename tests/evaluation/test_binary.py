"""Metrics of scores for two classes: published examples, SciPy, and every threshold by itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nightjar.evaluation.binary import average_precision, gini, ks, roc_auc
from nightjar.evaluation.rows import NO_ROWS, Undefined
from oracles.metrics import gap

ROW = st.tuples(st.booleans(), st.sampled_from([0.1, 0.2, 0.5, 0.9]), st.sampled_from([0.5, 1.0, 3.0]))
ROWS = st.lists(ROW, min_size=1, max_size=20)


def test_the_ratings_of_hanley_and_mcneil():
    """109 images rated from 1 to 5, Radiology 143 (1982), table 1: the area is 0.893."""
    normal, abnormal = [33, 6, 6, 11, 2], [3, 2, 2, 11, 33]
    rating = np.repeat([1, 2, 3, 4, 5, 1, 2, 3, 4, 5], normal + abnormal)
    is_abnormal = np.arange(109) >= 58
    assert roc_auc(is_abnormal, rating) == pytest.approx(0.893, abs=5e-4)
    assert gini(is_abnormal, rating) == pytest.approx(2 * 0.893 - 1, abs=1e-3)
    assert ks(is_abnormal, rating) == pytest.approx(44 / 51 - 13 / 58)  # from rating 4 on


def test_the_documents_of_croft_metzler_and_strohman():
    """Search engines (2010), section 8.4: relevant at places 1, 3, 6, 9 and 10, and at 2, 5 and 7, of 10."""
    place = np.arange(10)
    assert average_precision(np.isin(place, [0, 2, 5, 8, 9]), -place) == pytest.approx(0.62, abs=5e-3)
    assert average_precision(np.isin(place, [1, 4, 6]), -place) == pytest.approx(0.44, abs=5e-3)


@given(ROWS)
def test_gini_is_somers_d_and_ks_the_widest_gap_of_all(rows):
    label, score, weight = (np.array(column) for column in zip(*rows, strict=True))
    if label.all() or not label.any():
        assert isinstance(gini(label, score), Undefined)
        assert isinstance(ks(label, score), Undefined)
        return
    of_scipy = stats.somersd(label, score).statistic if len(set(score)) > 1 else 0  # there NaN
    assert gini(label, score) == pytest.approx(of_scipy)
    assert ks(label, score) == pytest.approx(stats.ks_2samp(score[label], score[~label], method="asymp").statistic)
    assert ks(label, score, weight) == pytest.approx(max(abs(one) for one in gap(label, score, weight)))


@pytest.mark.parametrize("measure", [roc_auc, gini, ks])
def test_what_needs_both_classes_says_which_one_there_is(measure):
    assert measure([], []) == NO_ROWS
    assert measure([1, 1], [0.1, 0.2]) == Undefined("all of the 2 rows are positive")
    assert measure([0, 0, 0], [0.1, 0.2, 0.2]) == Undefined("none of the 3 rows is positive")


@pytest.mark.parametrize(("measure", "value"), [(roc_auc, 0.5), (gini, 0), (ks, 0), (average_precision, 1 / 3)])
def test_one_score_for_all_rows_orders_nothing(measure, value):
    assert measure([1, 0, 0], [0.4, 0.4, 0.4]) == pytest.approx(value)
