"""How references are stored: a row for each histogram, and for each night of it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from nightjar.tables import arrow
from nightjar.tables.monitoring_definitions import REFERENCES
from nightjar.tables.warehouse import Warehouse

NIGHTS = "nights"
"""Key of a histogram: dates, and counts of each."""


def store(warehouse: Warehouse, entries: Sequence[dict[str, Any]], version: str, run_id: str) -> int:
    """Append the histograms of a registered version.

    Returns:
        The new version of `references`.
    """
    schema = pa.schema([field.remove_metadata() for field in REFERENCES.schema()])
    plain = [{name: value for name, value in one.items() if name != NIGHTS} for one in entries]
    counted = [(one["column"], one[NIGHTS]) for one in entries if NIGHTS in one]
    nights = [_nights(column, dates, counts, schema) for column, (dates, counts) in counted]
    rows = pa.concat_tables([pa.Table.from_pylist(plain, schema=schema), *nights])
    for name, value in (("model_version", version), ("run_id", run_id)):
        column = pa.repeat(pa.scalar(value, pa.string()), len(rows))
        rows = rows.set_column(rows.schema.get_field_index(name), name, column)
    return arrow.append(warehouse, REFERENCES, rows, run_id)


def _nights(column: str, dates: Any, counts: Any, schema: pa.Schema) -> pa.Table:
    """The rows of a column's nights, without a detour through Python's lists: there may be a million."""
    ends = np.arange(len(dates) + 1, dtype=np.int32) * counts.shape[1]
    columns = {
        "column": pa.repeat(pa.scalar(column), len(dates)),
        "night": pa.array(dates.astype("datetime64[D]")),
        "counts": pa.ListArray.from_arrays(pa.array(ends), pa.array(counts.ravel(), pa.int64())),
    }
    rows = pa.table({field.name: columns.get(field.name, pa.nulls(len(dates), field.type)) for field in schema})
    return rows.cast(schema)
