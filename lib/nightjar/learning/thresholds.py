"""The threshold from which a score is acted on: fitted to out-of-fold scores, priced on the final period."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.decisions import cheapest_threshold, row_costs
from nightjar.evaluation.figures import mean_interval
from nightjar.evaluation.intervals import Interval
from nightjar.learning.rows import TrainingRows
from nightjar.models.examples import Rows
from nightjar.settings.costs import Costs

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Threshold:
    """A fitted threshold, and what a row of the final period costs on average with it.

    Attributes:
        missed, false_alarm: the prices, as in `Costs`.
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
        others = f"acting on none {self.cost_of_none:.4g}, on all {self.cost_of_all:.4g}"
        return f"acting from the threshold {self.value:.4g} on {costs}; {others}"


def fitted_threshold(
    rows: TrainingRows, held_out: Floats, final: Rows, final_scores: Floats, costs: Costs, clusters: Clusters
) -> Threshold | None:
    """The threshold that was cheapest on the folds; None where nothing says what decisions cost.

    Args:
        rows: of a classification.
        held_out: a score of each row by a fit that has not seen it, NaN where there is none and in the final period.
        final: numbers of the final period's rows.
        final_scores: theirs.
        costs: of wrong decisions.
        clusters: of the final period's rows.
    """
    if costs.missed is None or costs.false_alarm is None:
        return None
    prices = {"missed": costs.missed, "false_alarm": costs.false_alarm}
    scored = np.flatnonzero(~np.isnan(held_out))
    weight = np.ones(len(rows.label)) if rows.weight is None else rows.weight
    value = cheapest_threshold(rows.label[scored], held_out[scored], weight=weight[scored], **prices)
    label, counted = rows.label[final], weight[final]
    of_rows = row_costs(label, final_scores, value, **prices)
    cost = mean_interval(of_rows, clusters, counted)
    rate = float(np.average(label, weights=counted))
    others = {"cost_of_none": costs.missed * rate, "cost_of_all": costs.false_alarm * (1 - rate)}
    return Threshold(**prices, value=value, cost=cost, **others)
