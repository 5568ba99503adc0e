"""One column in the order of its facts, and the aggregates of ranges of it."""

from collections.abc import Callable
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from nightjar.asof.exact import Digits, RunningTotals, deviations, digits_of, squares_of, to_floats, to_integers
from nightjar.asof.ranges import count_distinct, extremes
from nightjar.asof.values import Column, Flags, Floats, Ints, differs, logical_type, order_keys, plain, present, taken
from nightjar.errors import JoinError


class Series:
    """The non-null values of one column in fact order. What several ranges or aggregates need is computed once."""

    def __init__(self, column: Column, ties: Ints, where: str) -> None:
        """Take a column in fact order, the numbers that tied facts share, and a text for errors."""
        self.where = where
        valid = present(column)
        self._before = np.concatenate([[0], np.cumsum(valid)])
        self.values = column if valid.all() else taken(column, np.flatnonzero(valid))
        self._ties = ties[valid]

    def narrowed(self, starts: Ints, ends: Ints) -> tuple[Ints, Ints]:
        """Ranges of facts as ranges of the values that are not null."""
        return self._before[starts], self._before[ends]

    @cached_property
    def numbers(self) -> npt.NDArray[np.generic]:
        """The values as integers or floats; decimals become floats."""
        kind = self.values.type
        values = plain(self.values)
        if types.is_integer(logical_type(kind)):
            return values.to_numpy(zero_copy_only=False)
        return values.cast(pa.int8() if types.is_boolean(kind) else pa.float64()).to_numpy(zero_copy_only=False)

    @cached_property
    def _finite(self) -> npt.NDArray[np.generic]:
        return np.where(np.isfinite(self.numbers), self.numbers, 0)

    @cached_property
    def totals(self) -> RunningTotals:
        """Running totals of the finite numbers."""
        return RunningTotals(digits_of(self._finite))

    @cached_property
    def square_totals(self) -> RunningTotals:
        """Running totals of the squares of the finite numbers."""
        return RunningTotals(squares_of(self._finite))

    @cached_property
    def _special_totals(self) -> list[Ints]:
        """How many NaN, +inf and -inf stand before each position."""
        kinds = (np.isnan(self.numbers), self.numbers == np.inf, self.numbers == -np.inf)
        return [np.concatenate([[0], np.cumsum(kind)]) for kind in kinds]

    def special(self, starts: Ints, ends: Ints) -> tuple[Flags, Flags, Flags]:
        """Whether each range holds NaN, +inf, -inf."""
        nan, high, low = (total[ends] > total[starts] for total in self._special_totals)
        return nan, high, low

    @cached_property
    def ranks(self) -> tuple[Ints, Ints]:
        """The dense rank of each value, and for each rank a position that holds it."""
        _, places, ranks = np.unique(order_keys(self.values), return_index=True, return_inverse=True)
        return ranks, places

    @cached_property
    def undecided(self) -> Flags:
        """True where tied facts, which nothing orders, hold different values."""
        return undecided(self.values, self._ties)


def undecided(column: Column, ties: Ints) -> Flags:
    """True at every fact of a tie whose facts hold different values; null differs from a value."""
    tied = np.flatnonzero(ties[1:] == ties[:-1])
    unequal = tied[differs(column, tied, tied + 1)] if tied.size else tied
    return np.isin(ties, ties[unequal]) if unequal.size else np.zeros(len(ties), np.bool_)


def chosen(column: Column, positions: Ints, undecided: Flags, where: str) -> Column:
    """The values at positions, null at -1.

    Raises:
        JoinError: a value that depends on how tied facts happen to be ordered.
    """
    found = positions >= 0
    if np.any(undecided[positions[found]]):
        value = column[int(positions[found][undecided[positions[found]]][0])]
        raise JoinError(
            f"{where}: facts with equal clocks, sequence and fact_id hold different values, {value} is one of them; "
            "declare sequence columns or a fact_id that order them"
        )
    return taken(column, positions)


Aggregate: TypeAlias = Callable[[Series, Ints, Ints], Column]
"""A series, first positions and end positions among its values -> one value for each range."""


def _count(_: Series, starts: Ints, ends: Ints) -> Column:
    return _counted(ends - starts)


def _sum(series: Series, starts: Ints, ends: Ints) -> Column:
    sums = series.totals.between(starts, ends)
    if series.numbers.dtype.kind != "f":
        return pa.array(to_integers(sums, series.where), mask=starts == ends)
    return _known(series, to_floats(sums, np.ones_like(starts)), starts, ends, least=1)


def _mean(series: Series, starts: Ints, ends: Ints) -> Column:
    means = to_floats(series.totals.between(starts, ends), np.maximum(ends - starts, 1))
    return _known(series, means, starts, ends, least=1)


def _std(series: Series, starts: Ints, ends: Ints) -> Column:
    result = np.zeros(len(starts))
    for piece in range(0, len(starts), _PIECE):  # the products of digits stay in the cache
        here = slice(piece, piece + _PIECE)
        sums: Digits = series.totals.between(starts[here], ends[here])
        squares = series.square_totals.between(starts[here], ends[here])
        result[here] = deviations(sums, squares, np.maximum(ends[here] - starts[here], 2))
    nan, high, low = series.special(starts, ends)
    return _known(series, np.where(nan | high | low, np.nan, result), starts, ends, least=2)


def _min(series: Series, starts: Ints, ends: Ints) -> Column:
    return _extreme(series, starts, ends, np.minimum)


def _max(series: Series, starts: Ints, ends: Ints) -> Column:
    return _extreme(series, starts, ends, np.maximum)


def _first(series: Series, starts: Ints, ends: Ints) -> Column:
    return chosen(series.values, np.where(ends > starts, starts, -1), series.undecided, series.where)


def _last(series: Series, starts: Ints, ends: Ints) -> Column:
    return chosen(series.values, np.where(ends > starts, ends - 1, -1), series.undecided, series.where)


def _distinct(series: Series, starts: Ints, ends: Ints) -> Column:
    return _counted(count_distinct(series.ranks[0], starts, ends))


AGGREGATES: dict[str, Aggregate] = {
    "count": _count,
    "sum": _sum,
    "mean": _mean,
    "std": _std,
    "min": _min,
    "max": _max,
    "first": _first,
    "last": _last,
    "distinct": _distinct,
    "rate": _mean,
}
_PIECE = 1 << 15


def _counted(counts: Ints) -> Column:
    return pa.array(counts, pa.int64())


def _known(series: Series, results: Floats, starts: Ints, ends: Ints, *, least: int) -> Column:
    """Put NaN and infinities where the range holds them, and null where it holds too few values."""
    if series.numbers.dtype.kind == "f":
        nan, high, low = series.special(starts, ends)
        results = np.where(high, np.inf, np.where(low, -np.inf, results)) if least == 1 else results
        results = np.where(nan | (high & low), np.nan, results)
    return pa.array(results, mask=ends - starts < least, from_pandas=False)


def _extreme(series: Series, starts: Ints, ends: Ints, choose: np.ufunc) -> Column:
    """The least or greatest value; NaN if the range holds one, as for every other aggregate of numbers."""
    ranks, places = series.ranks
    best = extremes(ranks, starts, ends, choose)
    best = np.where(ends > starts, places[best], -1) if len(places) else np.full(len(best), -1)
    values = taken(series.values, best)
    if not types.is_floating(logical_type(series.values.type)):
        return values
    nan, _, _ = series.special(starts, ends)
    answers: Column = pc.if_else(pa.array(nan), pa.scalar(np.nan, values.type), values)
    return answers
