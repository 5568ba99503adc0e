"""The search: boxes of up to three columns' bins in which the mean loss lies furthest above that of the other rows.

How far a part S of n rows lies above is z = sum of the excess in S / (deviation * sqrt(|S| (1 - |S| / n))), a
difference of two means in standard errors; excess is a row's loss minus the mean of all. For each set of up to three
columns rows and excess are counted once in a table of their coarse bins, from which all boxes of adjacent bins are
summed at once. So time grows with the rows times the sets of columns, and memory with neither.

Source: slices as conjunctions of conditions with a least size from Sagadeeva and Boehm (2021), SliceLine: fast, linear-
algebra-based slice finding for ML model debugging, SIGMOD, 2290-2299. Here tables of sets of columns are counted, not
slices one by one, and it is not its score, which weighs error against size by a parameter. There is no bound on what
lies within a slice: at an error rate of 20% even one of 100 rows could hold another with z = 10, so that none would be
passed over.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from nightjar.evaluation.rows import Floats
from nightjar.evaluation.slices.binning import STRIDE, BinnedColumn, Codes

COLUMNS_OF_PAIRS, COLUMNS_OF_TRIPLES = 100, 30
"""So many columns, the most promising ones, are searched in pairs and in triples: 4,950 and 4,060 tables."""
BOXES = 2
"""Of each table, the second one without the cells of the first."""
_CHUNK = 1 << 17


@dataclass(frozen=True, eq=False)
class Losses:
    """What is searched.

    Attributes:
        excess: of each row, its loss minus the mean of all, times its weight.
        deviation: the root of the mean square of the excess.
        least_rows: of a slice; it has at most half of all rows.
    """

    excess: Floats
    deviation: float
    least_rows: int

    def z(self, rows: Floats, excess: Floats) -> Floats:
        """How far parts with so many rows and so much excess lie above the others; -inf where too few or too many."""
        total = len(self.excess)
        with np.errstate(divide="ignore", invalid="ignore"):
            z = excess / (self.deviation * np.sqrt(rows * (1 - rows / total)))
        result: Floats = np.where((rows >= self.least_rows) & (2 * rows <= total), z, -np.inf)
        return result


@dataclass(frozen=True)
class Box:
    """A range of coarse bins of each of some columns.

    Attributes:
        columns: their numbers, ascending.
        ranges: of each of them.
        z: how far its rows lie above the others, see `Losses.z`; of a table's second box without the first one's rows.
    """

    columns: tuple[int, ...]
    ranges: tuple[tuple[int, int], ...]
    z: float


def losses_of(loss: Floats, weight: Floats | None, least_rows: int) -> Losses:
    """The excess of each row over the mean of all."""
    weights = np.ones(len(loss)) if weight is None else weight / weight.mean()
    excess = weights * (loss - np.average(loss, weights=weights))
    return Losses(excess, float(np.sqrt(np.mean(excess**2))), least_rows)


def log_tries(columns: Sequence[BinnedColumn]) -> list[float]:
    """The logarithms of the numbers of cells of fine bins, of all sets of one column, of two and of three."""
    first, second, third = (sum(float(len(column.coarse_of)) ** power for column in columns) for power in (1, 2, 3))
    pairs, triples = (first**2 - second) / 2, (first**3 - 3 * first * second + 2 * third) / 6
    return [float(np.log(max(1.0, boxes))) for boxes in (first, pairs, triples)]


def search(columns: Sequence[BinnedColumn], losses: Losses) -> list[Box]:
    """The best boxes of each set of up to three columns.

    Of more than `COLUMNS_OF_PAIRS` columns those with the best boxes by themselves go into pairs; of more than
    `COLUMNS_OF_TRIPLES` those with the best boxes by themselves and in pairs go into triples.
    """
    if not losses.deviation:
        return []
    chosen: Sequence[int] = range(len(columns))
    boxes = list(_search_sets(columns, losses, chosen, 1))
    for size, most in ((2, COLUMNS_OF_PAIRS), (3, COLUMNS_OF_TRIPLES)):
        chosen = _promising(chosen, boxes, most)
        boxes += _search_sets(columns, losses, chosen, size)
    return boxes


def _promising(chosen: Sequence[int], boxes: Sequence[Box], most: int) -> list[int]:
    """The columns of the best boxes, then others of those chosen, at most so many; ascending."""
    ranked = sorted(boxes, key=lambda box: -box.z)
    return sorted(list(dict.fromkeys([*(number for box in ranked for number in box.columns), *chosen]))[:most])


def _search_sets(columns: Sequence[BinnedColumn], losses: Losses, chosen: Sequence[int], size: int) -> Iterator[Box]:
    """The boxes of all sets of so many of the chosen columns."""
    coarse = {number: columns[number].coarse for number in chosen}
    members = {number: columns[number].members() for number in chosen}
    for first in combinations(chosen, size - 1):
        last = [number for number in chosen if not first or number > first[-1]]
        for number, rows, excess in zip(last, *_count(coarse, losses, first, last), strict=True):
            yield from _boxes(columns, members, losses, (*first, number), rows, excess)


def _count(
    coarse: Mapping[int, Codes], losses: Losses, first: Sequence[int], last: Sequence[int]
) -> tuple[Floats, Floats]:
    """Rows and excess of each cell of the tables of the first columns with each last one."""
    size = len(first) + 1
    rows, excess = np.zeros((2, len(last), STRIDE**size))
    for start in range(0, len(losses.excess), _CHUNK):
        part = slice(start, start + _CHUNK)
        base = np.zeros(len(losses.excess[part]), np.uint16)
        for column in first:
            base = (base + coarse[column][part]) * np.uint16(STRIDE)
        for number, column in enumerate(last):
            code = (base + coarse[column][part]).astype(np.intp)
            rows[number] += np.bincount(code, minlength=STRIDE**size)
            excess[number] += np.bincount(code, losses.excess[part], STRIDE**size)
    shape = (len(last), *[STRIDE] * size)
    return rows.reshape(shape), excess.reshape(shape)


def _boxes(
    columns: Sequence[BinnedColumn],
    members: Mapping[int, Floats],
    losses: Losses,
    of: tuple[int, ...],
    rows: Floats,
    excess: Floats,
) -> Iterator[Box]:
    """The best boxes of one table."""
    cells = tuple(slice(columns[number].bins) for number in of)
    excess = excess[cells].copy()
    of_boxes = _sums(rows[cells], members, of)
    for _ in range(BOXES):
        z = losses.z(of_boxes, _sums(excess, members, of))
        place = np.unravel_index(int(z.argmax()), z.shape)
        if not z[place] > 0:
            return
        ranges = tuple(columns[number].ranges[one] for number, one in zip(of, place, strict=True))
        yield Box(of, ranges, float(z[place]))
        excess[tuple(slice(*one) for one in ranges)] = 0


def _sums(table: Floats, members: Mapping[int, Floats], of: Sequence[int]) -> Floats:
    """The sum of the table over each box: of each range of the first column, of the second one, ..."""
    for number in of:
        table = np.tensordot(table, members[number], (0, 1))
    return table
