"""Train: search, judge the winner on unseen days, refit it on everything known, register it."""

import logging
from dataclasses import asdict
from datetime import date
from pathlib import Path

import numpy as np

from nightjar.learning import proposals, references, registration, search
from nightjar.learning.candidates import Candidate
from nightjar.learning.checking import require_learnable
from nightjar.learning.final import Evidence, judge
from nightjar.learning.fitting import fitted
from nightjar.learning.label_review import label_review
from nightjar.learning.parts import training_part
from nightjar.learning.registration import Run
from nightjar.learning.rows import TrainingRows, read
from nightjar.learning.splits import final_period, folds
from nightjar.learning.units import Problem
from nightjar.models.predictor import Predictor
from nightjar.registry import events, keys, tracking
from nightjar.settings.learning import Search
from nightjar.settings.project import Project
from nightjar.settings.task import Task
from nightjar.tables.definitions import REFERENCES
from nightjar.tables.ledger import Outcome
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.train")

SEARCHES = "searches"
"""Folder of the home that holds the ledgers of searches."""


def train(
    warehouse: Warehouse,
    project: Project,
    settings: Search,
    run_date: date,
    run_id: str,
    home: Path,
    code_revision: str,
) -> Outcome:
    """Find, judge and register a model from what is known at the run date's midnight. Ray must have been started.

    Raises:
        LearningError: the settings do not fit the features, or the rows or folds cannot give an honest figure.
        ModelError: the key that signs cannot be used.
    """
    label = project.label
    run = Run(run_id, run_date, code_revision, home, keys.signing_key(home))
    rows = read(warehouse, project, run_date, group=settings.split.group, query=label.query, task=label.task)
    require_learnable(settings, rows.columns, label.task)
    told = (f"{len(rows.label):,}", rows.day[0], rows.day[-1], len(rows.columns))
    log.info("%s labelled rows, %s to %s, %d features", *told)
    final = final_period(rows, settings.split, rows.last_settled, settings.final_days, project.zone)
    found = search.run(problem(rows, project, settings, final.start), settings, home / SEARCHES, code_revision)
    winner, baselines = _chosen(found), proposals.baselines(settings)
    log.info("best on the folds: %s; now judged on %s to %s, never seen so far", winner.name, final.start, final.end)
    evidence, final_scores = judge(rows, final, winner, baselines, project, settings)
    log.info("final period: %s", _told(evidence))
    predictor = refitted(rows, winner, project, settings, run_date)
    version, mlflow_run = registration.register(run, project, settings, rows, found, winner, evidence, predictor)
    if label.task is Task.CLASSIFICATION:
        tracking.attach(home, mlflow_run, label_review(rows, final, final_scores, settings.seed))
    log.info("registered as version %s of %s (MLflow run %s)", version, project.name, mlflow_run)
    fits = sum(len(results) for results in found.results.values())
    outcome = Outcome(inputs=dict(rows.versions), rows={"training rows": len(rows.label), "fits": fits})
    outcome.outputs[REFERENCES.name] = references.store(warehouse, rows, final_scores, version, run_id)
    registered = events.Version(version, winner.name, run_date, asdict(evidence))
    outcome.outputs["model_events"] = events.record(warehouse, "registered", registered, run_id)
    return outcome


def problem(rows: TrainingRows, project: Project, settings: Search, before: date) -> Problem:
    """The folds of the rows before a date, with inner splits where a candidate needs them."""
    found = folds(rows, settings.split, before, project.zone, settings.seed)
    models = list(settings.candidates.values())
    parts = [training_part(rows, fold.train, models, settings, project.zone) for fold in found]
    return Problem(rows, found, parts, project.label.task, settings.seed)


def refitted(rows: TrainingRows, winner: Candidate, project: Project, settings: Search, run_date: date) -> Predictor:
    """The winner, fitted on all rows, or on the newest ones of a sliding window."""
    days = settings.split.train_days
    newest = np.datetime64(run_date) - days if days else rows.day.min()
    return fitted(rows, np.flatnonzero(rows.day >= newest), winner, project, settings)


def _chosen(found: search.Found) -> Candidate:
    """The best candidate that is no baseline; says how all of them stand."""
    sign = -1 if found.metric.greater_is_better else 1
    means = {candidate: found.mean(candidate) for candidate in found.results}
    rated = {candidate: mean for candidate, mean in means.items() if mean is not None}
    for candidate, mean in sorted(rated.items(), key=lambda item: sign * item[1]):
        log.info("mean over folds: %s %s %.4f", candidate.name, found.metric.value, mean)
    for candidate in (one for one in means if one not in rated):
        failed = next((result for result in found.results[candidate] if result.failure), None)
        if failed is not None:
            last = (failed.failure or "").strip().splitlines()[-1]
            log.warning("%s failed on %s (seed %d): %s", candidate.name, failed.fold, failed.seed, last)
    stopped = len(means) - len(rated)
    if stopped:
        log.info("%d of %d candidates were stopped before their last fold, or failed", stopped, len(means))
    return found.best()


def _told(evidence: Evidence) -> str:
    shown = {evidence.candidate["name"]: evidence.candidate, **evidence.baselines}
    estimates = {name: measured[evidence.metric]["estimate"] for name, measured in shown.items()}
    parts = [
        f"{name} {evidence.metric} {'undefined' if value is None else f'{value:.4f}'}"
        for name, value in estimates.items()
    ]
    return ", ".join(parts)
