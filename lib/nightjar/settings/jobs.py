"""The settings of each job: what its root file in `conf/` must and may say."""

from collections.abc import Iterator
from dataclasses import field

from nightjar.settings.checks import Issue, expect, expect_one_of
from nightjar.settings.choices import Choice
from nightjar.settings.environment import Environment
from nightjar.settings.fields import Count, DateText
from nightjar.settings.learning import Search
from nightjar.settings.project import Project
from nightjar.settings.run_dates import parse_run_dates
from nightjar.settings.validation import settings


class JobName(Choice):
    INGEST = "ingest"
    BUILD_FEATURES = "build_features"
    TRAIN = "train"
    PROMOTE = "promote"
    SCORE = "score"
    MONITOR = "monitor"
    NIGHTLY = "nightly"
    MAINTAIN = "maintain"
    LEASES = "leases"
    QUARANTINE = "quarantine"
    PROFILE = "profile"
    COMPARE = "compare"
    EXPLAIN = "explain"
    REVIEW = "review"
    RETRACT = "retract"
    ALERTS = "alerts"
    REPORT = "report"


STEPS_OF_NIGHT = (
    *(JobName.INGEST, JobName.BUILD_FEATURES, JobName.TRAIN, JobName.PROMOTE),
    *(JobName.SCORE, JobName.MONITOR),
)
"""In their order."""


class LeaseAction(Choice):
    """Show the leases that are held, or free one by hand."""

    LIST = "list"
    FREE = "free"


@settings
class Job:
    """What every job has.

    Attributes:
        environment: where it runs, and where tables and models are stored: a file of `conf/environment/`.
        project: what is predicted, of which data: a file of `conf/project/`, as in project=NAME.
        run_date: local date D in the project's zone, YYYY-MM-DD; the job knows what was known at D's midnight.
    """

    environment: Environment
    project: Project
    run_date: DateText | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether the run date is inside the project's data, and placements are of its groups."""
        yield from self._placement_issues()
        yield from self._run_date_issues()

    def _placement_issues(self) -> Iterator[Issue]:
        groups = self.project.features
        yield from expect_one_of(
            "environment.placements", self.environment.placements, groups, "project's feature groups"
        )

    def _run_date_issues(self) -> Iterator[Issue]:
        example = f"a date, such as run_date={self.project.first_night}"
        yield from expect(self.run_date is not None, "run_date", self.run_date, example)
        if self.run_date is None:
            return
        first, last = self.project.first_date, self.project.last_date
        since, until = map(str, parse_run_dates(self.run_date))
        covered = f"a date inside the project's data, {first} to {last or 'today'}"
        yield from expect(first <= since and (last is None or until <= last), "run_date", self.run_date, covered)


@settings
class Ingest(Job):
    """Raw data into `source_<name>`, `quarantine` and `quality`."""


@settings
class BuildFeatures(Job):
    """The rows of `features` and `labels`, of one night or of a range.

    Attributes:
        since: first local date to build features for; None: the run date alone.
    """

    since: DateText | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether the range is one."""
        yield from super().issues()
        if self.since is not None and self.run_date is not None:
            is_range = self.since <= self.run_date
            yield from expect(is_range, "since", self.since, f"a date at or before run_date={self.run_date}")


@settings
class Train(Job):
    """The search, the final figures and the registered model.

    Attributes:
        search: the candidates, and how they are compared: a file of `conf/search/`, as in search=quick.
    """

    search: Search = field(kw_only=True)


class Action(Choice):
    """What `promote` does."""

    DECIDE = "decide"
    APPROVE = "approve"
    REJECT = "reject"
    ROLLBACK = "rollback"
    CHALLENGE = "challenge"
    SHADOW = "shadow"
    WITHDRAW = "withdraw"
    STOP = "stop"
    RESUME = "resume"


@settings
class Promote(Job):
    """The version registered last for the run date becomes champion if it deserves to, or if people say so.

    Attributes:
        action: `decide` by the evidence, which needs people where `project.promotion.approvals` says so; `approve` or
            `reject` a version, as a person; `rollback`: an earlier champion holds again from the run date on;
            `challenge`: a version scores beside the champion from then on, and serves the first share of
            `project.serving.canary`; `shadow`: it scores beside and serves nobody; `withdraw`: it does neither any
            more; `stop`: nobody is served by a version from the run date on, at once; `resume`: it may serve again.
        version (number of the model): None: the last registered for the run date; of a rollback the champion before; to
            withdraw the challenger, and to stop the champion.
        reason: why a person acts; it is recorded with the user of the operating system.
        by: on whose behalf that user acts, for the record.
    """

    action: Action = Action.DECIDE
    version: Count | None = None
    reason: str | None = None
    by: str | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether a person gives a reason, and nobody else does."""
        yield from super().issues()
        of_person = self.action is not Action.DECIDE
        has_reason = bool(self.reason and self.reason.strip())
        expected = f"why, as a text, for action={self.action.word}" if of_person else "none for action=decide"
        yield from expect(has_reason if of_person else self.reason is None, "reason", self.reason, expected)
        for name, value in {"version": self.version, "by": self.by}.items():
            yield from expect(of_person or value is None, name, value, "none for action=decide")
        yield from expect(self.by is None or bool(self.by.strip()), "by", self.by, "a name, or none")


@settings
class Score(Job):
    """The night's scores.

    Attributes:
        retrospective: score with a model that has seen later data, under the role `retrospective`.
    """

    retrospective: bool = False


@settings
class Monitor(Job):
    """Drift, performance and the report."""


@settings
class Maintain(Job):
    """Upkeep of the tables, and a check that stored features equal their rebuild.

    Attributes:
        check_nights (nights): the last nights of features, up to the run date, that are checked.
        check_rows (rows): how many of their rows are rebuilt, the same ones whenever they are asked for.
    """

    check_nights: Count = 7
    check_rows: Count = 1000


@settings
class Leases(Job):
    """The leases by which runs work on something alone: lists them, or frees one.

    Attributes:
        action: `list` what is held, or `free` one and whatever else the same run holds: its further commits are
            refused.
        resource: which one is freed, as the list names it.
        reason: why; it is recorded.
    """

    action: LeaseAction = LeaseAction.LIST
    resource: str | None = None
    reason: str | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether a lease is freed by name and with a reason."""
        frees = self.action is LeaseAction.FREE
        for name in ("resource", "reason"):
            value = getattr(self, name)
            fits = bool(value and value.strip()) if frees else value is None
            yield from expect(fits, name, value, f"a {name} with action=free, and none without")
