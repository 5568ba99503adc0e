"""The figures of a column over time, one after another, as tables show them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nightjar.asof.values import Ints
from nightjar.profiling.stored.columns import ColumnHistory, MomentFigures, NumberFigures
from nightjar.profiling.stored.level_changes import SHOWN, quote
from nightjar.profiling.stored.levels import Levels
from nightjar.profiling.stored.periods import day_of
from nightjar.profiling.stored.series import About
from nightjar.report.formatting import compact, percent, whole
from nightjar.timeline import instant

Values = tuple[float | None, ...]
FREQUENT = 0.01
"""A text with a smaller share of all values is not shown over time, nor 0 with a smaller one in every period."""


@dataclass(frozen=True)
class Figure:
    """A figure of a column in each period.

    Attributes:
        name: what it is.
        values: of each period; None where it has none.
        shown: a value for people.
        is_comparable: whether earlier and later values say something beside each other; moments always move on.
    """

    name: str
    values: Values
    shown: Callable[[float], str]
    is_comparable: bool = True

    def latest(self) -> float | None:
        """The value of the last period that has one."""
        return next((value for value in reversed(self.values) if value is not None), None)

    def usual(self) -> float | None:
        """The median of the periods before."""
        earlier = [value for value in self.values if value is not None][:-1]
        return median(earlier) if earlier and self.is_comparable else None


def missing(column: ColumnHistory) -> Figure:
    """The share without a value."""
    return Figure(About.MISSING.value, shares(column.missing, column.facts), percent)


def figures(column: ColumnHistory) -> list[Figure]:
    """What there is to say of the values, the most telling figure first."""
    if column.numbers is not None:
        return list(_of_numbers(column.numbers, column.present))
    if column.levels is not None:
        return list(_of_levels(column.levels, column.present))
    if column.trues is not None:
        return [Figure(About.TRUES.value, shares(column.trues, column.present), percent)]
    return [] if column.moments is None else list(_of_moments(column.moments, column.type))


def shares(counts: Ints, facts: Ints) -> Values:
    """A share of each period; None where it has no facts."""
    return tuple(count / of if of else None for count, of in zip(counts.tolist(), facts.tolist(), strict=True))


def numbers(values: npt.NDArray[np.float64]) -> Values:
    """A number of each period; None for NaN."""
    return tuple(None if np.isnan(value) else value for value in values.tolist())


def _of_numbers(these: NumberFigures, present: Ints) -> Iterator[Figure]:
    low, middle, high = (numbers(these.quantiles[:, place]) for place in range(3))
    yield Figure("median", middle, compact)
    yield Figure("mean", numbers(these.mean), compact)
    yield Figure("p5", low, compact)
    yield Figure("p95", high, compact)
    if (these.zeros > FREQUENT * present).any():
        yield Figure(About.ZEROS.value, shares(these.zeros, present), percent)
    if these.not_finite.any():
        yield Figure(About.NOT_FINITE.value, shares(these.not_finite, present), percent)


def _of_levels(levels: Levels, present: Ints) -> Iterator[Figure]:
    counts = zip(levels.distinct.tolist(), present.tolist(), strict=True)
    yield Figure("different texts", tuple(number if of else None for number, of in counts), whole)
    for name, of_level in frequent(levels, present):
        yield Figure(quote(name), shares(of_level, present), percent)


def frequent(levels: Levels, present: Ints) -> list[tuple[str, Ints]]:
    """The most frequent texts with how often each is there in each period, the most frequent first."""
    most = zip(levels.names[:SHOWN], levels.counts, strict=False)
    return [(name, counts) for name, counts in most if counts.sum() >= FREQUENT * present.sum()]


def _of_moments(moments: MomentFigures, kind: pa.DataType) -> Iterator[Figure]:
    is_there = moments.oldest <= moments.newest

    def shown(value: float) -> str:
        return day_of(int(value)).isoformat() if pa.types.is_date(kind) else f"{instant(int(value)):%Y-%m-%d %H:%M}"

    zone = "" if pa.types.is_date(kind) else " (UTC)"
    for name, values in (("oldest", moments.oldest), ("newest", moments.newest)):
        present = zip(values.tolist(), is_there.tolist(), strict=True)
        moment_values = tuple(value if there else None for value, there in present)
        yield Figure(f"{name}{zone}", moment_values, shown, is_comparable=False)
