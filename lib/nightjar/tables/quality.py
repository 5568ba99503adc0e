"""The table `quality`: checks on a night's sources, written by ingest and read by later steps."""

from datetime import date
from typing import Any

import pyarrow.compute as pc

from nightjar.tables import arrow, opening
from nightjar.tables.definitions import QUALITY
from nightjar.tables.warehouse import Warehouse

ARRIVED = "arrived"
"""The check that counts the facts which became known since the previous run; it passes, or warns."""
PASS, WARN = "pass", "warn"


def warnings(warehouse: Warehouse, run_date: date) -> dict[str, str]:
    """Source -> what was wrong with its new facts, for the sources that the night went on with all the same."""
    where = pc.field("run_date") == run_date
    return {str(row["source"]): str(row["message"]) for row in _read_warnings(warehouse, ["source", "message"], where)}


def nights_with_warnings(warehouse: Warehouse, source: str) -> set[date]:
    """The run dates that went on although the source had too few new facts."""
    return {row["run_date"] for row in _read_warnings(warehouse, ["run_date"], pc.field("source") == source)}


def _read_warnings(warehouse: Warehouse, columns: list[str], where: pc.Expression) -> list[dict[str, Any]]:
    delta_table = opening.find(warehouse, QUALITY.name)
    if (
        delta_table is None or "status" not in opening.schema_of(delta_table).names
    ):  # no ingest since the column was defined
        return []
    rows = arrow.read(warehouse, QUALITY.name, columns, where & (pc.field("status") == WARN))
    return rows.to_pylist()
