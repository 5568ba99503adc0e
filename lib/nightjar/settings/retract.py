"""The settings of the job retract: which night, and why."""

from collections.abc import Iterator

from nightjar.settings.checks import Issue, expect
from nightjar.settings.jobs import Job
from nightjar.settings.validation import settings


@settings
class Retract(Job):
    """A night that is served no more: its rows leave the served views and stay in the history.

    The run date is the night. Scoring it anew serves it again.

    Attributes:
        reason: why; it is recorded with the user of the operating system.
        by: on whose behalf that user acts, for the record.
    """

    reason: str | None = None
    by: str | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether a reason is given."""
        yield from super().issues()
        has_reason = bool(self.reason and self.reason.strip())
        yield from expect(has_reason, "reason", self.reason, "why, as a text")
        yield from expect(self.by is None or bool(self.by.strip()), "by", self.by, "a name, or none")
