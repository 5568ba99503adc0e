"""What the features of the rows were that a model was fitted on, and which rows lie outside of that."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.evaluation.histograms import is_text
from nightjar.models.columns import FeatureColumn, to_frame

Mask = npt.NDArray[np.bool_]
MOST_LEVELS = 1_000
"""Of a category with more levels they are not stored, and none is outside."""


@dataclass(frozen=True)
class FeatureRange:
    """What a feature was in training.

    Attributes:
        name: of the feature.
        low, high: the least and the greatest number; None: it is a category, or every row lacked it.
        levels: of a category, all of them, ascending; None: it is a number, or had more than `MOST_LEVELS`.
        has_missing: whether some row lacked it.
    """

    name: str
    low: float | None
    high: float | None
    levels: tuple[str, ...] | None
    has_missing: bool

    def outside(self, rows: pa.Table, margin: float = 0.0) -> Mask:
        """Which rows have what no training row had.

        Args:
            rows: with the feature, of the type that it had in training.
            margin: how far beyond the least and greatest number a row may lie, in spans between the two.
        """
        is_category = is_text(rows.schema.field(self.name).type)
        values = to_frame(rows, [FeatureColumn(self.name, "category" if is_category else "number")])[self.name]
        missing = values.isna().to_numpy()
        amiss = missing & (not self.has_missing)
        if is_category and self.levels is not None:
            return np.asarray(amiss | (~missing & ~values.isin(self.levels).to_numpy()))
        if is_category or self.low is None or self.high is None:
            return np.asarray(amiss)
        span, numbers = (self.high - self.low) * margin, values.to_numpy()
        return np.asarray(amiss | (numbers < self.low - span) | (numbers > self.high + span))


def ranges_of(
    rows: pa.Table, features: Sequence[FeatureColumn], hidden: Collection[str] = ()
) -> tuple[FeatureRange, ...]:
    """The ranges of features in the rows that a model is fitted on.

    They are stored with the model, where anybody may read them: of features whose values nobody is to see, numbers are
    those of two digits around the least and the greatest, and levels are left out.

    Example:
        >>> rows = pa.table({"load": [1.0, None, 3.0], "site": ["south", "north", "south"]})
        >>> for one in ranges_of(rows, [FeatureColumn("load", "number"), FeatureColumn("site", "category")]):
        ...     print(one.name, one.low, one.high, one.levels, one.has_missing)
        load 1.0 3.0 None True
        site None None ('north', 'south') False
    """
    return tuple(_range(rows, feature, is_hidden=feature.name in hidden) for feature in features)


def read_range(stored: Mapping[str, Any]) -> FeatureRange:
    """A range as a manifest stores it.

    Raises:
        KeyError, TypeError, ValueError: it has another shape.
    """
    low, high = (None if stored[name] is None else float(stored[name]) for name in ("low", "high"))
    levels = None if stored["levels"] is None else tuple(map(str, stored["levels"]))
    return FeatureRange(str(stored["name"]), low, high, levels, bool(stored["has_missing"]))


def _range(rows: pa.Table, feature: FeatureColumn, *, is_hidden: bool) -> FeatureRange:
    if feature.type == "category":
        levels: list[str] = sorted(str(one) for one in pc.unique(rows[feature.name]).drop_null().to_pylist())
        few = tuple(levels) if len(levels) <= MOST_LEVELS and not is_hidden else None
        return FeatureRange(feature.name, None, None, few, rows[feature.name].null_count > 0)
    numbers = to_frame(rows, [feature])[feature.name].to_numpy()
    present = numbers[~np.isnan(numbers)]
    low, high = (float(present.min()), float(present.max())) if len(present) else (None, None)
    if is_hidden and low is not None and high is not None:
        low, high = _rounded(low, math.floor), _rounded(high, math.ceil)
    return FeatureRange(feature.name, low, high, None, len(present) < len(numbers))


def _rounded(number: float, towards: Callable[[float], int]) -> float:
    """A number of two digits beside another one, or one more step away where rounding errors would end inside."""
    if not number:
        return number
    unit, step = 10.0 ** (math.floor(math.log10(abs(number))) - 1), 1 if towards is math.ceil else -1
    steps = towards(number / unit)
    return steps * unit if (steps * unit - number) * step >= 0 else (steps + step) * unit
