"""Slices that are worth a look on other rows: the best boxes, their borders drawn finer, without repetitions.

A slice is judged by t, the difference of its mean loss to that of the others in standard errors by clusters. Of N cells
of fine bins in all sets of as many columns, chance alone gives one with t**2 / 2 of about log N: what is less is passed
over, and what is further above ranks first. So a further condition has to be worth what it adds to the number of tries.
Source: the greatest of N normal values is near sqrt(2 log N), Leadbetter, Lindgren and Rootzen (1983), Extremes and
related properties of random sequences and processes, chapter 1.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from nightjar.evaluation.binary import Booleans
from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.rows import Floats
from nightjar.evaluation.slices.binning import BinnedColumn, bin_columns
from nightjar.evaluation.slices.comparing import difference_to_rest, t_statistic
from nightjar.evaluation.slices.conditions import Slice
from nightjar.evaluation.slices.refining import Part, refine
from nightjar.evaluation.slices.search import Losses, log_tries, losses_of, search

MOST_SLICES = 10
"""Candidates for other rows: the more there are, the wider the intervals of all."""
_BOXES = 50


@dataclass(frozen=True, eq=False)
class _Rows:
    """The rows that parts are judged by.

    Attributes:
        columns: of them, in bins.
        loss, weight: of each.
        clusters: of them.
        least_rows: on either side of a difference.
        penalties: the logarithm of the number of tries, by the number of conditions less one.
    """

    columns: Sequence[BinnedColumn]
    loss: Floats
    weight: Floats
    clusters: Clusters
    least_rows: int
    penalties: Sequence[float]

    def merit(self, part: Part, among: Booleans, conditions: int) -> float:
        """How far the difference of a part to the others, of the rows among, is above what so many conditions give."""
        index = np.flatnonzero(among)
        inside = part.rows(self.columns)[index]
        if min(np.count_nonzero(inside), np.count_nonzero(~inside)) < self.least_rows:
            return -np.inf
        t = t_statistic(*difference_to_rest(inside, self.loss[index], self.weight[index]), self.clusters.take(index))
        return t * abs(t) / 2 - self.penalties[conditions - 1]


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
    judged = _Rows(columns, loss, np.ones(len(loss)) if weight is None else weight, clusters, least_rows, penalties)
    boxes = sorted(search(columns, losses), key=lambda box: penalties[len(box.columns) - 1] - box.z**2 / 2)
    narrow = [box for box in boxes[_BOXES:] if len(box.columns) == 1]  # a slice may be narrower than a coarse bin
    refined = (refine(box, columns, losses) for box in [*boxes[:_BOXES], *narrow[:_BOXES]])
    parts = dict.fromkeys(_simplify(part, judged) for part in refined if _is_notable(part, judged, losses))
    return [part.slice(columns) for part in _without_repetitions(parts, judged)]


def _is_notable(part: Part, rows: _Rows, losses: Losses) -> bool:
    """Whether it would have a merit were rows independent: otherwise it has none by clusters."""
    inside = part.rows(rows.columns)
    (z,) = losses.z(np.array([inside.sum()], np.float64), np.array([losses.excess[inside].sum()]))
    return bool(z > 0 and z**2 / 2 > rows.penalties[len(part.columns) - 1])


def _simplify(part: Part, rows: _Rows) -> Part:
    """The part without conditions that make no difference among the rows that meet the others."""
    for place in range(len(part.columns) if len(part.columns) > 1 else 0):
        wider = part.without(place)
        if rows.merit(part, wider.rows(rows.columns), 1) <= 0:
            return _simplify(wider, rows)
    return part


def _without_repetitions(parts: Iterable[Part], rows: _Rows) -> Iterator[Part]:
    """The parts with a merit, the greatest first, even among the rows that are in none of those before."""
    among, number = np.ones(len(rows.loss), np.bool_), 0
    merits = {part: rows.merit(part, among, len(part.columns)) for part in parts}
    for part in sorted((one for one in parts if merits[one] > 0), key=lambda one: -merits[one]):
        if number < MOST_SLICES and rows.merit(part, among, len(part.columns)) > 0:
            yield part
            among, number = among & ~part.rows(rows.columns), number + 1
