"""Train: search, judge the winner on the final period, refit it on all known labels, register it."""

import logging
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

from nightjar.evaluation.criteria import standard_of
from nightjar.evaluation.rows import Floats
from nightjar.learning import reference_rows, references, registration
from nightjar.learning.champion import RECIPE, recipe_of
from nightjar.learning.conformal import sets_of
from nightjar.learning.consequences import add_consequences, plan_attempt
from nightjar.learning.error_analysis import add_error_analysis
from nightjar.learning.evidence import Evidence
from nightjar.learning.final_scores import final_scores
from nightjar.learning.fitting.candidates import Candidate
from nightjar.learning.fitting.fit import fit_candidate
from nightjar.learning.importance import add_importance
from nightjar.learning.judgement import Judgement, judge
from nightjar.learning.mitigation_prices import add_mitigation
from nightjar.learning.out_of_fold_checks import out_of_fold_checks
from nightjar.learning.registration import Run
from nightjar.learning.rehearsing import add_rehearsal
from nightjar.learning.search import tune
from nightjar.learning.search.ledger import Ledger, open_ledger
from nightjar.learning.search.search_result import SearchResult
from nightjar.learning.thresholds import with_prices
from nightjar.learning.training_plan import TrainingPlan, plan_training
from nightjar.learning.unobserved import count_unobserved
from nightjar.learning.watching import watching_of
from nightjar.masking.values import masking_of
from nightjar.models.predictor import Predictor
from nightjar.registry import events, keys, tracking
from nightjar.registry.period import intervals_over
from nightjar.registry.tiers import tier_of_evidence
from nightjar.registry.tracking import SearchRun
from nightjar.runtime import memory
from nightjar.settings.environment import Environment
from nightjar.settings.learning import Search
from nightjar.settings.project import Project
from nightjar.tables.monitoring_definitions import REFERENCES
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
    home = Path(environment.home).absolute()
    run = Run(run_id, run_date, code_revision, home, keys.signing_key(home))
    plan = plan_training(warehouse, project, settings, run_date, environment)
    with (
        open_ledger(home / SEARCHES, plan.problem.key()) as ledger,
        registration.record_search(run, project, plan.rows, ledger, events.newest_number(warehouse)) as record,
    ):
        result = _search(plan, ledger, record)
        winner = _select_winner(result)
        result.require_baselines(plan.baselines)
        judgement = _judge_winner(plan, winner)
        log.info("fitting %s on all %s rows, as it is to serve", winner.name, f"{len(plan.fit_rows):,}")
        predictor = fit_candidate(plan.rows, plan.fit_rows, run_date, winner, project, settings)
        evidence, unseen_scores = _check_decisions(plan, winner, judgement, predictor, record)
        watching = watching_of(plan, evidence, unseen_scores)
        versions = _register(plan, run, record, winner, evidence, judgement.scores[winner.name], predictor, watching)
    log.info("registered as version %s of %s (MLflow run %s)", versions[None][0].number, project.name, record.id)
    fits = sum(len(results) for results in result.results.values())
    outcome = Outcome(inputs=dict(plan.rows.versions), rows={"training rows": len(plan.fit_rows), "fits": fits})
    for alias, (version, histograms) in versions.items():
        outcome.outputs[REFERENCES.name] = reference_rows.store(warehouse, histograms, version.number, run_id)
        outcome.outputs["model_events"] = events.record(warehouse, "registered", version, run_id, alias)
    return outcome


def _search(plan: TrainingPlan, ledger: Ledger, record: SearchRun) -> SearchResult:
    started = time.monotonic()
    result = tune.run(plan.problem, plan.settings, ledger, registration.trial_callback(record))
    log.info("searched for %.0f s", time.monotonic() - started)
    record.tag("nightjar.search_cut_short", str(result.cut_short).lower())
    return result


def _judge_winner(plan: TrainingPlan, winner: Candidate) -> Judgement:
    """The winner beside baselines and champion on the final period: see `judgement.judge`."""
    final, settings = plan.final, plan.settings
    log.info("best on the folds: %s; now judged on %s to %s, never seen so far", winner.name, final.start, final.end)
    attempt = plan_attempt(
        plan.warehouse, plan.problem, settings, winner, final, plan.champion, plan.run_date, plan.project
    )
    judgement = judge(
        plan.rows, final, plan.clusters, winner, plan.baselines, plan.project, settings, plan.champion, attempt
    )
    evidence = judgement.evidence
    log.info("final period: %s; 95%% intervals over %s", _describe(evidence), intervals_over(asdict(evidence)))
    return judgement


def _check_decisions(
    plan: TrainingPlan,
    winner: Candidate,
    judgement: Judgement,
    predictor: Predictor,
    record: SearchRun,
) -> tuple[Evidence, Floats | None]:
    """The evidence with thresholds, what deciding by them would change, and where it fails; tables beside the run.

    Also the score of each row by a fit that has not seen it, where somebody has looked at them.
    """
    project, rows, final, scores = plan.project, plan.rows, plan.final, judgement.scores
    log.info("scoring the nights of the folds, each by a fit that has not seen it")
    checks = out_of_fold_checks(
        plan.problem,
        winner,
        final,
        scores[winner.name],
        predictor,
        plan.clusters,
        project.decision_tiers(),
        plan.prices,
        plan.settings.days_of_block(project.label),
        project.fairness.mitigation,
    )
    thresholds = tuple(asdict(with_prices(one, project)) for one in checks.thresholds)
    tiers = list(map(tier_of_evidence, thresholds))
    unobserved = count_unobserved(plan.warehouse, project, rows, final, scores[winner.name], predictor, tiers)
    evidence = replace(
        judgement.evidence, thresholds=thresholds, unobserved=unobserved, sets=sets_of(plan, checks.scores)
    )
    evidence = add_consequences(evidence, scores, plan.champion, predictor, rows, final, plan.clusters, project)
    log.info("shuffling each of %d columns: what it loses without them", len(rows.columns))
    evidence = add_importance(evidence, plan, judgement)
    log.info("following its nights up to %s as monitoring would have", final.end)
    evidence = add_rehearsal(evidence, plan, scores[winner.name], checks.scores)
    evidence = add_mitigation(evidence, plan, winner, checks.scores)
    log.info("looking for slices in which it fails")
    evidence, files = add_error_analysis(evidence, plan, winner, scores, checks.scores)
    masking = masking_of(project)
    shown = {name: masking.table(table) for name, table in {**checks.files, **files}.items()}
    tracking.attach(record, shown | final_scores(rows, final.test, scores[winner.name], plan.clusters))
    return evidence, checks.scores


def _register(
    plan: TrainingPlan,
    run: Run,
    record: SearchRun,
    winner: Candidate,
    evidence: Evidence,
    final_scores: Floats,
    predictor: Predictor,
    watching: references.Watching,
) -> dict[str | None, tuple[events.Version, list[references.Histogram]]]:
    """Alias -> version and histograms of its references: the winner's under None, the stand-in's where there is one."""
    project, settings, rows, fit_rows, final = plan.project, plan.settings, plan.rows, plan.fit_rows, plan.final
    log.info("counting %d columns of %s rows by night, for drift", len(rows.columns), f"{len(fit_rows):,}")
    # The last step that can refuse a value of the rows: nothing is registered before it.
    histograms = references.histograms(rows, fit_rows, final.test, final_scores, standard_of(project), watching)
    number = registration.register(run, record, project, settings, rows, fit_rows, winner, evidence, predictor)
    stand_in = registration.register_stand_in(run, record, project, settings, rows, fit_rows, final, evidence, watching)
    fields = {
        **asdict(evidence),
        **registration.recorded(rows, project, run.run_date),
        RECIPE: recipe_of(winner),
        events.MISSING_DATES: plan.missing_dates,
        events.PEAK_MEMORY: memory.peak(),
    }
    version = events.Version(number, winner.name, run.run_date, fields)
    return {None: (version, histograms)} | ({} if stand_in is None else {events.STAND_IN: stand_in})


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
