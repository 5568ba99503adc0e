"""What acting on rows from a threshold on reaches: recall, precision, rows a night, and cost."""

from dataclasses import dataclass

import numpy as np

from nightjar.evaluation.binary import Booleans
from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.confusion import precision, recall
from nightjar.evaluation.decisions import row_costs
from nightjar.evaluation.intervals import Interval, Scale
from nightjar.evaluation.metric_report import Truth, figure, mean_interval
from nightjar.evaluation.rows import Floats, RowNumbers, number_or_none

ROUNDING = 1e-9  # of sums of weights


@dataclass(frozen=True)
class Reach:
    """What acting on the rows of a tier reaches.

    Attributes:
        recall: the share of true rows at or above the threshold, in this tier or one before it.
        precision: the share of the tier's own rows that is true.
        calibration_gap: that share minus their mean predicted probability.
        acted: rows of the tier in a night, those without an outcome among them.
        cost: of a row, where all at or above the threshold are acted on; None: there are no costs.
    """

    recall: Interval
    precision: Interval
    calibration_gap: Interval
    acted: Interval
    cost: Interval | None


@dataclass(frozen=True)
class ReachEstimates:
    """The same without intervals; None where undefined."""

    recall: float | None
    precision: float | None
    acted: float
    cost: float | None


def calibration_gap(truth: Truth, score: Floats, rows: Booleans) -> Interval:
    """The share of some rows that is true minus their mean score; above 0 they are underestimated."""
    counts = np.flatnonzero(rows if truth.weight is None else rows & (truth.weight > 0))
    part = truth.take(counts)
    return mean_interval(np.asarray(part.label, np.float64) - score[counts], part.clusters, part.weight, Scale.PLAIN)


@dataclass(frozen=True, eq=False)
class NightRows:
    """All rows of some nights, those whose outcome acting has changed among them.

    Attributes:
        score: of each row, by a fit that has not learned from it.
        night: of each row, numbered from 0 without gaps.
        count: how many rows of its night each one stands for, those without an outcome among them.
    """

    score: Floats
    night: RowNumbers
    count: Floats

    def acted_by_night(self, threshold: float | Floats, above: float | Floats) -> Floats:
        """The rows of each night at or above the threshold, and below that of the tiers before; one, or one a row."""
        acted = self.count * ((self.score >= threshold) & (self.score < above))
        by_night: Floats = np.bincount(self.night, acted).astype(np.float64)
        return by_night

    def of_nights(self, most: float, above: float | Floats) -> Floats:
        """Of each row the threshold at which its night has so many rows at most, of those below the tiers before.

        Rows of one score are acted on together; infinite where the highest ones are too many.
        """
        order = np.lexsort((-self.score, self.night))
        counts = (self.count * (self.score < above))[order]
        reached, night = np.cumsum(counts), self.night[order]
        first = np.searchsorted(night, night)
        in_night = reached - (reached - counts)[first]
        result = np.empty(len(order))
        for one in np.unique(night):
            rows = night == one
            scores, is_beyond = self.score[order][rows], in_night[rows] > most * (1 + ROUNDING)
            beyond = scores[is_beyond].max(initial=-np.inf)
            result[order[rows]] = np.nextafter(beyond, np.inf) if is_beyond.any() else -np.inf
        return result


@dataclass(frozen=True, eq=False)
class Period:
    """Rows of a period by which thresholds are judged, all of whose nights have rows.

    Attributes:
        truth: labels, clusters and weights.
        score: of each row, by a fit that has not seen it; where groups have thresholds of their own it is moved.
        predicted: the probability that the fit has given the row: its score, before that is moved.
        night: of each row, numbered as in `all_rows`.
        all_rows: these rows, and those of the same nights whose outcome acting has changed.
        missed, false_alarm: what wrong decisions cost in each row; None: there are no costs.
    """

    truth: Truth
    score: Floats
    predicted: Floats
    night: RowNumbers
    all_rows: NightRows
    missed: Floats | None = None
    false_alarm: Floats | None = None

    def cost_of(self, threshold: float | Floats) -> float | None:
        """The mean cost of a row, where all at or above the threshold are acted on; None: there are no costs."""
        costs = self._costs(self._acts(threshold))
        return None if costs is None else float(np.average(costs, weights=self.truth.weight))

    def reach(self, threshold: float | Floats, above: float | Floats = np.inf) -> Reach:
        """What acting reaches on these rows, with 95% intervals over entities and blocks of time.

        Args:
            threshold: of the tier; one, or one of each row of `all_rows`, of which these rows are the first.
            above: the least threshold of the tiers before it, likewise.
        """
        first = np.unique(self.night, return_index=True)[1]
        nights = Clusters(np.arange(len(first)), self.truth.clusters.block[first], self.truth.clusters.overlap)
        acts, of_tier = self._acts(np.minimum(threshold, above)), self._of_tier(threshold, above)
        costs = self._costs(acts)
        return Reach(
            figure(recall, self.truth, acts),
            figure(precision, self.truth, of_tier),
            calibration_gap(self.truth, self.predicted, of_tier),
            mean_interval(self.all_rows.acted_by_night(threshold, above), nights),
            None if costs is None else mean_interval(costs, self.truth.clusters, self.truth.weight),
        )

    def estimates(self, threshold: float | Floats, above: float | Floats = np.inf) -> ReachEstimates:
        """The same without intervals."""
        label, weight = self.truth.label, self.truth.weight
        return ReachEstimates(
            number_or_none(recall(label, self._acts(np.minimum(threshold, above)), weight)),
            number_or_none(precision(label, self._of_tier(threshold, above), weight)),
            float(self.all_rows.acted_by_night(threshold, above).mean()),
            self.cost_of(threshold),
        )

    def _acts(self, threshold: float | Floats) -> Booleans:
        return self.score >= np.broadcast_to(threshold, len(self.all_rows.score))[: len(self.score)]

    def _of_tier(self, threshold: float | Floats, above: float | Floats) -> Booleans:
        return self._acts(threshold) & ~self._acts(above)

    def _costs(self, acts: Booleans) -> Floats | None:
        if self.missed is None or self.false_alarm is None:
            return None
        return row_costs(self.truth.label, acts, [[0, self.false_alarm], [self.missed, 0]])
