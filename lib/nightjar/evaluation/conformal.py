"""Sets of classes that cannot be ruled out for a row, each class with a limit of its own (class-conditional).

Source: Vovk (2012), Conditional validity of inductive conformal predictors, on label-conditional ones; without a draw
among equals, so that a set is the same whenever it is computed. Of rows that are exchangeable with those of the
calibration the set lacks the true class in a share of at most `error` of each class. Rows of one night share what
happens to all of them: it is over many nights that shares come near this.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nightjar.evaluation.binary import Booleans
from nightjar.evaluation.rows import Floats

CLASSES = ("False", "True")
"""The classes of a yes or no, as `prediction_set` and `performance` name them."""


@dataclass(frozen=True)
class ClassLimit:
    """What rules a class out for a row.

    Attributes:
        value: of the class.
        rows: of the calibration that had it.
        limit: rows that conform less cannot be of the class; None: these are too few rows to rule it out for any.
    """

    value: str
    rows: int
    limit: float | None


@dataclass(frozen=True)
class ConformalSets:
    """What decides which classes are in a row's set.

    Attributes:
        error: of the rows of each class so many lack it in their set, at most.
        classes: all of them, in the order of the probabilities.
    """

    error: float
    classes: tuple[ClassLimit, ...]

    def unknown(self) -> str | None:
        """Which classes had too few rows, in words; None: there were enough of each."""
        few = [one for one in self.classes if one.limit is None]
        words = ", ".join(f"{one.value} has {one.rows} of {fewest_rows(self.error)} rows" for one in few)
        return words or None

    def contain(self, scores: Floats) -> Booleans:
        """Whether each class is in each row's set, (rows, classes); scores as `nonconformity` takes them.

        Example:
            >>> sets = ConformalSets(0.1, (ClassLimit("False", 90, 0.25), ClassLimit("True", 20, 0.8)))
            >>> sets.contain(np.array([0.1, 0.22, 0.9])).tolist()
            [[True, False], [True, True], [False, True]]
        """
        limits = np.array([math.inf if one.limit is None else one.limit for one in self.classes])
        return np.asarray(nonconformity(scores) <= limits)


def nonconformity(scores: Floats) -> Floats:
    """How little each row conforms to each class, (rows, classes): 1 minus the probability of the class.

    Args:
        scores: probabilities of True, (rows,), or of each of several classes, (rows, classes).
    """
    return np.column_stack([scores, 1 - scores]) if scores.ndim == 1 else 1 - scores


def fewest_rows(error: float) -> int:
    """The rows of a class that a calibration needs so as to rule it out for some row: ceil(1 / error) - 1.

    Example:
        >>> fewest_rows(0.1), fewest_rows(0.07)
        (9, 14)
    """
    return math.ceil(1 / error - 1e-9) - 1


def read_sets(stored: Mapping[str, Any] | None) -> ConformalSets | None:
    """Sets as a manifest stores them; None: it has none.

    Raises:
        KeyError, TypeError, ValueError: they have another shape.
    """
    if stored is None:
        return None
    classes = tuple(
        ClassLimit(str(one["value"]), int(one["rows"]), None if one["limit"] is None else float(one["limit"]))
        for one in stored["classes"]
    )
    return ConformalSets(float(stored["error"]), classes)


def names_of_sets(is_in_set: Booleans, values: Sequence[str]) -> list[list[str]]:
    """The classes in each row's set."""
    return [[value for value, is_in in zip(values, row, strict=True) if is_in] for row in is_in_set.tolist()]
