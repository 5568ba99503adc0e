"""Alerts of a night as they follow from its signals and those before, and from what jobs have raised.

The rows of a night are replaced by a rerun; when each was first recorded stays, so that word of it is sent once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow.compute as pc

from nightjar.alerts import runbook
from nightjar.alerts.lifecycle import QUIET, RESOLVED, Change, Look, advance
from nightjar.alerts.recording import OF_SIGNALS, SINK, STOPPED, alert_id
from nightjar.settings.monitoring.alerting import Alerting, Severity
from nightjar.tables import alert_states, arrow
from nightjar.tables.monitoring_definitions import SIGNALS
from nightjar.tables.runs import Outcome
from nightjar.tables.serving_definitions import ALERTS
from nightjar.tables.warehouse import Warehouse

Thing = tuple[str, str]
"""Kind and subject."""
OF_SYSTEM = ("jobs", "schema", "upstream", "data", "feedback")
"""Kinds of signals that chance alone does not show: one night is enough, and of the first four UNKNOWN is one, too."""
REPEATED = "alert: "
"""How the subject of a signal begins that repeats an alert of a job."""
BESIDE = 14
"""Nights that are read beside those that settings count, for some of which nobody could say."""
SEVERITIES = {"watch": Severity.WARNING, "act": Severity.CRITICAL}


@dataclass(frozen=True)
class _Night:
    """What is read of a night: the nights up to it, what each said of a thing, and what has changed about it before."""

    run_date: date
    nights: Sequence[date]
    signals_of: Mapping[Thing, Mapping[date, Mapping[str, Any]]]
    past: Mapping[Thing, Sequence[Mapping[str, Any]]]


def follow(warehouse: Warehouse, settings: Alerting, run_date: date, run_id: str) -> Outcome:
    """Replace the night's changes of alerts by what follows from its signals, which are stored already.

    Args:
        warehouse: where tables lie.
        settings: how many nights it takes.
        run_date: the night.
        run_id: of this run.
    """
    every = alert_states.changes(warehouse, run_date)
    before = [row for row in every if row["run_date"] == run_date and row["job"] == OF_SIGNALS]
    others = [row for row in every if row["run_date"] != run_date or row["job"] != OF_SIGNALS]
    night = _read(warehouse, settings, run_date, [row for row in others if row["run_date"] < run_date])
    rows = [*_of_signals(warehouse.project, night, settings), *_of_jobs(warehouse.project, night, settings, others)]
    recorded = {_identity(row): row["changed_at"] for row in before}
    now = datetime.now(UTC)
    for row in rows:
        row |= {"changed_at": recorded.get(_identity(row), now), "run_id": run_id}
    if _content(rows) == _content(before):
        return Outcome()
    version = arrow.replace(warehouse, ALERTS, rows, {"run_date": run_date, "job": OF_SIGNALS}, run_id)
    return Outcome(outputs={ALERTS.name: version}, rows={"changes of alerts": len(rows)})


def _read(warehouse: Warehouse, settings: Alerting, run_date: date, past: Iterable[Mapping[str, Any]]) -> _Night:
    counted = max(settings.act_nights, settings.watch_nights, settings.clear_nights + QUIET)
    first = run_date - timedelta(days=counted + BESIDE)
    columns = ["kind", "subject", "state", "sentence", "command", "evidence", "run_date"]
    of_nights = (pc.field("run_date") >= first) & (pc.field("run_date") <= run_date)
    signals_of: dict[Thing, dict[date, Mapping[str, Any]]] = {}
    nights = set[date]()
    for row in arrow.read(warehouse, SIGNALS.name, columns, of_nights).to_pylist():
        nights.add(row["run_date"])
        signals_of.setdefault((row["kind"], row["subject"]), {})[row["run_date"]] = row
    return _Night(run_date, sorted(nights | {run_date}), signals_of, _by_thing(past))


def _of_signals(project: str, night: _Night, settings: Alerting) -> Iterator[dict[str, Any]]:
    """The changes that follow from signals."""
    follows = {thing for thing, rows in night.past.items() if _is_of_signals(rows)}
    for thing in sorted(follows | {one for one in night.signals_of if not one[1].startswith(REPEATED)}):
        looks = [_look(thing[0], day, night.signals_of.get(thing, {}).get(day)) for day in night.nights]
        past = night.past.get(thing, ())
        change = advance(looks, [_change(row) for row in past], settings, at_once=thing[0] in OF_SYSTEM)
        if change is not None:
            tonight = night.signals_of.get(thing, {}).get(night.run_date)
            yield _row(project, thing, change, tonight or past[-1], settings)


def _look(kind: str, night: date, row: Mapping[str, Any] | None) -> Look:
    if row is None or row["state"] == "ok":
        return Look(night)
    if row["state"] == "unknown":
        of_system = kind in OF_SYSTEM
        return Look(night, Severity.WARNING if of_system else None, is_certain=of_system)
    return Look(night, SEVERITIES[row["state"]])


def _of_jobs(
    project: str, night: _Night, settings: Alerting, rows: Iterable[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    """What jobs have raised and is so no more: a step that had stopped is done by now; of others nights have passed."""
    for thing, changes in sorted(_by_thing(rows).items()):
        last = changes[-1]
        if last["state"] == RESOLVED or last["kind"] == SINK or _is_of_signals(changes):
            continue
        bad = {one["run_date"] for one in changes if one["by"] is None}
        looks = [Look(day, Severity.WARNING if day in bad else None) for day in night.nights]
        following = advance(looks, [_change(last)], settings)
        if last["kind"] == STOPPED or (following is not None and following.state == RESOLVED):
            change = Change(night.run_date, RESOLVED, Severity(last["severity"]), last["first_seen"])
            yield _row(project, thing, change, last, settings)


def _by_thing(rows: Iterable[Mapping[str, Any]]) -> dict[Thing, list[Mapping[str, Any]]]:
    changes: dict[Thing, list[Mapping[str, Any]]] = {}
    for row in rows:
        changes.setdefault((row["kind"], row["subject"]), []).append(row)
    return changes


def _is_of_signals(changes: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the alert about a thing follows from signals, and no job has raised it as it ran."""
    return any(row["job"] == OF_SIGNALS and row["state"] != RESOLVED for row in changes)


def _change(row: Mapping[str, Any]) -> Change:
    return Change(row["run_date"], row["state"], Severity(row["severity"]), row["first_seen"], row["until"])


def _row(project: str, thing: Thing, change: Change, of: Mapping[str, Any], settings: Alerting) -> dict[str, Any]:
    """A row of the table; `of` is the night's signal, or the alert's last row."""
    is_over = change.state == RESOLVED
    return {
        "alert_id": alert_id(project, *thing, change.first_seen),
        "state": change.state,
        "kind": thing[0],
        "subject": thing[1],
        "severity": change.severity.value,
        "message": of.get("sentence") or of.get("message"),
        "evidence": of["evidence"],
        "first_seen": change.first_seen,
        "owner": settings.owner_of(thing[0]),
        "command": None if is_over else of["command"],
        "runbook": runbook.place(thing[0]),
        "job": OF_SIGNALS,
        "run_date": change.night,
    }


def _identity(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (row["alert_id"], row["state"], row["severity"])


def _content(rows: Iterable[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    names = [name for name in ALERTS.schema().names if name not in ("changed_at", "run_id")]
    return sorted((tuple(row.get(name) for name in names) for row in rows), key=repr)
