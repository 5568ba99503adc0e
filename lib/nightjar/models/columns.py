"""A model's features: names and types in order, differences of a table from them, and their values as a frame."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from nightjar.errors import LearningError
from nightjar.evaluation.histograms import is_number, is_text

if TYPE_CHECKING:
    import pandas as pd

LARGEST = float(np.finfo(np.float32).max)
"""The greatest absolute value with which every estimator can compute: that of float32."""


@dataclass(frozen=True)
class FeatureColumn:
    """One feature.

    Attributes:
        name: of the column.
        type: "number" (integers, floats, decimals, booleans) or "category" (strings).
    """

    name: str
    type: str

    def __post_init__(self) -> None:
        if self.type not in ("number", "category"):
            raise LearningError(f"The feature {self.name} is of type {self.type!r}: expected 'number' or 'category'.")


def feature_columns(schema: pa.Schema, names: Sequence[str]) -> tuple[FeatureColumn, ...]:
    """The named columns of the schema as features, in the order of the names.

    Raises:
        LearningError: a name is repeated, or not exactly one column of the schema, or of a type no model can use.
    """
    repeated = sorted(name for name, times in Counter(names).items() if times > 1)
    if repeated:
        raise LearningError(f"Features are named more than once: {', '.join(repeated)}.")
    unclear = [name for name in names if len(schema.get_all_field_indices(name)) != 1]
    if unclear:
        raise LearningError(f"Not exactly one column for the features {', '.join(unclear)} in {schema.names}.")
    return tuple(FeatureColumn(name, _usable_type(name, schema.field(name).type)) for name in names)


def difference(expected: Sequence[FeatureColumn], schema: pa.Schema) -> list[str]:
    """The differences that make a table of this schema unusable, a line for each column; empty if it fits.

    Further columns are no difference, nor is the order of columns. A column of Arrow's type null, which columns
    without any value may have, fits every feature. For example:

        missing: seats (number)
        changed: airline is number, expected category
        changed: weekday is date32[day], expected number
        repeated: origin is there 2 times
    """
    lines = (_difference_of(column, schema) for column in expected)
    return [line for line in lines if line is not None]


def to_frame(table: pa.Table, features: Sequence[FeatureColumn]) -> "pd.DataFrame":
    """The features' values, a row for each row of the table.

    Numbers become float64 (null -> NaN; booleans 0 and 1; integers beyond 2**53 and long decimals are rounded),
    categories become objects, str or NaN. The table must not differ from the features.
    """
    import pandas as pd  # noqa: PLC0415  (it takes a moment, and settings are checked without it)

    columns = {
        column.name: to_floats(table[column.name]) if column.type == "number" else _texts(table[column.name])
        for column in features
    }
    return pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows))


def to_floats(column: "pa.ChunkedArray[Any]") -> np.ndarray[Any, np.dtype[np.float64]]:
    """The values of a number column, as `to_frame` has them."""
    plain = _without_dictionary(column)
    if pa.types.is_boolean(plain.type):
        plain = plain.cast(pa.int8())
    return np.asarray(plain.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)


def infinite_columns(frame: "pd.DataFrame", features: Sequence[FeatureColumn]) -> list[str]:
    """The names of number columns that hold an infinite value, which no model can use."""
    numbers = [column.name for column in features if column.type == "number"]
    return [name for name in numbers if np.isinf(frame[name].to_numpy()).any()]


def _difference_of(column: FeatureColumn, schema: pa.Schema) -> str | None:
    times = len(schema.get_all_field_indices(column.name))
    if times == 0:
        return f"missing: {column.name} ({column.type})"
    if times > 1:
        return f"repeated: {column.name} is there {times} times"
    arrow_type = schema.field(column.name).type
    if pa.types.is_null(arrow_type) or _feature_type(arrow_type) == column.type:
        return None
    return f"changed: {column.name} is {_feature_type(arrow_type) or arrow_type}, expected {column.type}"


def _usable_type(name: str, arrow_type: pa.DataType) -> str:
    usable = _feature_type(arrow_type)
    if usable is None:
        raise LearningError(
            f"The column {name} is of type {arrow_type}, which is no feature: expected integers, floats, decimals, "
            "booleans or strings. Derive one of these from it, or leave it out of the features."
        )
    return usable


def _feature_type(arrow_type: pa.DataType) -> str | None:
    if is_text(arrow_type):
        return "category"
    return "number" if is_number(arrow_type) else None


def _texts(column: "pa.ChunkedArray[Any]") -> np.ndarray[Any, np.dtype[np.object_]]:
    texts = np.array(_without_dictionary(column).cast(pa.large_string()).to_numpy(), dtype=object)
    texts[column.is_null().to_numpy()] = np.nan  # to an OrdinalEncoder NaN is a missing value, None a category
    return texts


def _without_dictionary(column: "pa.ChunkedArray[Any]") -> "pa.ChunkedArray[Any]":
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
