"""Columns in bins, of which conditions are made: two widths for numbers, the most frequent levels for texts."""

from collections.abc import Iterator
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
    """A column in bins; the last bin holds missing values, and of texts the one before it all other levels.

    Attributes:
        name: of the column.
        edges: of numbers: fine bin i holds edges[i - 1] <= value < edges[i]; of texts: none.
        levels: of texts: that of each bin; of numbers: none.
        fine: the number of each row's bin.
        coarse_of: the number of the coarse bin of each fine one; of texts they are the same.
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
        if first < len(self.levels):
            return Condition(self.name, values=(self.levels[first],))
        return Condition(self.name, values=self.levels, is_other=True)


def bin_columns(rows: pa.Table, least_rows: int) -> list[BinnedColumn]:
    """The columns that tell rows apart, in the table's order: numbers, booleans and texts that are not all the same.

    Args:
        rows: columns of other types are left out.
        least_rows: a level of fewer rows has no bin of its own.
    """
    binned = (_bin(name, rows[name], least_rows) for name in rows.column_names)
    return [one for one in binned if one is not None and one.ranges]


def _bin(name: str, column: ArrowColumn, least_rows: int) -> BinnedColumn | None:
    if is_number(column.type) and not pa.types.is_boolean(column.type):
        return _of_numbers(name, floats_of(column))
    if is_text(column.type) or pa.types.is_boolean(column.type):
        return _of_texts(name, texts_of(column), least_rows)
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


def _of_texts(name: str, texts: ArrowColumn, least_rows: int) -> BinnedColumn:
    values, rows = pc.value_counts(texts.drop_null()).flatten()
    ranked = pa.table({"level": values, "rows": rows}).sort_by([("rows", "descending"), ("level", "ascending")])
    frequent = ranked.slice(0, LEVELS).filter(pc.field("rows") >= least_rows)
    levels = tuple(map(str, frequent["level"].to_pylist()))
    index: Any = pc.index_in(texts, value_set=pa.array(levels, pa.large_string())).fill_null(len(levels))
    fine = np.asarray(index.to_numpy(), np.uint8).copy()
    fine[np.asarray(texts.is_null().to_numpy(zero_copy_only=False), np.bool_) if len(texts) else []] = len(levels) + 1
    present = np.flatnonzero(np.bincount(fine, minlength=len(levels) + 2))
    ranges = tuple((int(one), int(one) + 1) for one in present) if levels and len(present) > 1 else ()
    return BinnedColumn(name, np.empty(0), levels, fine, np.arange(len(levels) + 2, dtype=np.uint8), ranges)


def _edges(values: Floats) -> Floats:
    """Edges of about equal shares, each the roundest number between two values that follow each other."""
    distinct, mass = np.unique(values[np.isfinite(values)], return_counts=True)
    if len(distinct) < 2:
        return np.empty(0)
    starts = np.searchsorted(np.cumsum(mass), np.arange(1, FINE) * (mass.sum() / FINE), side="right")
    heavy = starts[:-1][starts[:-1] == starts[1:]] + 1  # the end of a value that fills a share alone
    firsts = np.unique(np.append(starts, heavy)) if len(distinct) > FINE else np.arange(1, len(distinct))
    return np.array(list(_roundest(distinct, firsts[(firsts > 0) & (firsts < len(distinct))])))


def _roundest(distinct: Floats, firsts: npt.NDArray[np.intp]) -> Iterator[float]:
    for below, first in zip(distinct[firsts - 1], distinct[firsts], strict=True):
        rounded = (float(f"{first:.{digits}g}") for digits in range(1, 17))
        yield next((one for one in rounded if below < one <= first), float(first))
