"""How good scores are: one number per question, for binary outcomes here, and every measure of a task together.

`y` holds the outcomes (bool, or 0 and 1), `score` the predicted probabilities of the positive class; both are
one-dimensional and of one length. A measure that these rows cannot answer is None, never NaN.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from sklearn.metrics import log_loss as sklearn_log_loss

from nightjar.errors import LearningError
from nightjar.evaluation.ranking import mean_ndcg
from nightjar.evaluation.regression import checked_amounts, floats, mae, r2, rmse
from nightjar.settings.task import Metric, Task


def checked(y: npt.ArrayLike, score: npt.ArrayLike) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """The outcomes as booleans and the scores as finite floats.

    Raises:
        LearningError: shapes differ, an outcome is not 0 or 1, or a score is NaN, infinite or not a number.
    """
    outcomes, scores = floats("y", y), floats("score", score)
    if outcomes.shape != scores.shape:
        raise LearningError(f"y has {len(outcomes)} rows and score has {len(scores)}: each outcome needs its score.")
    strange = outcomes[(outcomes != 0) & (outcomes != 1)]
    if len(strange):
        raise LearningError(
            f"y holds {strange[0]} (and {len(strange)} of {len(outcomes)} rows that are not 0 or 1 in all): "
            "leave out the rows whose outcome is not known yet.",
        )
    unusable = scores[~np.isfinite(scores)]
    if len(unusable):
        raise LearningError(
            f"score holds {unusable[0]} in {len(unusable)} of {len(scores)} rows: "
            "a model that gives no finite score cannot be measured; find the rows it fails on.",
        )
    return outcomes == 1, scores


def roc_auc(y: npt.ArrayLike, score: npt.ArrayLike) -> float | None:
    """The chance that a random positive row scores above a random negative one, ties counting half.

    Any finite score will do, only its order matters. None unless both classes are present.
    Source: Hanley and McNeil (1982), Radiology 143(1), 29-36.

    Raises:
        LearningError: see `checked`.
    """
    outcomes, scores = checked(y, score)
    if outcomes.all() or not outcomes.any():
        return None
    return float(roc_auc_score(outcomes, scores))


def log_loss(y: npt.ArrayLike, score: npt.ArrayLike) -> float | None:
    """Mean negative log-likelihood per row, in nats (natural logarithm); None without rows.

    Probabilities are clipped to [2.2e-16, 1 - 2.2e-16], so one row costs at most 36.04 nats.
    Source: Good (1952), Rational decisions, Journal of the Royal Statistical Society B 14(1), 107-114.

    Raises:
        LearningError: see `checked`; also a score outside [0, 1].
    """
    outcomes, probabilities = _probabilities(y, score)
    return float(sklearn_log_loss(outcomes, probabilities, labels=[False, True])) if len(outcomes) else None


def brier(y: npt.ArrayLike, score: npt.ArrayLike) -> float | None:
    """Mean squared difference between probability and outcome, from 0 (best) to 1; None without rows.

    Source: Brier (1950), Monthly Weather Review 78(1), 1-3, in the halved form usual for two classes.

    Raises:
        LearningError: see `checked`; also a score outside [0, 1].
    """
    outcomes, probabilities = _probabilities(y, score)
    return float(brier_score_loss(outcomes, probabilities, pos_label=True)) if len(outcomes) else None


def average_precision(y: npt.ArrayLike, score: npt.ArrayLike) -> float | None:
    """The mean, over the positive rows, of the share of positives among the rows that score at least as high.

    Any finite score will do, only its order matters. None without a positive row.
    Source: Zhu (2004), Recall, precision and average precision, University of Waterloo.

    Raises:
        LearningError: see `checked`.
    """
    outcomes, scores = checked(y, score)
    return float(average_precision_score(outcomes, scores)) if outcomes.any() else None


def expected_calibration_error(y: npt.ArrayLike, score: npt.ArrayLike, bins: int = 15) -> float | None:
    """Mean over rows of the distance between their bin's mean probability and its rate of True; None without rows.

    Bins hold equally many rows, but rows of one score are never parted: many of them make fewer bins.
    Source: Nguyen and O'Connor (2015), Posterior calibration and exploratory analysis for NLP models, EMNLP.

    Raises:
        LearningError: see `checked`; also a score outside [0, 1].
    """
    outcomes, probabilities = _probabilities(y, score)
    if not len(outcomes):
        return None
    edges = np.quantile(probabilities, np.arange(1, bins) / bins, method="lower")
    place = np.searchsorted(edges, probabilities, side="right")
    gaps = np.bincount(place, probabilities) - np.bincount(place, outcomes)
    return float(np.abs(gaps).sum() / len(outcomes))


def measures(
    task: Task, label: npt.ArrayLike, score: npt.ArrayLike, query: npt.NDArray[np.intp] | None = None
) -> dict[str, float | None]:
    """Every measure of the task by name, and `mean_score` and `rows`.

    Classification: roc_auc, average_precision, log_loss, brier, expected_calibration_error, positive_rate.
    Regression: rmse, mae, r2, mean_label. Ranking: ndcg within the lists that `query` numbers, mean_label.

    Raises:
        LearningError: see `checked`, or `regression.checked_amounts`; a score outside [0, 1] of a classification; a
            ranking without `query`.
    """
    if task is Task.CLASSIFICATION:
        outcomes, scores = _probabilities(label, score)
        names = {"positive_rate": _mean(outcomes), "mean_score": _mean(scores), "rows": len(outcomes)}
        error = expected_calibration_error(outcomes, scores)
        found = {metric.value: MEASURES[metric](outcomes, scores) for metric in MEASURES if metric.task is task}
        return {**found, "expected_calibration_error": error, **names}
    amounts, scores = checked_amounts(label, score)
    names = {"mean_label": _mean(amounts), "mean_score": _mean(scores), "rows": len(amounts)}
    if task is Task.REGRESSION:
        return {**{one.value: MEASURES[one](amounts, scores) for one in MEASURES if one.task is task}, **names}
    if query is None:
        raise LearningError("A ranking is measured within lists: give `query`, the number of each row's list.")
    return {Metric.NDCG.value: mean_ndcg(amounts, scores, query), **names}


MEASURES: Mapping[Metric, Callable[[npt.ArrayLike, npt.ArrayLike], float | None]] = {
    Metric.ROC_AUC: roc_auc,
    Metric.AVERAGE_PRECISION: average_precision,
    Metric.LOG_LOSS: log_loss,
    Metric.BRIER: brier,
    Metric.RMSE: rmse,
    Metric.MAE: mae,
    Metric.R2: r2,
}
"""The metrics that labels and scores alone decide; NDCG needs the lists as well."""


def _mean(values: npt.NDArray[Any]) -> float | None:
    return float(values.mean()) if len(values) else None


def _probabilities(y: npt.ArrayLike, score: npt.ArrayLike) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    outcomes, scores = checked(y, score)
    outside = scores[(scores < 0) | (scores > 1)]
    if len(outside):
        raise LearningError(
            f"score holds {outside[0]} (and {len(outside)} of {len(scores)} rows outside [0, 1] in all): "
            "this measure needs probabilities, not margins or log-odds.",
        )
    return outcomes, scores
