"""From probabilities to decisions: the threshold or the class of the lowest cost, and what decisions cost."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError
from nightjar.evaluation.confusion import check_decisions
from nightjar.evaluation.rows import floats
from nightjar.evaluation.thresholds import fit_cut, rank_rows
from nightjar.settings.tiers import Tier, TierKind

ROUNDING = 1e-12
"""Expected costs that differ by less than this share of the greatest cost are equal."""


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
    rows, _ = rank_rows(label, score, weight=weight, missed=missed, false_alarm=false_alarm)
    return rows.threshold(fit_cut(rows, Tier(TierKind.COST)).number)


def choose_classes(probabilities: npt.NDArray[np.float64], costs: Sequence[Sequence[float]]) -> npt.NDArray[np.int64]:
    """The class of the least expected cost in each row; of equals the first.

    Expected costs that differ by rounding alone, by less than 1e-12 of the greatest cost, are equal.

    Source: Elkan (2001), The foundations of cost-sensitive learning, section 1.

    Args:
        probabilities: of each class, (rows, classes).
        costs: `costs[actual][predicted]`.

    Raises:
        LearningError: the costs are no square of finite numbers of as many classes.

    Example:
        To take the last class for the first costs five times as much as another mistake.

        >>> probabilities = np.array([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]])
        >>> choose_classes(probabilities, [[0, 1, 5], [1, 0, 1], [1, 1, 0]]).tolist()
        [1, 2]
    """
    classes = probabilities.shape[1]
    if {len(costs), *map(len, costs)} != {classes} or not np.isfinite(costs).all():
        raise LearningError(
            f"costs is {costs}: expected finite numbers, {classes} by {classes}, costs[actual][predicted]."
        )
    matrix = np.asarray(costs, dtype=np.float64)
    expected = np.zeros(probabilities.shape)
    for actual in range(classes):  # the order of a matrix product's sums depends on the number of rows
        expected += probabilities[:, [actual]] * matrix[actual]
    least = expected.min(axis=1, keepdims=True)
    is_least = expected <= least + ROUNDING * np.abs(matrix).max()
    codes: npt.NDArray[np.int64] = np.argmax(is_least, axis=1).astype(np.int64)
    return codes


def row_costs(
    label: npt.ArrayLike, decision: npt.ArrayLike, costs: Sequence[Sequence[npt.ArrayLike]]
) -> npt.NDArray[np.float64]:
    """The cost of each row, from a matrix of costs; negative ones are gains.

    Args:
        label: the class of each row, numbered from 0; True and False for two.
        decision: the class that was decided for, such as `score >= threshold`.
        costs: `costs[label][decision]`, each a number, or an amount for each row, such as a column of it.

    Raises:
        LearningError: see `confusion.check_decisions`; also costs that are no square of finite numbers, or not of
            these rows, or lack a class.

    Example:
        A false alarm costs 1, what was missed the amount of its row.

        >>> amount = [70.0, 80.0, 90.0, 20.0]
        >>> row_costs([True, False, True, False], [True, True, False, False], [[0, 1], [amount, 0]]).tolist()
        [0.0, 1.0, 90.0, 0.0]
    """
    classes, decisions = check_decisions(label, decision)
    sizes = {len(costs), *map(len, costs)}
    greatest = int(max(classes.max(initial=0), decisions.max(initial=0)))
    if len(sizes) > 1 or len(costs) <= greatest:
        raise LearningError(
            f"costs has {len(costs)} rows of {', '.join(str(len(row)) for row in costs)} costs: expected a square, "
            f"costs[class][decision], of {max(2, greatest + 1)} classes or more."
        )
    result = np.zeros(len(classes))
    for truth, row in enumerate(costs):
        for decided, cost in enumerate(row):
            is_here = (classes == truth) & (decisions == decided)
            result[is_here] = _amounts(cost, len(classes), f"costs[{truth}][{decided}]")[is_here]
    return result


def _amounts(cost: npt.ArrayLike, rows: int, name: str) -> npt.NDArray[np.float64]:
    """One cost for each row.

    Raises:
        LearningError: see `row_costs`.
    """
    amounts = floats(name, np.full(rows, cost) if np.ndim(cost) == 0 else cost)
    if len(amounts) != rows:
        raise LearningError(f"{name} has {len(amounts)} amounts beside {rows} rows: expected one number, or one a row.")
    strange = amounts[~np.isfinite(amounts)]
    if len(strange):
        raise LearningError(f"{name} holds {strange[0]} in {len(strange)} of {rows} rows: a cost is a finite number.")
    return amounts
