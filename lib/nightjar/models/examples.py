"""Labelled rows: what a model is fitted on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Examples:
    """Labelled rows, oldest first.

    Attributes:
        table: the features' columns, and maybe others, which are ignored.
        label: the outcome of each row: booleans (or 0 and 1) for a classification, float64 otherwise.
        weight: how many rows each one stands for; None: one each.
        query: for ranking: the number of the list each row belongs to.
        inner: (train, test) row numbers among these rows: honest splits for what learns from out-of-fold predictions
            (calibration, stacking, cross-fitted encodings). Empty: there are none, and what needs them is refused.
    """

    table: pa.Table
    label: npt.NDArray[Any]
    weight: npt.NDArray[np.float64] | None = None
    query: Rows | None = None
    inner: Sequence[tuple[Rows, Rows]] = ()

    def take(self, rows: Rows) -> "Examples":
        """Some of the rows, without inner splits: their numbers would no longer hold."""
        return Examples(
            self.table.take(rows),
            self.label[rows],
            None if self.weight is None else self.weight[rows],
            None if self.query is None else self.query[rows],
        )
