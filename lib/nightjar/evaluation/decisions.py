"""From probabilities to decisions: the threshold that would have cost least, and what one costs."""

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError
from nightjar.evaluation.metrics import checked


def cheapest_threshold(
    label: npt.ArrayLike,
    score: npt.ArrayLike,
    *,
    missed: float,
    false_alarm: float,
    weight: npt.NDArray[np.float64] | None = None,
) -> float:
    """The score from which on acting on a row would have cost least; of equals the greatest, which acts on fewest.

    One of the scores, or a number above 1 and all of them where acting on nobody is cheapest.

    Source: Elkan (2001), The foundations of cost-sensitive learning; fitted to the scores as they are, calibrated or
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
    """
    labels, scores = checked(label, score)
    if not len(scores):
        raise LearningError("There are no rows to fit a threshold to.")
    order = np.argsort(-scores, kind="stable")
    ranked, true = scores[order], labels[order]
    each = np.where(true, missed, -false_alarm) * (1.0 if weight is None else weight[order])
    saved = np.cumsum(each)  # by acting on the highest scores, over acting on none
    last = np.flatnonzero(np.append(ranked[:-1] != ranked[1:], True))
    options = np.concatenate([[0.0], saved[last]])
    values = np.concatenate([[np.nextafter(max(1.0, ranked[0]), np.inf)], ranked[last]])
    return float(values[np.argmax(options)])


def row_costs(
    label: npt.ArrayLike, score: npt.ArrayLike, threshold: float, *, missed: float, false_alarm: float
) -> npt.NDArray[np.float64]:
    """What each row costs when those at or above the threshold are acted on.

    Raises:
        LearningError: as `cheapest_threshold`.
    """
    labels, scores = checked(label, score)
    acted = scores >= threshold
    return np.where(acted, np.where(labels, 0.0, false_alarm), np.where(labels, missed, 0.0))
