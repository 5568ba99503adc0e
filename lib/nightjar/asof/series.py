"""The values of one column of the facts, and those of them that stand in some windows."""

from collections.abc import Callable
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import types

from nightjar.asof.exact import Digits, RunningTotals, Scaled, digits_of, scaled, squares_of
from nightjar.asof.history import History
from nightjar.asof.ranges import Runs, running_total
from nightjar.asof.values import (
    Column,
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
    taken,
)
from nightjar.errors import JoinError


class Series:
    """The non-null values of one column, to be aggregated. What several windows or aggregates need is computed once."""

    def __init__(self, column: Column, history: History, order: Ints, where: str) -> None:
        """Take a column of the facts' table, the order of positions to keep it in, and a text for errors."""
        self.where = where
        self._column, self._history = column, history
        kept = present(column)[history.rows[order]] if column.null_count else np.ones(len(order), np.bool_)
        self.positions = order if kept.all() else order[kept]
        self._before = None if kept.all() else running_total(kept)
        self.values = taken(column, history.rows_at(self.positions))

    def within(self, runs: Runs) -> "Selection":
        """The values in some windows of facts."""
        return Selection(self, runs if self._before is None else runs.narrowed(self._before))

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
        """How many NaN, +inf and -inf stand before each place; nothing if all numbers are finite."""
        if np.isfinite(self.numbers).all():
            return []
        kinds = (np.isnan(self.numbers), self.numbers == np.inf, self.numbers == -np.inf)
        return [running_total(kind) for kind in kinds]

    @cached_property
    def ordered(self) -> tuple[Ints, Callable[[Ints, Flags], Column]]:
        """A key for each value that orders as the values do, and what makes values of keys, null at flags."""
        kind = self.values.type
        if types.is_float64(kind) or types.is_float32(kind):
            keys_of = order_keys(self.values)
            return keys_of, lambda keys, null: pa.array(floats_of(keys), mask=null, from_pandas=False).cast(kind)
        if types.is_integer(kind) and not types.is_uint64(kind):
            return order_keys(self.values), lambda keys, null: pa.array(keys, mask=null).cast(kind)
        ranks, places = self.ranks
        return ranks, lambda keys, null: taken(self.values, np.where(null, -1, places[keys]))

    @cached_property
    def ranks(self) -> tuple[Ints, Ints]:
        """The dense rank of each value, and for each rank a place that holds it."""
        _, places, ranks = np.unique(order_keys(self.values), return_index=True, return_inverse=True)
        return ranks, places

    def chosen(self, positions: Ints) -> Column:
        """The values of the facts at positions of the history, null at -1.

        Raises:
            JoinError: a value that depends on how tied facts happen to be ordered.
        """
        return chosen(self._column, self._history, positions, self._undecided, self.where)

    @cached_property
    def _undecided(self) -> Flags:
        return undecided(self._column, self._history, present(self._column)[self._history.rows])


class Selection:
    """One series in some windows. What several aggregates need is computed once."""

    def __init__(self, series: Series, runs: Runs) -> None:
        """Take the values and the windows among them."""
        self.series, self.runs = series, runs
        self._known: dict[int, pa.Buffer | None] = {}

    @cached_property
    def sizes(self) -> Ints:
        """How many values each window holds."""
        return self.runs.sizes

    @cached_property
    def sums(self) -> Digits:
        """The sum of the finite numbers in each window."""
        return self.series.totals.between(self.runs)

    @cached_property
    def scaled_sums(self) -> Scaled:
        """The same as floats."""
        return scaled(self.sums)

    @cached_property
    def special(self) -> list[Flags]:
        """Whether each window holds NaN, +inf, -inf; nothing if no number is special."""
        return [self.runs.total(total) > 0 for total in self.series.special_totals]

    def known(self, results: npt.NDArray[np.generic], *, least: int) -> Column:
        """Results, null where a window holds too few values."""
        if least not in self._known:
            self._known[least] = bitmap(self.sizes >= least)
        return of_numbers(results, self._known[least])


def undecided(column: Column, history: History, offered: Flags) -> Flags:
    """True at every offered position of a tie whose offered facts hold different values; null differs from a value."""
    unclear = np.zeros(len(history.rows), np.bool_)
    if not history.has_ties:
        return unclear
    offers = np.flatnonzero(offered)
    ties, rows = history.ties[offers], history.rows[offers]
    tied = np.flatnonzero(ties[1:] == ties[:-1])
    pairs = taken(column, np.concatenate([rows[tied], rows[tied + 1]]))
    unequal = differs(pairs, np.arange(len(tied)), np.arange(len(tied)) + len(tied))
    unclear[offers] = np.isin(ties, ties[tied[unequal]])
    return unclear


def chosen(column: Column, history: History, positions: Ints, undecided: Flags, where: str) -> Column:
    """The values of the facts at positions, null at -1.

    Raises:
        JoinError: a value that depends on how tied facts happen to be ordered.
    """
    rows = history.rows_at(positions)
    if undecided.any() and (refused := undecided[positions] & (positions >= 0)).any():
        value = column[int(rows[refused][0])]
        raise JoinError(
            f"{where}: facts with equal clocks, sequence and fact_id hold different values, {value} is one of them; "
            "declare sequence columns or a fact_id that order them"
        )
    return taken(column, rows)
