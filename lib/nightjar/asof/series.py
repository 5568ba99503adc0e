"""The values of one column of the facts, and the same in windows."""

from collections.abc import Callable
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import types

from nightjar.asof.exact import Digits, RunningTotals, Scaled, digits_of, squares_of, to_scaled
from nightjar.asof.history import History
from nightjar.asof.ranges import Runs, running_total
from nightjar.asof.values import (
    ArrowArray,
    Flags,
    Ints,
    bitmap,
    differs,
    floats_of,
    logical_type,
    of_numbers,
    order_keys,
    plain,
    present,
    take,
)
from nightjar.errors import JoinError


class Series:
    """The non-null values of one column, to be aggregated. What several windows or aggregates need is computed once."""

    def __init__(self, column: ArrowArray, history: History, order: Ints, where: str) -> None:
        """Take a column of the facts' table, the order of positions to keep it in, and a text for errors."""
        self.where = where
        self._column, self._history = column, history
        not_null = present(column)[history.rows[order]] if column.null_count else np.ones(len(order), np.bool_)
        self.positions = order if not_null.all() else order[not_null]
        self._before = None if not_null.all() else running_total(not_null)
        self.values = take(column, history.rows_at(self.positions))

    def within(self, runs: Runs) -> "WindowedSeries":
        """The values in some windows of facts."""
        return WindowedSeries(self, runs if self._before is None else runs.restrict(self._before))

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
        return np.where(np.isfinite(self.numbers), self.numbers, 0) if self.special_totals else self.numbers

    @cached_property
    def totals(self) -> RunningTotals:
        """Running totals of the finite numbers."""
        return RunningTotals(digits_of(self._finite))

    @cached_property
    def square_totals(self) -> RunningTotals:
        """Running totals of the squares of the finite numbers."""
        return RunningTotals(squares_of(self._finite))

    @cached_property
    def special_totals(self) -> list[Ints]:
        """Running counts of NaN, +inf and -inf; an empty list if all numbers are finite."""
        if np.isfinite(self.numbers).all():
            return []
        kinds = (np.isnan(self.numbers), self.numbers == np.inf, self.numbers == -np.inf)
        return [running_total(kind) for kind in kinds]

    @cached_property
    def key_codec(self) -> tuple[Ints, Callable[[Ints, Flags], ArrowArray]]:
        """An integer key for each value, which orders as the values do, and a function from keys back to values."""
        kind = self.values.type
        if types.is_float64(kind) or types.is_float32(kind):
            codes = order_keys(self.values)
            return codes, lambda keys, is_null: pa.array(floats_of(keys), mask=is_null, from_pandas=False).cast(kind)
        if types.is_integer(kind) and not types.is_uint64(kind):
            return order_keys(self.values), lambda keys, is_null: pa.array(keys, mask=is_null).cast(kind)
        ranks, indices = self.ranks
        return ranks, lambda keys, is_null: take(self.values, np.where(is_null, -1, indices[keys]))

    @cached_property
    def ranks(self) -> tuple[Ints, Ints]:
        """The dense rank of each value, and for each rank the index of a value that has it."""
        _, indices, ranks = np.unique(order_keys(self.values), return_index=True, return_inverse=True)
        return ranks, indices

    def values_at(self, positions: Ints) -> ArrowArray:
        """The values of the facts at positions of the history, null at -1.

        Raises:
            JoinError: a value that depends on how tied facts happen to be ordered.
        """
        return values_at(self._column, self._history, positions, self._is_ambiguous, self.where)

    @cached_property
    def _is_ambiguous(self) -> Flags:
        return ambiguous_ties(self._column, self._history, present(self._column)[self._history.rows])


class WindowedSeries:
    """One series in some windows. What several aggregates need is computed once."""

    def __init__(self, series: Series, runs: Runs) -> None:
        """Take the values and the windows among them."""
        self.series, self.runs = series, runs
        self._null_masks: dict[int, pa.Buffer | None] = {}

    @cached_property
    def sizes(self) -> Ints:
        """How many values each window holds."""
        return self.runs.sizes

    @cached_property
    def sums(self) -> Digits:
        """The sum of the finite numbers in each window."""
        return self.series.totals.between(self.runs)

    @cached_property
    def float_sums(self) -> Scaled:
        """The sums as floats."""
        return to_scaled(self.sums)

    @cached_property
    def special(self) -> list[Flags]:
        """Whether each window holds NaN, +inf, -inf; an empty list if all numbers are finite."""
        return [self.runs.total(total) > 0 for total in self.series.special_totals]

    def mask_small(self, results: npt.NDArray[np.generic], *, least: int) -> ArrowArray:
        """Results, null where a window holds fewer than the least number of values."""
        if least not in self._null_masks:
            self._null_masks[least] = bitmap(self.sizes >= least)
        return of_numbers(results, self._null_masks[least])


def ambiguous_ties(column: ArrowArray, history: History, eligible: Flags) -> Flags:
    """True at each eligible position of a tie whose eligible facts differ in value; null differs from any value."""
    is_ambiguous = np.zeros(len(history.rows), np.bool_)
    if not history.has_ties:
        return is_ambiguous
    positions = np.flatnonzero(eligible)
    ties, rows = history.ties[positions], history.rows[positions]
    neighbours = np.flatnonzero(ties[1:] == ties[:-1])
    pairs = take(column, np.concatenate([rows[neighbours], rows[neighbours + 1]]))
    unequal = differs(pairs, np.arange(len(neighbours)), np.arange(len(neighbours)) + len(neighbours))
    is_ambiguous[positions] = np.isin(ties, ties[neighbours[unequal]])
    return is_ambiguous


def values_at(column: ArrowArray, history: History, positions: Ints, is_ambiguous: Flags, where: str) -> ArrowArray:
    """The values of the facts at positions, null at -1.

    Raises:
        JoinError: a value that depends on how tied facts happen to be ordered.
    """
    rows = history.rows_at(positions)
    if is_ambiguous.any() and (undecidable := is_ambiguous[positions] & (positions >= 0)).any():
        value = column[int(rows[undecidable][0])]
        raise JoinError(
            f"{where}: facts with equal clocks, sequence and fact_id hold different values, {value} is one of them; "
            "declare sequence columns or a fact_id that order them"
        )
    return take(column, rows)
