"""The settings of the job profile: which stored facts are looked at."""

from collections.abc import Iterator
from dataclasses import field

from nightjar.settings.checks import Issue, expect, expect_one_of
from nightjar.settings.fields import DateText
from nightjar.settings.jobs import Job
from nightjar.settings.validation import settings


@settings
class Profile(Job):
    """The stored facts of a source over time: what each column holds by day, week or month, and what stands out.

    With a run date, only facts that nights up to it have stored are looked at. Up to 60 days are counted by day, up to
    60 weeks by week, and more by month.

    Attributes:
        source: whose facts.
        since: first local date of `event_time`; None: that of the oldest fact, or of the last 60 months there are.
        until: last local date of `event_time`; None: that of the newest fact.
    """

    source: str = field(kw_only=True)
    since: DateText | None = None
    until: DateText | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether there is such a source, and the range is one."""
        yield from self._placement_issues()
        yield from expect_one_of("source", [self.source], self.project.sources, "sources")
        is_range = self.since is None or self.until is None or self.since <= self.until
        yield from expect(is_range, "until", self.until, f"a date at or after since={self.since}")
