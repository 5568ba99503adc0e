"""What settings and the places of files alone tell about a job, before anything is started: see `--check`."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from nightjar.errors import SourceError, UsageError
from nightjar.expressions.columns import unknown_columns
from nightjar.expressions.protection import features_of_protected_columns
from nightjar.settings import jobs
from nightjar.settings.jobs import JobName
from nightjar.settings.nightly import Nightly
from nightjar.settings.project import Project
from nightjar.settings.quarantine import Quarantine, QuarantineAction
from nightjar.settings.run_dates import parse_run_dates
from nightjar.settings.serving.experiment import EXPERIMENT
from nightjar.sources.connectors import passwords
from nightjar.sources.formats.files import list_files
from nightjar.timeline import parse_run_date


def require_runnable(settings: jobs.Job) -> None:
    """Refuse a job that cannot run; neither Java nor Ray is started, and no table is looked at.

    Raises:
        UsageError: a source's file or a password is missing, an expression names what is no column, a feature is made
            of a protected column, or a search cannot be run on what the project builds; tells it all.
    """
    problems = [*_of_files(settings), *_of_passwords(settings), *_of_corrections(settings)]
    names = [*unknown_columns(settings.project), *features_of_protected_columns(settings.project)]
    _refuse([*problems, *names, *_of_experiment(settings.project), *_of_search(settings)])


def require_startable(settings: jobs.Job) -> None:
    """Refuse a project that learns from a protected column, and a job that is sure to train by a hopeless search.

    A night that may only have to score is not refused for its search, nor for a file that has not come yet: it ends
    with a report that says so.

    Raises:
        UsageError: a feature is made of a protected column, or no rows of the project could fit the search; tells it
            all.
    """
    _refuse(list(features_of_protected_columns(settings.project)))
    if isinstance(settings, jobs.Train) or (isinstance(settings, Nightly) and settings.project_dates):
        _refuse(list(_of_search(settings)))


def _refuse(problems: list[str]) -> None:
    if problems:
        raise UsageError("\n  ".join(["the job cannot run:", *problems]))


def _of_files(settings: jobs.Job) -> Iterator[str]:
    if not _runs(settings, JobName.INGEST):
        return
    for name, source in settings.project.sources.items():
        for file in (*([source.file] if source.file else []), *(lookup.file for lookup in source.lookups.values())):
            try:
                list_files(file, name)
            except SourceError as error:
                yield str(error)


def _of_corrections(settings: jobs.Job) -> Iterator[str]:
    if isinstance(settings, Quarantine) and settings.action is QuarantineAction.CORRECT:
        file = Path(settings.file or "")
        if not file.is_file():
            yield f"file: there is no file {file}, expected one that action=export has written"


def _of_passwords(settings: jobs.Job) -> Iterator[str]:
    if not _runs(settings, JobName.INGEST):
        return
    for name, source in settings.project.sources.items():
        if source.database is not None:
            try:
                passwords.read(source.database, name)
            except SourceError as error:
                yield str(error)


def _of_experiment(project: Project) -> Iterator[str]:
    """Whether a randomised experiment can show by its end what it is there to show."""
    experiment = project.serving.experiment
    if experiment is None or experiment.effect is None:
        return
    from nightjar.evaluation.sequential_power import Plan, advice  # noqa: PLC0415  (SciPy takes a moment)

    plan = Plan.of(experiment, project.serving.canary)
    yield from (f"{EXPERIMENT}: {one}" for one in advice(plan, experiment.effect, experiment.power))


def _of_search(settings: jobs.Job) -> Iterator[str]:
    if not isinstance(settings, jobs.Train | Nightly) or not _runs(settings, JobName.TRAIN):
        return
    from nightjar.learning.search.feasibility import infeasible  # noqa: PLC0415  (other jobs need no models)

    yield from infeasible(settings.search, settings.project, _trained_on(settings, settings.project))


def _runs(settings: jobs.Job, step: JobName) -> bool:
    """Whether a job is, or may run, a step."""
    if isinstance(settings, Nightly):
        return not settings.only or step.value in settings.only
    return isinstance(settings, jobs.Ingest if step is JobName.INGEST else jobs.Train)


def _trained_on(settings: jobs.Job, project: Project) -> date:
    """The run date of the first training: that of the history where the project's own dates are run."""
    return parse_run_date(project.history_until) if settings.run_date is None else parse_run_dates(settings.run_date)[0]
