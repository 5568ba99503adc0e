"""How wrong a score is of one row, in a unit that can be averaged over any part of the rows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from nightjar.evaluation import binary, multiclass
from nightjar.evaluation.criteria import Standard
from nightjar.evaluation.decisions import choose_classes
from nightjar.evaluation.rows import Floats
from nightjar.settings.task import Metric, Task


@dataclass(frozen=True)
class Loss:
    """The loss of a row.

    Attributes:
        name: what its mean is called.
        of: of labels and scores, one value a row.
    """

    name: str
    of: Callable[[Any, Floats], Floats]


def loss_of(task: Task, metric: Metric, standard: Standard) -> Loss | None:
    """The loss by which slices are compared; None: lists are measured, not rows.

    Of classes the cost of the decision where mistakes have costs, else log loss, in which a row counts by the
    probability of its outcome, whatever is decided; of amounts the squared error, or the absolute one if that is what
    the search optimises.
    """
    if task is Task.RANKING:
        return None
    if task is Task.REGRESSION:
        if metric is Metric.MAE:
            return Loss("mae", lambda label, score: np.abs(label - score))
        return Loss("squared_error", lambda label, score: np.square(label - score))
    if task is Task.CLASSIFICATION:
        return Loss("log_loss", lambda label, score: binary.log_losses(label == 1, score))
    if not standard.costs:
        return Loss("log_loss", multiclass.log_losses)
    costs = standard.costs
    return Loss(
        "expected_cost",
        lambda label, score: multiclass.decision_costs(label, choose_classes(score, costs), costs=costs),
    )
