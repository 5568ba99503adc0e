"""Settings of a nightly: which nights, which of their steps, and when a step is run once more."""

from collections.abc import Iterator
from dataclasses import field
from datetime import date, timedelta

from nightjar.settings.checks import Issue, expect, expect_one_of
from nightjar.settings.fields import DatesText
from nightjar.settings.jobs import STEPS_OF_NIGHT, Job
from nightjar.settings.learning import Search
from nightjar.settings.retries import Retries
from nightjar.settings.run_dates import parse_run_dates
from nightjar.settings.validation import settings
from nightjar.timeline import parse_run_date


@settings
class Nightly(Job):
    """All jobs of a night in one process; what is done for its date and inputs is skipped.

    Attributes:
        run_date: local date D in the project's zone, YYYY-MM-DD; or a range of dates, YYYY-MM-DD..YYYY-MM-DD, whose
            features are built in one pass.
        search: of the training, where one is due: a file of `conf/search/`, as in search=quick.
        project_dates: run the project's own `history_until` and `nights` from `first_night` instead of one run date.
        only: run just these steps, by the names of their jobs (`only=[monitor]`), though they are done.
        from_step: begin with this step, and run it and those after it though they are done; on the command line
            `from=score` says the same. A training and a promotion after it are run where they are due.
        force: run these steps though they are done, beside those that are not.
        retries: when a step is run once more by itself.
    """

    run_date: DatesText | None = None
    search: Search = field(kw_only=True)
    project_dates: bool = False
    only: list[str] = field(default_factory=list)
    from_step: str | None = None
    force: list[str] = field(default_factory=list)
    retries: Retries = field(default_factory=Retries)

    def issues(self) -> Iterator[Issue]:
        """Whether exactly one way of naming the dates is used, and one of naming the steps."""
        yield from self._placement_issues()
        steps = [job.value for job in STEPS_OF_NIGHT]
        first = [] if self.from_step is None else [self.from_step]
        for name, values in {"only": self.only, "from_step": first, "force": self.force}.items():
            yield from expect_one_of(name, values, steps, "steps of the night")
        alone = not self.only or not (first or self.force)
        yield from expect(alone, "only", self.only, "none together with from_step or force: it runs what is done, too")
        if self.project_dates:
            yield from expect(self.run_date is None, "run_date", self.run_date, "none together with project_dates=true")
            yield from self._night_issues()
        else:
            yield from self._run_date_issues()

    def nights(self) -> list[date]:
        """The run dates; none where they are the project's own."""
        if self.run_date is None:
            return []
        first, last = parse_run_dates(self.run_date)
        return [first + timedelta(days=number) for number in range((last - first).days + 1)]

    def _night_issues(self) -> Iterator[Issue]:
        project = self.project
        last = parse_run_date(project.first_night) + timedelta(days=project.nights - 1)
        has_data = project.last_date is None or last <= parse_run_date(project.last_date)
        expected = f"as many as there are from first_night={project.first_night} to last_date={project.last_date}"
        yield from expect(has_data, "project.nights", project.nights, expected)
