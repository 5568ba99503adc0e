"""The aggregates: one value from the values in each window."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from nightjar.asof.exact import deviations, select, to_floats, to_integers
from nightjar.asof.series import WindowedSeries
from nightjar.asof.values import ArrowArray, Floats, logical_type, nulls

AggregateFunction: TypeAlias = Callable[[WindowedSeries], ArrowArray]
"""Values in some windows -> one value for each window."""


def _count(windowed: WindowedSeries) -> ArrowArray:
    return pa.array(windowed.sizes, pa.int64())


def _sum(windowed: WindowedSeries) -> ArrowArray:
    if windowed.series.numbers.dtype.kind != "f":
        return windowed.mask_small(to_integers(windowed.sums, windowed.series.where), least=1)
    return windowed.mask_small(_with_infinities(windowed, to_floats(windowed.float_sums)), least=1)


def _mean(windowed: WindowedSeries) -> ArrowArray:
    means = to_floats(windowed.float_sums, np.maximum(windowed.sizes, 1))
    return windowed.mask_small(_with_infinities(windowed, means), least=1)


def _std(windowed: WindowedSeries) -> ArrowArray:
    rows = np.flatnonzero(windowed.sizes > 1)  # few, where windows are short
    squares = windowed.series.square_totals.between(windowed.runs.select(rows))
    deviation = np.zeros(len(windowed.sizes))
    deviation[rows] = deviations(select(windowed.sums, rows), squares, windowed.sizes[rows])
    return windowed.mask_small(
        np.where(np.any(windowed.special, axis=0), np.nan, deviation) if windowed.special else deviation, least=2
    )


def _min(windowed: WindowedSeries) -> ArrowArray:
    return _extreme(windowed, np.minimum)


def _max(windowed: WindowedSeries) -> ArrowArray:
    return _extreme(windowed, np.maximum)


def _first(windowed: WindowedSeries) -> ArrowArray:
    return windowed.series.values_at(windowed.runs.first(windowed.series.positions))


def _last(windowed: WindowedSeries) -> ArrowArray:
    return windowed.series.values_at(windowed.runs.last(windowed.series.positions))


def _distinct(windowed: WindowedSeries) -> ArrowArray:
    return pa.array(windowed.runs.distinct(windowed.series.ranks[0]), pa.int64())


AGGREGATES: dict[str, AggregateFunction] = {
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


def _with_infinities(windowed: WindowedSeries, results: Floats) -> Floats:
    if not windowed.special:
        return results
    nan, high, low = windowed.special
    results = np.where(high, np.inf, np.where(low, -np.inf, results))
    return np.where(nan | (high & low), np.nan, results)


def _extreme(windowed: WindowedSeries, choose: np.ufunc) -> ArrowArray:
    """The least or greatest value; NaN if the window holds one, as for every other aggregate of numbers."""
    series, is_filled = windowed.series, windowed.sizes > 0
    if not len(series.values):
        return nulls(len(is_filled), series.values.type)
    keys, decode = series.key_codec
    extremes = decode(np.where(is_filled, windowed.runs.extreme(keys, choose), keys[0]), ~is_filled)
    if types.is_floating(logical_type(extremes.type)) and windowed.special:
        extremes = pc.if_else(pa.array(windowed.special[0]), pa.scalar(np.nan, extremes.type), extremes)
    return extremes
