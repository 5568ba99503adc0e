"""Which steps a nightly runs, and by which settings of their own jobs."""

import logging
from datetime import date
from typing import Any

from nightjar.features.staleness import stale_since
from nightjar.settings.jobs import STEPS_OF_NIGHT, BuildFeatures, Job, JobName, Train
from nightjar.settings.nightly import Nightly
from nightjar.settings.project import Project
from nightjar.settings.roots import ROOTS
from nightjar.tables import runs
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import parse_run_date

log = logging.getLogger("nightjar.nightly")


def steps_of(settings: Nightly) -> list[JobName]:
    """The steps that are looked at, in order: those named by `only`, or those from `from_step` on, or all."""
    if settings.only:
        return [step for step in STEPS_OF_NIGHT if step.value in settings.only]
    names = [step.value for step in STEPS_OF_NIGHT]
    first = 0 if settings.from_step is None else names.index(settings.from_step)
    return list(STEPS_OF_NIGHT[first:])


def is_named(settings: Nightly, name: JobName) -> bool:
    """Whether the settings say that a step is to be run though it is done.

    A training or promotion that comes after `from_step` is not named by it: it is run where it is due.
    """
    if name.value in (*settings.only, *settings.force, settings.from_step):
        return True
    is_of_training = name in (JobName.TRAIN, JobName.PROMOTE)
    return settings.from_step is not None and not is_of_training and name in steps_of(settings)


def settings_of(name: JobName, settings: Nightly, run_date: date, since: date | None = None) -> Job:
    """The settings of a step's own job for a date of the night's; `since` is of the features."""
    shared: dict[str, Any] = {
        "environment": settings.environment,
        "project": settings.project,
        "run_date": run_date.isoformat(),
    }
    if name is JobName.TRAIN:
        return Train(**shared, search=settings.search)
    if name is JobName.BUILD_FEATURES:
        return BuildFeatures(**shared, since=None if since is None else since.isoformat())
    return ROOTS[name](**shared)


def first_to_build(warehouse: Warehouse, project: Project, first: date, last: date) -> date | None:
    """The first date to build: the start of the data at the first build, so that there is something to learn from.

    After an edit of the project it is the first date whose features the edit changes, if that is earlier. None: there
    is but one date to build.

    Args:
        warehouse: where tables lie.
        project: whose features.
        first: the first of the nights.
        last: the last of them.
    """
    job = JobName.BUILD_FEATURES.value
    is_covered = any(row["status"] == "done" for row in runs.covering(warehouse, [job], first))
    if runs.previous_done(warehouse, job, last) is None and not is_covered:
        return parse_run_date(project.first_date)
    stale = stale_since(warehouse, project, last)
    if stale is not None:
        log.warning("features since %s are built again: the project's definitions of them have been edited", stale)
    since = first if stale is None else min(first, stale)
    return None if since == last else since
