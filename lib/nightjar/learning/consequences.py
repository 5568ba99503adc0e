"""What the promotion of the winner would change besides the metric: decisions, slices, groups, speed."""

from dataclasses import replace
from datetime import date
from typing import Any

import pyarrow as pa

from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.criteria import standard_of
from nightjar.evaluation.fairness import Decision
from nightjar.evaluation.metric_report import Truth
from nightjar.evaluation.rows import Floats
from nightjar.learning.analysis.fairness import fairness_figures, groups_of
from nightjar.learning.champion import Champion
from nightjar.learning.class_decisions import class_decisions, confused_classes
from nightjar.learning.comparison import Comparison
from nightjar.learning.data.training_set import TrainingSet
from nightjar.learning.evidence import CHAMPION, Evidence
from nightjar.learning.fitting.candidates import Candidate
from nightjar.learning.gate_figures import Rival, gate_figures, rows_per_second
from nightjar.learning.group_thresholds import absent_columns, threshold_of_rows
from nightjar.learning.search import proposals
from nightjar.learning.search.problem import Problem
from nightjar.learning.splits.folding import Fold
from nightjar.learning.swaps import acted_on, find_class_swaps, find_swaps
from nightjar.models.predictor import Predictor
from nightjar.registry import attempts, events
from nightjar.registry.attempts import Attempt
from nightjar.registry.tiers import tier_of_evidence
from nightjar.settings.learning import Search
from nightjar.settings.project import Project
from nightjar.settings.task import Metric, Task
from nightjar.tables.warehouse import Warehouse


def plan_attempt(
    warehouse: Warehouse,
    problem: Problem,
    settings: Search,
    winner: Candidate,
    final: Fold,
    champion: Champion | None,
    run_date: date,
    project: Project,
) -> Attempt:
    """The comparison of the winner with what it would replace, and the level that it has, before it is made.

    Its digest is of all that decides how it ends, so that one with another seed, metric or block takes a level anew.
    """
    period = [final.start.isoformat(), final.end.isoformat(), settings.days_of_block(project.label)]
    baselines = sorted(one.key() for one in proposals.baselines(settings))
    rival = None if champion is None or champion.has_expired else champion.version
    how = [settings.metric.value, winner.key(), baselines, rival]
    digest = attempts.digest_of(problem.key(), period, how)
    per_year = project.promotion.false_promotions_per_year
    return Attempt(digest, run_date, attempts.level_of(digest, run_date, events.attempts(warehouse), per_year))


def add_consequences(
    evidence: Evidence,
    scores: dict[str, Floats],
    champion: Champion | None,
    predictor: Predictor,
    rows: TrainingSet,
    final: Fold,
    clusters: Clusters,
    project: Project,
) -> Evidence:
    """The evidence with its `swaps`, `gates`, `fairness` and `confusion`.

    Args:
        evidence: of the winner, with its thresholds.
        scores: as `judgement.judge` gives them.
        champion: which it would replace; None: there is none.
        predictor: the winner, as it is stored.
        rows: all rows.
        final: the final period.
        clusters: of its rows.
        project: its settings.
    """
    test, task = rows.examples(final.test), project.label.task
    truth = Truth(task, test.label, clusters, test.query, test.weight, standard_of(project))
    compared = Comparison(Metric(evidence.metric), truth, scores[evidence.candidate["name"]])
    columns = None if rows.slices is None else rows.slices.take(final.test)
    others = scores.get(CHAMPION) if champion is not None else None
    confused = None
    swaps, decisions, fairness = None, list[Decision](), list[dict[str, Any]]()
    if task is Task.MULTICLASS:
        swaps = None if others is None else find_class_swaps(truth, others, compared.scores)
        decisions, confused = class_decisions(truth, compared.scores), confused_classes(truth, compared.scores)
    if task is Task.CLASSIFICATION:
        tier, rate = tier_of_evidence(evidence.thresholds[-1]) if evidence.thresholds else None, None
        threshold = None if tier is None else threshold_of_rows(tier, columns)
        if champion is not None and others is not None:
            swaps = _swaps(truth, others, compared.scores, champion, columns, threshold)
            rate = swaps["action_rate"]["champion"] if "action_rate" in swaps else None
        acts = acted_on(truth, compared.scores, threshold, rate)
        decisions = [Decision(truth, compared.scores, acts)]
    if rows.slices is not None and decisions:
        declared = groups_of(rows.slices, project.judged_groups())
        fairness = fairness_figures(decisions, declared, final.test, project.fairness.least_rows)
    figures = gate_figures(compared, _rival(evidence, scores, champion), decisions, columns, project.promotion)
    speed = rows_per_second(predictor, rows.features.take(final.test))
    gates = figures | {"rows_per_second": speed}
    return replace(evidence, swaps=swaps, gates=gates, fairness=fairness, confusion=confused)


def _swaps(
    truth: Truth,
    others: Floats,
    scores: Floats,
    champion: Champion,
    columns: pa.Table | None,
    threshold: float | Floats | None,
) -> dict[str, Any]:
    """The swap sets; why there are none where the champion decides by columns that the rows do not have."""
    absent = absent_columns(champion.threshold, columns)
    if absent:
        names = " and ".join(absent)
        return {"reason": f"the champion's thresholds differ by {names}, which table features does not have"}
    of_champion = None if champion.threshold is None else threshold_of_rows(champion.threshold, columns)
    return find_swaps(truth, others, scores, of_champion, threshold)


def _rival(evidence: Evidence, scores: dict[str, Floats], champion: Champion | None) -> Rival | None:
    if evidence.champion is None or champion is None or champion.has_expired:
        return Rival(evidence.difference["over"], scores[evidence.difference["over"]])
    return Rival(evidence.champion["over"], scores[CHAMPION]) if CHAMPION in scores else None
