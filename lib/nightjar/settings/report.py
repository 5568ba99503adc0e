"""The settings of the job report: which pages are written anew, or that they are served."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from nightjar.settings.checks import Issue, expect
from nightjar.settings.choices import Choice
from nightjar.settings.fields import DatesText, Whole
from nightjar.settings.jobs import Job
from nightjar.settings.validation import settings


class ReportAction(Choice):
    """Write pages of nights, or the index of nights alone, or the catalogue, or serve what is there."""

    WRITE = "write"
    INDEX = "index"
    CATALOGUE = "catalogue"
    SERVE = "serve"


@settings
class Report(Job):
    """The pages of nights, written anew from the tables, and their index; or a server that shows them.

    It starts neither Java nor Ray, and writes no table.

    Attributes:
        run_date: of `write`: local date D in the project's zone, YYYY-MM-DD; or a range, YYYY-MM-DD..YYYY-MM-DD.
        action: `write` the pages of the run date, their JSON, and the index of nights; `index`: the index of the
            project's nights, and that of all projects of the warehouse, alone; `catalogue`: of the project's tables
            and columns, and the index, which leads there; `serve` all reports of the warehouse on 127.0.0.1, until it
            is interrupted, at an address that only its output names.
        port (number): where they are served; 0: any free one.
    """

    run_date: DatesText | None = None
    action: ReportAction = ReportAction.WRITE
    port: Annotated[Whole, Field(ge=0, le=65_535)] = 8422

    def issues(self) -> Iterator[Issue]:
        """Whether a night is named where one is written, and none elsewhere."""
        yield from self._placement_issues()
        if self.action is ReportAction.WRITE:
            yield from self._run_date_issues()
        else:
            yield from expect(self.run_date is None, "run_date", self.run_date, f"none with action={self.action.word}")
