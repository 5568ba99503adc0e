"""What the commits of a Delta table say of themselves, read from its log.

delta-rs's own `history` gives the commits of an older version wrong numbers.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from nightjar.errors import TableError
from nightjar.tables import storage
from nightjar.tables.warehouse import Warehouse

REARRANGED = "rearranged"
"""Said by commits that keep every row and change only the files they lie in."""
UPKEEP = ("OPTIMIZE", "VACUUM START", "VACUUM END")


def committed_at(warehouse: Warehouse, table: str, version: int) -> datetime:
    """When a version was committed, by the clock of who did.

    Raises:
        TableError: the log does not reach back to it.
    """
    said = _said(warehouse, table, version)
    if said is None:
        raise TableError(f"Delta table {table} at {warehouse.path(table)} has no version {version} any more.")
    return datetime.fromtimestamp(said["timestamp"] / 1000, UTC)


def same_rows(warehouse: Warehouse, table: str, one: int, other: int) -> bool:
    """Whether two versions of a table hold the same rows, because all commits between them are upkeep."""
    first, last = sorted((one, other))
    between = (_said(warehouse, table, version) for version in range(first + 1, last + 1))
    return all(said is not None and (said["operation"] in UPKEEP or REARRANGED in said) for said in between)


def _said(warehouse: Warehouse, table: str, version: int) -> Mapping[str, Any] | None:
    files = storage.folder(warehouse.path(table))
    try:
        with files.open_input_stream(f"_delta_log/{version:020}.json") as log:
            entries = [json.loads(line) for line in log.read().splitlines()]
    except FileNotFoundError:
        return None
    return next((entry["commitInfo"] for entry in entries if "commitInfo" in entry), None)
