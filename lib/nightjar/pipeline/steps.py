"""The steps of a night: each is one call into a stage, and knows which step must have finished before it.

A step imports its stage when it runs, so that a misspelt key is reported without waiting for Ray, MLflow and torch.
"""

import logging
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

from nightjar.pipeline import cards, gates
from nightjar.pipeline.step import Step
from nightjar.registry import events
from nightjar.report import night
from nightjar.runtime import logs
from nightjar.settings import jobs
from nightjar.settings.jobs import Job, JobName
from nightjar.settings.learning import Search
from nightjar.settings.nightly import Nightly
from nightjar.settings.project import Project
from nightjar.settings.quarantine import Quarantine
from nightjar.settings.retract import Retract
from nightjar.tables import arrow, runs
from nightjar.tables.runs import Outcome
from nightjar.tables.source_definitions import QUALITY, source_table_name
from nightjar.timeline import parse_run_date

log = logging.getLogger("nightjar.promote")
log_monitor = logging.getLogger("nightjar.monitor")
log_maintain = logging.getLogger("nightjar.maintain")


def ingest(step: Step[jobs.Ingest]) -> Outcome:
    """Raw data into the sources' tables."""
    from nightjar.features.column_checks import require_fit
    from nightjar.sources.connectors import passwords
    from nightjar.sources.ingest import ingest as run_ingest

    spark, project = step.sessions.spark, step.project
    logs.add_secrets(passwords.present(project.sources))
    previous = runs.previous_done(step.warehouse, JobName.INGEST.value, step.run_date)
    check = partial(require_fit, spark, project)
    return run_ingest(spark, step.warehouse, project, step.run_date, previous, step.run_id, step.home / "raw", check)


def build_features(step: Step[jobs.BuildFeatures]) -> Outcome:
    """Features and labels."""
    from nightjar.features.build import build

    step.require(JobName.INGEST, JobName.BUILD_FEATURES)
    previous = runs.previous_done(step.warehouse, JobName.BUILD_FEATURES.value, step.run_date)
    since = step.settings.since
    first = step.run_date if since is None else parse_run_date(since)
    placements = step.environment.placements
    return build(
        step.sessions.spark, step.warehouse, step.project, first, step.run_date, previous, step.run_id, placements
    )


def train(step: Step[jobs.Train]) -> Outcome:
    """The search, the final figures and the registered model."""
    from nightjar.features.staleness import require_current
    from nightjar.learning.train import train as run_training
    from nightjar.registry import aliases
    from nightjar.runtime import memory, ray

    search = step.settings.search
    require_trainable(search, step.project, step.run_date)
    step.require(JobName.BUILD_FEATURES, JobName.TRAIN)
    require_current(step.warehouse, step.project, step.run_date)
    aliases.reconcile(step.home, step.warehouse)
    step.on_done.extend([partial(gates.show_newest, step), partial(cards.write_of_run, step)])
    memory.forget_peak()
    with ray.session(step.environment):
        return run_training(
            step.warehouse, step.project, search, step.run_date, step.run_id, step.environment, step.code_revision
        )


def require_trainable(search: Search, project: Project, run_date: date) -> None:
    """Raise UsageError where the settings alone show that a training of the date cannot run."""
    from nightjar.learning.search.feasibility import require_feasible

    require_feasible(search, project, run_date)


def promote(step: Step[jobs.Promote]) -> Outcome:
    """Make a version champion, or refuse it; either is recorded with its reason."""
    from nightjar.pipeline.promotion import promote as run_promotion

    return run_promotion(step)


def score(step: Step[jobs.Score]) -> Outcome:
    """The night's scores, and what is served now; on weekdays without rows there are none, and no champion is needed,
    nor where others may score in its place.
    """
    from nightjar.registry import aliases
    from nightjar.scoring import inputs, latest, retracting
    from nightjar.scoring.score import score as run_scoring

    if step.project.spine.is_due(step.run_date):
        if not step.project.serving.fallback.chain:
            events.champion(step.warehouse, step.run_date)
        aliases.reconcile(step.home, step.warehouse)
    step.require(JobName.BUILD_FEATURES, JobName.SCORE)
    # The quality of the night's input must be about the facts that the features were built from.
    runs.require_newer(step.warehouse, JobName.BUILD_FEATURES.value, JobName.INGEST.value, step.run_date)
    outcome = run_scoring(
        lambda: step.sessions.spark,
        step.warehouse,
        step.project,
        step.run_date,
        step.run_id,
        step.environment,
        retrospective=step.settings.retrospective,
    )
    if step.settings.retrospective:
        return outcome
    version = outcome.inputs["features"]
    if outcome.rows["scores"]:
        outcome |= retracting.record_served(step.warehouse, step.run_date, step.run_id)
    outcome |= latest.refresh(step.warehouse, step.project, step.run_id)
    return outcome | inputs.store(lambda: step.sessions.spark, step.warehouse, step.run_date, version, step.run_id)


def monitor(step: Step[jobs.Monitor]) -> Outcome:
    """Drift, performance, experiment, verdict; the night's report once they are recorded, as it shows this run, too."""
    from nightjar.features.staleness import require_current_labels
    from nightjar.monitoring import drift, experiment, performance
    from nightjar.pipeline import canary_moves, concluding

    step.require(JobName.SCORE, JobName.MONITOR)
    require_current_labels(step.warehouse, step.project, step.run_date)
    of_night = (step.warehouse, step.project, step.run_date, step.run_id)
    of_drift, drifted = drift.measure(lambda: step.sessions.spark, *of_night)
    of_performance, performed = performance.measure(*of_night)
    # After them: of its figures follows what the next night serves.
    of_experiment, judged = experiment.measure(lambda: step.sessions.spark, *of_night)
    moved = canary_moves.advance(step, judged)
    concluded = concluding.conclude(step, [*drifted, *performed])
    step.on_done.append(partial(_write_report, step))
    return of_drift | of_performance | of_experiment | moved | concluded


def _write_report(step: Step[Job]) -> None:
    log_monitor.info("report: %s", night.write(step.warehouse, step.project, step.run_date))


def maintain(step: Step[jobs.Maintain]) -> Outcome:
    """Verify the tables and repair them, then maintain them, then check the features against a rebuild."""
    from nightjar.features import consistency
    from nightjar.pipeline import repair
    from nightjar.registry import data_versions
    from nightjar.tables import maintenance, verification

    keep = data_versions.versions(step.warehouse, step.environment)
    spark, project = step.sessions.spark, step.project
    tables = [name for name in maintenance.orders(project) if arrow.exists(step.warehouse, name)]
    verified = verification.verify(spark, step.warehouse, tables, keep)
    repaired = Outcome(rows={"files and commits verified": sum(verified.looked_at.values())})
    repaired.outputs[QUALITY.name] = verification.record(step.warehouse, verified, step.run_date, step.run_id)
    repaired.outputs |= repair.repair(step, verified.damages)
    maintained = maintenance.maintain(spark, step.warehouse, project, keep, step.run_date, step.run_id)
    _remove_staged(step)
    nights, rows = step.settings.check_nights, step.settings.check_rows
    checked = consistency.check(spark, step.warehouse, project, step.run_date, step.run_id, nights, rows)
    return repaired | maintained | checked


def _remove_staged(step: Step[jobs.Maintain]) -> None:
    """Remove staged raw rows that nothing will read again."""
    from nightjar.sources.intake import history, staging

    for source in step.project.sources:
        entries = history.read(step.warehouse, source, source_table_name(source)).entries
        removed = staging.remove_old(step.warehouse, source, entries, step.run_date)
        if removed:
            log_maintain.info("source %s: %d folders of staged rows removed", source, removed)


def retract(step: Step[Retract]) -> Outcome:
    """A night leaves the served views."""
    from nightjar.pipeline.deciding import user
    from nightjar.scoring.retracting import retract as run_retraction

    reason, by = str(step.settings.reason), step.settings.by
    return run_retraction(step.warehouse, step.project, step.run_date, step.run_id, reason=reason, user=user(), by=by)


STEPS: dict[JobName, Callable[[Step[Any]], Outcome]] = {
    JobName.INGEST: ingest,
    JobName.BUILD_FEATURES: build_features,
    JobName.TRAIN: train,
    JobName.PROMOTE: promote,
    JobName.SCORE: score,
    JobName.MONITOR: monitor,
    JobName.MAINTAIN: maintain,
    JobName.RETRACT: retract,
}


def resources(name: JobName, step: Step[Job]) -> tuple[str, ...]:
    """The resources to lease for a run: the job for its date, and what runs of other dates change or depend on."""
    if isinstance(step.settings, Quarantine):
        return (f"source/{step.settings.from_source}",)
    if isinstance(step.settings, Nightly):
        return tuple(f"{name.value}/{night}" for night in step.settings.nights() or [step.run_date])
    of_all_dates = {
        JobName.INGEST: [f"source/{source}" for source in step.project.sources],
        JobName.BUILD_FEATURES: [JobName.BUILD_FEATURES.value],  # a label is of the first date that knows it
        JobName.TRAIN: [JobName.TRAIN.value],  # it takes of one budget, read at its start and recorded at its end
        JobName.PROMOTE: [JobName.PROMOTE.value],  # it judges against who holds, as of the dates before, too
        JobName.MAINTAIN: [JobName.MAINTAIN.value],
        JobName.RETRACT: [f"{JobName.SCORE.value}/{step.run_date}"],  # or a run that scores the night would serve it
    }
    return (f"{name.value}/{step.run_date}", *of_all_dates.get(name, ()))


def tables(project: Project) -> list[str]:
    """The names of all tables that a project may have."""
    from nightjar.tables import maintenance

    return sorted(maintenance.orders(project))
