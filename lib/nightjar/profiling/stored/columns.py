"""What each column of stored facts holds in each period, counted batch by batch."""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.asof.values import Ints
from nightjar.evaluation.histograms import is_number, is_text
from nightjar.profiling.stored.levels import LevelCounter, Levels
from nightjar.profiling.stored.lowest import Numbers, Sample

SHARES = (0.05, 0.5, 0.95)
"""Of quantiles: p5, the median and p95."""


class Kind(Enum):
    """What can be said of a column's values."""

    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"
    MOMENT = "moment"
    OTHER = "other"


@dataclass(frozen=True)
class NumberFigures:
    """Numbers over time; an array has a value for each period, NaN where it has no finite number.

    Attributes:
        finite: facts with a number that is neither NaN nor infinite.
        mean: of these.
        variance: of these within a period, around its mean.
        quantiles: p5, median and p95 of at most 5,000 facts: the least value that so large a share is at or below.
        zeros: facts with 0.
        not_finite: facts with NaN or an infinity.
    """

    finite: Ints
    mean: Numbers
    variance: Numbers
    quantiles: Numbers
    zeros: Ints
    not_finite: Ints


@dataclass(frozen=True)
class MomentFigures:
    """Days or instants over time, as days or microseconds since 1970; where a period has none, oldest > newest."""

    oldest: Ints
    newest: Ints


@dataclass(frozen=True)
class ColumnHistory:
    """What a column holds in each period.

    Attributes:
        name: of the column.
        type: as the table has it.
        kind: what can be said of its values.
        facts: in each period, with or without a value.
        missing: those without.
        numbers: of a number.
        levels: of a text.
        trues: of a boolean: facts that have true.
        moments: of a day or an instant.
    """

    name: str
    type: pa.DataType
    kind: Kind
    facts: Ints
    missing: Ints
    numbers: NumberFigures | None = None
    levels: Levels | None = None
    trues: Ints | None = None
    moments: MomentFigures | None = None

    @property
    def present(self) -> Ints:
        """Facts with a value in each period."""
        return self.facts - self.missing

    def without_values(self) -> "ColumnHistory":
        """What is left to be said of a column whose values nobody is to see: how many there are."""
        return replace(self, kind=Kind.OTHER, numbers=None, levels=None, trues=None, moments=None)


def kind_of(kind: pa.DataType) -> Kind:
    """What can be said of values of a type."""
    if pa.types.is_boolean(kind):
        return Kind.BOOLEAN
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return Kind.MOMENT
    return Kind.NUMBER if is_number(kind) else Kind.TEXT if is_text(kind) else Kind.OTHER


class ColumnCounter:
    """Counts what one column holds while facts come in batches."""

    def __init__(self, field: "pa.Field[Any]", periods: int) -> None:
        """Nothing so far."""
        self._name, self._type, self.kind = field.name, field.type, kind_of(field.type)
        self._periods = periods
        self._missing, self._trues = np.zeros(periods, np.int64), np.zeros(periods, np.int64)
        self._finite, self._zeros, self._not_finite = (np.zeros(periods, np.int64) for _ in range(3))
        self._mean, self._squares = np.zeros(periods), np.zeros(periods)
        self._levels = LevelCounter(periods) if self.kind is Kind.TEXT else None
        extremes = np.iinfo(np.int64)
        self._oldest, self._newest = np.full(periods, extremes.max), np.full(periods, extremes.min)

    def add(self, periods: Ints, column: "pa.Array[Any]") -> Numbers | None:
        """Count a batch; of numbers what to draw quantiles of: NaN where there is no finite number."""
        is_present = column.is_valid().to_numpy(zero_copy_only=False)
        self._missing += self._count(periods[~is_present])
        periods, values = periods[is_present], column.drop_null()
        if self._levels is not None:
            self._levels.add(periods, values.cast(pa.string()))
        if self.kind is Kind.BOOLEAN:
            self._trues += self._count(periods[values.to_numpy(zero_copy_only=False)])
        if self.kind is Kind.MOMENT:
            self._add_moments(periods, values)
        return self._add_numbers(periods, values, is_present) if self.kind is Kind.NUMBER else None

    def history(self, facts: Ints, sample: Sample, place: int) -> ColumnHistory:
        """What was counted, with quantiles of a sample.

        Args:
            facts: of each period.
            sample: of facts with the columns that are numbers.
            place: of this column among those.
        """
        numbers = self._numbers(sample, place) if self.kind is Kind.NUMBER else None
        return ColumnHistory(
            self._name,
            self._type,
            self.kind,
            facts,
            self._missing,
            numbers,
            None if self._levels is None else self._levels.levels(),
            self._trues if self.kind is Kind.BOOLEAN else None,
            MomentFigures(self._oldest, self._newest) if self.kind is Kind.MOMENT else None,
        )

    def _numbers(self, sample: Sample, place: int) -> NumberFigures:
        has_numbers = self._finite > 0
        mean = np.where(has_numbers & np.isfinite(self._mean), self._mean, np.nan)
        variance = np.where(has_numbers, self._squares / np.maximum(self._finite, 1), np.nan)
        quantiles = sample.quantiles(place, SHARES)
        return NumberFigures(self._finite, mean, variance, quantiles, self._zeros, self._not_finite)

    def _add_moments(self, periods: Ints, values: "pa.Array[Any]") -> None:
        is_day = pa.types.is_date32(values.type)
        plain: Any = values.cast(pa.int32() if is_day else pa.timestamp("us", values.type.tz))
        moments = plain.cast(pa.int64()).to_numpy()
        np.minimum.at(self._oldest, periods, moments)
        np.maximum.at(self._newest, periods, moments)

    def _add_numbers(self, periods: Ints, values: "pa.Array[Any]", is_present: npt.NDArray[np.bool_]) -> Numbers:
        numbers = np.full(len(is_present), np.nan)
        numbers[is_present] = pc.cast(values, pa.float64(), safe=False).to_numpy()
        is_finite = np.isfinite(numbers[is_present])
        self._not_finite += self._count(periods[~is_finite])
        numbers[~np.isfinite(numbers)] = np.nan
        periods, finite = periods[is_finite], numbers[is_present][is_finite]
        self._zeros += self._count(periods[finite == 0])
        with np.errstate(over="ignore", invalid="ignore"):
            self._merge(periods, finite)
        return numbers

    def _merge(self, periods: Ints, values: Numbers) -> None:
        """Means and squared distances of two sets of numbers put together.

        Chan, Golub and LeVeque (1983), Algorithms for computing the sample variance.
        """
        counts = self._count(periods)
        sizes = np.maximum(counts, 1)
        means = np.bincount(periods, values, self._periods) / sizes
        squares = np.bincount(periods, (values - means[periods]) ** 2, self._periods)
        both = np.maximum(self._finite + counts, 1)
        apart = np.where(counts > 0, means - self._mean, 0.0)
        self._mean = self._mean + apart * counts / both
        self._squares = self._squares + squares + apart**2 * self._finite * counts / both
        self._finite = self._finite + counts

    def _count(self, periods: Ints) -> Ints:
        return np.bincount(periods, minlength=self._periods)
