"""The mean loss of a slice beside that of the other rows, with the interval of the difference by blocks of time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from nightjar.evaluation.binary import Booleans
from nightjar.evaluation.clusters import FEWEST, Clusters
from nightjar.evaluation.influence import Influence
from nightjar.evaluation.intervals import LEVEL, Interval, Scale, interval
from nightjar.evaluation.rows import Floats
from nightjar.evaluation.slices.conditions import Slice

_LEAST_EFFECTIVE = 2.0


@dataclass(frozen=True)
class Compared:
    """A slice beside the other rows.

    Attributes:
        rows: of the slice.
        share: of all rows, by weight.
        error: the mean loss of the slice; None: it has no rows.
        error_of_rest: that of the other rows; None: there are none.
        difference: the first minus the second.
    """

    rows: int
    share: float
    error: float | None
    error_of_rest: float | None
    difference: Interval

    @property
    def is_worse(self) -> bool:
        """Whether the slice is shown to be worse: the whole interval lies above 0."""
        return self.difference.low is not None and self.difference.low > 0


def compare_with_rest(
    inside: Booleans,
    loss: Floats,
    clusters: Clusters,
    weight: Floats | None = None,
    *,
    least_rows: int,
    confidence: float = LEVEL,
) -> Compared:
    """The mean loss of the rows inside, and its difference to that of the others.

    There are no bounds where either side has fewer than the least rows, or the slice lies in fewer than three blocks of
    time, and a reason instead.

    Args:
        inside: whether each row is in the slice.
        loss: of each row.
        clusters: of the rows.
        weight: how many rows each one stands for; None: one each.
        least_rows: on either side.
        confidence: of the interval.
    """
    weights = np.ones(len(loss)) if weight is None else weight
    sides = inside & (weights > 0), ~inside & (weights > 0)
    counts = [int(np.count_nonzero(side)) for side in sides]
    error, of_rest = (_mean(loss[side], weights[side]) for side in sides)
    share = float(weights[inside].sum() / weights.sum()) if len(loss) else 0.0
    beside = Compared(counts[0], share, error, of_rest, Interval(None, None, None, counts[0]))
    if error is None or of_rest is None:
        nothing = "there are no rows in it" if error is None else "all rows are in it"
        return replace(beside, difference=replace(beside.difference, reason=nothing))
    estimate, influence = difference_to_rest(inside, loss, weights)
    reason = _reason(counts, least_rows, clusters.take(np.flatnonzero(sides[0])).blocks)
    if reason is not None:
        return replace(beside, difference=Interval(estimate, None, None, counts[0], reason))
    bounded = interval(estimate, influence, clusters, Scale.PLAIN, size=error, confidence=confidence)
    return replace(beside, difference=replace(bounded, rows=counts[0]))


def compare_all(
    slices: Sequence[Slice],
    rows: pa.Table,
    loss: Floats,
    clusters: Clusters,
    weight: Floats | None = None,
    *,
    least_rows: int,
) -> list[Compared]:
    """Each slice beside the rows that are not in it, with intervals that hold all together in 95% of periods.

    Of m slices each interval has the confidence 1 - 0.05 / m (Bonferroni's inequality). A slice that was found on
    other rows is confirmed where its interval lies above 0: with none that is worse, there is one in 2.5% of periods.

    Raises:
        LearningError: see `Slice.of`.
    """
    confidence = 1 - (1 - LEVEL) / max(1, len(slices))
    return [
        compare_with_rest(one.of(rows), loss, clusters, weight, least_rows=least_rows, confidence=confidence)
        for one in slices
    ]


def difference_to_rest(inside: Booleans, loss: Floats, weights: Floats) -> tuple[float, Influence]:
    """The mean loss inside minus that outside, both of which have weight, and the influence of each row on it."""
    parts = weights * inside, weights * ~inside
    means = [float(part @ loss / part.sum()) for part in parts]
    values = [part * (loss - mean) / part.sum() for part, mean in zip(parts, means, strict=True)]
    return means[0] - means[1], Influence(values[0] - values[1], parts)


def t_statistic(estimate: float, influence: Influence, clusters: Clusters) -> float:
    """A difference in standard errors, to rank by: by entities or by blocks, whichever is greater.

    -inf where either has too few clusters with rows of one side, or all say the same.
    """
    variance = 0.0
    for codes in (clusters.entity, clusters.block):
        sizes = [np.bincount(codes, part) for part in influence.parts]
        number = min(float(size.sum() ** 2 / (size @ size)) for size in sizes)
        if min(map(np.count_nonzero, sizes)) < FEWEST or number < _LEAST_EFFECTIVE:
            return -np.inf
        sums = np.bincount(codes, influence.values)
        variance = max(variance, float(sums @ sums) * number / (number - 1))
    return estimate / float(np.sqrt(variance)) if variance else -np.inf


def _reason(counts: Sequence[int], least_rows: int, blocks: int) -> str | None:
    """Why there are no bounds; None: there may be some."""
    if min(counts) < least_rows:
        where = "it has" if counts[0] < least_rows else "there are beside it"
        return f"too few rows: {where} {min(counts):,}, and at least {least_rows:,} are needed"
    if blocks < FEWEST:
        return f"its rows are of {blocks} blocks of time, and fewer than {FEWEST} say nothing of others"
    return None


def _mean(loss: Floats, weights: Floats) -> float | None:
    return float(np.average(loss, weights=weights)) if len(loss) else None
