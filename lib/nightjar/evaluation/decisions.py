"""From probabilities to decisions: the threshold of the lowest cost, and the cost of a threshold."""

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError
from nightjar.evaluation.metrics import check_outcomes


def cheapest_threshold(
    label: npt.ArrayLike,
    score: npt.ArrayLike,
    *,
    missed: float,
    false_alarm: float,
    weight: npt.NDArray[np.float64] | None = None,
) -> float:
    """The threshold of the lowest cost, where rows at or above it are acted on; of equals the greatest.

    It is one of the scores, or a number above 1 and all scores where acting on no row is cheapest.

    Source: Elkan (2001), The foundations of cost-sensitive learning; here it is fitted to the scores, calibrated or
    not, instead of his false_alarm / (false_alarm + missed).

    Args:
        label: True or False.
        score: a probability, or another finite number that is greater for what is more likely True; of rows that the
            model was not fitted on.
        missed: cost of a True row below the threshold.
        false_alarm: cost of a False row at or above it.
        weight: how many rows each one stands for; None: one each.

    Raises:
        LearningError: lengths differ, there are no rows, or a score is not finite.

    Example:
        >>> cheapest_threshold([True, False, True, False], [0.9, 0.6, 0.4, 0.1], missed=5, false_alarm=1)
        0.4
    """
    labels, scores = check_outcomes(label, score)
    if not len(scores):
        raise LearningError("There are no rows to fit a threshold to.")
    order = np.argsort(-scores, kind="stable")
    ranked, true = scores[order], labels[order]
    saving = np.where(true, missed, -false_alarm) * (1.0 if weight is None else weight[order])
    cumulative = np.cumsum(saving)  # what acting on the rows of the highest scores saves, compared with acting on none
    last_of_score = np.flatnonzero(np.append(ranked[:-1] != ranked[1:], True))
    savings = np.concatenate([[0.0], cumulative[last_of_score]])
    thresholds = np.concatenate([[np.nextafter(max(1.0, ranked[0]), np.inf)], ranked[last_of_score]])
    return float(thresholds[np.argmax(savings)])


def row_costs(
    label: npt.ArrayLike, score: npt.ArrayLike, threshold: float, *, missed: float, false_alarm: float
) -> npt.NDArray[np.float64]:
    """The cost of each row when rows at or above the threshold are acted on.

    Raises:
        LearningError: as `cheapest_threshold`.

    Example:
        >>> row_costs([True, False, True, False], [0.9, 0.6, 0.4, 0.1], 0.5, missed=5, false_alarm=1).tolist()
        [0.0, 1.0, 5.0, 0.0]
    """
    labels, scores = check_outcomes(label, score)
    is_acted_on = scores >= threshold
    return np.where(is_acted_on, np.where(labels, 0.0, false_alarm), np.where(labels, missed, 0.0))
