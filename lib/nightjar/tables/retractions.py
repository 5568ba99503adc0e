"""Nights that are served no more: the decisions of the table `retractions`, of which each night's last one holds."""

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from nightjar.tables import arrow
from nightjar.tables.serving_definitions import RETRACTIONS
from nightjar.tables.warehouse import Warehouse

RETRACT, SERVE = "retract", "serve"


@dataclass(frozen=True)
class Retraction:
    """Why a night is not served, who said so, on whose behalf, and when."""

    reason: str
    user: str
    by: str | None
    recorded_at: datetime

    def __str__(self) -> str:
        """As a sentence goes on after `is retracted since`."""
        behalf = "" if self.by is None else f" on behalf of {self.by}"
        return f"{self.recorded_at:%Y-%m-%d %H:%M} UTC by {self.user}{behalf}: {self.reason}"


def retracted(warehouse: Warehouse) -> dict[date, Retraction]:
    """The nights that are retracted, and why."""
    if not arrow.exists(warehouse, RETRACTIONS.name):
        return {}
    nights: dict[date, Retraction] = {}
    for row in arrow.read(warehouse, RETRACTIONS.name).sort_by("recorded_at").to_pylist():
        if row["action"] == RETRACT:
            nights[row["run_date"]] = Retraction(row["reason"], row["user"], row["by"], row["recorded_at"])
        else:
            nights.pop(row["run_date"], None)
    return nights


def record(
    warehouse: Warehouse,
    night: date,
    action: str,
    run_id: str,
    reason: str | None = None,
    user: str | None = None,
    by: str | None = None,
) -> int:
    """Record a decision about a night; the table's new version."""
    row: dict[str, Any] = {
        "retraction_id": uuid.uuid4().hex,
        "run_date": night,
        "action": action,
        "reason": reason,
        "user": user,
        "by": by,
        "recorded_at": datetime.now(UTC),
        "run_id": run_id,
    }
    return arrow.append(warehouse, RETRACTIONS, [row], run_id)
