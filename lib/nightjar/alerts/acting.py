"""What people do with an alert: acknowledge, snooze, resolve it; each is a row of the table `alerts`."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from nightjar.errors import UsageError
from nightjar.tables import alert_states, arrow
from nightjar.tables.serving_definitions import ALERTS
from nightjar.tables.warehouse import Warehouse


@dataclass(frozen=True)
class Act:
    """What somebody does.

    Attributes:
        alert: the alert's id, or how it begins.
        state: into which it changes: `acknowledged`, `snoozed` or `resolved`.
        by: who.
        reason: why.
        until: of `snoozed`: the night from which on there is word of it again.
    """

    alert: str
    state: str
    by: str
    reason: str
    until: date | None = None


def act(warehouse: Warehouse, one: Act, run_date: date, run_id: str) -> tuple[str, int]:
    """Record it, as of a night; the alert's whole id, and the table's new version.

    Raises:
        UsageError: no open alert of the night has this id, or several begin with it, or it is snoozed to a night that
            has passed. Nothing was written.
    """
    rows = [row for row in alert_states.open_alerts(warehouse, run_date) if row["alert_id"].startswith(one.alert)]
    if len(rows) != 1:
        ids = ", ".join(row["alert_id"][:12] for row in rows[:3])
        what = f"several do: {ids}; give more of it" if rows else "none does; action=list shows them"
        raise UsageError(
            f"alert={one.alert}: one alert that is open on {run_date} was expected to begin so, but {what}. "
            "Nothing was written."
        )
    if one.until is not None and one.until <= run_date:
        raise UsageError(f"until={one.until}: expected a night after run_date={run_date}. Nothing was written.")
    changed = {
        "state": one.state,
        "changed_at": datetime.now(UTC),
        "until": one.until,
        "by": one.by,
        "reason": one.reason,
        "job": None,
        "run_date": run_date,
        "run_id": run_id,
    }
    return rows[0]["alert_id"], arrow.append(warehouse, ALERTS, [rows[0] | changed], run_id)
