import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightjar.errors import LearningError
from nightjar.evaluation.metrics import brier, log_loss, measures, roc_auc


def test_measures_of_four_rows():
    found = measures([1, 0, 1, 0], [0.8, 0.2, 0.5, 0.5])

    assert found == {
        "roc_auc": 0.875,  # of four pairs three are won and one is tied
        "log_loss": pytest.approx(-(2 * np.log(0.8) + 2 * np.log(0.5)) / 4),
        "brier": pytest.approx((0.04 + 0.04 + 0.25 + 0.25) / 4),
        "positive_rate": 0.5,
        "mean_score": 0.5,
        "rows": 4,
    }


def test_one_class_has_no_auc_but_everything_else():
    found = measures([True, True], [0.5, 1.0])

    assert found["roc_auc"] is None
    assert found["log_loss"] == pytest.approx(np.log(2) / 2)
    assert found["brier"] == pytest.approx(0.125)
    assert found["rows"] == 2


def test_no_rows_measure_nothing():
    expected = dict.fromkeys(["roc_auc", "log_loss", "brier", "positive_rate", "mean_score"])
    assert measures([], []) == {**expected, "rows": 0}


def test_a_certain_and_wrong_score_costs_36_nats():
    assert log_loss([0], [1.0]) == pytest.approx(36.04, abs=0.01)


def test_auc_takes_margins_but_probabilities_are_needed_elsewhere():
    assert roc_auc([0, 1], [-3.0, 7.0]) == 1.0
    for measure in (log_loss, brier, measures):
        with pytest.raises(LearningError, match=r"7\.0"):
            measure([0, 1], [0.0, 7.0])


@pytest.mark.parametrize(
    ("y", "score", "says"),
    [
        ([1, 0], [0.5, np.nan], "score holds nan in 1 of 2 rows"),
        ([1, 0], [0.5, None], "score holds nan"),
        ([1, 0], [0.5, np.inf], "score holds inf"),
        ([1, np.nan], [0.5, 0.5], "y holds nan"),
        ([1, 2], [0.5, 0.5], r"y holds 2\.0"),
        ([1, 0, 1], [0.5, 0.5], "3 rows and score has 2"),
        ([[1], [0]], [0.5, 0.5], "one-dimensional"),
        ([1, 0], ["high", "low"], "score must be numbers"),
    ],
)
def test_unusable_rows_are_refused_by_every_measure(y, score, says):
    for measure in (roc_auc, log_loss, brier, measures):
        with pytest.raises(LearningError, match=says):
            measure(y, score)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])), min_size=1, max_size=30))
def test_auc_is_the_share_of_pairs_won(rows):
    """The oracle compares every positive with every negative."""
    pairs = [(p > n) + (p == n) / 2 for y, p in rows if y for other, n in rows if not other]

    assert roc_auc(*zip(*rows, strict=True)) == (pytest.approx(np.mean(pairs)) if pairs else None)
