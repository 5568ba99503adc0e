"""What acting on the rows with the highest scores reaches: lift and gain at a share of all rows.

`y` holds the outcomes (bool, or 0 and 1), `score` any finite numbers whose order matters. `weight` says how many rows
each one stands for, see `rows`. Of rows that tie at the border of the share a part is taken, as if they were drawn.
Source: Piatetsky-Shapiro and Steingold (2000), Measuring lift quality in database marketing, SIGKDD Explorations 2(2),
76-80.
"""

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError
from nightjar.evaluation.binary import check_outcomes, without_positive
from nightjar.evaluation.influence import Influence
from nightjar.evaluation.rows import Floats, Undefined, Value, drop_unweighted

_BAND = 0.05
"""The share of rows on either side of the border from which the rate of positives at the border is estimated, at most.

The border of another sample lies elsewhere, and passes over rows of that rate: a single row's outcome, which is what
the derivative takes for it, says little of it.
"""


def gain(y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None, *, share: float) -> Value:
    """The share of all positive rows that is among the given share of rows with the highest scores, from 0 to 1.

    Undefined without a positive row.

    Raises:
        LearningError: see `binary.check_outcomes` and `rows.check_weight`; also a share that is not above 0, up to 1.

    Example:
        The upper half of the rows has two of the three positive ones.

        >>> round(gain([True, True, False, True], [0.9, 0.8, 0.3, 0.2], share=0.5), 4)
        0.6667
    """
    outcomes, scores, weights = drop_unweighted(*check_outcomes(y, score), weight)
    _check_share(share)
    undefined = without_positive(outcomes)
    if undefined:
        return undefined
    row_weights = np.ones(len(outcomes)) if weights is None else weights
    return _gain(outcomes.astype(np.float64), scores, row_weights, share)


def lift(y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None, *, share: float) -> Value:
    """How many times more often the rows with the highest scores are positive than all rows are: gain / share.

    1 is what a random choice has, 1 / share the most there can be. Undefined without a positive row.

    Raises:
        LearningError: as `gain`.

    Example:
        >>> round(lift([True, True, False, True], [0.9, 0.8, 0.3, 0.2], share=0.5), 4)
        1.3333
    """
    reached = gain(y, score, weight, share=share)
    return reached if isinstance(reached, Undefined) else reached / share


def of_gain(label: Floats, score: Floats, weights: Floats, *, share: float) -> Influence:
    """The influence on `gain`, the border moving with the rows; `_BAND` says how."""
    chosen = _chosen(score, weights, share)
    positives = float(weights @ label)
    band = min(_BAND, share, 1 - share)
    beyond, before = (_gain(label, score, weights, share + side * band) for side in (1, -1))
    slope = (beyond - before) / (2 * band) / weights.sum() if band else 0.0
    values = weights * (
        label * (chosen - weights @ (label * chosen) / positives) / positives + slope * (share - chosen)
    )
    return Influence(values, (weights * (label == 1), weights), degree=2)


def of_lift(label: Floats, score: Floats, weights: Floats, *, share: float) -> Influence:
    """The influence on `lift`."""
    return of_gain(label, score, weights, share=share).divided(share)


def _gain(label: Floats, score: Floats, weights: Floats, share: float) -> float:
    if share <= 0:
        return 0.0
    return float(weights @ (label * _chosen(score, weights, share)) / (weights @ label))


def _chosen(score: Floats, weights: Floats, share: float) -> Floats:
    """The part of each row that is among the given share with the highest scores: 1, 0, or at the border between."""
    _, rank = np.unique(-score, return_inverse=True)
    of_rank = np.bincount(rank, weights)
    above = np.cumsum(of_rank) - of_rank
    parts: Floats = np.clip((share * weights.sum() - above) / of_rank, 0, 1)[rank]
    return parts


def _check_share(share: float) -> None:
    if not 0 < share <= 1:
        raise LearningError(f"share is {share}: expected a part of all rows, above 0 and at most 1, such as 0.1.")
