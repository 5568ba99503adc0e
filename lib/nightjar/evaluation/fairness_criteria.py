"""Criteria of group fairness: how one group of rows fares beside all others.

A group is compared with the rest, not with the extremes of all groups: the greatest of several rates minus the least
one is above 0 by chance alone, and more so the more groups there are.

| criterion | asks for equal |
|---|---|
| demographic parity | `selection_rate`: the share of rows that are acted on |
| equal opportunity | `recall`: the same of the True rows |
| equalised odds | `recall`, and `false_positive_rate`, the acted-on share of False rows: the greater difference |
| predictive parity | `precision`: of the rows acted on, the share that is True |
| disparate impact | `selection_rate`, as a ratio: below 0.8 a signal to look closer, and no verdict |
| calibration within groups | `calibration_gap`: the share of True rows minus the mean score |

Sources: Hardt, Price and Srebro (2016), Equality of opportunity in supervised learning, NeurIPS 29; Chouldechova
(2017), Fair prediction with disparate impact, Big Data 5(2), 153-163, for predictive parity; Feldman et al. (2015),
Certifying and removing disparate impact, KDD, and for the ratio of 0.8 the Uniform Guidelines on Employee Selection
Procedures (1978), 29 CFR 1607.4 D; Kleinberg, Mullainathan and Raghavan (2017), Inherent trade-offs in the fair
determination of risk scores, ITCS, for calibration, and that not all of these can hold at once where the groups'
outcomes differ.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from nightjar.evaluation.binary import Booleans
from nightjar.evaluation.clusters import FEWEST, Clusters
from nightjar.evaluation.influence import of_ratio
from nightjar.evaluation.intervals import LEVEL, Interval, Scale, interval
from nightjar.evaluation.metric_report import Truth, figure
from nightjar.evaluation.reliability import expected_calibration_error
from nightjar.evaluation.rows import Floats, RowNumbers

FOUR_FIFTHS = 0.8
"""A ratio of selection rates below this is a signal of disparate impact."""
COMPARED = 6
"""How many of a group's criteria are compared with the rest by an interval of their own."""

_Terms = Callable[[Booleans, Floats, Booleans], tuple[Floats, Booleans]]
RATES: Mapping[str, _Terms] = {
    "selection_rate": lambda label, _, acts: (acts.astype(float), np.ones(len(label), bool)),
    "recall": lambda label, _, acts: (acts.astype(float), label),
    "false_positive_rate": lambda label, _, acts: (acts.astype(float), ~label),
    "precision": lambda label, _, acts: (label.astype(float), acts),
    "calibration_gap": lambda label, score, _: (label - score, np.ones(len(label), bool)),
}
"""Rate -> what it is the mean of, and of which rows, by label, score and whether a row is acted on."""


@dataclass(frozen=True)
class GroupFigure:
    """One criterion for one group.

    Attributes:
        criterion: one of `RATES`, `equalised_odds`, `disparate_impact` or `calibration_error`.
        size: the rows of the group that it is of.
        value: of the group, with its 95% interval; None: the criterion is a comparison alone.
        rest: the same of all other rows; None: undefined, or no such comparison.
        against_rest: the group's value minus the rest's; of equalised odds the greater of two absolute differences, of
            disparate impact the ratio. None: the criterion is of the group alone.
    """

    criterion: str
    size: int
    value: Interval | None
    rest: float | None
    against_rest: Interval | None


@dataclass(frozen=True)
class _Part:
    """The rows of the group, or of the rest, that a rate is of.

    Attributes:
        rate: None without rows.
        lacking: why it, and a comparison with it, has no bounds; None: it has.
    """

    rows: RowNumbers
    rate: float | None
    lacking: str | None


def group_figures(
    truth: Truth, score: Floats, acts: Booleans, member: Booleans, confidence: float, least_rows: int = 1
) -> list[GroupFigure]:
    """All criteria for one group of rows.

    Args:
        truth: of a classification.
        score: probabilities of True.
        acts: whether each row is acted on.
        member: whether each row is of the group.
        confidence: of each comparison with the rest.
        least_rows: of fewer rows a rate, and a comparison with it, has no bounds.

    Example:
        >>> from nightjar.settings.task import Task
        >>> night, is_member = np.repeat(np.arange(5), 4), np.tile([True, True, False, False], 5)
        >>> clusters = Clusters(np.arange(20), night)
        >>> truth = Truth(Task.CLASSIFICATION, np.tile([True, False], 10), clusters)
        >>> acts = np.tile([True, False, True, True], 5)
        >>> figures = {one.criterion: one for one in group_figures(truth, np.full(20, 0.5), acts, is_member, 0.95)}
        >>> figures["selection_rate"].value.estimate, figures["selection_rate"].rest
        (0.5, 1.0)
        >>> figures["equalised_odds"].against_rest.estimate, figures["disparate_impact"].against_rest.estimate
        (1.0, 0.5)
    """
    if truth.weight is not None:  # rows without weight are as if they were absent
        counted = np.flatnonzero(truth.weight > 0)
        truth, score, acts, member = truth.take(counted), score[counted], acts[counted], member[counted]
    label = np.asarray(truth.label) == 1
    pairs = {}
    for name, terms in RATES.items():
        values, counts = terms(label, score, acts)
        pairs[name] = _pair(truth, values, counts, member, least_rows)
    rates = {name: _of_rate(name, pair, confidence) for name, pair in pairs.items()}
    ratio = pairs["selection_rate"].ratio(confidence)
    return [
        *rates.values(),
        _greater(rates["recall"], rates["false_positive_rate"]),
        GroupFigure("disparate_impact", ratio.rows, None, None, ratio),
        _calibration_error(truth, score, pairs["selection_rate"].own),
    ]


@dataclass(frozen=True, eq=False)
class _Pair:
    """The rate of a group and of the rest: means of one value a row, over the rows of each."""

    clusters: Clusters
    values: Floats
    weight: Floats
    own: _Part
    rest: _Part

    def value(self, scale: Scale) -> Interval:
        """The group's rate."""
        return self._rate(self.own, scale, LEVEL)

    def difference(self, confidence: float) -> Interval:
        """The group's rate minus the rest's."""
        return self._compare(lambda own, rest: (own - rest, 1.0, 1.0), Scale.SIGNED_SHARE, confidence)

    def ratio(self, confidence: float) -> Interval:
        """The group's rate divided by the rest's."""
        if self.rest.rate == 0:
            return Interval(None, None, None, len(self.own.rows), "none of the rest is acted on")
        if self.own.rate == 0 and self.rest.rate is not None:
            return self._ratio_of_none(confidence)
        return self._compare(lambda own, rest: (own / rest, 1 / rest, own / rest**2), Scale.LOG, confidence)

    def _ratio_of_none(self, confidence: float) -> Interval:
        """The ratio where none of the group is acted on: at most the upper end of its rate / the rest's lower end.

        Either end is missed in half of 1 - confidence at most, and 0 never, so that the interval holds as often.
        """
        own, rest = (self._rate(part, Scale.LOGIT, confidence) for part in (self.own, self.rest))
        if own.high is None or rest.low is None:
            return replace(own, low=None, high=None, reason=own.reason or rest.reason)
        return replace(own, high=own.high / rest.low)

    def _rate(self, part: _Part, scale: Scale, confidence: float) -> Interval:
        rows = part.rows
        if part.rate is None or part.lacking:
            return Interval(part.rate, None, None, len(rows), part.lacking)
        influence = of_ratio(self.values[rows], np.ones(len(rows)), self.weight[rows])
        return interval(part.rate, influence, self.clusters.take(rows), scale, confidence=confidence)

    def _compare(
        self, compared: Callable[[float, float], tuple[float, float, float]], scale: Scale, confidence: float
    ) -> Interval:
        """The comparison of both rates: its value, and how it falls and rises with each of them."""
        own, rest = self.own, self.rest
        if own.rate is None or rest.rate is None:
            reason = own.lacking if own.rate is None else rest.lacking
            return Interval(None, None, None, len(own.rows), reason)
        estimate, by_own, by_rest = compared(own.rate, rest.rate)
        if own.lacking or rest.lacking:
            return Interval(estimate, None, None, len(own.rows), own.lacking or rest.lacking)
        used = np.concatenate([own.rows, rest.rows])
        first = (np.arange(len(used)) < len(own.rows)).astype(np.float64)
        of_own, of_rest = (of_ratio(self.values[used] * part, part, self.weight[used]) for part in (first, 1 - first))
        influence = replace(of_own.minus(of_rest), values=by_own * of_own.values - by_rest * of_rest.values)
        size = max(abs(own.rate), abs(rest.rate))
        result = interval(estimate, influence, self.clusters.take(used), scale, size=size, confidence=confidence)
        return replace(result, rows=len(own.rows))


def _pair(truth: Truth, values: Floats, counts: Booleans, member: Booleans, least_rows: int) -> _Pair:
    weight = np.ones(len(values)) if truth.weight is None else truth.weight
    parts = [
        _part(truth.clusters, values, weight, np.flatnonzero(counts & who), words, least_rows)
        for who, words in ((member, "the group"), (~member, "the rest"))
    ]
    return _Pair(truth.clusters, values, weight, *parts)


def _part(clusters: Clusters, values: Floats, weight: Floats, rows: RowNumbers, words: str, least_rows: int) -> _Part:
    if not len(rows):
        return _Part(rows, None, f"{words} has no such rows")
    rate, blocks = float(np.average(values[rows], weights=weight[rows])), clusters.take(rows).blocks
    if len(rows) < least_rows:
        return _Part(rows, rate, f"{words} has {len(rows):,} such rows, fewer than {least_rows:,}")
    if blocks < FEWEST:
        return _Part(rows, rate, f"such rows of {words} are of {blocks} blocks of time, fewer than {FEWEST}")
    return _Part(rows, rate, None)


def _of_rate(name: str, pair: _Pair, confidence: float) -> GroupFigure:
    scale = Scale.SIGNED_SHARE if name == "calibration_gap" else Scale.LOGIT
    return GroupFigure(name, len(pair.own.rows), pair.value(scale), pair.rest.rate, pair.difference(confidence))


def _greater(recall: GroupFigure, false_positive_rate: GroupFigure) -> GroupFigure:
    """Equalised odds, by the greater of two absolute differences: where both intervals hold, its own does."""
    size = min(recall.size, false_positive_rate.size)
    both = [one.against_rest for one in (recall, false_positive_rate) if one.against_rest is not None]
    reason = next((one.reason for one in both if one.reason), None)
    estimates = [abs(one.estimate) for one in both if one.estimate is not None]
    ends = [(one.low, one.high) for one in both if one.low is not None and one.high is not None]
    estimate = max(estimates) if len(estimates) == len(both) else None
    if estimate is None or len(ends) < len(both):
        return GroupFigure("equalised_odds", size, None, None, Interval(estimate, None, None, size, reason))
    low, high = max(max(0.0, low, -high) for low, high in ends), max(max(-low, high) for low, high in ends)
    return GroupFigure("equalised_odds", size, None, None, Interval(estimate, low, high, size))


def _calibration_error(truth: Truth, score: Floats, own: _Part) -> GroupFigure:
    """Of the group's rows alone, by bins of scores: a gap of one sign here and of the other there is one, too."""
    if own.lacking:
        value = Interval(None, None, None, len(own.rows), own.lacking)
    else:
        value = figure(expected_calibration_error, truth.take(own.rows), score[own.rows])
    return GroupFigure("calibration_error", len(own.rows), value, None, None)
