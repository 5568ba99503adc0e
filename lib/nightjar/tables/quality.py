"""The table `quality`: checks on a night's sources, written by ingest and read by later steps."""

from datetime import date
from typing import Any

import pyarrow.compute as pc

from nightjar.tables import arrow, opening
from nightjar.tables.source_definitions import QUALITY
from nightjar.tables.warehouse import Warehouse

ARRIVED = "arrived"
"""The check that counts the facts which became known since the previous run; it passes, or warns."""
PASS, WARN = "pass", "warn"
GATE = "gate "
"""What the names of gates begin with, so that they are those of no count and no other check."""
REPAIR = "repair "
"""What the names of counts of repaired values begin with."""
NEW_COLUMNS = "new columns"
"""The check whose message names the columns of a source that nobody declares and that no night before has seen."""
REFUSED, LEARNING = "refused", "learning"
"""Further outcomes of gates: rows were refused, or there is too little history to judge by."""


def warnings(warehouse: Warehouse, run_date: date) -> dict[str, str]:
    """Source -> what was wrong with its new facts, for the sources that the night went on with all the same."""
    rows = _read_warnings(warehouse, ["source", "check", "message"], pc.field("run_date") == run_date)
    messages: dict[str, list[str]] = {}
    for row in sorted(rows, key=lambda row: str(row["check"])):
        messages.setdefault(str(row["source"]), []).append(str(row["message"]))
    return {source: "; ".join(of_source) for source, of_source in messages.items()}


def nights_with_warnings(warehouse: Warehouse, source: str) -> set[date]:
    """The run dates that went on although the source had too few new facts."""
    where = (pc.field("source") == source) & (pc.field("check") == ARRIVED)
    return {row["run_date"] for row in _read_warnings(warehouse, ["run_date"], where)}


def _read_warnings(warehouse: Warehouse, columns: list[str], where: pc.Expression) -> list[dict[str, Any]]:
    delta_table = opening.find(warehouse, QUALITY.name)
    if (
        delta_table is None or "status" not in opening.schema_of(delta_table).names
    ):  # no ingest since the column was defined
        return []
    rows = arrow.read(warehouse, QUALITY.name, columns, where & (pc.field("status") == WARN))
    return rows.to_pylist()
