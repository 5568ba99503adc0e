"""What `quality` says of the sources of a night: written by ingest, asked by later steps."""

from datetime import date
from typing import Any

import pyarrow.compute as pc

from nightjar.tables import arrow, opening
from nightjar.tables.definitions import QUALITY
from nightjar.tables.warehouse import Warehouse

ARRIVED = "arrived"
"""The check that counts the facts which became known since the run before; it passes, or warns."""
PASS, WARN = "pass", "warn"


def warned(warehouse: Warehouse, run_date: date) -> dict[str, str]:
    """Source -> what was amiss with what it brought, for the sources with which the night went on all the same."""
    where = pc.field("run_date") == run_date
    return {str(row["source"]): str(row["message"]) for row in _warnings(warehouse, ["source", "message"], where)}


def nights_warned(warehouse: Warehouse, source: str) -> set[date]:
    """The run dates to which the source brought too little, and that went on all the same."""
    return {row["run_date"] for row in _warnings(warehouse, ["run_date"], pc.field("source") == source)}


def _warnings(warehouse: Warehouse, columns: list[str], where: pc.Expression) -> list[dict[str, Any]]:
    stored = opening.found(warehouse, QUALITY.name)
    if stored is None or "status" not in opening.schema_of(stored).names:  # no ingest since the column was defined
        return []
    rows = arrow.read(warehouse, QUALITY.name, columns, where & (pc.field("status") == WARN))
    return rows.to_pylist()
