"""Thresholds by group, against the slow rule: of a group's scores the least that no greater share of it reaches."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightjar.evaluation.group_thresholds import fit_moved_scores
from nightjar.settings.fairness import UnseenGroup

ROW = st.tuples(
    st.sampled_from([0.0, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9, 1.0]), st.integers(0, 2), st.booleans(), st.integers(0, 2)
)


def share(score, weight, threshold):
    return sum(w for s, w in zip(score, weight, strict=True) if s >= threshold) / sum(weight)


@settings(max_examples=150, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=30), st.integers(1, 4), st.sampled_from(list(UnseenGroup)))
def test_each_group_is_acted_on_as_often_as_all_rows_and_no_more(rows, least_rows, unseen):
    score, group, counts, weight = (np.array(column) for column in zip(*rows, strict=True))
    counts[0], weight[0] = True, 1
    moved = fit_moved_scores(score, group, counts, weight.astype(float), least_rows=least_rows, unseen=unseen)
    of_goal = counts & (weight > 0)
    large = [int(one) for one in np.unique(group[of_goal]) if (of_goal & (group == one)).sum() >= least_rows]
    assert sorted(moved.knots) == large
    for value in np.unique(score[of_goal]):
        reached = share(score[of_goal], weight[of_goal], value)
        for one in large:
            own, weights = (column[of_goal & (group == one)] for column in (score, weight))
            fitting = [s for s in np.unique(own) if share(own, weights, s) <= reached + 1e-9]
            acted = own >= moved.threshold(value, one)
            np.testing.assert_array_equal(acted, own >= min(fitting, default=np.inf))
    anywhere = np.linspace(0, 1, 41)
    for one in (0, 1, 2, 7):  # what decides in scoring, and what was fitted, are the same for any score
        for value in (0.1, 0.35, 0.6, 1.0, 1.5):
            of_group = moved.move(anywhere, np.full(41, one)) >= value
            threshold = moved.threshold(value, one if one in large else None)
            np.testing.assert_array_equal(anywhere >= threshold, of_group)


def test_an_unseen_group_has_the_declared_threshold():
    random = np.random.default_rng(0)
    score, group = random.random(2000) ** np.repeat([1, 3], 1000), np.repeat([0, 1], 1000)
    thresholds = {}
    for unseen in UnseenGroup:
        moved = fit_moved_scores(score, group, score >= 0, None, least_rows=100, unseen=unseen)
        own = [moved.threshold(0.5, one) for one in (0, 1)]
        thresholds[unseen] = moved.threshold(0.5, None)
        assert thresholds[unseen] == moved.threshold(0.5, 2)
    assert own[0] > 0.5 > own[1]
    assert thresholds == {
        UnseenGroup.OVERALL: 0.5,
        UnseenGroup.HIGHEST: pytest.approx(own[0]),
        UnseenGroup.LOWEST: pytest.approx(own[1]),
    }
