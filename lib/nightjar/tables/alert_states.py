"""How alerts stand on a night: of each the last change of its state, as the table `alerts` has them."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import pyarrow.compute as pc

from nightjar.tables import arrow
from nightjar.tables.serving_definitions import ALERTS
from nightjar.tables.warehouse import Warehouse

RESOLVED = "resolved"


def changes(warehouse: Warehouse, until: date) -> list[dict[str, Any]]:
    """All state changes of the nights up to one, in order: by night, and within a night as they were recorded.

    Columns that a table of an earlier Nightjar lacks are None; `first_seen` is then the run date.
    """
    if not arrow.exists(warehouse, ALERTS.name):
        return []
    rows = arrow.read(warehouse, ALERTS.name, where=pc.field("run_date") <= until).to_pylist()
    missing = dict.fromkeys(ALERTS.schema().names)
    complete = [missing | row | {"first_seen": row.get("first_seen") or row["run_date"]} for row in rows]
    return sorted(complete, key=lambda row: (row["run_date"], row["changed_at"], row["alert_id"]))


def latest(rows: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Alert -> its last change, of changes in order."""
    return {row["alert_id"]: row for row in rows}


def open_alerts(warehouse: Warehouse, run_date: date) -> list[dict[str, Any]]:
    """The alerts that are not resolved on a night, critical ones first, and of those the oldest: a row each."""
    rows = [dict(row) for row in latest(changes(warehouse, run_date)).values() if row["state"] != RESOLVED]
    return sorted(rows, key=lambda row: (row["severity"] != "critical", row["first_seen"], row["kind"], row["subject"]))
