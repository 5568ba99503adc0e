"""The thresholds of decisions: fitted to out-of-fold scores; what they reach is measured on the final period."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import pyarrow as pa

from nightjar.evaluation.acting import NightRows, Period, Reach, ReachEstimates
from nightjar.evaluation.clusters import Clusters, blocks_of
from nightjar.evaluation.intervals import Interval
from nightjar.evaluation.metric_report import Truth
from nightjar.evaluation.rows import Floats, RowNumbers, Undefined
from nightjar.evaluation.thresholds import RankedRows, fit_cut, fit_tiers, rank_rows, threshold_bounds
from nightjar.learning.data.prices import Prices
from nightjar.learning.data.training_set import TrainingSet
from nightjar.registry.tiers import GroupThreshold
from nightjar.settings.task import Task
from nightjar.settings.tiers import Tier, TierKind

_PRICES = (0.5, 0.8, 1.25, 2.0)
_FLOORS = (-0.05, 0.05)
_CAPACITIES = (0.8, 1.2)


@dataclass(frozen=True)
class Alternative:
    """The threshold that a slightly different setting would have, and what it would have reached."""

    rule: str
    value: float
    reach: ReachEstimates

    def __str__(self) -> str:
        """In words, for the log."""
        figures = {"recall": self.reach.recall, "precision": self.reach.precision, "rows a night": self.reach.acted}
        shown = [f"{name} {value:.4g}" for name, value in figures.items() if value is not None]
        return f"{self.rule} acts from {self.value:.4g} ({', '.join(shown)})"


@dataclass(frozen=True)
class ByGroup:
    """The thresholds that groups have of their own in a tier, as `registry.tiers.TierThreshold` has them."""

    columns: tuple[str, ...]
    groups: tuple[GroupThreshold, ...]
    unseen: float


@dataclass(frozen=True)
class Threshold:
    """The fitted threshold of a tier.

    Attributes:
        tier: its name.
        rule: its setting, in words.
        value: scores at or above it, and below that of the tier before, are in the tier.
        low, high: the central 95% in resamples of the folds' blocks of time; None: see `reason`.
        reason: why there are no bounds.
        shortfall: why the rule could not be met on the folds, and what was taken instead; None: it is met.
        reach: in the final period.
        nights: of the final period.
        nights_beyond: those of them with more rows than the tier's capacity; None: it has none.
        cost_of_none: of a row of the final period where no row is acted on; None: the project states no costs.
        cost_of_all: where every row is.
        alternatives: of slightly different settings, the tiers before it staying as they are.
        by_group: the groups' own thresholds; `value` and its bounds are then those of all rows together. None: all rows
            have one.
    """

    tier: str
    rule: str
    value: float
    low: float | None
    high: float | None
    reason: str | None
    shortfall: str | None
    reach: Reach
    nights: int
    nights_beyond: int | None
    cost_of_none: float | None
    cost_of_all: float | None
    alternatives: tuple[Alternative, ...]
    by_group: ByGroup | None = None

    def __str__(self) -> str:
        """In words, for the log."""
        reach, bounds = self.reach, "" if self.low is None else f" ({self.low:.4g} to {self.high:.4g})"
        parts = [f"recall {_words(reach.recall)}", f"precision {_words(reach.precision)}"]
        parts.append(f"{_words(reach.acted)} rows a night")
        if self.nights_beyond is not None:
            parts.append(f"more than its capacity in {self.nights_beyond} of {self.nights} nights")
        if reach.cost is not None:
            beside = f"acting on none {self.cost_of_none:.4g}, on all {self.cost_of_all:.4g}"
            parts.append(f"{_words(reach.cost)} is what a row costs ({beside})")
        amiss = f"; {self.shortfall}" if self.shortfall else ""
        acts = f"tier {self.tier} ({self.rule}) acts from {self.value:.4g}{bounds}{amiss}"
        others = f". Set otherwise: {'; '.join(map(str, self.alternatives))}" if self.alternatives else ""
        return f"{acts}; in the final period: {', '.join(parts)}{others}"


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
    bounds = threshold_bounds(ranked, list(tiers.values()), block, seed)
    return tuple(_thresholds(tiers, ranked, period, bounds))


def table_of(thresholds: Sequence[Threshold]) -> pa.Table:
    """The thresholds, and those of slightly different settings, as rows for people."""
    rows = []
    for one in thresholds:
        figures = {name: value and value["estimate"] for name, value in asdict(one.reach).items()}
        rows.append({"tier": one.tier, "setting": one.rule, "threshold": one.value, **figures})
        rows += [
            {"tier": one.tier, "setting": other.rule, "threshold": other.value, **asdict(other.reach)}
            for other in one.alternatives
        ]
    return pa.Table.from_pylist(rows)


def _thresholds(
    tiers: Mapping[str, Tier], ranked: RankedRows, period: Period, bounds: list[tuple[float, float] | Undefined]
) -> Iterator[Threshold]:
    start, above = 0, np.inf
    cuts = fit_tiers(ranked, list(tiers.values()))
    for (name, tier), cut, bound in zip(tiers.items(), cuts, bounds, strict=True):
        value = ranked.threshold(cut.number)
        acted = period.all_rows.acted_by_night(value, above)
        low, high = (None, None) if isinstance(bound, Undefined) else bound
        yield Threshold(
            name,
            str(tier),
            value,
            low,
            high,
            bound.reason if isinstance(bound, Undefined) else None,
            cut.shortfall,
            period.reach(value, above),
            len(acted),
            None if tier.at_most is None else int((acted > tier.at_most).sum()),
            period.cost_of(np.inf),
            period.cost_of(-np.inf),
            tuple(_alternatives(tier, ranked, period, start, above)),
        )
        start, above = cut.number, value


def _alternatives(tier: Tier, rows: RankedRows, period: Period, start: int, above: float) -> Iterator[Alternative]:
    for words, other, ranked in _variants(tier, rows):
        value = ranked.threshold(fit_cut(ranked, other, start).number)
        yield Alternative(words, value, period.estimates(value, above))


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


def _words(interval: Interval) -> str:
    if interval.estimate is None:
        return f"undefined ({interval.reason})"
    bounds = "" if interval.low is None else f" ({interval.low:.4g} to {interval.high:.4g})"
    return f"{interval.estimate:.4g}{bounds}"
