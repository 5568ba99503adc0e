"""Columns in bins, of which conditions are made: fine ones, and few coarse ones whose combinations are searched."""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.evaluation.histograms import ArrowColumn, is_number, is_text
from nightjar.evaluation.rows import Floats
from nightjar.evaluation.slices.conditions import Condition, floats_of, texts_of

Codes = npt.NDArray[np.uint8]
STRIDE = 16
"""Coarse codes of a column are below it: three of them are one number of 12 bits."""
COARSE, FINE, LEVELS = 8, 250, STRIDE - 2
_SAMPLE = 100_000  # values of which edges are quantiles


@dataclass(frozen=True, eq=False)
class BinnedColumn:
    """A column in bins; the last bin holds missing values, and of texts the one before it rare levels.

    Attributes:
        name: of the column.
        edges: of numbers: fine bin i holds edges[i - 1] <= value < edges[i]; of texts: none.
        levels: of texts: that of each fine bin, first those with a coarse bin of their own; of numbers: none.
        fine: the number of each row's fine bin.
        coarse_of: the number of the coarse bin of each fine one, ascending.
        ranges: the coarse bins that a condition may be made of: first one, and the one after the last.
    """

    name: str
    edges: Floats
    levels: tuple[str, ...]
    fine: Codes
    coarse_of: Codes
    ranges: tuple[tuple[int, int], ...]

    @property
    def is_number(self) -> bool:
        """Whether neighbouring bins may be one condition."""
        return not self.levels

    @property
    def bins(self) -> int:
        """The number of coarse bins."""
        return int(self.coarse_of[-1]) + 1

    @property
    def missing(self) -> int:
        """The number of the fine bin of missing values."""
        return len(self.coarse_of) - 1

    @property
    def coarse(self) -> Codes:
        """The number of each row's coarse bin."""
        codes: Codes = self.coarse_of[self.fine]
        return codes

    def members(self) -> Floats:
        """Which coarse bins each range has, (ranges, bins), as 0 and 1."""
        number = np.arange(self.bins)
        return np.array([(number >= first) & (number < end) for first, end in self.ranges], np.float64)

    def fine_range(self, chosen: tuple[int, int]) -> tuple[int, int]:
        """The fine bins of a range of coarse ones."""
        first, end = np.searchsorted(self.coarse_of, chosen)
        return int(first), int(end)

    def condition(self, first: int, end: int) -> Condition:
        """The condition that a value is in one of the fine bins from the first one to that before the end."""
        if first == self.missing:
            return Condition(self.name, values=(None,))
        if self.is_number:
            low = float(self.edges[first - 1]) if first else None
            high = float(self.edges[end - 1]) if end <= len(self.edges) else None
            return Condition(self.name, low, high)
        if end - first == 1 and first < len(self.levels):
            return Condition(self.name, values=(self.levels[first],))
        return Condition(self.name, values=self.levels[:first], is_other=True)

    def fine_ranges(self, present: tuple[int, int]) -> list[tuple[int, int]]:
        """Of texts: the fine bins of each condition on one level or on a missing value, and the present one."""
        alone = [(level, level + 1) for level in (*range(len(self.levels)), self.missing)]
        return list(dict.fromkeys([present, *alone]))


def bin_columns(rows: pa.Table, excess: Floats, least_rows: int) -> list[BinnedColumn]:
    """The columns that tell rows apart, in the table's order: numbers, booleans and texts that are not all the same.

    Numbers have up to `FINE` bins of about equal shares, and up to `COARSE` coarse ones. Of texts the `FINE` most
    frequent levels have a bin each, and those whose excess is the greatest for their size a coarse one, too.

    Args:
        rows: columns of other types are left out.
        excess: of each row, see `search.Losses`.
        least_rows: a level of fewer rows has no bin of its own.
    """
    binned = (_bin(name, rows[name], excess, least_rows) for name in rows.column_names)
    return [one for one in binned if one is not None and one.ranges]


def _bin(name: str, column: ArrowColumn, excess: Floats, least_rows: int) -> BinnedColumn | None:
    if is_number(column.type) and not pa.types.is_boolean(column.type):
        return _of_numbers(name, floats_of(column))
    if is_text(column.type) or pa.types.is_boolean(column.type):
        return _of_texts(name, texts_of(column), excess, least_rows)
    return None


def _of_numbers(name: str, values: Floats) -> BinnedColumn:
    edges = _edges(values[:: max(1, len(values) // _SAMPLE)])
    missing = np.isnan(values)
    fine = np.searchsorted(edges, values, side="right").astype(np.uint8)
    fine[missing] = len(edges) + 1
    mass = np.bincount(fine, minlength=len(edges) + 2)[:-1]
    middle = (np.cumsum(mass) - mass / 2) / max(1, mass.sum())
    number = np.minimum(middle * COARSE, COARSE - 1).astype(np.intp) if len(mass) > COARSE else np.arange(len(mass))
    coarse = np.unique(number, return_inverse=True)[1]
    bins = int(coarse[-1]) + 1
    spans = [(first, end) for first in range(bins) for end in range(first + 1, bins + 1) if end - first < bins]
    ranges = [*spans, *([(bins, bins + 1)] if missing.any() and not missing.all() else [])]
    return BinnedColumn(name, edges, (), fine, np.append(coarse, bins).astype(np.uint8), tuple(ranges))


def _of_texts(name: str, texts: ArrowColumn, excess: Floats, least_rows: int) -> BinnedColumn:
    values, rows = pc.value_counts(texts.drop_null()).flatten()
    ranked = pa.table({"level": values, "rows": rows}).sort_by([("rows", "descending"), ("level", "ascending")])
    levels = ranked.slice(0, FINE).filter(pc.field("rows") >= least_rows)["level"].combine_chunks()
    code = _codes(texts, levels)
    size, total = np.bincount(code, minlength=len(levels) + 2), np.bincount(code, excess, len(levels) + 2)
    by_excess = np.argsort(-total[: len(levels)] / np.sqrt(size[: len(levels)]), kind="stable")[:LEVELS]
    order = np.concatenate([by_excess, np.setdiff1d(np.arange(len(levels) + 2), by_excess)])
    place = np.argsort(order).astype(np.uint8)
    own = len(by_excess)
    coarse_of = np.append(np.minimum(np.arange(len(levels) + 1), own), own + 1).astype(np.uint8)
    fine = place[code]
    present = np.flatnonzero(np.bincount(coarse_of[fine], minlength=own + 2))
    ranges = tuple((int(one), int(one) + 1) for one in present) if own and len(present) > 1 else ()
    in_order = tuple(str(levels[int(number)]) for number in order[: len(levels)])
    return BinnedColumn(name, np.empty(0), in_order, fine, coarse_of, ranges)


def _codes(texts: ArrowColumn, levels: "pa.Array[Any]") -> npt.NDArray[np.intp]:
    """The number of each row's level, then that of rare ones, then that of missing ones."""
    if not len(texts):
        return np.empty(0, np.intp)
    index: Any = pc.index_in(texts, value_set=levels.cast(pa.large_string()))
    codes = np.asarray(index.fill_null(len(levels)).to_numpy(), np.intp).copy()
    codes[np.asarray(texts.is_null().to_numpy(zero_copy_only=False), np.bool_)] = len(levels) + 1
    return codes


def _edges(values: Floats) -> Floats:
    """Edges of about equal shares, each the roundest number within half a share, or between two values."""
    distinct, mass = np.unique(values[np.isfinite(values)], return_counts=True)
    below, share = np.cumsum(mass), mass.sum() / FINE
    if len(distinct) <= FINE:
        return np.array([_roundest(*pair) for pair in itertools.pairwise(distinct)])
    starts = np.searchsorted(below, np.arange(1, FINE) * share, side="right")
    heavy = starts[:-1][starts[:-1] == starts[1:]] + 1  # the end of a value that fills a share alone
    firsts = np.unique(np.append(starts, heavy))
    firsts = firsts[(firsts > 0) & (firsts < len(distinct))]
    low, high = (np.searchsorted(below, below[firsts - 1] + reach, "right") for reach in (-share / 4, share / 4))
    low, high = np.minimum(low, firsts - 1), np.maximum(high, firsts).clip(max=len(distinct) - 1)
    return np.unique([_roundest(*pair) for pair in zip(distinct[low], distinct[high], strict=True)])


def _roundest(below: float, least: float) -> float:
    """The number of the fewest digits that is above the first one, and not above the second."""
    middle = least - (least - below) / 2
    rounded = (float(f"{one:.{digits}g}") for digits in range(1, 17) for one in (least, middle))
    return next((one for one in rounded if below < one <= least), float(least))
