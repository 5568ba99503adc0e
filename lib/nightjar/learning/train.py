"""Train: search, judge the winner on the final period, refit it on all known labels, register it."""

import logging
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from nightjar.evaluation.criteria import standard_of
from nightjar.learning import references, registration
from nightjar.learning.champion import RECIPE, open_champion, recipe_of
from nightjar.learning.clusters import clusters_of
from nightjar.learning.consequences import add_consequences, plan_attempt
from nightjar.learning.data.prices import read_prices
from nightjar.learning.data.training_set import TrainingSet, read_training_set
from nightjar.learning.evidence import Evidence, judge
from nightjar.learning.fitting.candidates import Candidate
from nightjar.learning.fitting.fit import fit_candidate
from nightjar.learning.fitting.fit_sets import make_fit_set, require_fit_sets
from nightjar.learning.gate_figures import require_few_groups
from nightjar.learning.leakage import suspect_features
from nightjar.learning.missing_dates import describe_missing_dates
from nightjar.learning.out_of_fold_checks import out_of_fold_checks
from nightjar.learning.rare_classes import describe_rare_classes
from nightjar.learning.registration import Run
from nightjar.learning.search import proposals, tune
from nightjar.learning.search.checking import require_learnable
from nightjar.learning.search.ledger import open_ledger
from nightjar.learning.search.problem import Problem, require_measurable
from nightjar.learning.search.search_result import SearchResult
from nightjar.learning.splits.folding import final_period, folds, select_settled
from nightjar.learning.unobserved import count_unobserved
from nightjar.registry import events, keys, tracking
from nightjar.registry.period import intervals_over
from nightjar.runtime import memory
from nightjar.settings.environment import Environment
from nightjar.settings.learning import Search
from nightjar.settings.project import Project
from nightjar.settings.split import SplitKind
from nightjar.settings.task import Task
from nightjar.tables.definitions import REFERENCES
from nightjar.tables.runs import Outcome
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
    environment: Environment,
    code_revision: str,
) -> Outcome:
    """Train a model on what is known at the run date's midnight, judge and register it. Ray must have been started.

    Raises:
        LearningError: the settings do not fit the features, or the rows or folds cannot give a metric; or the search's
            ledger is damaged, or locked by another process.
        ModelError: the key that signs cannot be used, or MLflow cannot record the training.
    """
    label, home = project.label, Path(environment.home).absolute()
    run = Run(run_id, run_date, code_revision, home, keys.signing_key(home))
    rows = read_training_set(
        warehouse,
        project,
        run_date,
        group=settings.split.group,
        query=label.query,
        slices=project.promotion.group_columns(),
        task=label.task,
        unlabelled=settings.self_trains(),
    )
    require_few_groups(rows.slices, project.promotion)
    prices = read_prices(warehouse, project, rows)
    require_learnable(settings, rows.columns, label.task, weighted=rows.weight is not None)
    log.info("%s labelled rows, %s to %s, %d features", f"{len(rows.label):,}", *rows.day[[0, -1]], len(rows.columns))
    for share, what in ((rows.null_labels, "null: settled without an outcome"), (rows.acted_on, "of rows acted on")):
        if share > 0:
            log.info("%.1f%% of all known labels are %s, left out", 100 * share, what)
    champion = open_champion(environment, warehouse, project.name, run_date, rows)
    final = final_period(rows, settings.split, rows.last_settled, settings.final_days, project.zone)
    missing_dates = describe_missing_dates(rows, final, run_date, project)
    if missing_dates is not None:
        log.info("%s", missing_dates)
    _warn_of_leakage(suspect_features(rows, final.train), label.task)
    if rows.group is not None:
        seen_share = np.isin(rows.group[final.test], rows.group[final.train]).mean()
        log.info(
            "%.0f%% of the final period's rows are of groups that are trained on, as when served", 100 * seen_share
        )
    started = time.monotonic()
    problem = make_problem(rows, project, settings, final.start)
    for remark in describe_rare_classes(rows, [*problem.folds, final]):
        log.warning("%s", remark)
    fit_rows = select_settled(rows, run_date, project.zone, settings.split.train_days)
    require_fit_sets(rows, [(final.train, final.start), (fit_rows, run_date)], settings, project.zone)
    with (
        open_ledger(home / SEARCHES, problem.key()) as ledger,
        registration.record_search(run, project, rows, ledger, events.newest_number(warehouse)) as record,
    ):
        result = tune.run(problem, settings, ledger, registration.trial_callback(record))
        log.info("searched for %.0f s", time.monotonic() - started)
        record.tag("nightjar.search_cut_short", str(result.cut_short).lower())
        winner, baselines = _select_winner(result), proposals.baselines(settings)
        result.require_baselines(baselines)
        period = (final.start, final.end)
        log.info("best on the folds: %s; now judged on %s to %s, never seen so far", winner.name, *period)
        clusters = clusters_of(rows, final.test, *period, project.label, settings)
        evidence, scores = judge(
            rows,
            final,
            clusters,
            winner,
            baselines,
            project,
            settings,
            champion,
            plan_attempt(warehouse, problem, settings, winner, final, champion, run_date, project),
        )
        log.info("final period: %s; 95%% intervals over %s", _describe(evidence), intervals_over(asdict(evidence)))
        predictor = fit_candidate(rows, fit_rows, run_date, winner, project, settings)
        checks = out_of_fold_checks(
            problem,
            winner,
            final,
            scores[winner.name],
            predictor,
            clusters,
            project.decision_tiers(),
            prices,
            settings.days_of_block(label),
        )
        evidence = replace(
            evidence,
            thresholds=tuple(map(asdict, checks.thresholds)),
            unobserved=count_unobserved(
                warehouse, project, rows, final, scores[winner.name], predictor, checks.thresholds
            ),
        )
        evidence = add_consequences(evidence, scores, champion, predictor, rows, final, clusters, project)
        tracking.attach(record, checks.files)
        # The last step that can refuse a value of the rows: nothing is registered before it.
        histograms = references.histograms(rows, fit_rows, final.test, scores[winner.name], standard_of(project))
        version = registration.register(run, record, project, settings, rows, fit_rows, winner, evidence, predictor)
        stand_in = registration.register_stand_in(run, record, project, settings, rows, fit_rows, final, evidence)
    log.info("registered as version %s of %s (MLflow run %s)", version, project.name, record.id)
    fits = sum(len(results) for results in result.results.values())
    outcome = Outcome(inputs=dict(rows.versions), rows={"training rows": len(fit_rows), "fits": fits})
    fields = {**asdict(evidence), **registration.recorded(rows, project, run_date), RECIPE: recipe_of(winner)} | {
        events.MISSING_DATES: missing_dates,
        events.PEAK_MEMORY: memory.peak(),
    }
    registered = {None: (events.Version(version, winner.name, run_date, fields), histograms)}
    for alias, (entry, reference) in (registered | ({} if stand_in is None else {events.STAND_IN: stand_in})).items():
        outcome.outputs[REFERENCES.name] = references.store(warehouse, reference, entry.number, run_id)
        outcome.outputs["model_events"] = events.record(warehouse, "registered", entry, run_id, alias)
    return outcome


def make_problem(rows: TrainingSet, project: Project, settings: Search, before: date) -> Problem:
    """The search's problem: folds of rows before a date, with inner splits as deep as any candidate needs.

    Inner splits are part of `Problem.key`: adding a candidate with deeper ones fits all the others again.

    Raises:
        LearningError: the rows cannot fill them, or the metric is undefined on a fold.
    """
    splits = folds(rows, settings.split, before, project.zone, settings.seed)
    walks = settings.split.kind is SplitKind.WALK_FORWARD  # other folds have test rows of all dates
    starts = [fold.start if walks else before for fold in splits]
    fit_sets = [
        make_fit_set(rows, fold.train, start, settings.inner_depth(), settings, project.zone)
        for fold, start in zip(splits, starts, strict=True)
    ]
    problem = Problem(rows, splits, fit_sets, project.label.task, settings.seed, standard_of(project))
    require_measurable(problem, settings.metric)
    return problem


def _warn_of_leakage(suspect: Mapping[str, float], task: Task) -> None:
    measure = "ROC AUC" if task.has_classes else "rank correlation"
    for name, strength in suspect.items():
        log.warning(
            "%s by itself tells the labels with a %s of %.3f: was it known at the prediction time? If not, leave "
            "it out, or say when it is known (known_at of its source)",
            name,
            measure,
            strength,
        )


def _select_winner(result: SearchResult) -> Candidate:
    """The best candidate that is no baseline; logs the means of all."""
    sign = -1 if result.metric.greater_is_better else 1
    means = {candidate: result.mean(candidate) for candidate in result.results}
    rated = {candidate: mean for candidate, mean in means.items() if mean is not None}
    for candidate, mean in sorted(rated.items(), key=lambda item: sign * item[1]):
        log.info("mean over folds: %s %s %.4f", candidate.name, result.metric.value, mean)
    for candidate in (one for one in means if one not in rated):
        failed = next((fold for fold in result.results[candidate] if fold.failure), None)
        if failed is not None:
            last_line = (failed.failure or "").strip().splitlines()[-1]
            log.warning("%s failed on %s (seed %d): %s", candidate.name, failed.fold, failed.seed, last_line)
    stopped = len(means) - len(rated)
    if stopped:
        log.info("%d of %d candidates were stopped before their last fold, or failed", stopped, len(means))
    return result.best()


def _describe(evidence: Evidence) -> str:
    shown = {evidence.candidate["name"]: evidence.candidate, **evidence.baselines}
    figures = {name: measured[evidence.metric] for name, measured in shown.items()}
    return ", ".join(f"{name} {evidence.metric} {_value(figure)}" for name, figure in figures.items())


def _value(figure: Mapping[str, Any]) -> str:
    return f"undefined ({figure['reason']})" if figure["estimate"] is None else f"{figure['estimate']:.4f}"
