"""How far groups lie apart in what is decided, against means of the groups' own rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.fairness import group_differences
from nightjar.evaluation.metric_report import Truth, mean_interval
from nightjar.settings.task import Task

ROW = st.tuples(st.booleans(), st.booleans(), st.integers(0, 2), st.integers(0, 4), st.sampled_from([0.0, 1.0, 2.0]))


def rate(name, label, acts, weight):
    """The share that is acted on, row by row; None without rows."""
    counts = {"selection_rate": lambda _: True, "recall": lambda one: one, "false_positive_rate": lambda one: not one}
    rows = [(act, w) for one, act, w in zip(label, acts, weight, strict=True) if counts[name](one) and w > 0]
    return sum(act * w for act, w in rows) / sum(w for _, w in rows) if rows else None


@settings(max_examples=60, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=40), st.sampled_from(["selection_rate", "recall", "false_positive_rate"]))
def test_rates_of_groups_are_those_of_their_own_rows(rows, name):
    label, acts, group, block, weight = (np.array(column) for column in zip(*rows, strict=True))
    if not weight.any():
        weight = weight + 1
    group[0] = 2  # so that there are three
    truth = Truth(Task.CLASSIFICATION, label, Clusters(np.arange(len(label)), block), weight=weight)
    for one in group_differences(name, truth, acts, group, 0.95):
        own = [
            rate(name, label[group == number], acts[group == number], weight[group == number]) for number in one.groups
        ]
        assert one.rates == pytest.approx(tuple(own))
        if None in own:
            assert (one.least, one.interval.estimate, one.interval.reason) == (0, None, "a group has no such rows")
        else:
            assert one.interval.estimate == pytest.approx(own[0] - own[1])


def test_the_interval_is_that_of_a_difference_within_nights():
    """Groups that share nights: what a night does to both is no difference. Where each night has one row of either, the
    interval is that of the nights' own differences."""
    random = np.random.default_rng(1)
    nights = 60
    shock = random.random(nights)
    acts = np.stack([random.random(nights) < shock, random.random(nights) < 0.7 * shock]).T
    truth = Truth(
        Task.CLASSIFICATION,
        np.ones(2 * nights, bool),
        Clusters(np.arange(2 * nights) % 2, np.repeat(np.arange(nights), 2)),
    )
    [one] = group_differences("recall", truth, acts.ravel(), np.tile([0, 1], nights), 0.95)
    by_night = acts[:, 0].astype(float) - acts[:, 1]
    expected = mean_interval(by_night, Clusters(np.zeros(nights, int), np.arange(nights)))
    assert one.least == nights
    assert (one.interval.low, one.interval.high) == pytest.approx((expected.low, expected.high))
