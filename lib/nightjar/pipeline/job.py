"""How a job begins: its command line, its settings and their checks.

What runs a job is imported when it runs: help, configuration and checks do not wait for it.
"""

import gc
import logging
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import OmegaConf

from nightjar import config
from nightjar.masking.values import masking_of
from nightjar.pipeline import checking, command_line, projects
from nightjar.runtime import logs, process
from nightjar.settings.jobs import Job, JobName

if TYPE_CHECKING:
    from nightjar.pipeline.execution import Context
    from nightjar.pipeline.sessions import Sessions

log = logging.getLogger("nightjar.job")
INTERRUPTED = "interrupted: every table is as it was, or holds this run's complete rows"
INTERNAL = 1


def main(job: JobName, description: str) -> None:
    """Run a job from the command line and exit: 0 done, 1 a stated failure, 2 wrong usage, 130 interrupted.

    Args:
        job: which one.
        description: what `--help` says first.
    """
    # Until the job works: modules and settings leave no garbage, and looking for it takes a tenth of a check.
    gc.disable()
    logs.start()
    _leave_folder_of_jobs()
    try:
        with process.of_command(log.error, INTERRUPTED):
            run(job, description, sys.argv[1:])
    except Exception:
        log.exception("unexpected failure: a defect in Nightjar, or a failure that it does not know: see the traceback")
        sys.exit(INTERNAL)


def _leave_folder_of_jobs() -> None:
    """Take the job's folder off Python's path: its `profile.py` would hide the module of Python that cProfile needs."""
    folder = Path(sys.argv[0]).resolve().parent
    sys.path[:] = [place for place in sys.path if Path(place).resolve() != folder]


def run(job: JobName, description: str, arguments: list[str], body: "Callable[[Context], None] | None" = None) -> None:
    """Do what a command line says: print help or settings, check them, or run the job.

    Args:
        job: which one.
        description: what `--help` says first.
        arguments: of the command line.
        body: what to do instead of the job's own work.

    Raises:
        NightjarError: see `main`.
    """
    options = command_line.parse(job, description, arguments)
    lines = projects.lines(options.overrides) if job is JobName.NIGHTLY else [options.overrides]
    composed = [config.compose_job(options.config_dir, job, line) for line in lines]
    if options.cfg:
        for of_line in composed:
            config.require_as_written(of_line)
            sys.stdout.write(OmegaConf.to_yaml(config.mask(of_line)))
        return
    settings = [_settings(one) for one in composed]
    if options.check:
        for one in settings:
            checking.require_runnable(one)
        sys.stdout.write(f"{job.value}: nothing is wrong, as far as settings and the places of files tell\n")
        return
    for one in settings:
        checking.require_startable(one)
    from nightjar.pipeline import execution

    gc.enable()
    body = body or (_preview(options.preview) if job is JobName.INGEST and options.preview else _body(job))

    def work(one: Job, composed_of: config.Composed, lent: "Sessions | None" = None) -> None:
        logs.mask_with(masking_of(one.project).text)
        execution.execute(job, one, config.digest(composed_of), body, lent)

    works = [partial(work, one, of_one) for one, of_one in zip(settings, composed, strict=True)]
    if len(works) == 1:
        works[0]()
    else:
        projects.run_all(settings, works)


def _settings(composed: config.Composed) -> Job:
    """The settings of a job; what is secret in them is redacted from now on."""
    logs.add_secrets(config.secrets_of(composed))
    settings = config.make_settings(composed)
    logs.add_secrets(config.secrets_of(composed))  # and those that come from elsewhere, such as ${oc.env:NAME}
    logs.mask_with(masking_of(settings.project).text)
    return settings


def _preview(source: str) -> "Callable[[Context], None]":
    """A look at a source instead of the ingest."""
    from nightjar.pipeline import preview

    return partial(preview.show, source=source)


def _body(job: JobName) -> "Callable[[Context], None]":
    """The work of a job: all steps of its nights, what people ask for, or the one step that is called like the job."""
    from nightjar.pipeline import execution

    if job in _OF_OWN_MODULE:
        body: Callable[[Context], None] = import_module(f"nightjar.pipeline.{job.value}").run
        return body
    return execution.single_step(job)


_OF_OWN_MODULE = (
    *(JobName.NIGHTLY, JobName.LEASES, JobName.QUARANTINE, JobName.PROFILE),
    *(JobName.COMPARE, JobName.EXPLAIN, JobName.REVIEW, JobName.ALERTS, JobName.REPORT),
)
"""Jobs that are no single step: the module of pipeline that is called like one runs it."""
