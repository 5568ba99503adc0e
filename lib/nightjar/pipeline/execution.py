"""How a job runs: its steps under their leases, and a row in `runs` for each."""

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TypeVar

from nightjar.errors import UsageError
from nightjar.pipeline import plan, telling
from nightjar.pipeline.health import Meter, alert
from nightjar.pipeline.retrying import WillRetry, never
from nightjar.pipeline.revision import code_revision
from nightjar.pipeline.sessions import Sessions
from nightjar.pipeline.step import Step
from nightjar.pipeline.steps import STEPS, resources, tables
from nightjar.pipeline.watched import settings_hash
from nightjar.registry import period
from nightjar.report import night
from nightjar.runtime import logs, outages
from nightjar.settings import jobs
from nightjar.settings.jobs import JobName
from nightjar.settings.nightly import Nightly
from nightjar.tables import failures, lease, runs
from nightjar.tables.granting import Claim
from nightjar.tables.runs import Outcome, Run
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import parse_run_date

log = logging.getLogger("nightjar.job")
Settings = TypeVar("Settings", bound=jobs.Job)
OF_NIGHTS = (JobName.INGEST, JobName.BUILD_FEATURES, JobName.SCORE, JobName.MONITOR, JobName.NIGHTLY)
"""Jobs that every night needs: if one of them stops, the night's report says so."""
FEW_ROWS = 100_000
"""With so many rows or fewer a night is over before well compiled code has paid for itself (see docs/benchmarks.md)."""


@dataclass(frozen=True)
class Context:
    """What all steps of a process share."""

    settings: jobs.Job
    config_hash: str
    sessions: Sessions
    warehouse: Warehouse
    code_revision: str

    def step(self, run_date: date, settings: Settings) -> Step[Settings]:
        """A step of a date with the settings of its job, and a run id of its own."""
        return Step(
            run_id=uuid.uuid4().hex,
            run_date=run_date,
            warehouse=self.warehouse,
            settings=settings,
            sessions=self.sessions,
            code_revision=self.code_revision,
        )


def execute(
    job: JobName,
    settings: jobs.Job,
    config_hash: str,
    body: Callable[[Context], None],
    lent: Sessions | None = None,
) -> None:
    """Run a job: what its process shares is made for it, and stopped after it.

    Args:
        job: which one.
        settings: of the job.
        config_hash: SHA-256 of its configuration.
        body: its work.
        lent: sessions of several jobs, which whoever lends them stops; None: it has its own.

    Raises:
        NightjarError: what the work failed with; or warehouse or home cannot be written.
    """
    if isinstance(settings, jobs.Train | Nightly):
        blocks, enough = period.final_period_blocks(settings.search, settings.project)
        log.log(logging.INFO if enough else logging.WARNING, "%s", blocks)
    warehouse = Warehouse(settings.environment.warehouse, settings.project.name)
    warehouse.check_writable()
    _make_home(Path(settings.environment.home))
    few_rows = has_few_rows(job, settings, warehouse)
    sessions = lent or Sessions(settings.environment, f"nightjar {job.value} {settings.project.name}", few_rows)
    try:
        body(Context(settings, config_hash, sessions, warehouse, code_revision()))
    finally:
        telling.deliver(warehouse, settings.project)
        if lent is None:
            sessions.stop()


def has_few_rows(job: JobName, settings: jobs.Job, warehouse: Warehouse) -> bool:
    """Whether a job does the work of one night, and the newest one that was stored and built had few rows."""
    is_range = isinstance(settings, jobs.BuildFeatures) and settings.since is not None
    if job not in OF_NIGHTS or is_range:
        return False
    rows = runs.most_rows(warehouse, [JobName.INGEST.value, JobName.BUILD_FEATURES.value])
    return rows is not None and rows <= FEW_ROWS


def perform(
    name: JobName,
    step: Step[jobs.Job],
    config_hash: str,
    action: Callable[[Step[jobs.Job]], Outcome] | None = None,
    will_retry: WillRetry = never,
) -> Outcome:
    """Run one step under its leases, and record how it ended in `runs`; a night that it stops is told of.

    Args:
        name: of the job.
        step: of the night.
        config_hash: of the configuration.
        action: what is done; None: what the job does.
        will_retry: whether the step will be tried again after an error: then it has not stopped the night.

    Raises:
        LeaseError: another run has leased what this one needs; nothing is recorded.
        NightjarError: what the step failed with; recorded before it is raised.
    """
    claim = Claim(resources(name, step), name.value, step.run_date, step.run_id)
    with lease.hold(step.warehouse, claim, partial(tables, step.project)) as warehouse:
        meter, digest, watched = Meter(), settings_hash(name, step.settings), dict[str, int]()
        outcome, status, error, is_stop = Outcome(), "failed", None, True
        try:
            with outages.translate_errors(), failures.translate_errors():
                runs.require_committed(step.warehouse)
                watched = plan.versions_watched(warehouse, name, step.settings, step.run_date)
                step.sessions.tune(few_rows=has_few_rows(name, step.settings, warehouse))
                outcome = (action or STEPS[name])(replace(step, warehouse=warehouse))
            status = "done"
        except KeyboardInterrupt:
            status, error = "interrupted", "interrupted"
            step.sessions.stop()  # or its tasks would go on while the lease is free
            raise
        except Exception as failure:
            error = logs.masked(logs.redact(str(failure))) or type(failure).__name__
            is_stop = not will_retry(failure)
            raise
        finally:
            health = meter.stop(step.sessions, outcome)
            run = Run(
                step.run_id,
                name.value,
                step.run_date,
                status,
                error,
                step.code_revision,
                config_hash,
                meter.started,
                meter.seconds,
                outcome,
                since=_since(step.settings),
                settings_hash=digest,
                watched=watched,
                health=health,
            )
            runs.record(step.warehouse, run)
            if status != "done" and is_stop and name in OF_NIGHTS:
                if status == "failed" and name is not JobName.NIGHTLY:
                    telling.record_stop(step, name, str(error))
                _report_stop(step)
        alert(name, replace(step, warehouse=warehouse), meter.seconds, health)
    _log_done(name, step.run_date, outcome, meter.seconds)
    for finish in step.on_done:
        finish()
    return outcome


def _since(settings: jobs.Job) -> date | None:
    """The first date of a range that a job does at once; None: its run date alone."""
    if isinstance(settings, Nightly):
        nights = settings.nights()
        return nights[0] if len(nights) > 1 else None
    return optional_date(settings.since) if isinstance(settings, jobs.BuildFeatures) else None


def _report_stop(step: Step[jobs.Job]) -> None:
    """Write the report of a stopped night; a failure here is only logged, so that the original error is raised."""
    try:
        with outages.translate_errors(), failures.translate_errors():
            log.info("report: %s", night.write_stopped(step.warehouse, step.project, step.run_date))
    except Exception:
        log.exception("no report could be made of the night that has stopped")


def run_date_of(settings: jobs.Job) -> date:
    """The run date of a job, which its settings have checked.

    Raises:
        UsageError: the settings have none.
    """
    if settings.run_date is None:
        raise UsageError("run_date: none is given")
    return parse_run_date(settings.run_date)


def optional_date(text: str | None) -> date | None:
    """A date that settings may leave out."""
    return None if text is None else parse_run_date(text)


def _make_home(home: Path) -> None:
    """Make the home folder, readable by its user only, as it holds keys, models and logs."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"environment.home: {home} cannot be made ({error.strerror}), expected a folder that this user may write"
        ) from error


def single_step(job: JobName) -> Callable[[Context], None]:
    """The work of a job that is one step: that of its run date."""

    def run(context: Context) -> None:
        settings = context.settings
        perform(job, context.step(run_date_of(settings), settings), context.config_hash)

    return run


def _log_done(name: JobName, run_date: date, outcome: Outcome, seconds: float) -> None:
    tables = ", ".join(f"{table} version {version}" for table, version in outcome.outputs.items())
    rows = ", ".join(f"{count:,} {what}" for what, count in outcome.rows.items())
    log.info("%s for %s done in %.1f s: %s; %s", name.value, run_date, seconds, tables or "no table", rows or "no rows")
