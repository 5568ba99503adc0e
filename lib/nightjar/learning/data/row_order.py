"""A pseudo-random order of rows, the same in every run."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nightjar.tables.hashing import xxhash64

RowOrder = npt.NDArray[np.uint64]


def row_order(key: pa.Table, purpose: str, seed: int) -> RowOrder:
    """A hash of each row's key: the rows with the least numbers are a random sample.

    A row has the same number in every run, fold and night, whatever the other rows.

    Args:
        key: the columns that name a row.
        purpose: what the order is for: samples for other purposes are independent.
        seed: of the order.
    """
    salt: Sequence[pa.Array[Any]] = [pa.repeat(pa.scalar(value), len(key)) for value in (purpose, seed)]
    return xxhash64([*salt, *(column.combine_chunks() for column in key.itercolumns())])
