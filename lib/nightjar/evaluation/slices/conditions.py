"""A slice: the rows that meet up to three conditions, each on one column."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.errors import LearningError
from nightjar.evaluation.binary import Booleans
from nightjar.evaluation.histograms import ArrowColumn, is_number
from nightjar.evaluation.rows import Floats

MOST_CONDITIONS = 3
"""Of a slice that is searched for: with more, people no longer see what its rows have in common."""


@dataclass(frozen=True)
class Condition:
    """What the rows of a slice have in one column: a value between bounds, or one of some values.

    Attributes:
        column: its name.
        low: of numbers: the least value; None: without a bound.
        high: of numbers: below it; None: without a bound.
        values: texts, booleans as true and false, or numbers as texts; None among them: the value is missing.
        is_other: whether `values` are those that rows do not have; a missing value is none of them.
    """

    column: str
    low: float | None = None
    high: float | None = None
    values: tuple[str | None, ...] = ()
    is_other: bool = False

    def __str__(self) -> str:
        """In words: `origin is JFK`, `5 <= hour < 17`, `seats is missing`."""
        if not self.values:
            low = "" if self.low is None else f"{self.low:.15g} <= "
            high = "" if self.high is None else f" < {self.high:.15g}"
            return f"{self.column} >= {self.low:.15g}" if low and not high else f"{low}{self.column}{high}"
        words = ["missing" if value is None else value for value in self.values]
        if self.is_other:
            return f"{self.column} is none of {', '.join(words)}"
        return f"{self.column} is {words[0]}" if len(words) == 1 else f"{self.column} is one of {', '.join(words)}"

    def to_json(self) -> dict[str, Any]:
        """What the evidence holds."""
        if not self.values:
            return {"column": self.column, "low": self.low, "high": self.high}
        return {"column": self.column, "other_than" if self.is_other else "values": list(self.values)}

    def of(self, rows: pa.Table) -> Booleans:
        """Whether each row meets it.

        Raises:
            LearningError: the column is not there, or bounds are asked of texts.
        """
        if self.column not in rows.column_names:
            raise LearningError(
                f"The slice {self} is of the column {self.column}, expected one of {rows.column_names}."
            )
        column = rows[self.column]
        if not self.values:
            return self._is_between(column)
        texts = texts_of(column)
        among = pc.is_in(texts, pa.array(self.values, pa.large_string()))
        result = pc.and_(pc.invert(among), texts.is_valid()) if self.is_other else among
        return np.asarray(result.to_numpy(zero_copy_only=False), np.bool_) if len(column) else np.zeros(0, np.bool_)

    def _is_between(self, column: ArrowColumn) -> Booleans:
        if not is_number(column.type):
            raise LearningError(f"The slice {self} asks for numbers, but {self.column} is of type {column.type}.")
        values = floats_of(column)
        with np.errstate(invalid="ignore"):
            above = ~np.isnan(values) if self.low is None else values >= self.low
            return np.asarray(above if self.high is None else above & (values < self.high), np.bool_)


@dataclass(frozen=True)
class Slice:
    """The rows that meet all of some conditions.

    Attributes:
        conditions: at least one, each of another column where it was searched for.
    """

    conditions: tuple[Condition, ...]

    def __str__(self) -> str:
        """In words: `origin is JFK and hour >= 17`."""
        return " and ".join(map(str, self.conditions))

    def of(self, rows: pa.Table) -> Booleans:
        """Whether each row is in the slice.

        Raises:
            LearningError: see `Condition.of`.

        Example:
            >>> evening = Slice((Condition("origin", values=("JFK",)), Condition("hour", low=17)))
            >>> evening.of(pa.table({"origin": ["JFK", "JFK", None], "hour": [18, None, 18]})).tolist()
            [True, False, False]
            >>> print(evening)
            origin is JFK and hour >= 17
        """
        result = np.ones(len(rows), np.bool_)
        for condition in self.conditions:
            result &= condition.of(rows)
        return result

    def to_json(self) -> Mapping[str, Any]:
        """What the evidence holds."""
        return {"text": str(self), "conditions": [condition.to_json() for condition in self.conditions]}


def texts_of(column: ArrowColumn) -> ArrowColumn:
    """Values as texts: booleans are true and false; null and NaN are missing."""
    plain = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
    if pa.types.is_floating(plain.type):
        plain = pc.if_else(pc.is_nan(plain), None, plain)
    return plain.cast(pa.large_string())


def floats_of(column: ArrowColumn) -> Floats:
    """Numbers as floats, NaN where missing."""
    plain = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
    if pa.types.is_boolean(plain.type):
        plain = plain.cast(pa.int8())
    values = plain.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return np.asarray(values, np.float64)
