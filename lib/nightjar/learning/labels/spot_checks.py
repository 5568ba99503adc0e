"""A random list of rows for a person to check their labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.errors import LearningError
from nightjar.learning.data.row_order import row_order

PURPOSE = "spot check"
_ORDER = "_order"


def spot_checks(rows: pa.Table, key: Sequence[str], label: str, of_each: int, seed: int) -> pa.Table:
    """A random sample of the rows of each label, null among them, in all their columns; the key and the label first.

    The same rows give the same list in every run, whatever their order; with further rows most of the list stays.

    Args:
        rows: the key, the label, and the columns that a person needs to judge it.
        key: the columns that name a row.
        label: the column with the label.
        of_each: how many rows of each label, or all where there are fewer.
        seed: another one gives another list.

    Raises:
        LearningError: a column is not there.
    """
    missing = [name for name in (*key, label) if name not in rows.column_names]
    if missing:
        raise LearningError(f"Rows to check have no column {', '.join(missing)}; there are {rows.column_names}.")
    order = row_order(rows.select(list(key)), PURPOSE, seed)
    numbered = rows.append_column(_ORDER, pa.array(order))
    ranked = numbered.sort_by([(label, "ascending"), (_ORDER, "ascending")])
    encoded: Any = pc.dictionary_encode(ranked[label].combine_chunks(), null_encoding="encode")
    codes = encoded.indices.to_numpy()
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    rank = np.arange(len(codes)) - np.repeat(starts, np.diff(starts, append=len(codes)))
    others = [name for name in rows.column_names if name not in (*key, label)]
    return ranked.filter(pa.array(rank < of_each)).select([*key, label, *others])
