"""The thresholds of decisions: fitted to out-of-fold scores; what they reach is measured on the final period."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from nightjar.evaluation.acting import NightRows, Period
from nightjar.evaluation.clusters import Clusters, blocks_of
from nightjar.evaluation.metric_report import Truth
from nightjar.evaluation.rows import Floats, RowNumbers, Undefined
from nightjar.evaluation.thresholds import RankedRows, fit_cut, fit_tiers, rank_rows, threshold_bounds
from nightjar.learning.data.prices import Prices
from nightjar.learning.data.training_set import TrainingSet
from nightjar.learning.fitted_threshold import Alternative, Threshold
from nightjar.registry.tiers import row_thresholds
from nightjar.settings.project import Project
from nightjar.settings.task import Task
from nightjar.settings.tiers import Tier, TierKind

_PRICES = (0.5, 0.8, 1.25, 2.0)
_FLOORS = (-0.05, 0.05)
_CAPACITIES = (0.8, 1.2)


def fit_thresholds(
    rows: TrainingSet,
    scores: Floats,
    final: RowNumbers,
    final_scores: Floats,
    acted_scores: Floats,
    tiers: Mapping[str, Tier],
    prices: Prices | None,
    clusters: Clusters,
    block_days: int,
    seed: int,
    final_predicted: Floats | None = None,
) -> tuple[Threshold, ...]:
    """Fit the threshold of each tier on the folds, in their order.

    Args:
        rows: of a classification.
        scores: a score of each row by a fit that has not seen it, NaN where there is none and in the final period.
        final: numbers of the final period's rows.
        final_scores: the scores of those rows.
        acted_scores: of `rows.acted`, rows that count where it matters how many of a night there are.
        tiers: of the project.
        prices: of wrong decisions in the rows; None: there are none.
        clusters: of the final period's rows.
        block_days: the least number of dates that are resampled together.
        seed: of the resamples.
        final_predicted: the probabilities of the final period's rows, where all scores are moved by group; None: they
            are the scores.
    """
    if not tiers:
        return ()
    scored = np.flatnonzero(~np.isnan(scores))
    weight, nights = rows.weight, np.unique(rows.day[scored])
    all_rows = _night_rows(rows, scored, scores[scored], acted_scores)
    beside = np.zeros(len(all_rows.score) - len(scored))  # of rows acted on neither outcome nor price counts
    ranked, order = rank_rows(
        np.append(rows.label[scored], beside > 0),
        all_rows.score,
        all_rows.night,
        weight=np.append(np.ones(len(scored)) if weight is None else weight[scored], beside),
        missed=0 if prices is None else np.append(prices.missed[scored], beside),
        false_alarm=0 if prices is None else np.append(prices.false_alarm[scored], beside),
        in_night=all_rows.count,
    )
    truth = Truth(Task.CLASSIFICATION, rows.label[final], clusters, weight=None if weight is None else weight[final])
    amounts = () if prices is None else (prices.missed[final], prices.false_alarm[final])
    of_period = _night_rows(rows, final, final_scores, acted_scores)
    predicted = final_scores if final_predicted is None else final_predicted
    period = Period(truth, final_scores, predicted, of_period.night[: len(final)], of_period, *amounts)
    first, last = nights[0].astype(object), nights[-1].astype(object)
    block = blocks_of(nights[all_rows.night], first, last, block_days)[order]
    bounds = _bounds(ranked, list(tiers.values()), block, seed)
    return tuple(_thresholds(tiers, ranked, period, bounds))


def with_prices(threshold: Threshold, project: Project) -> Threshold:
    """A threshold with the prices by which each row has its own, where its tier's do."""
    by_row = project.decision_tiers()[threshold.tier].kind is TierKind.AMOUNT
    return replace(threshold, prices=project.costs.prices()) if by_row else threshold


def _thresholds(
    tiers: Mapping[str, Tier], ranked: RankedRows, period: Period, bounds: list[tuple[float, float] | Undefined]
) -> Iterator[Threshold]:
    start, above = 0, np.array(np.inf)
    cuts = fit_tiers(ranked, list(tiers.values()))
    for (name, tier), cut, bound in zip(tiers.items(), cuts, bounds, strict=True):
        value = ranked.threshold(cut.number) if tier.kind is not TierKind.PROBABILITY else float(tier.at_least or 0)
        of_rows = _of_rows(tier, value, period, above)
        acted = period.all_rows.acted_by_night(of_rows, above)
        low, high = (None, None) if isinstance(bound, Undefined) else bound
        yield Threshold(
            name,
            str(tier),
            value,
            low,
            high,
            bound.reason if isinstance(bound, Undefined) else None,
            cut.shortfall,
            period.reach(of_rows, above),
            len(acted),
            int((acted > tier.at_most).sum()) if tier.kind is TierKind.CAPACITY and tier.at_most else None,
            period.cost_of(np.inf),
            period.cost_of(-np.inf),
            tuple(_alternatives(tier, ranked, period, start, above)),
            at_most=tier.at_most if tier.kind is TierKind.TOP else None,
        )
        start, above = cut.number, np.minimum(above, of_rows)


def _bounds(
    ranked: RankedRows, tiers: Sequence[Tier], block: RowNumbers, seed: int
) -> list[tuple[float, float] | Undefined]:
    """Those of fitted thresholds; of a declared one, or one of each row, why there are none."""
    reasons = {
        TierKind.PROBABILITY: "its threshold is declared",
        TierKind.AMOUNT: "each row has a threshold of its own",
    }
    fitted = threshold_bounds(ranked, tiers, block, seed)
    return [
        Undefined(reasons[tier.kind]) if tier.kind in reasons else bound
        for tier, bound in zip(tiers, fitted, strict=True)
    ]


def _of_rows(tier: Tier, value: float, period: Period, above: float | Floats) -> float | Floats:
    """The threshold of a tier: one, or one of each row of the period, those that somebody has acted on after them."""
    if tier.kind is TierKind.TOP:
        return period.all_rows.of_nights(float(tier.at_most or 0), above)
    if tier.kind is not TierKind.AMOUNT or period.missed is None or period.false_alarm is None:
        return value
    own = row_thresholds(period.missed, period.false_alarm)
    return np.append(own, np.full(len(period.all_rows.score) - len(own), value))


def _alternatives(
    tier: Tier, rows: RankedRows, period: Period, start: int, above: float | Floats
) -> Iterator[Alternative]:
    for words, other, ranked in _variants(tier, rows):
        value = ranked.threshold(fit_cut(ranked, other, start).number)
        yield Alternative(words, value, period.estimates(_of_rows(other, value, period, above), above))


def _variants(tier: Tier, rows: RankedRows) -> Iterator[tuple[str, Tier, RankedRows]]:
    """Slightly different settings, in words: another price of what is missed, another floor or capacity."""
    if tier.kind is TierKind.COST:
        for factor in _PRICES:
            yield f"missed rows cost {factor:g} times as much", tier, replace(rows, missed=factor * rows.missed)
    for step in _FLOORS if tier.at_least is not None else ():
        floor = round((tier.at_least or 0) + step, 9)
        if 0 < floor <= 1:
            other = replace(tier, at_least=floor)
            yield str(other), other, rows
    for factor in _CAPACITIES if tier.at_most is not None else ():
        most = round((tier.at_most or 0) * factor)
        if most not in (0, tier.at_most):
            other = replace(tier, at_most=most)
            yield str(other), other, rows


def _night_rows(rows: TrainingSet, which: RowNumbers, scores: Floats, acted_scores: Floats) -> NightRows:
    """Some rows, then those of the same nights that somebody has acted on; null labels take their part of both."""
    day, weight = rows.day[which], np.ones(len(which)) if rows.weight is None else rows.weight[which]
    nights = np.unique(day)
    if rows.acted is not None:
        beside = np.isin(rows.acted.day, nights)
        day, weight = np.append(day, rows.acted.day[beside]), np.append(weight, rows.acted.weight[beside])
        scores = np.append(scores, acted_scores[beside])
    return NightRows(scores, np.searchsorted(nights, day), weight / (1 - rows.null_labels))
