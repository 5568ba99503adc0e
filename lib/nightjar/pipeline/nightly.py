"""A night: its steps in order, for one date or for the project's own history and nights."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any

from nightjar.errors import UsageError
from nightjar.features.staleness import stale_since
from nightjar.pipeline.deciding import is_current_winner
from nightjar.pipeline.execution import Context, perform, run_date_of
from nightjar.pipeline.step import Step
from nightjar.pipeline.steps import require_trainable
from nightjar.pipeline.summary import print_summary
from nightjar.registry import events
from nightjar.settings.jobs import BuildFeatures, Job, JobName, Nightly, Train
from nightjar.settings.project import Project
from nightjar.settings.roots import ROOTS
from nightjar.tables import runs
from nightjar.tables.runs import Outcome
from nightjar.timeline import parse_run_date

log = logging.getLogger("nightjar.nightly")
TRAINING = (JobName.TRAIN, JobName.PROMOTE)
HISTORY = (JobName.INGEST, JobName.BUILD_FEATURES, *TRAINING)
NIGHT = (*HISTORY, JobName.SCORE, JobName.MONITOR)


def run(context: Context) -> None:
    """Run the nights one after another; a failed step stops them and leaves the tables consistent."""
    settings = context.settings
    if not isinstance(settings, Nightly):
        raise UsageError("the nightly needs the configuration of the nightly job")
    done: list[tuple[date, JobName]] = []
    for run_date, steps in _nights(context, settings):
        chosen = [step for step in steps if not settings.only or step.value in settings.only]
        night = partial(_night, context, settings, chosen, done)
        perform(JobName.NIGHTLY, context.step(run_date, settings), context.config_hash, night)
    print_summary(context.warehouse, done)


def _nights(context: Context, settings: Nightly) -> Iterator[tuple[date, tuple[JobName, ...]]]:
    if not settings.project_dates:
        yield run_date_of(settings), NIGHT
        return
    project = settings.project
    history, first = parse_run_date(project.history_until), parse_run_date(project.first_night)
    if events.find_champion(context.warehouse, history) is None:
        yield history, HISTORY
    else:
        log.info("history until %s has been loaded and trained on before", history)
    for number in range(project.nights):
        yield first + timedelta(days=number), NIGHT


def _night(
    context: Context, settings: Nightly, names: list[JobName], done: list[tuple[date, JobName]], night: Step[Job]
) -> Outcome:
    """Run the steps of one date and append them to `done`; the outcome is their sum, for the row in `runs`."""
    whole = Outcome()
    holds = is_current_winner(events.find_champion(context.warehouse, night.run_date), settings.project, night.run_date)
    if JobName.TRAIN in names and (not holds or JobName.TRAIN.value in settings.only):
        require_trainable(settings.search, settings.project, night.run_date)
    for name in names:
        champion = events.find_champion(context.warehouse, night.run_date)
        if (
            name in TRAINING
            and name.value not in settings.only
            and is_current_winner(champion, settings.project, night.run_date)
        ):
            log.info("%s for %s not needed: version %s holds", name.value, night.run_date, champion and champion.number)
            continue
        log.info("%s for %s", name.value, night.run_date)
        since = _since(context, settings.project, night) if name is JobName.BUILD_FEATURES else None
        step = context.step(night.run_date, _settings_of(name, settings, night.run_date, since))
        whole |= perform(name, replace(step, warehouse=night.warehouse), context.config_hash)
        done.append((night.run_date, name))
    return whole


def _settings_of(name: JobName, settings: Nightly, run_date: date, since: date | None) -> Job:
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


def _since(context: Context, project: Project, night: Step[Job]) -> date | None:
    """The first date to build: the start of the data at the first build, so that there is something to learn from.

    After an edit of the project it is the first date whose features the edit changes; otherwise None.
    """
    if runs.previous_done(context.warehouse, JobName.BUILD_FEATURES.value, night.run_date) is None:
        return parse_run_date(project.first_date)
    since = stale_since(context.warehouse, project, night.run_date)
    if since is not None:
        log.warning("features since %s are built again: the project's definitions of them have been edited", since)
    return since
