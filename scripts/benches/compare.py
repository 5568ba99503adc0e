"""Whether two stored results are the same: same rows, same values."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from cases import Case
from deltalake import DeltaTable

TOLERANCE = 1e-9  # of sums and what is made from them: engines add in different orders


def read(path: str, case: Case) -> pa.Table:
    """A stored result, Delta or Parquet, in the order of `spine_id`.

    Raises:
        ValueError: it lacks a column.
    """
    is_delta = (Path(path) / "_delta_log").exists()
    stored = DeltaTable(path).to_pyarrow_dataset() if is_delta else ds.dataset(path)
    wanted = [*case.spine_columns, *case.features]
    if missing := sorted(set(wanted) - set(stored.schema.names)):
        raise ValueError(f"the result at {path} lacks the columns {', '.join(missing)}; it has {stored.schema.names}")
    return stored.to_table(columns=wanted).sort_by("spine_id").combine_chunks()


def difference(expected: pa.Table, found: pa.Table, case: Case) -> str | None:
    """The first difference in words; None where there is none.

    What comes from the spine and the latest values have to be equal, aggregates over windows nearly so.
    """
    if len(found) != len(expected):
        return f"{len(found):,} rows, expected {len(expected):,}"
    for name in found.column_names:
        tolerance = TOLERANCE if case.windows and name in case.features else 0.0
        unequal = np.flatnonzero(~_same(_plain(expected[name]), _plain(found[name]), tolerance))
        if unequal.size:
            row = int(unequal[0])
            where = f"spine_id {expected['spine_id'][row]}"
            return (
                f"{name} differs in {unequal.size:,} rows, first at {where}: "
                f"found {found[name][row]}, expected {expected[name][row]}"
            )
    return None


def _same(expected: pa.ChunkedArray, found: pa.ChunkedArray, tolerance: float) -> np.ndarray:
    nulls, values = (np.asarray(pc.is_null(column)) for column in (expected, found)), (expected, found)
    expected_null, found_null = nulls
    left, right = (np.asarray(pc.fill_null(column, 0)) for column in values)
    equal = np.isclose(right, left, rtol=tolerance, atol=tolerance) if tolerance else left == right
    return (expected_null == found_null) & (equal | expected_null)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Instants as microseconds: engines name their zone differently."""
    is_instant = pa.types.is_timestamp(column.type)
    return column.cast(pa.timestamp("us")).cast(pa.int64()) if is_instant else column
