"""A night: its steps in order, for one date, a range of dates, or the project's own history and nights."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial

from nightjar.errors import UsageError
from nightjar.pipeline import plan, retraining, summary
from nightjar.pipeline.deciding import is_current_winner
from nightjar.pipeline.execution import Context, perform
from nightjar.pipeline.nightly_steps import first_to_build, is_named, settings_of, steps_of
from nightjar.pipeline.plan import Verdict
from nightjar.pipeline.retrying import WillRetry, retrying
from nightjar.pipeline.step import Step
from nightjar.pipeline.steps import require_trainable
from nightjar.registry import events
from nightjar.settings.jobs import STEPS_OF_NIGHT, Job, JobName, Train
from nightjar.settings.nightly import Nightly
from nightjar.tables.runs import Outcome
from nightjar.timeline import parse_run_date

log = logging.getLogger("nightjar.nightly")
TRAINING = (JobName.TRAIN, JobName.PROMOTE)
LET_IN, AFTER = 2.0, 20.0
"""Seconds of a pause between two ingests of a range, and of work before it: a run that waits for a source, and looks
each second, gets its turn."""
ALONG = "built again in the same pass: dates before and after it are due"
"""Why a date is built that is done."""
HISTORY = (JobName.INGEST, JobName.BUILD_FEATURES, *TRAINING)


@dataclass
class Nights:
    """The nights of a command: what is to be done, and what has been.

    Attributes:
        context: of the process.
        settings: of the nightly.
        done: dates and steps that were run.
        skipped: how many were not, since they are done or not needed.
        rows: what was counted -> rows, of all steps.
    """

    context: Context
    settings: Nightly
    done: list[tuple[date, JobName]] = field(default_factory=list)
    skipped: int = 0
    rows: dict[str, int] = field(default_factory=dict)


def run(context: Context) -> None:
    """Run the nights; a failed step stops them and leaves the tables consistent.

    Raises:
        NightjarError: what a step failed with.
    """
    settings = context.settings
    if not isinstance(settings, Nightly):
        raise UsageError("the nightly needs the configuration of the nightly job")
    nights = Nights(context, settings)
    try:
        for dates, steps in _nights(context, settings):
            chosen = [step for step in steps if step in steps_of(settings)]
            text = f"{dates[0]}..{dates[-1]}" if len(dates) > 1 else str(dates[0])
            step = context.step(dates[-1], replace(settings, run_date=text, project_dates=False))
            perform(JobName.NIGHTLY, step, context.config_hash, partial(_run, nights, dates, chosen))
    except Exception as error:
        log.info("%s", summary.line(settings, nights.done, nights.skipped, nights.rows, error))
        raise
    summary.print_summary(context.warehouse, nights.done)
    log.info("%s", summary.line(settings, nights.done, nights.skipped, nights.rows))


def _nights(context: Context, settings: Nightly) -> Iterator[tuple[list[date], tuple[JobName, ...]]]:
    """The dates that are run together, and their steps."""
    if not settings.project_dates:
        yield settings.nights(), STEPS_OF_NIGHT
        return
    project = settings.project
    history, first = parse_run_date(project.history_until), parse_run_date(project.first_night)
    if events.find_champion(context.warehouse, history) is None:
        yield [history], HISTORY
    else:
        log.info("history until %s has been loaded and trained on before", history)
    for number in range(project.nights):
        yield [first + timedelta(days=number)], STEPS_OF_NIGHT


def _run(nights: Nights, dates: list[date], names: list[JobName], night: Step[Job]) -> Outcome:
    """Run steps of the dates, the features of all of them at once; the outcome is their sum, for the row in `runs`."""
    whole = Outcome()
    champion = events.find_champion(night.warehouse, dates[0])
    must_train = JobName.TRAIN in names and is_named(nights.settings, JobName.TRAIN)
    if must_train or (JobName.TRAIN in names and not is_current_winner(champion, nights.settings.project, dates[0])):
        require_trainable(nights.settings.search, nights.settings.project, dates[0])
    paused = time.monotonic()
    for day in dates if JobName.INGEST in names else ():
        if time.monotonic() > paused + AFTER:
            time.sleep(LET_IN)
            paused = time.monotonic()
        whole |= _step(nights, night, JobName.INGEST, day)
    if JobName.BUILD_FEATURES in names:
        whole |= _build(nights, night, dates)
    for day in dates:
        for name in (JobName.TRAIN, JobName.PROMOTE, JobName.SCORE, JobName.MONITOR):
            if name in names:
                whole |= _step(nights, night, name, day)
    return whole


def _step(nights: Nights, night: Step[Job], name: JobName, day: date) -> Outcome:
    """Run a step of a date if it is due."""
    settings = settings_of(name, nights.settings, day)
    if isinstance(settings, Train) and _called_for(nights, night, name, day) is not None:
        search = retraining.search_of(night.warehouse, settings.project, settings.search, day)
        settings = replace(settings, search=search)
    verdict = _verdict(nights, night, name, settings, day)
    if verdict.is_due:
        return _perform(nights, night, name, settings, day) | _note(name, day, verdict)
    nights.skipped += 1
    log.info("%s for %s %s", name.value, day, verdict.reason)
    return _note(name, day, verdict)


def _build(nights: Nights, night: Step[Job], dates: list[date]) -> Outcome:
    """Build the features of the dates, from the first to the last that is due, in one pass."""
    name, whole, since = JobName.BUILD_FEATURES, Outcome(), None
    verdicts = {day: _verdict(nights, night, name, settings_of(name, nights.settings, day), day) for day in dates}
    due = [day for day, verdict in verdicts.items() if verdict.is_due]
    if due:
        since = first_to_build(night.warehouse, nights.settings.project, due[0], due[-1])
    for day, verdict in verdicts.items():
        if due and (since or due[-1]) <= day <= due[-1]:
            whole |= _note(name, day, verdict if verdict.is_due else replace(verdict, reason=ALONG))
        else:
            nights.skipped += 1
            log.info("%s for %s %s", name.value, day, verdict.reason)
            whole |= _note(name, day, verdict)
    if not due:
        return whole
    return whole | _perform(nights, night, name, settings_of(name, nights.settings, due[-1], since), due[-1])


def _verdict(nights: Nights, night: Step[Job], name: JobName, settings: Job, day: date) -> Verdict:
    """Whether a step is due: by name, because a champion is needed, or because it is not done.

    What has been trained just now is judged, whoever holds.
    """
    if is_named(nights.settings, name):
        return Verdict(is_due=True, reason="named by only, from or force")
    reason = _called_for(nights, night, name, day)
    if reason is not None:
        return Verdict(is_due=True, reason=reason)
    if name in TRAINING and not (name is JobName.PROMOTE and (day, JobName.TRAIN) in nights.done):
        champion = events.find_champion(night.warehouse, day)
        if champion is not None and is_current_winner(champion, nights.settings.project, day):
            return Verdict(is_due=False, reason=f"not needed: version {champion.number} holds")
    verdict = plan.judge(night.warehouse, name, settings, day)
    return verdict if verdict.is_due else replace(verdict, reason=f"skipped: {verdict.reason}")


def _called_for(nights: Nights, night: Step[Job], name: JobName, day: date) -> str | None:
    """Why triggers make a training due, or the decision about one that was ended before it; None: they do not."""
    project = nights.settings.project
    if name is JobName.TRAIN:
        return retraining.call(night.warehouse, project, day)
    is_open = name is JobName.PROMOTE and project.monitoring.retraining.automatic
    if is_open and retraining.is_undecided(night.warehouse, day):
        return "nobody has decided about the version that was trained for the night"
    return None


def _perform(nights: Nights, night: Step[Job], name: JobName, settings: Job, day: date) -> Outcome:
    log.info("%s for %s", name.value, day)
    context = nights.context

    def attempt(will_retry: WillRetry) -> Outcome:
        step = replace(context.step(day, settings), warehouse=night.warehouse)
        return perform(name, step, context.config_hash, will_retry=will_retry)

    outcome = retrying(attempt, f"{name.value} for {day}", nights.settings.retries, context.sessions)
    nights.done.append((day, name))
    nights.rows |= {what: nights.rows.get(what, 0) + count for what, count in outcome.rows.items()}
    return outcome


def _note(name: JobName, day: date, verdict: Verdict) -> Outcome:
    return Outcome(notes={f"{day} {name.value}": verdict.reason})
