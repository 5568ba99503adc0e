"""One run of a step: its date, the settings of its job, and the tables that it works on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Generic, TypeVar

from nightjar.pipeline.sessions import Sessions
from nightjar.settings.environment import Environment
from nightjar.settings.jobs import Job, JobName
from nightjar.settings.project import Project
from nightjar.tables import runs
from nightjar.tables.warehouse import Warehouse

Settings_co = TypeVar("Settings_co", bound=Job, covariant=True)


@dataclass(frozen=True)
class Step(Generic[Settings_co]):
    """One run of a step.

    Attributes:
        run_id: of this run.
        run_date: the night.
        warehouse: where tables lie.
        settings: of the step's own job.
        sessions: shared by all steps of a process.
        code_revision: of Nightjar.
        on_done: what the step adds here is called, in this order, once its run is recorded as done.
    """

    run_id: str
    run_date: date
    warehouse: Warehouse
    settings: Settings_co
    sessions: Sessions
    code_revision: str
    on_done: list[Callable[[], None]] = field(default_factory=list)

    @property
    def project(self) -> Project:
        """The project of the settings."""
        return self.settings.project

    @property
    def environment(self) -> Environment:
        """The environment of the settings."""
        return self.settings.environment

    @property
    def home(self) -> Path:
        """The environment's home folder, absolute."""
        return Path(self.environment.home).absolute()

    def require(self, before: JobName, needed_by: JobName) -> None:
        """Raise TableError unless the step before has finished for this date."""
        runs.require_done(self.warehouse, before.value, self.run_date, needed_by.value)
