"""The settings of the job compare: which trainings are shown side by side."""

from collections.abc import Iterator
from dataclasses import field

from nightjar.settings.checks import Issue, expect
from nightjar.settings.fields import Count, DateText
from nightjar.settings.jobs import Job
from nightjar.settings.validation import settings


@settings
class Compare(Job):
    """Trainings side by side: the versions that are named, those since a run date, or the newest five.

    With a run date, only trainings for run dates up to it are shown.

    Attributes:
        versions (numbers of models): which; empty: those of the run dates.
        since: first run date of the trainings; None: the newest five are taken.
    """

    versions: list[Count] = field(default_factory=list)
    since: DateText | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether the trainings are named in one way, and a range is one."""
        yield from self._placement_issues()
        for name, value in {"since": self.since, "run_date": self.run_date}.items():
            yield from expect(value is None or not self.versions, name, value, "none together with versions")
        is_range = self.since is None or self.run_date is None or self.since <= self.run_date
        yield from expect(is_range, "since", self.since, f"a date at or before run_date={self.run_date}")
        distinct = len(set(self.versions)) == len(self.versions)
        yield from expect(distinct, "versions", self.versions, "each version once")
