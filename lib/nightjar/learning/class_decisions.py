"""Decisions about the rows of the final period: to act on them, or of several classes to predict each of them."""

from dataclasses import replace
from typing import Any

import numpy as np

from nightjar.evaluation.confusion import confusion
from nightjar.evaluation.criteria import decided
from nightjar.evaluation.fairness import Decision
from nightjar.evaluation.metric_report import Truth
from nightjar.evaluation.rows import Floats
from nightjar.settings.task import Task


def class_decisions(truth: Truth, probabilities: Floats) -> list[Decision]:
    """Of several classes whether each of them was predicted, one against the rest.

    Args:
        truth: the rows, with the numbers of their classes.
        probabilities: of each class, (rows, classes).
    """
    predicted, label = decided(probabilities, truth.standard), np.asarray(truth.label)
    return [
        Decision(
            replace(truth, task=Task.CLASSIFICATION, label=label == number),
            probabilities[:, number],
            predicted == number,
            value,
        )
        for number, value in enumerate(truth.standard.classes)
    ]


def confused_classes(truth: Truth, probabilities: Floats) -> dict[str, Any]:
    """What the rows of each class were taken for, as the evidence holds it; a class without rows has shares of 0."""
    classes, label = truth.standard.classes, np.asarray(truth.label)
    counts = confusion(label, decided(probabilities, truth.standard), truth.weight, classes=len(classes))
    sums = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, sums, out=np.zeros_like(counts), where=sums > 0)
    rows = np.bincount(label, minlength=len(classes))
    return {"classes": list(classes), "rows": rows.tolist(), "shares": shares.tolist()}
