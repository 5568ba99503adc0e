"""Train: search, judge the winner on unseen days, refit it on everything known, register it."""

import logging
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import numpy as np

from nightjar.learning import references, registration
from nightjar.learning.clusters import clusters_of
from nightjar.learning.final import Evidence, judge
from nightjar.learning.fitting import fitted
from nightjar.learning.gaps import gap
from nightjar.learning.held_out import held_out
from nightjar.learning.leakage import suspect_features
from nightjar.learning.parts import require_parts, training_part
from nightjar.learning.registration import Run
from nightjar.learning.rows import TrainingRows, read
from nightjar.learning.search import ledger, proposals, tune
from nightjar.learning.search.candidates import Candidate
from nightjar.learning.search.checking import require_learnable, require_measurable
from nightjar.learning.search.found import Found
from nightjar.learning.search.units import Problem
from nightjar.learning.splits.folding import final_period, folds, settled
from nightjar.registry import events, keys, tracking
from nightjar.registry.period import intervals_over
from nightjar.settings.learning import Search
from nightjar.settings.project import Project
from nightjar.settings.split import SplitKind
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
        LearningError: the settings do not fit the features, or the rows or folds cannot give an honest figure; or the
            search's ledger is damaged, or held by another process.
        ModelError: the key that signs cannot be used, or MLflow cannot record the training.
    """
    label = project.label
    run = Run(run_id, run_date, code_revision, home, keys.signing_key(home))
    rows = read(
        warehouse,
        project,
        run_date,
        group=settings.split.group,
        query=label.query,
        task=label.task,
        unlabelled=settings.self_trains(),
    )
    require_learnable(settings, rows.columns, label.task, weighted=rows.weight is not None)
    told = (f"{len(rows.label):,}", rows.day[0], rows.day[-1], len(rows.columns))
    log.info("%s labelled rows, %s to %s, %d features", *told)
    if rows.null_labels:
        log.info("%.1f%% of all known labels are null: settled without an outcome, left out", 100 * rows.null_labels)
    final = final_period(rows, settings.split, rows.last_settled, settings.final_days, project.zone)
    lacking = gap(rows, final, run_date, project)
    if lacking is not None:
        log.info("%s", lacking)
    _ask_about(suspect_features(rows, final.train), label.task)
    if rows.group is not None:
        seen = np.isin(rows.group[final.test], rows.group[final.train]).mean()
        log.info("%.0f%% of the final period's rows are of groups that are trained on, as when served", 100 * seen)
    started = time.monotonic()
    asked = problem(rows, project, settings, final.start)
    known = settled(rows, run_date, project.zone, settings.split.train_days)
    require_parts(rows, [(final.train, final.start), (known, run_date)], settings, project.zone)
    with (
        ledger.opened(home / SEARCHES, asked.key()) as book,
        registration.recorded(run, project, rows, book, events.newest(warehouse)) as record,
    ):
        found = tune.run(asked, settings, book, registration.recording(record))
        log.info("searched for %.0f s", time.monotonic() - started)
        record.tag("nightjar.search_cut_short", str(found.cut_short).lower())
        winner, baselines = _chosen(found), proposals.baselines(settings)
        found.require_sound(baselines)
        period = (final.start, final.end)
        log.info("best on the folds: %s; now judged on %s to %s, never seen so far", winner.name, *period)
        clusters = clusters_of(rows, final.test, *period, project.label, settings)
        evidence, final_scores = judge(rows, final, clusters, winner, baselines, project, settings)
        log.info("final period: %s; 95%% intervals over %s", _told(evidence), intervals_over(asdict(evidence)))
        unseen = held_out(asked, winner, final, final_scores, clusters, project.costs)
        if unseen.threshold is not None:
            log.info("%s", unseen.threshold)
            evidence = replace(evidence, threshold=asdict(unseen.threshold))
        predictor = fitted(rows, known, run_date, winner, project, settings)
        tracking.attach(record, unseen.labels)
        # From here on no value of a row can be refused.
        histograms = references.histograms(rows, known, final.test, final_scores)
        version = registration.register(run, record, project, settings, rows, known, winner, evidence, predictor)
        beside = registration.register_stand_in(run, record, project, settings, rows, known, final, evidence)
    log.info("registered as version %s of %s (MLflow run %s)", version, project.name, record.id)
    fits = sum(len(results) for results in found.results.values())
    outcome = Outcome(inputs=dict(rows.versions), rows={"training rows": len(known), "fits": fits})
    told_as = {**asdict(evidence), events.DEFINITIONS: rows.definitions_hash}
    registered = {None: (events.Version(version, winner.name, run_date, told_as), histograms)}
    for alias, (one, made) in (registered | ({} if beside is None else {events.STAND_IN: beside})).items():
        outcome.outputs[REFERENCES.name] = references.store(warehouse, made, one.number, run_id)
        outcome.outputs["model_events"] = events.record(warehouse, "registered", one, run_id, alias)
    return outcome


def problem(rows: TrainingRows, project: Project, settings: Search, before: date) -> Problem:
    """The folds of the rows before a date, with inner splits as deep as the candidate needs that asks for most.

    Inner splits are part of `Problem.key`: one more candidate with deeper ones has all the others fitted again.

    Raises:
        LearningError: the rows cannot fill them, or the metric is undefined on a fold.
    """
    found = folds(rows, settings.split, before, project.zone, settings.seed)
    walks = settings.split.kind is SplitKind.WALK_FORWARD  # other folds have test rows of all dates
    starts = [fold.start if walks else before for fold in found]
    parts = [
        training_part(rows, fold.train, start, settings.inner_depth(), settings, project.zone)
        for fold, start in zip(found, starts, strict=True)
    ]
    asked = Problem(rows, found, parts, project.label.task, settings.seed)
    require_measurable(asked, settings.metric)
    return asked


def _ask_about(suspect: Mapping[str, float], task: Task) -> None:
    measure = "ROC AUC" if task is Task.CLASSIFICATION else "rank correlation"
    for name, strength in suspect.items():
        log.warning(
            "%s by itself tells the labels with a %s of %.3f: was it known at the prediction time? If not, leave "
            "it out, or say when it is known (known_at of its source)",
            name,
            measure,
            strength,
        )


def _chosen(found: Found) -> Candidate:
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
