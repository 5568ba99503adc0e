"""Thresholds are fitted to rows that the model has not seen, and judged on others."""

from dataclasses import replace

import numpy as np
import pytest

from learning import problems
from nightjar.evaluation.clusters import Clusters
from nightjar.learning.data.other_rows import ActedRows
from nightjar.learning.data.prices import Prices
from nightjar.learning.fitted_threshold import table_of
from nightjar.learning.thresholds import fit_thresholds
from nightjar.settings.tiers import Tier, TierKind

ROWS = problems.rows()
FOLDS, FINAL = np.arange(400, 600), np.arange(600, 800)
SCORES = np.where(ROWS.label, 0.6, 0.4)
HELD_OUT = np.full(800, np.nan)
HELD_OUT[FOLDS] = SCORES[FOLDS]
CLUSTERS = Clusters(FINAL, ROWS.day[FINAL].astype(np.intp))
PRICES = Prices(np.full(800, 5.0), np.full(800, 2.0))
NO_SCORES = np.array([])
ACT = {"act": Tier(TierKind.COST)}
RATE = ROWS.label[FINAL].mean()


def fit(rows=ROWS, scores=SCORES, *, tiers=ACT, prices=PRICES, folds=HELD_OUT, acted_scores=NO_SCORES):
    """On five nights of the folds, judged on five others."""
    return fit_thresholds(
        rows, folds, FINAL, scores[FINAL], acted_scores, tiers, prices, CLUSTERS, block_days=1, seed=0
    )


def test_costs_alone_make_a_tier_whose_cost_is_that_of_the_final_period():
    """On the folds 0.6 parts the labels; in the final period true rows score 0.5, and are missed."""
    (threshold,) = fit(scores=SCORES - 0.1)
    cost = threshold.reach.cost
    assert (threshold.tier, threshold.value, threshold.low, threshold.high) == ("act", 0.6, 0.6, 0.6)
    assert cost.estimate == pytest.approx(5 * RATE)
    assert cost.low < cost.estimate < cost.high
    assert (threshold.cost_of_none, threshold.cost_of_all) == (pytest.approx(5 * RATE), pytest.approx(2 * (1 - RATE)))
    assert str(threshold).startswith("tier act (lowest cost) acts from 0.6 (0.6 to 0.6); in the final period: recall 0")


def test_tiers_follow_each_other_and_each_says_what_it_reaches_and_what_others_would():
    """Ten rows a night are sure, of which the first tier takes up to 12; the second one finds the other true ones."""
    scores = np.where(np.arange(800) % 40 < 10, 0.9, SCORES)
    held_out = np.full(800, np.nan)
    held_out[FOLDS] = scores[FOLDS]
    tiers = {"act": Tier(TierKind.CAPACITY, at_most=12), "review": Tier(TierKind.RECALL, at_least=0.95)}
    act, review = fit(scores=scores, tiers=tiers, prices=None, folds=held_out)
    assert [(one.tier, one.rule, one.value) for one in (act, review)] == [
        ("act", "at most 12 a night", 0.9),
        ("review", "recall at least 0.95", 0.6),
    ]
    assert (act.reach.acted.estimate, act.nights, act.nights_beyond) == (10, 5, 0)
    sure = scores[FINAL] == 0.9
    assert act.reach.precision.estimate == pytest.approx(ROWS.label[FINAL][sure].mean())
    assert (review.reach.recall.estimate, review.reach.precision.estimate, review.nights_beyond) == (1, 1, None)
    assert (act.reach.cost, act.cost_of_none) == (None, None)
    fewer, more = act.alternatives  # ten of one score are acted on together
    assert [(one.rule, one.value, one.reach.acted) for one in (fewer, more)] == [
        ("at most 10 a night", 0.9, 10),
        ("at most 14 a night", 0.9, 10),
    ]
    assert "Set otherwise: at most 10 a night acts from 0.9 (recall 0." in str(act)
    table = table_of([act, review])
    assert table["setting"].to_pylist() == [
        act.rule,
        fewer.rule,
        more.rule,
        review.rule,
        *(one.rule for one in review.alternatives),
    ]
    assert table["acted"].to_pylist()[:3] == [10, 10, 10]
    assert [one.rule for one in review.alternatives] == ["recall at least 0.9", "recall at least 1"]


def test_another_price_would_choose_another_threshold():
    """Were a missed row half as dear, none but those at 0.6 were worth an alarm; as dear again, all are."""
    label = np.where(np.arange(800) % 3 == 0, ROWS.label, ROWS.label & (SCORES > 0.5))
    flipped = replace(ROWS, label=np.where(np.arange(800) % 4 == 0, True, label))
    (threshold,) = fit(rows=flipped)
    chosen = {one.rule: one.value for one in threshold.alternatives}
    assert list(chosen) == [f"missed rows cost {factor} times as much" for factor in ("0.5", "0.8", "1.25", "2")]
    assert chosen["missed rows cost 0.5 times as much"] == 0.6 > chosen["missed rows cost 2 times as much"] == 0.4


def test_a_capacity_is_not_spent_twice_on_rows_that_were_acted_on():
    """Four of the ten highest scores of each night are acted on, and have left the training rows."""
    scores = np.tile(np.linspace(1, 0.01, 40), 20)
    is_acted = np.tile(np.arange(40) < 4, 20)
    others = np.flatnonzero(~is_acted)
    acted = ActedRows(ROWS.features.filter(is_acted), ROWS.day[is_acted], np.ones(is_acted.sum()))
    rows = replace(ROWS, label=ROWS.label[others], day=ROWS.day[others], acted_on=0.1, acted=acted)
    final, folds = np.flatnonzero(others >= 600), np.where((others >= 400) & (others < 600), scores[others], np.nan)
    clusters, tiers = Clusters(final, rows.day[final].astype(np.intp)), {"act": Tier(TierKind.CAPACITY, at_most=10)}
    (act,) = fit_thresholds(
        rows, folds, final, scores[others][final], scores[is_acted], tiers, None, clusters, block_days=1, seed=0
    )
    assert act.value == scores[9]
    assert (act.reach.acted.estimate, act.nights, act.nights_beyond) == (10, 5, 0)


def test_the_gap_is_that_of_probabilities_where_scores_are_moved():
    predicted = np.full(len(FINAL), 0.7)
    (act,) = fit_thresholds(
        ROWS, HELD_OUT, FINAL, SCORES[FINAL], NO_SCORES, ACT, PRICES, CLUSTERS, 1, 0, final_predicted=predicted
    )
    assert act.reach == replace(fit()[0].reach, calibration_gap=act.reach.calibration_gap)
    assert act.reach.calibration_gap.estimate == pytest.approx(act.reach.precision.estimate - 0.7)
    assert fit()[0].reach.calibration_gap.estimate == pytest.approx(1 - 0.6)


def test_labels_of_the_final_period_do_not_move_it():
    label = ROWS.label.copy()
    label[FINAL] = ~label[FINAL]
    (one,), (other,) = fit(), fit(rows=replace(ROWS, label=label))
    assert (one.value, one.low, one.high) == (other.value, other.low, other.high)
    assert one.reach.recall.estimate == 1 > other.reach.recall.estimate


def test_rows_count_for_as_many_as_they_stand_for():
    """True rows stand for three each: the same as if each of them were there three times."""
    weighted = replace(ROWS, weight=np.where(ROWS.label, 3.0, 1.0))
    (threshold,) = fit(rows=weighted, scores=SCORES - 0.1)
    true, false = 3 * ROWS.label[FINAL].sum(), (~ROWS.label[FINAL]).sum()
    assert threshold.cost_of_none == pytest.approx(5 * true / (true + false))
    assert threshold.cost_of_all == pytest.approx(2 * false / (true + false))
    assert threshold.reach.cost.estimate == pytest.approx(threshold.cost_of_none)
    (with_nulls,) = fit(rows=replace(weighted, null_labels=0.5))
    assert with_nulls.reach.acted.estimate == pytest.approx(2 * true / 5)


def test_a_price_may_be_an_amount_of_the_row():
    """What is dear to miss is worth an alarm at 0.4; what is cheap is not."""
    dear = np.where(np.arange(800) % 3 == 0, 100.0, 0.1)
    rows = replace(ROWS, label=np.where(np.arange(800) % 3 == 0, True, ROWS.label))
    (threshold,) = fit(rows, prices=replace(PRICES, missed=dear))
    assert threshold.value == 0.4
    assert threshold.cost_of_none == pytest.approx(dear[FINAL][rows.label[FINAL]].sum() / len(FINAL))
    (cheap,) = fit(rows, prices=replace(PRICES, missed=dear / 1000))
    assert cheap.value == 0.6


def test_a_tier_of_the_highest_rows_has_so_many_of_each_night_whatever_their_scores():
    """Scores of every other night are half as high: on average one threshold acts on as many, on no night it does."""
    scores = np.tile(np.linspace(1, 0.01, 40), 20) * np.where(np.arange(800) // 40 % 2, 0.5, 1)
    tiers = {"top": Tier(TierKind.TOP, at_most=4), "rest": Tier(TierKind.PROBABILITY, at_least=0.45)}
    folds = np.where(np.isin(np.arange(800), FOLDS), scores, np.nan)
    top, rest = fit(scores=scores, folds=folds, tiers=tiers, prices=None)
    assert (top.rule, top.at_most, top.nights_beyond, top.shortfall) == ("the 4 highest of a night", 4, None, None)
    assert (top.reach.acted.estimate, top.reach.acted.reason is None) == (4, False)  # the same on all nights
    order = np.concatenate([FINAL[night == FINAL // 40][:4] for night in np.unique(FINAL // 40)])
    assert top.reach.precision.estimate == pytest.approx(ROWS.label[order].mean())
    assert [one.rule for one in top.alternatives] == ["the 3 highest of a night", "the 5 highest of a night"]
    assert [one.reach.acted for one in top.alternatives] == [3, 5]
    assert (rest.rule, rest.value, rest.low, rest.reason) == ("probability at least 0.45", 0.45, None, rest.reason)
    assert rest.reason == "its threshold is declared"
    others = (scores[FINAL] >= 0.45).sum() - (scores[order] >= 0.45).sum()
    assert rest.reach.acted.estimate * rest.nights == others


def test_by_amounts_each_row_has_its_own_threshold_and_costs_less_than_any_threshold_for_all():
    dear = np.where(np.arange(800) % 3 == 0, 100.0, 0.1)
    prices = replace(PRICES, missed=dear)
    (own,), (one,) = (fit(tiers={"act": Tier(kind)}, prices=prices) for kind in (TierKind.AMOUNT, TierKind.COST))
    acts = SCORES[FINAL] * dear[FINAL] > (1 - SCORES[FINAL]) * 2
    costs = np.where(ROWS.label[FINAL], ~acts * dear[FINAL], acts * 2.0)
    assert own.reach.cost.estimate == pytest.approx(costs.mean())
    assert own.reach.acted.estimate * own.nights == acts.sum()
    assert (own.rule, own.low, own.reason) == ("lowest cost of each row", None, "each row has a threshold of its own")
    assert own.value == one.value


def test_without_tiers_there_is_none():
    assert fit(tiers={}) == ()
