"""The settings of each job: what its root file in `conf/` must and may say."""

from dataclasses import dataclass, field
from enum import Enum

from omegaconf import MISSING

from nightjar.settings.checks import require, require_date, require_one_of
from nightjar.settings.environment import Environment
from nightjar.settings.learning import Search
from nightjar.settings.project import Project


class JobName(Enum):
    INGEST = "ingest"
    BUILD_FEATURES = "build_features"
    TRAIN = "train"
    PROMOTE = "promote"
    SCORE = "score"
    MONITOR = "monitor"
    NIGHTLY = "nightly"
    MAINTAIN = "maintain"
    LEASES = "leases"


OUTSIDE_NIGHTS = (JobName.NIGHTLY, JobName.MAINTAIN, JobName.LEASES)


class LeaseAction(Enum):
    """Show the leases that are held, or free one by hand."""

    LIST = "list"
    FREE = "free"


@dataclass
class Job:
    """What every job has.

    Attributes:
        run_date: local date D in the project's zone, YYYY-MM-DD; the job knows what was known at D's midnight.
    """

    environment: Environment = MISSING
    project: Project = MISSING
    run_date: str | None = None

    def __post_init__(self) -> None:
        """Check that the run date is a date inside the project's data, and that placements are of its groups."""
        self._check_placements()
        self._check_run_date()

    def _check_placements(self) -> None:
        groups = self.project.features
        require_one_of("environment.placements", self.environment.placements, groups, "project's feature groups")

    def _check_run_date(self) -> None:
        example = f"a date, such as run_date={self.project.first_night}"
        require(self.run_date is not None, "run_date", self.run_date, example)
        chosen = require_date("run_date", self.run_date)
        first = require_date("first_date", self.project.first_date)
        last = require_date("last_date", self.project.last_date)
        inside = chosen is None or first is None or (first <= chosen and (last is None or chosen <= last))
        covered = f"a date inside the project's data, {self.project.first_date} to {self.project.last_date or 'today'}"
        require(inside, "run_date", self.run_date, covered)


@dataclass
class Ingest(Job):
    """Raw data into `source_<name>`, `quarantine` and `quality`."""


@dataclass
class BuildFeatures(Job):
    """`features` and `labels`.

    Attributes:
        since: first local date to build features for; None: the run date alone.
    """

    since: str | None = None

    def __post_init__(self) -> None:
        """Check that the range is one."""
        super().__post_init__()
        start = require_date("since", self.since)
        run_date = require_date("run_date", self.run_date)
        if start is not None and run_date is not None:
            require(start <= run_date, "since", self.since, f"a date at or before run_date={self.run_date}")


@dataclass
class Train(Job):
    """The search, the final figures and the registered model."""

    search: Search = MISSING


@dataclass
class Promote(Job):
    """The version registered last for the run date becomes champion if it deserves to, or if a person says so.

    Attributes:
        approved_by: who promotes it though its evidence does not.
        reason: why; both are recorded.
    """

    approved_by: str | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        """Check that a person gives a name and a reason."""
        super().__post_init__()
        both = {"approved_by": self.approved_by, "reason": self.reason}
        for name, value in both.items():
            fits = bool(value and value.strip()) or set(both.values()) == {None}
            require(fits, name, value, "both approved_by and reason, or neither")


@dataclass
class Score(Job):
    """The night's scores.

    Attributes:
        retrospective: score with a model that has seen later data, under the role `retrospective`.
    """

    retrospective: bool = False


@dataclass
class Monitor(Job):
    """Drift, performance and the report."""


@dataclass
class Nightly(Job):
    """All jobs of a night in one process.

    Attributes:
        project_dates: run the project's own `history_until` and `nights` from `first_night` instead of one run date.
        only: run just these steps, by the names of their jobs (`only=[monitor]`).
    """

    search: Search = MISSING
    project_dates: bool = False
    only: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Check that exactly one way of naming the dates is used."""
        self._check_placements()
        steps = [job.value for job in JobName if job not in OUTSIDE_NIGHTS]
        require_one_of("only", self.only, steps, "steps of the night")
        if self.project_dates:
            require(self.run_date is None, "run_date", self.run_date, "none together with project_dates=true")
        else:
            self._check_run_date()


@dataclass
class Maintain(Job):
    """Upkeep of the tables, and a check that stored features equal their rebuild.

    Attributes:
        check_nights: the last nights of features, up to the run date, that are checked.
        check_rows: how many of their rows are rebuilt, the same ones whenever they are asked for.
    """

    check_nights: int = 7
    check_rows: int = 1000

    def __post_init__(self) -> None:
        """Check that there is something to check."""
        super().__post_init__()
        require(self.check_nights >= 1, "check_nights", self.check_nights, "at least 1")
        require(self.check_rows >= 1, "check_rows", self.check_rows, "at least 1")


@dataclass
class Leases(Job):
    """Who works on what alone.

    Attributes:
        action: LIST what is held, or FREE one and whatever else the same run holds: its further commits are refused.
        resource: which one is freed, as the list names it.
        reason: why; it is recorded.
    """

    action: LeaseAction = LeaseAction.LIST
    resource: str | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        """Check that a lease is freed by name and with a reason."""
        frees = self.action is LeaseAction.FREE
        for name in ("resource", "reason"):
            value = getattr(self, name)
            fits = bool(value and value.strip()) if frees else value is None
            require(fits, name, value, f"a {name} with action=FREE, and none without")
