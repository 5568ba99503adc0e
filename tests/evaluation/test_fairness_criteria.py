"""Criteria of group fairness, against other implementations, published figures, and means of the groups' own rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.fairness_criteria import FOUR_FIFTHS, RATES, group_figures
from nightjar.evaluation.metric_report import Truth, mean_interval
from nightjar.settings.task import Task

ROW = st.tuples(st.booleans(), st.booleans(), st.booleans(), st.integers(0, 4), st.sampled_from([0.0, 1.0, 2.0]))
COUNTED = {
    "selection_rate": lambda _label, _acts: True,
    "recall": lambda label, _acts: label,
    "false_positive_rate": lambda label, _acts: not label,
    "precision": lambda _label, acts: acts,
    "calibration_gap": lambda _label, _acts: True,
}


def figures(label, acts, member, *, score=None, block=None, entity=None, weight=None, least_rows=1):
    rows = len(label)
    blocks, entities = np.arange(rows) % 5 if block is None else block, np.arange(rows) if entity is None else entity
    clusters = Clusters(np.asarray(entities), np.asarray(blocks))
    weights = None if weight is None else np.asarray(weight, float)
    truth = Truth(Task.CLASSIFICATION, np.asarray(label, bool), clusters, weight=weights)
    scores = np.full(rows, 0.5) if score is None else np.asarray(score)
    own = group_figures(truth, scores, np.asarray(acts, bool), np.asarray(member), 0.95, least_rows)
    return {one.criterion: one for one in own}


LABEL = [1, 0, 1, 1, 0, 0, 1, 0, 1, 1, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1, 1]
ACTS = [1, 0, 1, 0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0]
GROUP = np.array(list("aaaaaaaaaabbbbbbbbcccccc"))
WEIGHT = [1, 2, 1, 1, 3, 1, 1, 1, 2, 1, 1, 1, 2, 1, 1, 1, 1, 3, 1, 1, 2, 1, 1, 1]
FAIRLEARN = {
    "a": (0.5714285714, 0.5714285714, 0.5714285714, 0.5, 0.1825396825, 0.0285714286, 0.4464285714),
    "b": (0.5454545455, 0.8333333333, 0.2, 0.8333333333, 0.1168831169, 0.3787878788, 0.3787878788),
    "c": (0.1428571429, 0.25, 0.0, 1.0, 0.4171428571, 0.4423076923, 0.4423076923),
}
"""Group -> what Fairlearn 0.15.0 gives: four rates, and the differences from the rest in selection, recall and odds."""


@pytest.mark.parametrize("group", FAIRLEARN)
def test_the_figures_of_fairlearn(group):
    own = figures(LABEL, ACTS, group == GROUP, weight=WEIGHT)
    *rates, parity, opportunity, odds = FAIRLEARN[group]
    names = ("selection_rate", "recall", "false_positive_rate", "precision")
    assert [own[name].value.estimate for name in names] == pytest.approx(rates)
    assert abs(own["selection_rate"].against_rest.estimate) == pytest.approx(parity)
    assert abs(own["recall"].against_rest.estimate) == pytest.approx(opportunity)
    assert own["equalised_odds"].against_rest.estimate == pytest.approx(odds)


def test_the_published_figures_of_compas():
    """Larson, Mattu, Kirchner and Angwin (2016), How we analyzed the COMPAS recidivism algorithm, ProPublica: the
    counts of two groups by outcome and by whether the score was medium or high, and the rates made of them."""
    counts = {True: ((990, 805), (532, 1369)), False: ((1139, 349), (461, 505))}
    cells = [
        (label, acts, member, counts[member][label][acts])
        for member in (True, False)
        for label in (0, 1)
        for acts in (0, 1)
    ]
    label, acts, member, number = zip(*cells, strict=True)
    label, acts, member = (np.repeat(one, number) for one in (label, acts, member))
    own = figures(label, acts, member)
    percent = {name: (100 * one.value.estimate, 100 * one.rest) for name, one in own.items() if one.rest is not None}
    assert percent["false_positive_rate"] == pytest.approx((44.85, 23.45), abs=0.005)
    assert percent["recall"] == pytest.approx((100 - 27.99, 100 - 47.72), abs=0.005)
    assert percent["precision"] == pytest.approx((63, 59), abs=0.5)
    assert own["equalised_odds"].against_rest.estimate == pytest.approx(0.2140, abs=0.0001)
    assert own["disparate_impact"].against_rest.estimate == pytest.approx((2174 / 3696) / (854 / 2454))


@settings(max_examples=60, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=40), st.integers(1, 6))
def test_rates_are_those_of_the_rows_with_weight(rows, least_rows):
    label, acts, member, block, weight = (list(column) for column in zip(*rows, strict=True))
    weight[0] = weight[0] or 1.0
    score = np.linspace(0.1, 0.9, len(label))
    own = figures(label, acts, member, score=score, block=block, weight=weight, least_rows=least_rows)
    for name, counts in COUNTED.items():
        amount = {"precision": label, "calibration_gap": np.subtract(label, score)}.get(name, acts)
        sides = []
        for side in (True, False):
            counted = [
                (a, w, b)
                for a, w, b, one, act, who in zip(amount, weight, block, label, acts, member, strict=True)
                if who is side and w > 0 and counts(one, act)
            ]
            total = sum(w for _, w, _ in counted)
            sides.append((len(counted), sum(a * w for a, w, _ in counted) / total if counted else None, counted))
        one, (size, rate, of_group), (others, rest, of_rest) = own[name], *sides
        assert (one.size, one.value.estimate, one.rest) == (size, pytest.approx(rate), pytest.approx(rest))
        blocks = [len({b for *_, b in side}) for side in (of_group, of_rest)]
        expected = None if None in (rate, rest) else pytest.approx(rate - rest, abs=1e-12)
        assert (one.against_rest.estimate, one.against_rest.rows) == (expected, size)
        if min(size, others) < least_rows or min(blocks) < 3:
            assert one.against_rest.low is None
            assert one.against_rest.reason


def test_the_interval_is_that_of_a_difference_within_nights():
    """Where each night has a row of either, what a night does to both is no difference; and shocks that both share do
    not widen it."""
    random, nights = np.random.default_rng(1), 60
    shock = random.random(nights)
    acts = np.stack([random.random(nights) < shock, random.random(nights) < 0.7 * shock]).T
    member, night = np.tile([True, False], nights), np.repeat(np.arange(nights), 2)
    own = figures(np.ones(2 * nights), acts.ravel(), member, block=night, entity=member * 1)["recall"]
    by_night = acts[:, 0].astype(float) - acts[:, 1]
    expected = mean_interval(by_night, Clusters(np.zeros(nights, int), np.arange(nights)))
    between = own.against_rest
    assert (between.low, between.high) == pytest.approx((expected.low, expected.high))


def test_the_ratio_has_the_interval_that_resampled_nights_give():
    random, nights, a_night = np.random.default_rng(3), 40, 50
    night, member = np.repeat(np.arange(nights), a_night), random.random(nights * a_night) < 0.4
    acts = random.random(nights * a_night) < np.where(member, 0.3, 0.5) * np.repeat(
        0.6 + 0.8 * random.random(nights), a_night
    )
    ratio = figures(acts, acts, member, block=night)["disparate_impact"].against_rest
    acted = np.array([np.bincount(night, acts & who) for who in (member, ~member)])
    rows = np.array([np.bincount(night, who) for who in (member, ~member)])
    drawn = random.multinomial(nights, np.full(nights, 1 / nights), 4000)
    rates = (drawn @ acted.T) / (drawn @ rows.T)
    low, high = np.quantile(rates[:, 0] / rates[:, 1], [0.025, 0.975])
    assert (ratio.low, ratio.high) == pytest.approx((low, high), rel=0.04)


def test_a_group_without_rows_of_three_rows_and_of_two_nights_says_so():
    label, acts, night = np.tile([1, 0], 60), np.tile([1, 1, 0, 0], 30), np.repeat(np.arange(10), 12)
    absent = figures(label, acts, np.zeros(120, bool), block=night, least_rows=5)
    assert {one.value.reason for one in absent.values() if one.value} == {"the group has no such rows"}
    assert {one.against_rest.estimate for one in absent.values() if one.against_rest} == {None}
    three = figures(label, acts, np.arange(120) < 3, block=night, least_rows=5)["selection_rate"]
    assert (three.size, three.value.low, three.against_rest.low) == (3, None, None)
    assert three.against_rest.reason == "the group has 3 such rows, fewer than 5"
    two = figures(label, acts, night < 2, block=night, least_rows=5)["selection_rate"]
    assert two.against_rest.reason == "such rows of the group are of 2 blocks of time, fewer than 3"
    alone = figures(label, acts, np.ones(120, bool), block=night)["selection_rate"]
    assert (alone.value.reason, alone.rest) == (None, None)
    assert alone.against_rest.reason == "the rest has no such rows"


def test_nobody_of_the_group_or_of_the_rest_is_acted_on():
    member, label = np.tile([True, False], 50), np.tile([1, 1, 0, 0], 25)
    impact = figures(label, member, ~member)["disparate_impact"].against_rest
    none, rest = (figures(label, member, who)["selection_rate"].value for who in (~member, member))
    assert (impact.estimate, impact.low, impact.high) == (0, 0, pytest.approx(none.high / rest.low))
    impact = figures(label, member, ~member, least_rows=51)["disparate_impact"].against_rest
    assert (impact.estimate, impact.low, impact.reason) == (0, None, "the group has 50 such rows, fewer than 51")
    impact = figures(label, member, member)["disparate_impact"].against_rest
    assert impact.reason == "none of the rest is acted on"
    assert set(figures(label, member, member)) == {*RATES, "equalised_odds", "disparate_impact", "calibration_error"}


def test_a_group_of_which_none_is_acted_on_is_below_four_fifths_where_many_nights_show_it():
    """Of 25 rows of each of 30 nights five are of the group; of the others each fourth one is acted on."""
    member, night = np.tile(np.arange(25) < 5, 30), np.repeat(np.arange(30), 25)
    acts = ~member & (np.tile(np.arange(25), 30) % 4 == 0)
    impact = figures(acts, acts, member, block=night)["disparate_impact"].against_rest
    assert (impact.estimate, impact.low) == (0, 0)
    assert 0 < impact.high < FOUR_FIFTHS
