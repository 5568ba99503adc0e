"""Decisions about the rows of the final period: to act on them, or of several classes to predict each of them."""

from dataclasses import dataclass, replace

import numpy as np

from nightjar.evaluation.binary import Booleans
from nightjar.evaluation.criteria import decided
from nightjar.evaluation.metric_report import Truth
from nightjar.evaluation.rows import Floats
from nightjar.settings.task import Task


@dataclass(frozen=True, eq=False)
class Decision:
    """A yes or no about each row.

    Attributes:
        truth: the rows, as two classes: whether yes was right.
        probability: that yes is right.
        acts: whether it was yes.
        of_class: the value of the class that was predicted or not; None: there are two classes, and yes is to act.
    """

    truth: Truth
    probability: Floats
    acts: Booleans
    of_class: str | None = None


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
