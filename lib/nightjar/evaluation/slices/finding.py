"""Slices that are worth a look on other rows: the best boxes, their borders drawn finer, without repetitions.

A slice is judged by t, the difference of its mean loss to that of the others in standard errors by clusters. Of N cells
of fine bins in all sets of as many columns, chance alone gives one with t**2 / 2 of about log N: what is less is passed
over, and what is further above ranks first. So a further condition has to be worth what it adds to the number of tries.
Source: the greatest of N normal values is near sqrt(2 log N), Leadbetter, Lindgren and Rootzen (1983), Extremes and
related properties of random sequences and processes, chapter 1.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from nightjar.evaluation.binary import Booleans
from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.rows import Floats
from nightjar.evaluation.slices.binning import BinnedColumn, bin_columns
from nightjar.evaluation.slices.comparing import difference_to_rest, t_statistic
from nightjar.evaluation.slices.conditions import Slice
from nightjar.evaluation.slices.search import Box, Losses, log_tries, losses_of, search

MOST_SLICES = 10
"""Candidates for other rows: the more there are, the wider the intervals of all."""
_BOXES = 100
_ROUNDS = 2


@dataclass(frozen=True, eq=False)
class _Part:
    """Rows that may become a candidate.

    Attributes:
        columns: the numbers of its columns.
        ranges: of fine bins of each of them, first and the one after the last.
        rows: whether each row is in it.
    """

    columns: tuple[int, ...]
    ranges: tuple[tuple[int, int], ...]
    rows: Booleans


def find_slices(
    rows: pa.Table, loss: Floats, clusters: Clusters, weight: Floats | None = None, *, least_rows: int
) -> list[Slice]:
    """The slices whose mean loss is further above that of the other rows than chance explains, most certain first.

    At most `MOST_SLICES`; each is worse than the others even without the rows of those before it. They are found by a
    search of very many, so that their losses here look worse than they are: judge them on other rows.

    Args:
        rows: the columns that conditions may be of.
        loss: of each row.
        clusters: of the rows.
        weight: how many rows each one stands for; None: one each.
        least_rows: of a slice; there are at least as many other rows.

    Example:
        >>> random = np.random.default_rng(0)
        >>> night, hour = np.repeat(np.arange(20), 200), random.integers(0, 24, 4000)
        >>> is_wrong = random.random(4000) < np.where(hour >= 17, 0.5, 0.2)
        >>> clusters = Clusters(entity=np.arange(4000), block=night)
        >>> for one in find_slices(pa.table({"hour": hour}), is_wrong.astype(float), clusters, least_rows=100):
        ...     print(one)
        hour >= 17
    """
    if len(rows) < 2 * least_rows:
        return []
    losses = losses_of(loss, weight, least_rows)
    columns = bin_columns(rows, losses.excess, least_rows)
    penalties = log_tries(columns)
    boxes = sorted(search(columns, losses), key=lambda box: penalties[len(box.columns) - 1] - box.z**2 / 2)
    narrow = [
        box for box in boxes[_BOXES:] if len(box.columns) == 1
    ]  # of a slice narrower than a bin the box says little
    refined = (_refine(box, columns, losses) for box in [*boxes[:_BOXES], *narrow[:_BOXES]])
    parts = {(part.columns, part.ranges): part for part in refined}
    weights = np.ones(len(loss)) if weight is None else weight

    def merit(part: _Part, among: Booleans) -> float:
        sides = part.rows & among, among & ~part.rows
        if min(map(np.count_nonzero, sides)) < least_rows:
            return -np.inf
        t = t_statistic(*difference_to_rest(part.rows, loss, weights * among), clusters)
        return t * abs(t) / 2 - penalties[len(part.columns) - 1]

    chosen = _without_repetitions(list(parts.values()), merit, np.ones(len(loss), np.bool_))
    return [_slice(part, columns) for part in chosen]


def _without_repetitions(
    parts: Sequence[_Part], merit: Callable[[_Part, Booleans], float], among: Booleans
) -> Iterator[_Part]:
    """The parts with a merit, the greatest first, even among the rows that are in none of those before."""
    number = 0
    for part in sorted(parts, key=lambda part: -merit(part, among)):
        if number < MOST_SLICES and merit(part, among) > 0:
            yield part
            among, number = among & ~part.rows, number + 1


def _refine(box: Box, columns: Sequence[BinnedColumn], losses: Losses) -> _Part:
    """The box with each condition as it is best while the others stay as they are: finer borders, another level."""
    ranges = [columns[number].fine_range(one) for number, one in zip(box.columns, box.ranges, strict=True)]
    inside = [_within(columns[number], one) for number, one in zip(box.columns, ranges, strict=True)]
    for _ in range(_ROUNDS):
        before = list(ranges)
        for place, number in enumerate(box.columns):
            others = np.logical_and.reduce([np.ones_like(inside[0]), *inside[:place], *inside[place + 1 :]])
            ranges[place] = _best_range(columns[number], others, losses, ranges[place])
            inside[place] = _within(columns[number], ranges[place])
        if ranges == before:
            break
    return _Part(box.columns, tuple(ranges), np.logical_and.reduce(inside))


def _best_range(column: BinnedColumn, others: Booleans, losses: Losses, present: tuple[int, int]) -> tuple[int, int]:
    """The fine bins of a condition whose rows, among those that meet the others, lie furthest above."""
    codes, bins = column.fine[others], column.missing + 1
    rows, excess = (
        np.append(0.0, np.cumsum(np.bincount(codes, values, bins))) for values in (None, losses.excess[others])
    )
    if column.is_number:
        first, end = np.triu_indices(bins, 1)
        proper = (first > 0) | (end < bins - 1)  # all that are not missing are no condition
        first, end = np.append(first[proper], bins - 1), np.append(end[proper], bins)
    else:
        first, end = np.array(column.fine_ranges(present)).T
    z = losses.z(rows[end] - rows[first], excess[end] - excess[first])
    best = int(z.argmax())
    return (int(first[best]), int(end[best])) if np.isfinite(z[best]) else present


def _within(column: BinnedColumn, fine: tuple[int, int]) -> Booleans:
    return (column.fine >= fine[0]) & (column.fine < fine[1])


def _slice(part: _Part, columns: Sequence[BinnedColumn]) -> Slice:
    return Slice(tuple(columns[number].condition(*one) for number, one in zip(part.columns, part.ranges, strict=True)))
