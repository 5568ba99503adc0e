"""Labelled rows, on which models are fitted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nightjar.evaluation.rows import RowNumbers


@dataclass(frozen=True, eq=False)
class InnerSplit:
    """A split of training rows without leakage, for out-of-fold predictions.

    Attributes:
        train: ascending numbers of rows to fit on.
        test: ascending numbers of rows to predict.
        inner: splits of the rows in `train`, numbered within it, for models fitted on those alone that need out-of-fold
            predictions themselves.
    """

    train: RowNumbers
    test: RowNumbers
    inner: Sequence["InnerSplit"] = ()


@dataclass(frozen=True, eq=False)
class Examples:
    """Labelled rows, oldest first.

    Attributes:
        table: the features' columns, and maybe others, which are ignored.
        label: the outcome of each row: booleans (or 0 and 1) for a classification, the numbers of the classes where
            there are several, float64 otherwise.
        weight: how many rows each one stands for; None: one each.
        query: for ranking: the number of the list each row belongs to.
        inner: splits of these rows, for calibration, stacking, cross-fitted encodings and early stopping, which are
            refused where it is empty.
        classes: of several classes: their values, which the labels number from 0; otherwise none.
    """

    table: pa.Table
    label: npt.NDArray[Any]
    weight: npt.NDArray[np.float64] | None = None
    query: RowNumbers | None = None
    inner: Sequence[InnerSplit] = ()
    classes: tuple[str, ...] = ()

    def take(self, rows: RowNumbers) -> "Examples":
        """Some of the rows, without inner splits, whose row numbers would no longer be valid."""
        return Examples(
            self.table.take(rows),
            self.label[rows],
            None if self.weight is None else self.weight[rows],
            None if self.query is None else self.query[rows],
            classes=self.classes,
        )
