"""The aggregates: one value from the values in each window."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from nightjar.asof.exact import deviations, select, to_floats, to_integers
from nightjar.asof.series import Selection
from nightjar.asof.values import ArrowArray, Floats, logical_type, nulls

Aggregate: TypeAlias = Callable[[Selection], ArrowArray]
"""Values in some windows -> one value for each window."""


def _count(selection: Selection) -> ArrowArray:
    return pa.array(selection.sizes, pa.int64())


def _sum(selection: Selection) -> ArrowArray:
    if selection.series.numbers.dtype.kind != "f":
        return selection.mask_small(to_integers(selection.sums, selection.series.where), least=1)
    return selection.mask_small(_with_infinities(selection, to_floats(selection.float_sums)), least=1)


def _mean(selection: Selection) -> ArrowArray:
    means = to_floats(selection.float_sums, np.maximum(selection.sizes, 1))
    return selection.mask_small(_with_infinities(selection, means), least=1)


def _std(selection: Selection) -> ArrowArray:
    rows = np.flatnonzero(selection.sizes > 1)  # few, where windows are short
    squares = selection.series.square_totals.between(selection.runs.select(rows))
    deviation = np.zeros(len(selection.sizes))
    deviation[rows] = deviations(select(selection.sums, rows), squares, selection.sizes[rows])
    return selection.mask_small(
        np.where(np.any(selection.special, axis=0), np.nan, deviation) if selection.special else deviation, least=2
    )


def _min(selection: Selection) -> ArrowArray:
    return _extreme(selection, np.minimum)


def _max(selection: Selection) -> ArrowArray:
    return _extreme(selection, np.maximum)


def _first(selection: Selection) -> ArrowArray:
    return selection.series.values_at(selection.runs.first(selection.series.positions))


def _last(selection: Selection) -> ArrowArray:
    return selection.series.values_at(selection.runs.last(selection.series.positions))


def _distinct(selection: Selection) -> ArrowArray:
    return pa.array(selection.runs.distinct(selection.series.ranks[0]), pa.int64())


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


def _with_infinities(selection: Selection, results: Floats) -> Floats:
    if not selection.special:
        return results
    nan, high, low = selection.special
    results = np.where(high, np.inf, np.where(low, -np.inf, results))
    return np.where(nan | (high & low), np.nan, results)


def _extreme(selection: Selection, choose: np.ufunc) -> ArrowArray:
    """The least or greatest value; NaN if the window holds one, as for every other aggregate of numbers."""
    series, is_filled = selection.series, selection.sizes > 0
    if not len(series.values):
        return nulls(len(is_filled), series.values.type)
    keys, decode = series.key_codec
    extremes = decode(np.where(is_filled, selection.runs.extreme(keys, choose), keys[0]), ~is_filled)
    if types.is_floating(logical_type(extremes.type)) and selection.special:
        extremes = pc.if_else(pa.array(selection.special[0]), pa.scalar(np.nan, extremes.type), extremes)
    return extremes
