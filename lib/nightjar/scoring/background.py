"""Rows of past nights, beside which a model's scores are explained."""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.tables import arrow
from nightjar.tables.warehouse import Warehouse

NIGHTS, ROWS_OF_NIGHT = 28, 2_000
"""Nights up to the run date whose rows are taken, and how many of each at most."""


def recent_rows(
    warehouse: Warehouse, version: int, columns: Sequence[str], definitions_hash: str, run_date: date, enough: int
) -> list[pa.Table]:
    """Some rows of each of the newest nights up to the run date, the oldest night first, until there are enough.

    The same version gives the same rows.

    Args:
        warehouse: where the feature table lies.
        version: of that table, which the night is scored of.
        columns: of the feature table.
        definitions_hash: of the definitions that the rows were built with.
        run_date: the last night.
        enough: rows of all nights from which on no older night is looked at.
    """
    random = np.random.default_rng(0)
    nights, rows = list[pa.Table](), 0
    for night in (run_date - timedelta(days=back) for back in range(NIGHTS)):
        where = (pc.field("run_date") == night) & (pc.field("definitions_hash") == definitions_hash)
        table = arrow.sample(warehouse, "features", columns, where, ROWS_OF_NIGHT, random, version)
        if table.num_rows:
            nights.append(table)
        rows += table.num_rows
        if rows >= enough:
            break
    return nights[::-1]
