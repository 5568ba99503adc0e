"""How a score depends on one column: partial dependence, and the curves of single rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.errors import ModelError
from nightjar.evaluation.histograms import is_text
from nightjar.models.predictor import Predictor

Floats = npt.NDArray[np.float64]

POINTS = 20
"""Values of a column at which scores are computed, at most."""


@dataclass(frozen=True, eq=False)
class Dependence:
    """The scores of rows where one column has other values than it has.

    Attributes:
        column: which.
        values: numbers, ascending, or the most frequent levels; None stands for a missing value.
        curves: the score of each row at each value: individual conditional expectation, (rows, values).
    """

    column: str
    values: tuple[float | str | None, ...]
    curves: Floats

    @property
    def mean(self) -> Floats:
        """Partial dependence: the mean over the rows, (values,)."""
        return np.asarray(self.curves.mean(axis=0))


def dependence(predictor: Predictor, table: pa.Table, column: str, output: int = -1) -> Dependence:
    """The curves of the rows of a table, at quantiles of a number or the most frequent levels of a category.

    They are of the served score, calibration included. Columns that go together are taken apart, so that a value may be
    one which the other columns of the row exclude. Sources: Friedman, "Greedy function approximation", 2001, section
    8.2; Goldstein et al., "Peeking inside the black box", 2015.

    Args:
        predictor: the model.
        table: the rows.
        column: one that the model reads.
        output: of several classes, which.

    Raises:
        ModelError: there are no rows, or the model does not read the column.
    """
    if column not in [one.name for one in predictor.features] or not table.num_rows:
        raise ModelError(f"The model reads no column {column}, or there are no rows: their scores depend on nothing.")
    values = _grid(table[column])
    place = table.schema.get_field_index(column)
    field = table.schema.field(place)
    curves = np.empty((table.num_rows, len(values)))
    for at, value in enumerate(values):
        constant = pa.repeat(pa.scalar(value, field.type), table.num_rows)
        scores = predictor.predict(table.set_column(place, field, constant))
        curves[:, at] = scores if scores.ndim == 1 else scores[:, output]
    return Dependence(column, tuple(values), curves)


def _grid(column: Any) -> list[Any]:
    """Values of the column's own type, and None where some are missing."""
    missing = [None] if column.null_count else []
    present = column.drop_null()
    if not len(present):
        return missing
    if is_text(present.type):
        counts = present.value_counts().to_pylist()
        levels = sorted(counts, key=lambda one: (-one["counts"], str(one["values"])))
        return [one["values"] for one in levels[:POINTS]] + missing
    distinct: list[Any] = pc.unique(present).to_pylist()
    if len(distinct) <= POINTS:
        return sorted(distinct) + missing
    at = np.linspace(0.01, 0.99, POINTS).tolist()
    quantiles: list[Any] = pc.quantile(present, at, interpolation="nearest").to_pylist()
    return sorted(set(quantiles)) + missing
