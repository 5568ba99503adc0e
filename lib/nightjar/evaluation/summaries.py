"""What a column of many rows holds, in a few numbers that can be counted in parts."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nightjar.evaluation.histograms import ArrowColumn, Bins, count, is_number


@dataclass(frozen=True)
class Summary:
    """A column's values.

    Attributes:
        rows: all of them.
        nulls: null or NaN.
        infinite: infinite numbers; they are in no moment.
        finite: numbers that the moments are of.
        mean: of these; None where there is none, or the column is no number.
        squares: sum of their squared distances from the mean.
        least, greatest: of these.
        counts: rows per bin, see `histograms`.
        nan: of `nulls` those with NaN.
    """

    rows: int
    nulls: int
    infinite: int
    finite: int
    mean: float | None
    squares: float
    least: float | None
    greatest: float | None
    counts: tuple[int, ...]
    nan: int = 0

    @property
    def std(self) -> float | None:
        """The sample standard deviation; None below two values."""
        return math.sqrt(self.squares / (self.finite - 1)) if self.finite > 1 else None

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


def summarise(bins: Bins, column: ArrowColumn) -> Summary:
    """The summary of a column.

    Raises:
        LearningError: the column is of another kind than the bins.
    """
    counts = count(bins, column)
    rows, nulls = len(column), int(counts[0])
    if not is_number(column.type):
        return Summary(rows, nulls, 0, 0, None, 0.0, None, None, tuple(counts.tolist()))
    values = _numbers(column)
    finite = values[np.isfinite(values)]
    infinite = int(np.isinf(values).sum())
    nan = len(values) - len(finite) - infinite
    if not len(finite):
        return Summary(rows, nulls, infinite, 0, None, 0.0, None, None, tuple(counts.tolist()), nan)
    mean = float(finite.mean())
    moments = (len(finite), mean, float(np.square(finite - mean).sum()), float(finite.min()), float(finite.max()))
    return Summary(rows, nulls, infinite, *moments, tuple(counts.tolist()), nan)


def moments_of(column: ArrowColumn) -> tuple[float | None, float | None]:
    """Mean and sample standard deviation of the finite numbers of a column; None: too few, or none.

    Example:
        >>> moments_of(pa.array([1.0, 2.0, 6.0, None, float("inf")]))[0]
        3.0
        >>> moments_of(pa.array(["a"]))
        (None, None)
    """
    if not is_number(column.type):
        return None, None
    values = _numbers(column)
    finite = values[np.isfinite(values)]
    return (float(finite.mean()) if len(finite) else None, float(finite.std(ddof=1)) if len(finite) > 1 else None)


def _numbers(column: ArrowColumn) -> npt.NDArray[np.float64]:
    """The values that are not null."""
    present: Any = column.drop_null()
    if pa.types.is_boolean(column.type):
        present = present.cast(pa.int8())
    return np.asarray(present.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)


def merge(parts: Sequence[Summary]) -> Summary:
    """The summary of all rows of which parts have one; the moments by Chan, Golub and LeVeque (1979).

    Example:
        >>> from nightjar.evaluation.histograms import fit_bins
        >>> column = pa.array([1.0, 2.0, 6.0])
        >>> bins = fit_bins(column)
        >>> whole = merge([summarise(bins, column.slice(0, 2)), summarise(bins, column.slice(2))])
        >>> whole.mean, whole.least, whole.greatest, round(whole.std or 0, 6)
        (3.0, 1.0, 6.0, 2.645751)
    """
    return reduce(_add, parts)


def _add(one: Summary, other: Summary) -> Summary:
    counts = tuple(a + b for a, b in zip(one.counts, other.counts, strict=True))
    sums = (one.rows + other.rows, one.nulls + other.nulls, one.infinite + other.infinite)
    finite, nan = one.finite + other.finite, one.nan + other.nan
    if one.mean is None or other.mean is None:
        whole = other if one.mean is None else one
        return Summary(*sums, finite, whole.mean, whole.squares, whole.least, whole.greatest, counts, nan)
    difference = other.mean - one.mean
    mean = one.mean + difference * other.finite / finite
    squares = one.squares + other.squares + difference**2 * one.finite * other.finite / finite
    least = [value for value in (one.least, other.least) if value is not None]
    greatest = [value for value in (one.greatest, other.greatest) if value is not None]
    return Summary(*sums, finite, mean, squares, min(least), max(greatest), counts, nan)
