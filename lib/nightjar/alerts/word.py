"""What sinks are told: word of one change of one alert."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True)
class Word:
    """Word of one change of an alert, in the terms of the table `alerts`.

    Attributes:
        project: whose alert it is.
        alert_id: names it, from its first night until it is resolved.
        state: into which it has changed.
        kind: what has happened.
        subject: what it is about.
        severity: warning or critical.
        message: what, where, and what to do.
        run_date: the night of the change.
        first_seen: the first night of which it was so.
        owner: who is to look; None: nobody is named.
        command: what to run next; None: nothing.
        runbook: where it is written what to do; None: nowhere.
    """

    project: str
    alert_id: str
    state: str
    kind: str
    subject: str
    severity: str
    message: str
    run_date: date
    first_seen: date
    owner: str | None = None
    command: str | None = None
    runbook: str | None = None

    @property
    def title(self) -> str:
        """One line, such as `shop: CRITICAL fallback of champion (new)`."""
        return f"{self.project}: {self.severity.upper()} {self.kind} of {self.subject} ({self.state})"

    def lines(self) -> list[str]:
        """All of it, for people."""
        since = "" if self.first_seen == self.run_date else f", first seen on {self.first_seen}"
        parts = [self.title, self.message, f"Night of {self.run_date}{since}. Alert {self.alert_id[:12]}."]
        parts += [f"Run: {self.command}"] if self.command else []
        parts += [f"Read: {self.runbook}"] if self.runbook else []
        return parts + ([f"Owner: {self.owner}"] if self.owner else [])

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in vars(self).items()}


def word_of(project: str, row: Mapping[str, Any], show: Callable[[str], str]) -> Word:
    """Word of a row of the table.

    Args:
        project: whose alert it is.
        row: of the table.
        show: hides what people are not to see, such as values of sensitive columns.
    """
    values: dict[str, Any] = {name: row[name] for name in Word.__dataclass_fields__ if name != "project"}
    return Word(project, **values | {name: show(row[name]) for name in ("subject", "message")})
