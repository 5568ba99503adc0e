"""Whose decision changes, and the threshold that acts at a rate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.metric_report import Truth, mean_interval
from nightjar.evaluation.swaps import swap_sets, threshold_at
from nightjar.settings.task import Task

SCORES = st.lists(st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0]), min_size=1, max_size=12)


@given(SCORES, st.floats(0, 1), st.data())
def test_no_other_threshold_acts_on_a_share_that_is_nearer(scores, rate, data):
    weight = np.array(data.draw(st.lists(st.sampled_from([1.0, 3.0]), min_size=len(scores), max_size=len(scores))))
    score = np.array(scores)

    def distance(threshold):
        return abs(np.average(score >= threshold, weights=weight) - rate)

    chosen = threshold_at(rate, score, weight)
    assert distance(chosen) <= min(map(distance, [*scores, 2.0])) + 1e-12


def test_swap_sets_are_the_rows_that_one_of_two_acts_on():
    random = np.random.default_rng(2)
    label, before, after = random.random((3, 400)) < 0.4
    clusters = Clusters(np.arange(400), np.repeat(np.arange(20), 20))
    truth = Truth(Task.CLASSIFICATION, label, clusters)
    sets = swap_sets(truth, before, after)
    for name, rows in (("in", after & ~before), ("out", before & ~after)):
        assert sets[name]["rows"] == rows.sum()
        assert sets[name]["share"]["estimate"] == pytest.approx(rows.mean())
        assert sets[name]["outcome_rate"]["estimate"] == pytest.approx(label[rows].mean())
        assert sets[name]["outcome_rate"]["low"] < label[rows].mean() < sets[name]["outcome_rate"]["high"]
        whole = mean_interval(rows, clusters)
        assert sets[name]["share"]["high"] - sets[name]["share"]["low"] == pytest.approx(
            whole.high - whole.low, rel=0.05
        )


def test_where_nobody_is_swapped_there_is_no_rate_and_the_reason_is_said():
    truth = Truth(Task.CLASSIFICATION, np.tile([True, False], 10), Clusters(np.arange(20), np.arange(20)))
    acts = np.arange(20) > 9
    for rows in swap_sets(truth, acts, acts).values():
        assert (rows["rows"], rows["share"]["estimate"], rows["outcome_rate"]["estimate"]) == (0, 0.0, None)
        assert rows["outcome_rate"]["reason"]
