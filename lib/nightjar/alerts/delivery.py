"""Word of what has changed, into the sinks of a project; every try is a row of the table `notifications`.

It is sent as a job ends, not as a step does: a step that fails and succeeds once more has stopped nobody's night. A
sink that is dead is an alert itself, and gets what it has missed from the next job on.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pyarrow.compute as pc

from nightjar.alerts.lifecycle import RESOLVED, Change, is_word
from nightjar.alerts.recording import SINK, Alert, record
from nightjar.alerts.sinks.sending import SinkError, send, show_state, takes
from nightjar.alerts.word import Word, word_of
from nightjar.settings.monitoring.alerting import Severity, Sink, SinkKind
from nightjar.tables import alert_states, arrow
from nightjar.tables.monitoring_definitions import VERDICTS
from nightjar.tables.serving_definitions import ALERTS, NOTIFICATIONS
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.alerts")
NIGHTS = timedelta(days=3)
"""How long before the newest night word of a change is still sent: a rerun of an old night tells nobody."""
SENT, FAILED = "sent", "failed"
Row = Mapping[str, Any]


@dataclass(frozen=True)
class _Stand:
    """How a project's alerts stand: changes in order, the newest night, its verdict, what was sent, how to say it."""

    project: str
    changes: Sequence[Row]
    newest: date
    verdict: str | None
    sent: frozenset[tuple[str, str, date, str]]
    word: Callable[[Row], Word]

    def open_rows(self) -> list[Row]:
        return [row for row in alert_states.latest(self.changes).values() if row["state"] != RESOLVED]


def deliver(warehouse: Warehouse, sinks: Mapping[str, Sink], run_id: str, show: Callable[[str], str]) -> None:
    """Send what has changed and was not sent, to each sink that takes it; record what was sent, and what failed.

    Args:
        warehouse: where tables lie; of the project whose alerts these are.
        sinks: name -> sink.
        run_id: of this run.
        show: hides in a text what people are not to see.
    """
    stand = _read(warehouse, show) if sinks else None
    if stand is None:
        return
    errors, tries = dict[str, str | None](), list[dict[str, Any]]()
    for name, sink in sorted(sinks.items()):
        rows = _unsent(stand, name, sink)
        if not rows and sink.kind is not SinkKind.PROMETHEUS:
            continue
        errors[name] = _hand_over(stand, sink, rows)
        tries += [_try(row, name, errors[name]) for row in rows]
    if tries:
        now = datetime.now(UTC)
        arrow.append(warehouse, NOTIFICATIONS, [{**one, "sent_at": now, "run_id": run_id} for one in tries], run_id)
    if _record_sinks(warehouse, stand, errors, run_id):
        # The others are told of it; each time fewer are left, so that this ends.
        deliver(warehouse, {name: sink for name, sink in sinks.items() if errors.get(name) is None}, run_id, show)


def _read(warehouse: Warehouse, show: Callable[[str], str]) -> _Stand | None:
    """None: nothing was ever raised or judged."""
    changes, verdicts = alert_states.changes(warehouse, date.max), dict[date, str]()
    if arrow.exists(warehouse, VERDICTS.name):
        rows = arrow.read(warehouse, VERDICTS.name, ["run_date", "verdict"]).to_pylist()
        verdicts = {row["run_date"]: row["verdict"] for row in rows}
    nights = [*verdicts, *(row["run_date"] for row in changes)]
    if not nights:
        return None
    sent = list[dict[str, Any]]()
    if arrow.exists(warehouse, NOTIFICATIONS.name):
        columns = ["alert_id", "state", "run_date", "sink"]
        sent += arrow.read(warehouse, NOTIFICATIONS.name, columns, pc.field("status") == SENT).to_pylist()
    keys = frozenset((row["alert_id"], row["state"], row["run_date"], row["sink"]) for row in sent)
    words = partial(word_of, warehouse.project, show=show)
    return _Stand(warehouse.project, changes, max(nights), verdicts.get(max(nights)), keys, words)


def _unsent(stand: _Stand, name: str, sink: Sink) -> list[Row]:
    """What a sink is to be told: of each alert its last change that is worth a word, if it was not sent there.

    A sink that holds a state is shown all that is open. That an alert is over is news only where it was news before.
    """
    if sink.kind is SinkKind.PROMETHEUS:
        return []
    takers = [row for row in _worth(stand) if takes(sink, stand.word(row))]
    ids = {identity for identity, _, _, place in stand.sent if place == name}
    return [
        row
        for row in takers
        if (row["alert_id"], row["state"], row["run_date"], name) not in stand.sent
        and (row["state"] != RESOLVED or row["alert_id"] in ids)
        and not (row["kind"] == SINK and row["subject"] == name)
    ]


def _worth(stand: _Stand) -> Iterator[Row]:
    """Of each alert the last change of the last nights that is worth a word."""
    before, worth = dict[str, Row](), dict[str, Row]()
    for row in stand.changes:
        earlier = before.get(row["alert_id"])
        if is_word(_change(row), None if earlier is None else _change(earlier)):
            worth[row["alert_id"]] = row
        before[row["alert_id"]] = row
    return (row for row in worth.values() if row["run_date"] >= stand.newest - NIGHTS)


def _change(row: Row) -> Change:
    return Change(row["run_date"], row["state"], Severity(row["severity"]), row["first_seen"], row["until"])


def _hand_over(stand: _Stand, sink: Sink, rows: Sequence[Row]) -> str | None:
    """Send, or show how the project stands; why it did not work, or None."""
    try:
        if sink.kind is SinkKind.PROMETHEUS:
            words = [stand.word(row) for row in stand.open_rows()]
            show_state(sink, stand.project, stand.newest, stand.verdict, words)
        else:
            send(sink, [stand.word(row) for row in rows])
    except SinkError as error:
        return str(error)
    return None


def _try(row: Row, sink: str, error: str | None) -> dict[str, Any]:
    same = {name: row[name] for name in ("alert_id", "changed_at", "state", "run_date")}
    return same | {"sink": sink, "status": SENT if error is None else FAILED, "error": error}


def _record_sinks(warehouse: Warehouse, stand: _Stand, errors: Mapping[str, str | None], run_id: str) -> bool:
    """Raise an alert for each sink that has died, end that of each that works again; whether there is a new one."""
    ill = {row["subject"]: row for row in stand.open_rows() if row["kind"] == SINK}
    alerts = [
        Alert(
            SINK,
            name,
            Severity.WARNING,
            f"Word of alerts does not arrive at sink {name}: {error}. It is sent again by the next job; see "
            f"project.monitoring.alerting.sinks.{name}.",
        )
        for name, error in errors.items()
        if error is not None and name not in ill
    ]
    record(warehouse, alerts, stand.newest, run_id)
    well = [ill[name] for name, error in errors.items() if error is None and name in ill]
    now = datetime.now(UTC)
    ended = {"state": RESOLVED, "changed_at": now, "run_date": stand.newest, "run_id": run_id}
    if well:
        arrow.append(warehouse, ALERTS, [{**row, **ended} for row in well], run_id)
    return bool(alerts)
