"""The alerts that are open as of a night, and those that were closed on it: the last state of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow.compute as pc

from nightjar.report.reading import PinnedTables

_COLUMNS = ("alert_id", "changed_at", "state", "kind", "subject", "severity", "message", "run_date")
_OPTIONAL = ("owner", "first_seen", "until", "by", "reason", "runbook", "command")
"""Columns that tables of an earlier Nightjar lack."""
RESOLVED = "resolved"
_URGENCY = ("critical", "warning")
_QUIET = ("acknowledged", "snoozed", "flapping", RESOLVED)


@dataclass(frozen=True)
class ShownAlert:
    """The last state of an alert; see the table `alerts`.

    Attributes:
        night: the night of that state.
        first_seen: the night on which it was new.
        more: what else is recorded, by name.
    """

    alert_id: str
    state: str
    kind: str
    subject: str
    severity: str
    message: str
    changed_at: datetime
    night: date
    first_seen: date
    more: Mapping[str, Any]

    @property
    def is_marked(self) -> bool:
        """Whether somebody is still to see to it."""
        return self.state not in _QUIET


def read_alerts(tables: PinnedTables) -> list[ShownAlert]:
    """Those that are open, and those of the night; the most urgent first."""
    there = [name for name in _OPTIONAL if name in tables.columns("alerts")]
    rows = tables.rows("alerts", [*_COLUMNS, *there], pc.field("run_date") <= tables.run_date)
    of_alerts: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: (row["changed_at"], row["run_date"])):
        of_alerts.setdefault(row["alert_id"], []).append(row)
    shown = [_shown(changes, there) for changes in of_alerts.values()]
    current = [one for one in shown if one.state != RESOLVED or one.night == tables.run_date]
    return sorted(current, key=_place)


def _place(alert: ShownAlert) -> tuple[Any, ...]:
    urgency = _URGENCY.index(alert.severity) if alert.severity in _URGENCY else len(_URGENCY)
    return not alert.is_marked, alert.state == RESOLVED, urgency, alert.first_seen, alert.kind, alert.subject


def _shown(changes: list[dict[str, Any]], there: list[str]) -> ShownAlert:
    last = changes[-1]
    more = {name: last[name] for name in there if last[name] is not None}
    first = more.pop("first_seen", None) or min(row["run_date"] for row in changes)
    text = {name: str(last[name] or "") for name in _COLUMNS}
    return ShownAlert(
        alert_id=text["alert_id"],
        state=text["state"],
        kind=text["kind"],
        subject=text["subject"],
        severity=text["severity"],
        message=text["message"],
        changed_at=last["changed_at"],
        night=last["run_date"],
        first_seen=first,
        more=more,
    )
