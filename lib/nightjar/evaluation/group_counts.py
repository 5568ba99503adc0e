"""Counts of columns by groups of rows: of each night, or of each value of a slice; and of numbers that are none."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.evaluation.histograms import ArrowColumn, Bins, Counts, bin_numbers

Numbers: TypeAlias = npt.NDArray[np.integer[Any]]
SPECIAL = ("nan", "minus infinity", "infinity")
"""What `special_numbers` counts, in this order."""


def count_by_group(bins: Bins, column: ArrowColumn, group: Numbers, groups: int) -> Counts:
    """The rows of each group in each bin, (groups, bins.size), in the layout of `histograms`.

    Args:
        bins: of the column.
        column: its values.
        group: the number of each row's group, from 0; rows with other numbers are not counted.
        groups: how many there are.

    Raises:
        LearningError: the column is of another kind than the bins.

    Example:
        >>> bins = Bins("categorical", levels=("a", "b"))
        >>> count_by_group(bins, pa.array(["a", "b", None, "a"]), np.array([0, 1, 1, 1]), 2).tolist()
        [[0, 1, 0, 0], [1, 1, 1, 0]]
    """
    return count_numbers(bin_numbers(bins, column), bins.size, group, groups)


def count_numbers(numbers: Numbers, size: int, group: Numbers, groups: int) -> Counts:
    """As `count_by_group`, of rows whose places in the counts are known: those of `histograms.bin_numbers`."""
    places = group * size + numbers
    if len(group) and (group.min() < 0 or group.max() >= groups):
        places = places[(group >= 0) & (group < groups)]
    return np.bincount(places, minlength=groups * size).astype(np.int64).reshape(groups, size)


def special_numbers(column: ArrowColumn) -> Counts | None:
    """The rows with NaN, minus infinity and infinity, see `SPECIAL`; None: a column of this type has no such numbers.

    Example:
        >>> special_numbers(pa.array([1.0, float("nan"), None, float("-inf")])).tolist()
        [1, 1, 0]
    """
    if not pa.types.is_floating(column.type):
        return None
    unusual = column.filter(pc.invert(pc.is_finite(column)))  # nulls are neither, and go
    values = np.asarray(unusual.cast(pa.float64()).to_numpy(), np.float64)
    return np.array([np.isnan(values).sum(), (values == -np.inf).sum(), (values == np.inf).sum()], np.int64)


def text_lengths(column: ArrowColumn) -> ArrowColumn:
    """The number of characters of each text, as Unicode counts them; null stays null.

    Example:
        >>> text_lengths(pa.array(["a", "", None, "für"])).to_pylist()
        [1, 0, None, 3]
    """
    plain: Any = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
    lengths: ArrowColumn = pc.utf8_length(plain.cast(pa.large_string()))
    return lengths
