"""Thresholds of scores: by cost, by a floor on recall or precision, or by capacity a night, for tiers in their order.

Rows at or above a tier's threshold, and below that of the tier before it, are in the tier. A threshold parts rows of
different scores only: those of one score are acted on together. So a threshold is told by a cut, the number of distinct
scores, from the highest one on, that it acts on; 0 acts on no row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError
from nightjar.evaluation.binary import Booleans, check_outcomes
from nightjar.evaluation.bootstrap import draw_blocks
from nightjar.evaluation.clusters import FEWEST
from nightjar.evaluation.rows import Floats, RowNumbers, Undefined
from nightjar.settings.tiers import Tier, TierKind

RESAMPLES = 200
_ROUNDING = 1e-9  # of sums of weights


@dataclass(frozen=True, eq=False)
class RankedRows:
    """Rows by descending score.

    Attributes:
        values: the distinct scores, descending.
        place: the number of each row's score among them.
        label: whether each row is true.
        weight: how many rows each one stands for; 0: its outcome does not count, but it takes its part of its night.
        night: the number of each row's night.
        missed: what each row costs if it is true and not acted on.
        false_alarm: what it costs if it is false and acted on.
        in_night: how many rows of its night each one stands for, those without an outcome among them.
    """

    values: Floats
    place: RowNumbers
    label: Booleans
    weight: Floats
    night: RowNumbers
    missed: Floats
    false_alarm: Floats
    in_night: Floats

    def threshold(self, cut: int) -> float:
        """The score from which a cut acts; above 1 and all scores where it acts on none."""
        return float(self.values[cut - 1] if cut else np.nextafter(max(1.0, self.values[0]), np.inf))

    def sums(self, amounts: Floats) -> Floats:
        """The sum of one amount a row over the rows that each cut acts on, from cut 0 on."""
        return np.concatenate([[0.0], np.cumsum(np.bincount(self.place, amounts, len(self.values)))])

    @cached_property
    def by_night(self) -> RowNumbers:
        """The rows' numbers, those of one night after another, by descending score."""
        return np.argsort(self.night, kind="stable")


@dataclass(frozen=True)
class Cut:
    """The cut that a tier's rule has chosen.

    Attributes:
        number: of distinct scores that are acted on, by the tiers before it, too.
        shortfall: why the rule could not be met, and what was taken instead, as a clause; None: it is met.
    """

    number: int
    shortfall: str | None = None


def rank_rows(
    label: npt.ArrayLike,
    score: npt.ArrayLike,
    night: npt.ArrayLike | None = None,
    *,
    weight: Floats | None = None,
    missed: npt.ArrayLike = 0.0,
    false_alarm: npt.ArrayLike = 0.0,
    in_night: npt.ArrayLike | None = None,
) -> tuple[RankedRows, RowNumbers]:
    """The rows by descending score, and the number that each of them had before.

    Args:
        label: True or False.
        score: greater for what is more likely True; of rows that the model was not fitted on.
        night: of each row, numbered from 0; None: all are of one night.
        weight: how many rows each one stands for; None: one each.
        missed: see `RankedRows`; one number, or one a row.
        false_alarm: the same.
        in_night: see `RankedRows`; None: the weights.

    Raises:
        LearningError: lengths differ, there are no rows, or a score is not finite.
    """
    labels, scores = check_outcomes(label, score)
    if not len(scores):
        raise LearningError("There are no rows to fit a threshold to.")
    order: RowNumbers = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    is_next = np.append(True, ranked[1:] != ranked[:-1])

    def of_rows(values: npt.ArrayLike | None, otherwise: float) -> Floats:
        whole = np.broadcast_to(np.asarray(otherwise if values is None else values), len(order))
        return whole.astype(np.float64)[order]

    nights = of_rows(night, 0).astype(np.intp)
    amounts = of_rows(missed, 0), of_rows(false_alarm, 0)
    place = np.cumsum(is_next) - 1
    weights = of_rows(weight, 1)
    counts = weights if in_night is None else of_rows(in_night, 1)
    rows = RankedRows(ranked[is_next], place, labels[order], weights, nights, *amounts, counts)
    return rows, order


def fit_tiers(rows: RankedRows, tiers: Sequence[Tier], times: Floats | None = None) -> list[Cut]:
    """The cut of each tier, in their order; `times` is how often each row counts, None once."""
    cuts: list[Cut] = []
    for tier in tiers:
        cuts.append(fit_cut(rows, tier, cuts[-1].number if cuts else 0, times))
    return cuts


def fit_cut(rows: RankedRows, tier: Tier, start: int = 0, times: Floats | None = None) -> Cut:
    """The cut that a tier's rule chooses; of equally cheap ones that with the fewest rows.

    Of tiers whose threshold is one of each row, or of each night, it is that of all rows together: the cheapest one,
    and that at which a night has as many rows on average.

    Sources: of the cheapest one Elkan (2001), The foundations of cost-sensitive learning; here it is fitted to the
    scores, calibrated or not, instead of his false_alarm / (false_alarm + missed).

    Args:
        rows: by descending score.
        tier: its rule.
        start: the cut of the tier before it.
        times: how often each row counts, as in a resample; None: once.

    Example:
        >>> rows, _ = rank_rows([True, False, True, False], [0.9, 0.6, 0.4, 0.1])
        >>> rows.threshold(fit_cut(rows, Tier(TierKind.RECALL, at_least=0.8)).number)
        0.4
        >>> fit_cut(rows, Tier(TierKind.PRECISION, at_least=0.7), start=1)
        Cut(number=3, shortfall='no threshold reaches a precision of 0.7: 0.5 is the nearest')
    """
    if tier.at_most is not None:
        within = _within_capacity if tier.kind is TierKind.CAPACITY else _on_average
        return within(rows, float(tier.at_most), start, times)
    if tier.kind is TierKind.PROBABILITY:
        return Cut(max(start, int(np.count_nonzero(rows.values >= (tier.at_least or 0.0)))))
    weight = rows.weight if times is None else rows.weight * times
    if tier.kind in (TierKind.COST, TierKind.AMOUNT):
        saving = rows.sums(weight * np.where(rows.label, rows.missed, -rows.false_alarm))
        return Cut(start + int(np.argmax(saving[start:])))
    true, floor = rows.sums(weight * rows.label), tier.at_least or 0.0
    if tier.kind is TierKind.RECALL:
        if not true[-1]:
            return Cut(start, "none of the rows is true: nothing can be found, and no row is acted on")
        return Cut(max(start, int(np.argmax(true >= floor * true[-1] * (1 - _ROUNDING)))))
    return _precise(true - true[start], rows.sums(weight), floor, start)


def threshold_bounds(
    rows: RankedRows, tiers: Sequence[Tier], block: RowNumbers, seed: int
) -> list[tuple[float, float] | Undefined]:
    """The central 95% of each tier's thresholds in resamples of whole blocks of time, each with all its rows.

    Of a capacity it is the fullest night that decides: none of a resample's is fuller, so that its upper bound is the
    threshold itself.

    Args:
        rows: by descending score.
        tiers: in their order.
        block: of each row.
        seed: of the resamples.
    """
    names, number = np.unique(block, return_inverse=True)
    if len(names) < FEWEST:
        few = Undefined(f"there are too few blocks of time ({len(names)}): bounds need {FEWEST}")
        return [few] * len(tiers)
    drawn = draw_blocks(len(names), RESAMPLES, seed)
    chosen = [[rows.threshold(cut.number) for cut in fit_tiers(rows, tiers, times[number])] for times in drawn]
    low, high = np.quantile(np.array(chosen), [0.025, 0.975], axis=0)
    return list(zip(low.tolist(), high.tolist(), strict=True))


def _precise(true: Floats, acted: Floats, floor: float, start: int) -> Cut:
    """The last cut at which enough of the rows beyond the start are true; or the one with the greatest share."""
    beyond = acted - acted[start]
    if not true[-1]:
        return Cut(start, "none of the rows that it could act on is true: it acts on none")
    enough = np.flatnonzero((beyond > 0) & (true >= floor * beyond * (1 - _ROUNDING)))
    if len(enough):
        return Cut(int(enough[-1]))
    shares = np.divide(true, beyond, out=np.full(len(true), -1.0), where=beyond > 0)
    best = int(np.flatnonzero(shares >= shares.max() * (1 - _ROUNDING))[-1])
    return Cut(best, f"no threshold reaches a precision of {floor:g}: {shares[best]:.3g} is the nearest")


def _within_capacity(rows: RankedRows, most: float, start: int, times: Floats | None) -> Cut:
    """The last cut at which no night has more rows beyond the start than can be acted on."""
    counts = (rows.place >= start) & (True if times is None else times > 0)
    chosen = rows.by_night[counts[rows.by_night]]
    night, weight = rows.night[chosen], rows.in_night[chosen]
    reached = np.cumsum(weight)
    first = np.searchsorted(night, night)
    too_many = reached - (reached - weight)[first] > most * (1 + _ROUNDING)
    cut = int(rows.place[chosen][too_many].min(initial=len(rows.values)))
    why = f"the rows of one score are more than {most:,.0f} in a night: it acts on none"
    return Cut(cut, why if cut == start < len(rows.values) else None)


def _on_average(rows: RankedRows, most: float, start: int, times: Floats | None) -> Cut:
    """The last cut at which a night has no more rows beyond the start, on average, than can be acted on."""
    counts = np.ones(len(rows.night)) if times is None else times
    nights = counts[np.unique(rows.night, return_index=True)[1]].sum()  # a block is drawn with all its rows
    acted = rows.sums(rows.in_night * counts)
    is_within = acted - acted[start] <= most * nights * (1 + _ROUNDING)
    return Cut(max(start, int(np.flatnonzero(is_within)[-1])))
