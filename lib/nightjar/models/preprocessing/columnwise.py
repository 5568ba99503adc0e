"""Preparations that treat each number by itself: the same numbers without frames, for many rows."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from nightjar.models.preprocessing.numeric_transformers import Bounded, Filled, Resized
from nightjar.models.preprocessing.selection import Selected, WithValues

Floats = npt.NDArray[np.float64]
Change = Callable[[Floats], Floats]


@dataclass(frozen=True)
class PreparedColumn:
    """One of an estimator's inputs.

    Attributes:
        feature: that it is made of.
        changes: what is done with its values, one after another; each leaves what it gets as it is.
    """

    feature: str
    changes: tuple[Change, ...] = ()

    def prepare(self, values: Floats) -> Floats:
        """The input's values, bit by bit those of the preparation, unless one is beyond `LARGEST`."""
        for change in self.changes:
            values = change(values)
        return values

    def then(self, change: Change) -> "PreparedColumn":
        """The same with a further change."""
        return PreparedColumn(self.feature, (*self.changes, change))


def prepared_columns(preparation: Any) -> list[PreparedColumn] | None:
    """The inputs that a fitted preparation gives, in order; None where a step needs more than one column."""
    if not isinstance(preparation, Pipeline):
        return None
    (_, columns), *others = preparation.steps
    inputs: list[PreparedColumn] = []
    for _, step, names in columns.transformers_:
        group: list[PreparedColumn] | None = [PreparedColumn(name) for name in names]
        for part in step if isinstance(step, Pipeline) else [step]:
            group = None if group is None else _prepared(part, group)
        if group is None:
            return None
        inputs += group
    for _, step in others:
        if not isinstance(step, WithValues | Selected):
            return None
        inputs = [one for one, is_selected in zip(inputs, step.kept_, strict=True) if is_selected]
    return inputs


def _prepared(part: Any, columns: list[PreparedColumn]) -> list[PreparedColumn] | None:
    """The columns after a step; None where it does more than to change each by itself."""
    match part:
        case Bounded():
            return columns
        case Filled():
            pairs = zip(columns, part.empty_, strict=True)
            return [column.then(np.zeros_like) if is_empty else column for column, is_empty in pairs]
        case SimpleImputer():
            indicated = [] if part.indicator_ is None else part.indicator_.features_
            filled = [
                column.then(partial(_fill, value)) for column, value in zip(columns, part.statistics_, strict=True)
            ]
            return filled + [columns[place].then(_is_missing) for place in indicated]
        case Resized():
            return [column.then(partial(_multiply, one)) for column, one in zip(columns, part.factors_, strict=True)]
        case StandardScaler() if part.with_mean and part.with_std:
            scales = zip(columns, part.mean_, part.scale_, strict=True)
            return [column.then(partial(_scale, mean, scale)) for column, mean, scale in scales]
    return None


def _is_missing(values: Floats) -> Floats:
    return np.isnan(values).astype(np.float64)


def _fill(value: float, values: Floats) -> Floats:
    return np.where(np.isnan(values), value, values)


def _multiply(factor: float, values: Floats) -> Floats:
    return np.asarray(values * factor)


def _scale(mean: float, scale: float, values: Floats) -> Floats:
    return np.asarray((values - mean) / scale)
