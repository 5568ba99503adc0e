"""Swap sets: the rows for which one model's decision differs from another's, and what they turned out to be.

Source: Siddiqi (2006), Credit risk scorecards, chapter on the choice of a scorecard: two models of equal rank order may
act on different rows.
"""

from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from nightjar.evaluation.binary import Booleans, check_outcomes
from nightjar.evaluation.confusion import accuracy, precision
from nightjar.evaluation.metric_report import Truth, figure
from nightjar.evaluation.rows import Floats, check_weight
from nightjar.settings.task import Task


def threshold_at(rate: float, score: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> float:
    """The threshold at or above which the share of rows is nearest to a rate; of two equally near the greater one.

    Args:
        rate: the share of rows to act on, 0 to 1.
        score: of each row.
        weight: how many rows each one stands for; None: one each.

    Raises:
        LearningError: see `rows.check_weight`; also scores that are no finite numbers.

    Example:
        >>> threshold_at(0.6, [0.1, 0.7, 0.7, 0.9])
        0.7
        >>> threshold_at(0.1, [0.1, 0.7, 0.7, 0.9]) > 0.9
        True
    """
    scores = check_outcomes(np.zeros(np.shape(score), bool), score)[1]
    weights = check_weight(weight, len(scores))
    values, numbers = np.unique(scores, return_inverse=True)
    of_value = np.bincount(numbers, weights, len(values))
    reached = np.append(0.0, np.cumsum(of_value[::-1])) / max(of_value.sum(), 1e-300)
    thresholds = np.append(np.nextafter(values.max(initial=1.0), np.inf), values[::-1])
    return float(thresholds[np.argmin(np.abs(reached - rate))])


def swap_sets(truth: Truth, before: Booleans, after: Booleans) -> dict[str, Any]:
    """The rows that only one of two models acts on: how many, their share, and the share of True ones among them.

    Args:
        truth: of a classification.
        before: whether the one model acts on each row.
        after: whether the other one does.

    Returns:
        `in`, the rows that only the other one acts on, and `out`, those that only the one does; of each `rows`, `share`
        and `outcome_rate`, the last two as intervals.

    Example:
        >>> from nightjar.evaluation.clusters import Clusters
        >>> late, one, other = np.array([[1, 0, 1, 0], [1, 1, 0, 0], [1, 0, 1, 0]], bool)
        >>> sets = swap_sets(Truth(Task.CLASSIFICATION, late, Clusters(np.arange(4), np.arange(4))), one, other)
        >>> sets["in"]["rows"], sets["in"]["outcome_rate"]["estimate"], sets["out"]["outcome_rate"]["estimate"]
        (1, 1.0, 0.0)
    """
    return {"in": _set(truth, after & ~before), "out": _set(truth, before & ~after)}


def _set(truth: Truth, rows: Booleans) -> dict[str, Any]:
    of_rows = Truth(Task.CLASSIFICATION, rows, truth.clusters, weight=truth.weight)
    share, outcome_rate = figure(accuracy, of_rows, np.ones(len(rows), bool)), figure(precision, truth, rows)
    return {"rows": int(rows.sum()), "share": asdict(share), "outcome_rate": asdict(outcome_rate)}


def share_of(rows: Booleans, weight: Floats | None) -> float:
    """The weighted share of rows, 0 where there are none."""
    return float(np.average(rows, weights=weight)) if len(rows) else 0.0
