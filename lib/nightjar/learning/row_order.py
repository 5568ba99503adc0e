"""An order of rows that is as good as random, and the same in every run."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nightjar.tables.hashing import xxhash64

RowOrder = npt.NDArray[np.uint64]


def row_order(key: pa.Table, purpose: str, seed: int) -> RowOrder:
    """A number for each row, made from its key by a hash: the rows with the least ones are a random sample.

    Neither the other rows nor their order play a part: a row has its number in every run, fold and night.

    Args:
        key: the columns that name a row.
        purpose: what the order is for: samples for other purposes are independent.
        seed: another one gives another order.
    """
    salt: Sequence[pa.Array[Any]] = [pa.repeat(pa.scalar(value), len(key)) for value in (purpose, seed)]
    return xxhash64([*salt, *(column.combine_chunks() for column in key.itercolumns())])
