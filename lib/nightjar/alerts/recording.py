"""What jobs raise as they run: into the table `alerts`, and the log, which is its first sink."""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from nightjar.alerts import runbook
from nightjar.alerts.lifecycle import ACKNOWLEDGED, NEW, ONGOING, SNOOZED
from nightjar.settings.monitoring.alerting import Severity
from nightjar.tables import alert_states, arrow
from nightjar.tables.serving_definitions import ALERTS
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.alerts")
STOPPED, SINK = "stopped", "sink"
"""Kinds of alerts: a step of a night has failed; a sink does not take word of them."""
OF_SIGNALS = "monitor"
"""What `alerts.job` says of rows that follow from signals."""


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


def alert_id(project: str, kind: str, subject: str, first_seen: date) -> str:
    """What names an alert, from the first night of which it was so until it is resolved; a rerun names the same one."""
    parts = (project, kind, subject, first_seen.isoformat())
    return hashlib.sha256("".join(f"{len(part)}:{part}" for part in parts).encode()).hexdigest()


def record(warehouse: Warehouse, alerts: Sequence[Alert], run_date: date, run_id: str) -> dict[str, int]:
    """Write alerts into the log and the table, in one commit; table -> its new version, empty without alerts.

    What an earlier night has raised, and nobody has resolved, goes on under its name.
    """
    if not alerts:
        return {}
    for alert in alerts:
        level = logging.ERROR if alert.severity is Severity.CRITICAL else logging.WARNING
        log.log(level, "%s of %s: %s", alert.kind, alert.subject, alert.message)
    open_before = _open_before(warehouse, run_date)
    now = datetime.now(UTC)
    rows = [
        {
            "alert_id": alert_id(warehouse.project, alert.kind, alert.subject, first),
            "changed_at": now,
            **_state(open_before.get((alert.kind, alert.subject)), run_date),
            "kind": alert.kind,
            "subject": alert.subject,
            "severity": alert.severity.value,
            "message": alert.message,
            "evidence": json.dumps(alert.evidence, allow_nan=False),
            "first_seen": first,
            "runbook": runbook.place(alert.kind),
            "run_date": run_date,
            "run_id": run_id,
        }
        for alert in alerts
        for first in [open_before.get((alert.kind, alert.subject), {}).get("first_seen", run_date)]
    ]
    return {ALERTS.name: arrow.append(warehouse, ALERTS, rows, run_id)}


def _open_before(warehouse: Warehouse, run_date: date) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Kind and subject -> the last row of the alert, of those that were open before a night."""
    before = alert_states.latest(alert_states.changes(warehouse, run_date - timedelta(days=1))).values()
    return {(row["kind"], row["subject"]): row for row in before if row["state"] != alert_states.RESOLVED}


def _state(before: Mapping[str, Any] | None, run_date: date) -> dict[str, Any]:
    """State and `until` of an alert that a job raises: what somebody has done with it still holds."""
    if before is None:
        return {"state": NEW}
    sleeps = before["state"] == SNOOZED and before["until"] > run_date
    if sleeps or before["state"] == ACKNOWLEDGED:
        return {"state": before["state"], "until": before["until"]}
    return {"state": ONGOING}
