"""The job of alerts: list them, record what somebody does with one, or try the sinks."""

import logging
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from nightjar.alerts import acting
from nightjar.alerts.lifecycle import ACKNOWLEDGED, NEW, RESOLVED, SNOOZED
from nightjar.alerts.sinks.sending import SinkError, send
from nightjar.alerts.word import Word
from nightjar.errors import TableError, UsageError
from nightjar.pipeline.deciding import user
from nightjar.pipeline.execution import Context, optional_date
from nightjar.settings.alerts import ACTS, AlertAction, Alerts, Shown
from nightjar.settings.jobs import JobName
from nightjar.settings.monitoring.alerting import Severity, SinkKind
from nightjar.tables import alert_states, runs
from nightjar.tables.runs import Outcome, Run
from nightjar.tables.serving_definitions import ALERTS

log = logging.getLogger("nightjar.alerts")
STATES = {AlertAction.ACKNOWLEDGE: ACKNOWLEDGED, AlertAction.SNOOZE: SNOOZED, AlertAction.RESOLVE: RESOLVED}
SHOWN_OF_ID = 12


def run(context: Context) -> None:
    """Do what the settings' action says."""
    settings = context.settings
    if not isinstance(settings, Alerts):
        raise UsageError("the job alerts needs its own configuration")
    if settings.action is AlertAction.TEST:
        _test(context)
        return
    run_date = optional_date(settings.run_date) or _newest(context)
    if settings.action in ACTS:
        _act(context, settings, run_date)
    _list(context, settings, run_date)


def _newest(context: Context) -> date:
    """The newest night of which there are alerts; without any, a date before all."""
    return max((row["run_date"] for row in alert_states.changes(context.warehouse, date.max)), default=date.min)


def _act(context: Context, settings: Alerts, run_date: date) -> None:
    started, clock, run_id = datetime.now(UTC), time.monotonic(), uuid.uuid4().hex
    by = user() if settings.by is None else f"{settings.by} (as {user()})"
    one = acting.Act(
        str(settings.alert), STATES[settings.action], by, str(settings.reason), optional_date(settings.until)
    )
    alert, version = acting.act(context.warehouse, one, run_date, run_id)
    log.info("alert %s is %s by %s: %s", alert[:SHOWN_OF_ID], one.state, by, one.reason)
    outcome = Outcome(outputs={ALERTS.name: version}, rows={f"{one.state} alerts": 1})
    runs.record(
        context.warehouse,
        Run(
            run_id,
            JobName.ALERTS.value,
            run_date,
            "done",
            None,
            context.code_revision,
            context.config_hash,
            started,
            time.monotonic() - clock,
            outcome,
        ),
    )


def _list(context: Context, settings: Alerts, run_date: date) -> None:
    if settings.show is Shown.OPEN:
        rows = alert_states.open_alerts(context.warehouse, run_date)
    else:
        rows = [dict(row) for row in alert_states.latest(alert_states.changes(context.warehouse, run_date)).values()]
    console = Console(width=max(150, Console().width))
    if not rows:
        console.print(
            f"No alert of {context.settings.project.name} is {'open' if settings.show is Shown.OPEN else 'known'}."
        )
        return
    title = f"{len(rows)} alerts ({settings.show}) of {context.settings.project.name} as of the night of {run_date}"
    table = Table(title=title, title_justify="left")
    for column in ("id", "state", "severity", "what", "since", "owner", "message and next step"):
        table.add_column(column, no_wrap=column == "id", overflow="fold")
    for row in rows:
        table.add_row(*(Text(text) for text in _cells(row)))
    console.print(table)


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    state = row["state"] if row["until"] is None else f"{row['state']} until {row['until']}"
    state = f"{state} by {row['by']}: {row['reason']}" if row["by"] else state
    nexts = f"\n{row['command']}" if row["command"] else ""
    what = f"{row['kind']} of {row['subject']}"
    since, owner = str(row["first_seen"]), row["owner"] or ""
    return (row["alert_id"][:SHOWN_OF_ID], state, row["severity"], what, since, owner, f"{row['message']}{nexts}")


def _test(context: Context) -> None:
    """Send word of an alert that is none to every sink, whatever its severity.

    Raises:
        UsageError: there is none.
        TableError: one does not take it.
    """
    project, now = context.settings.project, datetime.now(UTC).date()
    sinks = {
        name: one for name, one in project.monitoring.alerting.sinks.items() if one.kind is not SinkKind.PROMETHEUS
    }
    if not sinks:
        raise UsageError("project.monitoring.alerting.sinks: there is none that word is sent to; expected one at least")
    message = "This is a test of Nightjar's sinks: nothing has happened."
    word = Word(project.name, uuid.uuid4().hex, NEW, "test", "sinks", Severity.WARNING.value, message, now, now)
    problems = []
    for name, sink in sinks.items():
        try:
            send(sink, [word])
            log.info("sink %s takes word of alerts", name)
        except SinkError as error:
            problems.append(f"{name}: {error}")
    if problems:
        raise TableError(f"Sinks do not take word of alerts: {'; '.join(problems)}. Nothing was written.")
