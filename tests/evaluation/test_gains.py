"""Lift and gain at a share: by hand, and over every order of rows that tie."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightjar.errors import LearningError
from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.gains import gain, lift
from nightjar.evaluation.metric_report import Truth, figure
from nightjar.evaluation.rows import NO_ROWS, Undefined
from nightjar.settings.task import Task
from oracles.metrics import expected_gain

ROWS = st.lists(st.tuples(st.booleans(), st.integers(0, 3)), min_size=1, max_size=7)
SHARES = st.sampled_from([0.01, 0.1, 1 / 3, 0.5, 0.9, 1.0])


def test_a_scorecard_of_deciles():
    """Of 100 positives among 1000 rows, the best decile has 40, the next one 20, and the others five each."""
    positives = [40, 20, *8 * [5]]
    label = np.concatenate([np.arange(100) < number for number in positives])
    score = np.repeat(np.linspace(0.9, 0.1, 10), 100)
    assert [gain(label, score, share=one) for one in (0.1, 0.2, 1)] == pytest.approx([0.4, 0.6, 1])
    assert lift(label, score, share=0.1) == pytest.approx(4)
    assert gain(label, score, share=0.15) == pytest.approx(0.5)  # half of a decile whose rows tie


@settings(deadline=None)
@given(ROWS, SHARES)
def test_ties_count_as_the_mean_over_every_order_of_them(rows, share):
    label, score = (np.array(column) for column in zip(*rows, strict=True))
    if not label.any():
        assert gain(label, score, share=share) == Undefined(f"none of the {len(rows)} rows is positive")
        return
    assert gain(label, score, share=share) == pytest.approx(expected_gain(label, score, share))
    assert lift(label, score, share=share) == pytest.approx(expected_gain(label, score, share) / share)


def test_its_interval_knows_that_the_border_moves():
    """Scores that say nothing: if the border were fixed, more rows above it would seem to find more."""
    random = np.random.default_rng(0)
    night = np.repeat(np.arange(40), 100)
    truth = Truth(Task.CLASSIFICATION, random.random(4000) < 0.3, Clusters(np.arange(4000), night))
    night_of_score = figure(gain, truth, random.random(4000) + 0.5 * random.random(40)[night], share=0.2)
    assert night_of_score.low < 0.2 < night_of_score.high < 0.25


@pytest.mark.parametrize("share", [0, 1.5, -0.1, np.nan])
def test_a_share_that_is_none_is_refused(share):
    for measure in (gain, lift):
        assert measure([], [], share=0.5) == NO_ROWS
        with pytest.raises(LearningError, match=r"share is .*: expected a part of all rows"):
            measure([1, 0], [0.5, 0.4], share=share)
