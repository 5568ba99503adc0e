"""Thresholds: of each rule and of tiers in order, by trying each one; their bounds by drawing nights again."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightjar.evaluation.rows import Undefined
from nightjar.evaluation.thresholds import fit_cut, fit_tiers, rank_rows, threshold_bounds
from nightjar.settings.tiers import Tier, TierKind
from oracles import thresholds as oracle

WHOLE = st.integers(1, 3)
SCORES = st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.9, 1.0])
ROWS = st.lists(st.tuples(st.booleans(), SCORES, st.integers(0, 3), WHOLE, WHOLE, WHOLE), min_size=1, max_size=12)
FLOORS = st.sampled_from(
    [(kind, Fraction(part, 20)) for kind in ("recall", "precision") for part in (1, 10, 13, 18, 20)]
)
RULES = FLOORS | st.tuples(st.just("capacity"), st.integers(1, 6)) | st.just(("cost", None))


def tier(kind, limit):
    floor, most = (float(limit), None) if kind in ("recall", "precision") else (None, limit)
    return Tier(TierKind(kind), at_least=floor, at_most=most)


def ranked(rows, **options):
    label, score, night, weight, missed, false_alarm = (np.array(column) for column in zip(*rows, strict=True))
    return rank_rows(label, score, night, weight=weight, missed=missed, false_alarm=false_alarm, **options)[0]


@given(rows=ROWS, rules=st.lists(RULES, min_size=1, max_size=3))
def test_tiers_are_those_that_trying_each_threshold_gives(rows, rules):
    """Ties, weights, costs by row and tiers that leave nothing to the next among them."""
    fitted = ranked(rows)
    cuts = fit_tiers(fitted, [tier(*rule) for rule in rules])
    assert [fitted.threshold(cut.number) if cut.number else None for cut in cuts] == oracle.choose(rows, rules)


@given(
    rows=ROWS, rules=st.lists(RULES, min_size=1, max_size=2), times=st.lists(st.integers(0, 2), min_size=4, max_size=4)
)
def test_a_resample_is_as_if_its_nights_were_there_so_often(rows, rules, times):
    """Of a capacity a night that is drawn twice is two nights; one that is not drawn has no rows."""
    label, score, night, weight, missed, false_alarm = (np.array(column) for column in zip(*rows, strict=True))
    fitted, order = rank_rows(label, score, night, weight=weight, missed=missed, false_alarm=false_alarm)
    drawn = [(*row[:2], 10 * copy + row[2], *row[3:]) for row in rows for copy in range(times[row[2]])]
    if not drawn:
        return
    tiers, again = [tier(*rule) for rule in rules], ranked(drawn)
    cuts = fit_tiers(fitted, tiers, np.array(times, float)[night[order]])
    for cut, expected in zip(cuts, fit_tiers(again, tiers), strict=True):
        acted, wanted = (
            {score for score in again.values if score >= one}
            for one in (fitted.threshold(cut.number), again.threshold(expected.number))
        )
        assert acted == wanted


def test_what_no_threshold_reaches_is_said_with_the_nearest_that_is():
    rows, _ = rank_rows([True, False, True, False], [0.9, 0.9, 0.4, 0.1])
    assert fit_cut(rows, tier("precision", 0.9)).shortfall == (
        "no threshold reaches a precision of 0.9: 0.667 is the nearest"
    )
    assert (
        fit_cut(rows, tier("capacity", 1)).shortfall
        == "the rows of one score are more than 1 in a night: it acts on none"
    )
    without, _ = rank_rows([False, False], [0.9, 0.1])
    assert fit_cut(without, tier("recall", 0.9)).shortfall.startswith("none of the rows is true")
    assert fit_cut(without, tier("precision", 0.9)).number == 0


def test_rows_without_an_outcome_take_their_part_of_the_capacity():
    """Of ten rows a night five have an outcome: acting on two of these is acting on four."""
    score = np.tile(np.linspace(1, 0.6, 5), 3)
    rows, _ = rank_rows(score > 0.8, score, np.repeat([0, 1, 2], 5), in_night=np.full(15, 2.0))
    assert rows.threshold(fit_cut(rows, tier("capacity", 4)).number) == pytest.approx(0.9)


def test_rows_acted_on_take_their_part_of_the_capacity_and_of_nothing_else():
    """The two highest scores of each night have no outcome any more: the capacity of four leaves two others."""
    score = np.tile(np.linspace(1, 0.6, 5), 3)
    weight = np.where(score > 0.85, 0.0, 1.0)
    rows, _ = rank_rows(score == 0.8, score, np.repeat([0, 1, 2], 5), weight=weight, in_night=np.ones(15))
    assert rows.threshold(fit_cut(rows, tier("capacity", 4)).number) == pytest.approx(0.7)
    assert rows.threshold(fit_cut(rows, tier("capacity", 2)).number) == pytest.approx(0.9)
    assert rows.threshold(fit_cut(rows, tier("precision", 1)).number) == pytest.approx(0.8)


def test_bounds_hold_the_threshold_and_need_three_blocks():
    random = np.random.default_rng(0)
    night, score = np.repeat(np.arange(20), 50), random.random(1000)
    rows, order = rank_rows(random.random(1000) < score, score, night, missed=3, false_alarm=1)
    tiers = [tier("capacity", 5), tier("cost", None), tier("recall", 0.95)]
    for cut, (low, high) in zip(fit_tiers(rows, tiers), threshold_bounds(rows, tiers, night[order], 0), strict=True):
        assert 0 <= low <= rows.threshold(cut.number) <= high <= 1
        assert low < high
    assert threshold_bounds(rows, tiers[:1], night[order] // 10, 0) == [
        Undefined("there are too few blocks of time (2): bounds need 3")
    ]
