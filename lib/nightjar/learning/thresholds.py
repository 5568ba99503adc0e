"""The decision threshold: fitted to out-of-fold scores, its cost measured on the final period."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.decisions import cheapest_threshold, row_costs
from nightjar.evaluation.intervals import Interval
from nightjar.evaluation.metric_report import mean_interval
from nightjar.evaluation.rows import RowNumbers
from nightjar.learning.data.training_set import TrainingSet
from nightjar.settings.costs import Costs

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Threshold:
    """A fitted threshold, and the mean cost of a row of the final period with it.

    Attributes:
        missed, false_alarm: the costs of wrong decisions, as in `Costs`.
        value: scores at or above it are acted on.
        cost: with its interval.
        cost_of_none: when no row is acted on.
        cost_of_all: when every row is.
    """

    missed: float
    false_alarm: float
    value: float
    cost: Interval
    cost_of_none: float
    cost_of_all: float

    def __str__(self) -> str:
        """In words, for the log."""
        bounds = "" if self.cost.low is None else f" ({self.cost.low:.4g} to {self.cost.high:.4g})"
        costs = f"costs {self.cost.estimate:.4g}{bounds} a row in the final period"
        alternatives = f"acting on none {self.cost_of_none:.4g}, on all {self.cost_of_all:.4g}"
        return f"acting from the threshold {self.value:.4g} on {costs}; {alternatives}"


def fit_threshold(
    rows: TrainingSet, scores: Floats, final: RowNumbers, final_scores: Floats, costs: Costs, clusters: Clusters
) -> Threshold | None:
    """Fit the threshold with the lowest cost on the folds; None where the project states no costs.

    Args:
        rows: of a classification.
        scores: a score of each row by a fit that has not seen it, NaN where there is none and in the final period.
        final: numbers of the final period's rows.
        final_scores: the scores of those rows.
        costs: of wrong decisions.
        clusters: of the final period's rows.
    """
    if costs.missed is None or costs.false_alarm is None:
        return None
    prices = {"missed": costs.missed, "false_alarm": costs.false_alarm}
    scored = np.flatnonzero(~np.isnan(scores))
    weight = np.ones(len(rows.label)) if rows.weight is None else rows.weight
    value = cheapest_threshold(rows.label[scored], scores[scored], weight=weight[scored], **prices)
    label, final_weight = rows.label[final], weight[final]
    costs_of_rows = row_costs(label, final_scores >= value, [[0, costs.false_alarm], [costs.missed, 0]])
    cost = mean_interval(costs_of_rows, clusters, final_weight)
    rate = float(np.average(label, weights=final_weight))
    alternatives = {"cost_of_none": costs.missed * rate, "cost_of_all": costs.false_alarm * (1 - rate)}
    return Threshold(**prices, value=value, cost=cost, **alternatives)
