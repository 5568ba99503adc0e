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
