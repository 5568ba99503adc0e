"""The settings of the job quarantine: which refused rows, and what is done with them."""

from collections.abc import Iterator
from dataclasses import field
from typing import Annotated

from pydantic import Field

from nightjar.settings.checks import Issue, expect, expect_one_of
from nightjar.settings.choices import Choice
from nightjar.settings.fields import Count, DateText
from nightjar.settings.jobs import Job
from nightjar.settings.validation import settings


class QuarantineAction(Choice):
    """Look at refused rows, take corrected ones back, or dismiss some."""

    LIST = "list"
    SHOW = "show"
    EXPORT = "export"
    CORRECT = "correct"
    DISMISS = "dismiss"


@settings
class Quarantine(Job):
    """The rows that were refused: lists, shows and exports them, takes corrected ones back, or dismisses some.

    The run date, with `correct` and `dismiss`, is the first night that reads the corrected rows, or counts the
    dismissed ones no more.

    Attributes:
        action: `list` counts refused rows by source, reason and night; `show` prints open ones, which are neither
            corrected nor dismissed; `export` writes the open ones of a source to a CSV file; `correct` takes such a
            file back with corrected rows, all of them or none; `dismiss` says that open rows need no correction.
        from_source: only rows of this source.
        check: only rows with a reason that holds this text, such as the name of a column, check or gate.
        night: only rows that this night has refused.
        since: only rows that this night or a later one has refused.
        hashes: only rows whose hashes begin so.
        limit (rows): how many are shown.
        file: the CSV file that is written, or taken back.
        by: who corrects or dismisses.
        reason: why; both are recorded.
    """

    action: QuarantineAction = QuarantineAction.LIST
    from_source: str | None = None
    check: str | None = None
    night: DateText | None = None
    since: DateText | None = None
    hashes: list[Annotated[str, Field(pattern="^[0-9a-f]{8,64}$")]] = field(default_factory=list)
    limit: Count = 20
    file: str | None = None
    by: str | None = None
    reason: str | None = None

    @property
    def is_decision(self) -> bool:
        """Whether something is decided about refused rows, and recorded."""
        return self.action in (QuarantineAction.CORRECT, QuarantineAction.DISMISS)

    def issues(self) -> Iterator[Issue]:
        """Whether the action has what it needs, and nothing that it would not look at."""
        yield from self._placement_issues()
        if self.is_decision:
            yield from self._run_date_issues()
        yield from expect_one_of(
            "from_source", [self.from_source] if self.from_source else [], self.project.sources, "sources"
        )
        of_files = (QuarantineAction.EXPORT, QuarantineAction.CORRECT)
        needs_source = self.is_decision or self.action is QuarantineAction.EXPORT
        action = f"with action={self.action}"
        has_source = self.from_source is not None or not needs_source
        yield from expect(has_source, "from_source", self.from_source, f"a source {action}")
        needed = {"file": self.action in of_files, "by": self.is_decision, "reason": self.is_decision}
        for name, is_needed in needed.items():
            value = getattr(self, name)
            fits = bool(value and value.strip()) if is_needed else value is None
            yield from expect(fits, name, value, f"{'a text' if is_needed else 'none'} {action}")
        yield from self._filter_issues(action)

    def _filter_issues(self, action: str) -> Iterator[Issue]:
        filters = {"check": self.check, "night": self.night, "since": self.since, "hashes": self.hashes or None}
        if self.action is QuarantineAction.CORRECT:
            for name, value in filters.items():
                yield from expect(value is None, name, value, f"none {action}: the file names the rows")
        if self.action is QuarantineAction.DISMISS:
            named = any(value is not None for value in filters.values())
            yield from expect(named, "hashes", [], f"some rows {action}: hashes, check, night or since")
        yield from expect(None in (self.night, self.since), "since", self.since, f"none beside night={self.night}")
