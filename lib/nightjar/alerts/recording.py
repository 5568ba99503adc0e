"""The table `alerts`, and the log, which is its first sink."""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from nightjar.settings.choices import Choice
from nightjar.tables import arrow
from nightjar.tables.serving_definitions import ALERTS
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.alerts")


class Severity(Choice):
    """How soon somebody should look: today, or at once, since scores that are served are affected."""

    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True)
class Alert:
    """Something that somebody should look at.

    Attributes:
        kind: what has happened, in one word, such as `fallback`.
        subject: what it is about: a role, a step or a model version.
        severity: how soon somebody should look.
        message: one or two sentences: what, where, and what to do.
        evidence: figures and reasons, as JSON can say them.
    """

    kind: str
    subject: str
    severity: Severity
    message: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


def alert_id(alert: Alert, project: str, run_date: date) -> str:
    """What names an alert: a rerun of its date names the same one."""
    parts = (project, alert.kind, alert.subject, run_date.isoformat())
    return hashlib.sha256("".join(f"{len(part)}:{part}" for part in parts).encode()).hexdigest()


def record(warehouse: Warehouse, alerts: Sequence[Alert], run_date: date, run_id: str) -> dict[str, int]:
    """Write alerts into the log and the table, in one commit; table -> its new version, empty without alerts."""
    if not alerts:
        return {}
    for alert in alerts:
        level = logging.ERROR if alert.severity is Severity.CRITICAL else logging.WARNING
        log.log(level, "%s of %s: %s", alert.kind, alert.subject, alert.message)
    now = datetime.now(UTC)
    rows = [
        {
            "alert_id": alert_id(alert, warehouse.project, run_date),
            "changed_at": now,
            "state": "new",
            "kind": alert.kind,
            "subject": alert.subject,
            "severity": alert.severity.value,
            "message": alert.message,
            "evidence": json.dumps(alert.evidence, allow_nan=False),
            "run_date": run_date,
            "run_id": run_id,
        }
        for alert in alerts
    ]
    return {ALERTS.name: arrow.append(warehouse, ALERTS, rows, run_id)}
