"""Metrics of scores: those for binary outcomes, and all metrics of a task together.

`y` holds the outcomes (bool, or 0 and 1), `score` the predicted probabilities of the positive class; both are
one-dimensional and of one length. `weight` says how many rows each one stands for, see `rows`. A measure that is
undefined on the rows with a weight above 0 is None, never NaN.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from sklearn.metrics import log_loss as sklearn_log_loss

from nightjar.errors import LearningError
from nightjar.evaluation.ranking import mean_ndcg
from nightjar.evaluation.regression import check_amounts, mae, r2, rmse
from nightjar.evaluation.rows import Floats, Measure, check_weight, floats, mean, rows_with_weight
from nightjar.settings.task import Metric, Task

Booleans = npt.NDArray[np.bool_]


def check_outcomes(y: npt.ArrayLike, score: npt.ArrayLike) -> tuple[Booleans, Floats]:
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


def roc_auc(y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> float | None:
    """The chance that a random positive row scores above a random negative one, ties counting half.

    Any finite score will do, only its order matters. None unless both classes are present.
    Source: Hanley and McNeil (1982), Radiology 143(1), 29-36.

    Raises:
        LearningError: see `check_outcomes` and `rows.check_weight`.

    Example:
        >>> roc_auc([True, False, True, False], [0.9, 0.6, 0.4, 0.1])
        0.75
        >>> roc_auc([True, False, True], [0.9, 0.5, 0.2], weight=[1, 1, 3])  # the last row stands for three
        0.25
        >>> roc_auc([True, True], [0.9, 0.2]) is None
        True
    """
    outcomes, scores, weights = _drop_unweighted(*check_outcomes(y, score), weight)
    if outcomes.all() or not outcomes.any():
        return None
    return float(roc_auc_score(outcomes, scores, sample_weight=weights))


def log_loss(y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> float | None:
    """Mean negative log-likelihood per row, in nats (natural logarithm); None without rows.

    Probabilities are clipped to [2.2e-16, 1 - 2.2e-16], so one row costs at most 36.04 nats.
    Source: Good (1952), Rational decisions, Journal of the Royal Statistical Society B 14(1), 107-114.

    Raises:
        LearningError: see `check_outcomes` and `rows.check_weight`; also a score outside [0, 1].

    Example:
        >>> round(log_loss([True, False, True, False], [0.9, 0.6, 0.4, 0.1]), 4)
        0.5108
    """
    outcomes, probabilities, weights = _drop_unweighted(*_probabilities(y, score), weight)
    if not len(outcomes):
        return None
    return float(sklearn_log_loss(outcomes, probabilities, labels=[False, True], sample_weight=weights))


def brier(y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> float | None:
    """Mean squared difference between probability and outcome, from 0 (best) to 1; None without rows.

    Source: Brier (1950), Monthly Weather Review 78(1), 1-3, in the halved form usual for two classes.

    Raises:
        LearningError: see `check_outcomes` and `rows.check_weight`; also a score outside [0, 1].

    Example:
        >>> brier([True, False, True, False], [0.9, 0.6, 0.4, 0.1])
        0.185
    """
    outcomes, probabilities, weights = _drop_unweighted(*_probabilities(y, score), weight)
    if not len(outcomes):
        return None
    return float(brier_score_loss(outcomes, probabilities, pos_label=True, sample_weight=weights))


def average_precision(y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> float | None:
    """The mean, over the positive rows, of the share of positives among the rows that score at least as high.

    Any finite score will do, only its order matters. None without a positive row.
    Source: Zhu (2004), Recall, precision and average precision, University of Waterloo.

    Raises:
        LearningError: see `check_outcomes` and `rows.check_weight`.

    Example:
        >>> round(average_precision([True, False, True, False], [0.9, 0.6, 0.4, 0.1]), 4)
        0.8333
    """
    outcomes, scores, weights = _drop_unweighted(*check_outcomes(y, score), weight)
    return float(average_precision_score(outcomes, scores, sample_weight=weights)) if outcomes.any() else None


def expected_calibration_error(
    y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None, *, bins: int = 15
) -> float | None:
    """Mean over rows of the distance between their bin's mean probability and its rate of True; None without rows.

    Bins hold equally many rows, or equal weight, but rows of one score share a bin: many of them make fewer bins.
    Source: Nguyen and O'Connor (2015), Posterior calibration and exploratory analysis for NLP models, EMNLP.

    Raises:
        LearningError: see `check_outcomes` and `rows.check_weight`; also a score outside [0, 1].

    Example:
        Rows with a probability of 0.25 are never True here, those with 0.75 always are.

        >>> expected_calibration_error(4 * [False] + 4 * [True], 4 * [0.25] + 4 * [0.75])
        0.25
    """
    outcomes, probabilities, weights = _drop_unweighted(*_probabilities(y, score), weight)
    if not len(outcomes):
        return None
    bin_of_row = np.searchsorted(_edges(probabilities, weights, bins), probabilities, side="right")
    row_weights = np.ones(len(outcomes)) if weights is None else weights
    gaps = np.bincount(bin_of_row, row_weights * probabilities) - np.bincount(bin_of_row, row_weights * outcomes)
    return float(np.abs(gaps).sum() / row_weights.sum())


def measures(
    task: Task,
    label: npt.ArrayLike,
    score: npt.ArrayLike,
    query: npt.NDArray[np.intp] | None = None,
    weight: npt.ArrayLike | None = None,
) -> dict[str, float | None]:
    """Every measure of the task by name, and `mean_score` and `rows`, the number of rows whatever their weights.

    Classification: roc_auc, average_precision, log_loss, brier, expected_calibration_error, positive_rate.
    Regression: rmse, mae, r2, mean_label. Ranking: ndcg within the lists that `query` numbers, mean_label.

    Raises:
        LearningError: see `check_outcomes`, or `regression.check_amounts`, and `rows.check_weight`; a score outside
            [0, 1] of a classification; a ranking without `query`.

    Example:
        >>> values = measures(Task.CLASSIFICATION, [True, False, True, False], [0.9, 0.6, 0.4, 0.1])
        >>> values["roc_auc"], values["positive_rate"], values["rows"]
        (0.75, 0.5, 4)
    """
    if task is Task.CLASSIFICATION:
        outcomes, scores = _probabilities(label, score)
        weights = check_weight(weight, len(scores))
        names = {"positive_rate": mean(outcomes, weights), "mean_score": mean(scores, weights), "rows": len(outcomes)}
        error = expected_calibration_error(outcomes, scores, weights)
        values = {one.value: MEASURES[one](outcomes, scores, weights) for one in MEASURES if one.task is task}
        return {**values, "expected_calibration_error": error, **names}
    amounts, scores = check_amounts(label, score)
    weights = check_weight(weight, len(scores))
    names = {"mean_label": mean(amounts, weights), "mean_score": mean(scores, weights), "rows": len(amounts)}
    if task is Task.REGRESSION:
        return {
            **{one.value: MEASURES[one](amounts, scores, weights) for one in MEASURES if one.task is task},
            **names,
        }
    if query is None:
        raise LearningError("A ranking is measured within lists: give `query`, the number of each row's list.")
    return {Metric.NDCG.value: mean_ndcg(amounts, scores, query, weights), **names}


MEASURES: Mapping[Metric, Measure] = {
    Metric.ROC_AUC: roc_auc,
    Metric.AVERAGE_PRECISION: average_precision,
    Metric.LOG_LOSS: log_loss,
    Metric.BRIER: brier,
    Metric.RMSE: rmse,
    Metric.MAE: mae,
    Metric.R2: r2,
}
"""The metrics that need labels, scores and weights alone; NDCG needs the lists as well."""


def _edges(probabilities: Floats, weight: Floats | None, bins: int) -> Floats:
    """The scores at which bins of equal weight begin, the first one's left out.

    The least weight counts as one row, so that only proportions matter: whole-number weights of which one is 1 give
    the same bins as repeated rows.
    """
    shares = np.arange(1, bins) / bins
    if weight is None:
        return np.quantile(probabilities, shares, method="lower")
    rows = np.round(weight / max(weight.min(), 1e-9), 9)  # an edge may fall on a row: rounding errors must not move it
    order = np.argsort(probabilities)
    cumulative = np.cumsum(rows[order])
    edges: Floats = probabilities[order[np.searchsorted(cumulative, (cumulative[-1] - 1) * shares, side="right")]]
    return edges


def _drop_unweighted(
    outcomes: Booleans, scores: Floats, weight: npt.ArrayLike | None
) -> tuple[Booleans, Floats, Floats | None]:
    rows, weights = rows_with_weight(weight, len(scores))
    return outcomes[rows], scores[rows], weights


def _probabilities(y: npt.ArrayLike, score: npt.ArrayLike) -> tuple[Booleans, Floats]:
    outcomes, scores = check_outcomes(y, score)
    outside = scores[(scores < 0) | (scores > 1)]
    if len(outside):
        raise LearningError(
            f"score holds {outside[0]} (and {len(outside)} of {len(scores)} rows outside [0, 1] in all): "
            "this measure needs probabilities, not margins or log-odds.",
        )
    return outcomes, scores
