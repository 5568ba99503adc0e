"""All metrics of a task together, and the measures that a project's `Metric` names."""

from collections.abc import Mapping

import numpy.typing as npt

from nightjar.errors import LearningError
from nightjar.evaluation.binary import average_precision, brier, check_probabilities, log_loss, roc_auc
from nightjar.evaluation.ranking import mean_ndcg
from nightjar.evaluation.regression import check_amounts, mae, r2, rmse
from nightjar.evaluation.reliability import expected_calibration_error
from nightjar.evaluation.rows import Measure, RowNumbers, Value, check_weight, mean
from nightjar.settings.task import Metric, Task

MEASURES: Mapping[Metric, Measure] = {
    Metric.ROC_AUC: roc_auc,
    Metric.AVERAGE_PRECISION: average_precision,
    Metric.LOG_LOSS: log_loss,
    Metric.BRIER: brier,
    Metric.RMSE: rmse,
    Metric.MAE: mae,
    Metric.R2: r2,
    Metric.NDCG: mean_ndcg,
}
"""The measure of each metric; NDCG takes the lists beside labels, scores and weights."""


def measures(
    task: Task,
    label: npt.ArrayLike,
    score: npt.ArrayLike,
    query: RowNumbers | None = None,
    weight: npt.ArrayLike | None = None,
) -> dict[str, Value]:
    """Every measure of the task by name, and `mean_score` and `rows`, the number of rows whatever their weights.

    Classification: roc_auc, average_precision, log_loss, brier, expected_calibration_error, positive_rate.
    Regression: rmse, mae, r2, mean_label. Ranking: ndcg within the lists that `query` numbers, mean_label.

    Raises:
        LearningError: see `binary.check_probabilities`, or `regression.check_amounts`, and `rows.check_weight`; a
            ranking without `query`.

    Example:
        >>> values = measures(Task.CLASSIFICATION, [True, False, True, False], [0.9, 0.6, 0.4, 0.1])
        >>> values["roc_auc"], values["positive_rate"], values["rows"]
        (0.75, 0.5, 4)
    """
    if task is Task.CLASSIFICATION:
        outcomes, scores = check_probabilities(label, score)
        weights = check_weight(weight, len(scores))
        names = {"positive_rate": mean(outcomes, weights), "mean_score": mean(scores, weights), "rows": len(outcomes)}
        error = expected_calibration_error(outcomes, scores, weights)
        values = {one.value: MEASURES[one](outcomes, scores, weights) for one in MEASURES if one.task is task}
        return {**values, "expected_calibration_error": error, **names}
    amounts, scores = check_amounts(label, score)
    weights = check_weight(weight, len(scores))
    names = {"mean_label": mean(amounts, weights), "mean_score": mean(scores, weights), "rows": len(amounts)}
    if task is Task.REGRESSION:
        values = {one.value: MEASURES[one](amounts, scores, weights) for one in MEASURES if one.task is task}
        return {**values, **names}
    if query is None:
        raise LearningError("A ranking is measured within lists: give `query`, the number of each row's list.")
    return {Metric.NDCG.value: mean_ndcg(amounts, scores, query, weights), **names}
