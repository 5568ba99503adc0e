"""Metrics that are means of one loss a row, or made of such a mean: what each row adds to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nightjar.evaluation import binary, multiclass, regression
from nightjar.evaluation.criteria import Standard, decided
from nightjar.evaluation.rows import Floats
from nightjar.settings.task import METRICS, Metric, Task


@dataclass(frozen=True)
class RowLoss:
    """A metric as a mean over rows.

    Attributes:
        of_two: the loss of each row by outcome and score, of two classes; None: the metric is not of two classes.
        of_several: by class and probabilities, with what is asked of the project; None likewise.
        of_amounts: by true and predicted amount; None likewise.
        finish: makes the metric of the mean; None: it is the mean.
    """

    of_two: Callable[[Any, Floats], Floats] | None = None
    of_several: Callable[[Any, Floats, Standard], Floats] | None = None
    of_amounts: Callable[[Floats, Floats, Standard], Floats] | None = None
    finish: Callable[[np.float64], np.float64] | None = None


def _cost(label: Any, score: Floats, standard: Standard) -> Floats:
    return multiclass.decision_costs(label, decided(score, standard), costs=standard.costs)


LOSSES: Mapping[str, RowLoss] = {
    Metric.LOG_LOSS.value: RowLoss(
        lambda label, score: binary.log_losses(label == 1, score),
        lambda label, score, _: multiclass.log_losses(label, score),
    ),
    Metric.BRIER.value: RowLoss(
        lambda label, score: np.square(label - score),
        lambda label, score, _: multiclass.squared_distances(label, score),
    ),
    Metric.EXPECTED_COST.value: RowLoss(of_several=_cost),
    Metric.RMSE.value: RowLoss(of_amounts=lambda label, score, _: np.square(label - score), finish=np.sqrt),
    Metric.MAE.value: RowLoss(of_amounts=lambda label, score, _: np.abs(label - score)),
    Metric.PINBALL.value: RowLoss(
        of_amounts=lambda label, score, standard: regression.pinball_losses(label, score, quantile=standard.quantile)
    ),
}
"""Name of a metric -> its loss of each row."""


def losses_of_rows(task: Task, label: npt.ArrayLike, score: Floats, standard: Standard) -> dict[str, Floats]:
    """Of each metric of the task that is a mean over rows: what every row adds to it.

    Args:
        task: of the label; a ranking has none, its metrics are of lists.
        label: of each row; of several classes its number.
        score: of each row; of several classes the probabilities, (rows, classes).
        standard: what measures ask of the project.

    Example:
        >>> losses = losses_of_rows(Task.REGRESSION, [1.0, 2.0], np.array([1.5, 4.0]), Standard())
        >>> losses["mae"].tolist(), losses["rmse"].tolist()
        ([0.5, 2.0], [0.25, 4.0])
    """
    losses = {}
    for metric in METRICS[task]:
        one = LOSSES.get(metric.value)
        if one is None:
            continue
        if task is Task.CLASSIFICATION and one.of_two is not None:
            losses[metric.value] = one.of_two(np.asarray(label, np.float64), score)
        elif task is Task.MULTICLASS and one.of_several is not None:
            losses[metric.value] = one.of_several(np.asarray(label, np.intp), score, standard)
        elif task is Task.REGRESSION and one.of_amounts is not None:
            losses[metric.value] = one.of_amounts(np.asarray(label, np.float64), np.asarray(score), standard)
    return losses
