"""Calibration of sets of classes on scores that each row has by a fit that has not seen it, nor anything after it."""

import logging
from dataclasses import asdict
from typing import Any

import numpy as np
from crepes import ConformalClassifier

from nightjar.evaluation.conformal import CLASSES, ClassLimit, ConformalSets, fewest_rows, nonconformity
from nightjar.evaluation.rows import Floats, RowNumbers
from nightjar.learning.training_plan import TrainingPlan
from nightjar.settings.split import SplitKind

log = logging.getLogger("nightjar.train")
ROUNDING = 1e-12


def sets_of(plan: TrainingPlan, out_of_fold: Floats | None) -> dict[str, Any] | None:
    """What the evidence holds of the winner's sets; None where nobody asked for them.

    Args:
        plan: of the training.
        out_of_fold: the winner's scores of the rows of folds and final period, NaN elsewhere; None: of another task.
    """
    error = plan.project.serving.abstention.error
    if error is None or out_of_fold is None:
        return None
    walks = plan.settings.split.kind is SplitKind.WALK_FORWARD
    rows = walk_forward_rows(out_of_fold, plan.final.test, walks=walks)
    return asdict(fit_sets(out_of_fold[rows], plan.rows.label[rows], plan.rows.classes, error))


def fit_sets(scores: Floats, label: RowNumbers, classes: tuple[str, ...], error: float) -> ConformalSets:
    """The limit of each class: the greatest nonconformity at which its p-value is above the error.

    The p-values are those of crepes, without smoothing, which draws. It compares one row with all others at a time, and
    a p-value falls as nonconformity grows: so only those rows are looked at that bisection comes by.

    Args:
        scores: probabilities of True, or of each class, as `nonconformity` takes them; all finite.
        label: the number of each row's class; of a yes or no 0 and 1.
        classes: of several classes; empty: of a yes or no.
        error: see `ConformalSets`.
    """
    alphas, numbers = nonconformity(scores), np.asarray(label, np.intp)
    limits = []
    for number, value in enumerate(classes or CLASSES):
        own = alphas[numbers == number, number]
        limits.append(ClassLimit(value, len(own), _limit(own, error)))
    sets = ConformalSets(error, tuple(limits))
    amiss = sets.unknown()
    if amiss is not None:
        log.warning("conformal sets are UNKNOWN: %s. All rows will abstain; take a greater error, or more dates", amiss)
    return sets


def walk_forward_rows(scores: Floats, final: RowNumbers, *, walks: bool) -> RowNumbers:
    """The rows to calibrate on: those of the final period, and of folds that learned from nothing after them.

    Args:
        scores: of each row by a fit that has not seen it, NaN where there is none.
        final: numbers of the final period's rows.
        walks: whether folds are walk-forward.
    """
    scored = np.flatnonzero(~np.isnan(scores).reshape(len(scores), -1).any(axis=1))
    return scored if walks else np.intersect1d(scored, final)


def _limit(own: Floats, error: float) -> float | None:
    if len(own) < fewest_rows(error):
        return None
    values, fitted = np.unique(own), ConformalClassifier().fit(own)
    low, high = 0, len(values)  # one that is in: the least has the p-value 1; one that is out
    while high - low > 1:
        middle = (low + high) // 2
        p_value = fitted.predict_p(values[[middle]], smoothing=False)[0]
        low, high = (middle, high) if p_value > error * (1 + ROUNDING) else (low, middle)
    return float(values[low])
