"""Groups of rows with the same values in some columns."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def codes(table: pa.Table, names: Sequence[str]) -> npt.NDArray[np.intp]:
    """The number of each row's group: rows with the same values in these columns; null is a value of its own."""
    numbers = np.zeros(table.num_rows, np.intp)
    for name in names:
        values: Any = table[name].combine_chunks().dictionary_encode(null_encoding="encode")
        both = numbers * max(len(values.dictionary), 1) + values.indices.to_numpy()
        numbers = np.unique(both, return_inverse=True)[1]
    return numbers


Values = tuple[str | None, ...]


def values(table: pa.Table, names: Sequence[str]) -> tuple[npt.NDArray[np.intp], list[Values]]:
    """The number of each row's group, as `codes` gives it, and the values of each group as texts; None is null."""
    numbers = codes(table, names)
    first = np.unique(numbers, return_index=True)[1]
    columns: list[list[Any]] = [table[name].take(first).to_pylist() for name in names]
    texts = [[None if value is None else str(value) for value in column] for column in columns]
    return numbers, list(zip(*texts, strict=True))
