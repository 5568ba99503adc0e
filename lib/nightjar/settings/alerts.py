"""The settings of the job alerts: what is listed, and what somebody does with an alert."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from nightjar.settings.checks import Issue, expect
from nightjar.settings.choices import Choice
from nightjar.settings.fields import DateText
from nightjar.settings.jobs import Job
from nightjar.settings.validation import settings


class AlertAction(Choice):
    """What is done with alerts."""

    LIST = "list"
    ACKNOWLEDGE = "acknowledge"
    SNOOZE = "snooze"
    RESOLVE = "resolve"
    TEST = "test"


class Shown(Choice):
    """Which alerts are listed."""

    OPEN = "open"
    ALL = "all"


ACTS = (AlertAction.ACKNOWLEDGE, AlertAction.SNOOZE, AlertAction.RESOLVE)


@settings
class Alerts(Job):
    """Alerts: lists them, or records what somebody does with one.

    The run date is the night as of which they are listed; without one it is the newest of which there are alerts.

    Attributes:
        action: `list` prints them; `acknowledge`: somebody sees to it; `snooze`: no word of it before a night;
            `resolve`: it is over; `test` sends a message to every sink, and says which takes it.
        alert: which one: its id, or how that begins.
        until: of `snooze`: the night from which on there is word of it again.
        reason: why; it is recorded with the user of the operating system.
        by: on whose behalf that user acts, for the record.
        show: `open` ones, or `all`.
    """

    action: AlertAction = AlertAction.LIST
    alert: Annotated[str, Field(pattern="^[0-9a-f]{8,64}$")] | None = None
    until: DateText | None = None
    reason: str | None = None
    by: str | None = None
    show: Shown = Shown.OPEN

    def issues(self) -> Iterator[Issue]:
        """Whether an action has what it needs, and nothing that it would not look at."""
        yield from self._placement_issues()
        if self.run_date is not None:
            yield from self._run_date_issues()
        acts, of_action = self.action in ACTS, f"with action={self.action}"
        needed = {"alert": acts, "reason": acts, "until": self.action is AlertAction.SNOOZE}
        for name, is_needed in needed.items():
            value = getattr(self, name)
            fits = bool(value and value.strip()) if is_needed else value is None
            yield from expect(fits, name, value, f"{'a value' if is_needed else 'none'} {of_action}")
        yield from expect(self.by is None or (acts and bool(self.by.strip())), "by", self.by, f"none {of_action}")
