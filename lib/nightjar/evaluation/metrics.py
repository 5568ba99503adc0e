"""How good the scores of a binary outcome are: one number per question.

`y` holds the outcomes (bool, or 0 and 1), `score` the predicted probabilities of the positive class; both are
one-dimensional and of one length. A measure that these rows cannot answer is None, never NaN.
"""

import numpy as np
import numpy.typing as npt
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.metrics import log_loss as sklearn_log_loss

from nightjar.errors import LearningError


def checked(y: npt.ArrayLike, score: npt.ArrayLike) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """The outcomes as booleans and the scores as finite floats.

    Raises:
        LearningError: shapes differ, an outcome is not 0 or 1, or a score is NaN, infinite or not a number.
    """
    outcomes, scores = _floats("y", y), _floats("score", score)
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


def measures(y: npt.ArrayLike, score: npt.ArrayLike) -> dict[str, float | None]:
    """Every measure of these rows by name: roc_auc, log_loss, brier, positive_rate, mean_score, rows.

    Raises:
        LearningError: see `checked`; also a score outside [0, 1].
    """
    outcomes, probabilities = _probabilities(y, score)
    rows = len(outcomes)
    return {
        "roc_auc": roc_auc(outcomes, probabilities),
        "log_loss": log_loss(outcomes, probabilities),
        "brier": brier(outcomes, probabilities),
        "positive_rate": float(outcomes.mean()) if rows else None,
        "mean_score": float(probabilities.mean()) if rows else None,
        "rows": rows,
    }


def _probabilities(y: npt.ArrayLike, score: npt.ArrayLike) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    outcomes, scores = checked(y, score)
    outside = scores[(scores < 0) | (scores > 1)]
    if len(outside):
        raise LearningError(
            f"score holds {outside[0]} (and {len(outside)} of {len(scores)} rows outside [0, 1] in all): "
            "this measure needs probabilities, not margins or log-odds.",
        )
    return outcomes, scores


def _floats(name: str, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise LearningError(f"{name} must be numbers: {error}.") from error
    if array.ndim != 1:
        raise LearningError(f"{name} must be one-dimensional, one value a row; it has the shape {array.shape}.")
    return array
