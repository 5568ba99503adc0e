"""Metrics of scores for two classes.

`y` holds the outcomes (bool, or 0 and 1), `score` the predicted probabilities of the positive class, or for what judges
an order any finite number; both are one-dimensional and of one length. `weight` says how many rows each one stands for,
see `rows`. A measure that has no value on the rows with a weight above 0 is `rows.Undefined`, never NaN.
"""

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score, roc_curve
from sklearn.metrics import log_loss as sklearn_log_loss

from nightjar.errors import LearningError
from nightjar.evaluation.rows import NO_ROWS, Floats, Undefined, Value, drop_unweighted, floats

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


def check_probabilities(y: npt.ArrayLike, score: npt.ArrayLike) -> tuple[Booleans, Floats]:
    """The outcomes as booleans and the scores as probabilities.

    Raises:
        LearningError: see `check_outcomes`; also a score outside [0, 1].
    """
    outcomes, scores = check_outcomes(y, score)
    outside = scores[(scores < 0) | (scores > 1)]
    if len(outside):
        raise LearningError(
            f"score holds {outside[0]} (and {len(outside)} of {len(scores)} rows outside [0, 1] in all): "
            "this measure needs probabilities, not margins or log-odds.",
        )
    return outcomes, scores


def without_positive(outcomes: Booleans) -> Undefined | None:
    """Why a measure of positive rows has no value; None where there is one."""
    if not len(outcomes):
        return NO_ROWS
    return None if outcomes.any() else Undefined(f"none of the {len(outcomes):,} rows is positive")


def without_both_classes(outcomes: Booleans) -> Undefined | None:
    """Why a measure of both classes has no value; None where both are present."""
    if outcomes.any() and outcomes.all():
        return Undefined(f"all of the {len(outcomes):,} rows are positive")
    return without_positive(outcomes)


def roc_auc(y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Value:
    """The chance that a random positive row scores above a random negative one, ties counting half.

    Any finite score will do, only its order matters. Undefined unless both classes are present.
    Source: Hanley and McNeil (1982), Radiology 143(1), 29-36.

    Raises:
        LearningError: see `check_outcomes` and `rows.check_weight`.

    Example:
        >>> roc_auc([True, False, True, False], [0.9, 0.6, 0.4, 0.1])
        0.75
        >>> roc_auc([True, False, True], [0.9, 0.5, 0.2], weight=[1, 1, 3])  # the last row stands for three
        0.25
        >>> roc_auc([True, True], [0.9, 0.2])
        Undefined(reason='all of the 2 rows are positive')
    """
    outcomes, scores, weights = drop_unweighted(*check_outcomes(y, score), weight)
    return without_both_classes(outcomes) or float(roc_auc_score(outcomes, scores, sample_weight=weights))


def gini(y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Value:
    """The Gini coefficient of a scorecard, or Somers' D: 2 ROC AUC - 1; 0 is chance, below 0 is the wrong way round.

    Undefined unless both classes are present.
    Source: Somers (1962), A new asymmetric measure of association for ordinal variables, American Sociological Review
    27(6), 799-811.

    Raises:
        LearningError: see `check_outcomes` and `rows.check_weight`.

    Example:
        >>> gini([True, False, True, False], [0.9, 0.6, 0.4, 0.1])
        0.5
    """
    area = roc_auc(y, score, weight)
    return area if isinstance(area, Undefined) else 2 * area - 1


def ks(y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Value:
    """The Kolmogorov-Smirnov statistic of a scorecard, from 0 to 1: the greatest gap, over all thresholds, between the
    shares of positive and of negative rows at or above it, in either direction.

    As the greatest of many gaps it is above 0 by chance, the more so the fewer rows there are. Undefined unless both
    classes are present.
    Source: Smirnov (1948), Table for estimating the goodness of fit of empirical distributions, Annals of Mathematical
    Statistics 19(2), 279-281.

    Raises:
        LearningError: see `check_outcomes` and `rows.check_weight`.

    Example:
        From 0.6 on lie all positive rows and half of the negative ones.

        >>> ks([True, True, False, False], [0.9, 0.6, 0.7, 0.1])
        0.5
    """
    outcomes, scores, weights = drop_unweighted(*check_outcomes(y, score), weight)
    undefined = without_both_classes(outcomes)
    if undefined:
        return undefined
    negatives, positives, _ = roc_curve(outcomes, scores, sample_weight=weights)
    return float(np.abs(positives - negatives).max())


def log_loss(y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Value:
    """Mean negative log-likelihood per row, in nats (natural logarithm); undefined without rows.

    Probabilities are clipped to [2.2e-16, 1 - 2.2e-16], so one row costs at most 36.04 nats.
    Source: Good (1952), Rational decisions, Journal of the Royal Statistical Society B 14(1), 107-114.

    Raises:
        LearningError: see `check_probabilities` and `rows.check_weight`.

    Example:
        >>> round(log_loss([True, False, True, False], [0.9, 0.6, 0.4, 0.1]), 4)
        0.5108
    """
    outcomes, probabilities, weights = drop_unweighted(*check_probabilities(y, score), weight)
    if not len(outcomes):
        return NO_ROWS
    return float(sklearn_log_loss(outcomes, probabilities, labels=[False, True], sample_weight=weights))


def log_losses(outcomes: Booleans, probabilities: Floats) -> Floats:
    """The log loss of each row, clipped as in `log_loss`."""
    tiny = np.finfo(np.float64).eps
    losses: Floats = -np.log(np.clip(np.where(outcomes, probabilities, 1 - probabilities), tiny, 1 - tiny))
    return losses


def brier(y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Value:
    """Mean squared difference between probability and outcome, from 0 (best) to 1; undefined without rows.

    Source: Brier (1950), Monthly Weather Review 78(1), 1-3, in the halved form usual for two classes.

    Raises:
        LearningError: see `check_probabilities` and `rows.check_weight`.

    Example:
        >>> brier([True, False, True, False], [0.9, 0.6, 0.4, 0.1])
        0.185
    """
    outcomes, probabilities, weights = drop_unweighted(*check_probabilities(y, score), weight)
    if not len(outcomes):
        return NO_ROWS
    return float(brier_score_loss(outcomes, probabilities, pos_label=True, sample_weight=weights))


def average_precision(y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Value:
    """The mean, over the positive rows, of the share of positives among the rows that score at least as high.

    Any finite score will do, only its order matters. Undefined without a positive row.
    Source: Zhu (2004), Recall, precision and average precision, University of Waterloo.

    Raises:
        LearningError: see `check_outcomes` and `rows.check_weight`.

    Example:
        >>> round(average_precision([True, False, True, False], [0.9, 0.6, 0.4, 0.1]), 4)
        0.8333
    """
    outcomes, scores, weights = drop_unweighted(*check_outcomes(y, score), weight)
    return without_positive(outcomes) or float(average_precision_score(outcomes, scores, sample_weight=weights))
