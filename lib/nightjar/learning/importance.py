"""What the winner loses without each of its columns, on the nights of the final period."""

from dataclasses import asdict, replace

from nightjar.explanation.importance import permutation_importance
from nightjar.learning.evidence import Evidence
from nightjar.learning.judgement import Judgement
from nightjar.learning.training_plan import TrainingPlan
from nightjar.settings.task import Metric


def add_importance(evidence: Evidence, plan: TrainingPlan, judgement: Judgement) -> Evidence:
    """The evidence with its `importance`: of the winner as it was fitted before the final period."""
    table, metric = plan.rows.features.take(plan.final.test), Metric(evidence.metric)
    importances = permutation_importance(judgement.predictor, table, plan.truth, metric, seed=plan.settings.seed)
    listed = [{"columns": one.columns, "metric": metric.value, **asdict(one.loss)} for one in importances]
    return replace(evidence, importance=tuple(listed))
