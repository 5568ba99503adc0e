"""What is computed from the values in each window."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from nightjar.asof.exact import deviations, picked, to_floats, to_integers
from nightjar.asof.series import Selection
from nightjar.asof.values import Column, Floats, logical_type, nothing

Aggregate: TypeAlias = Callable[[Selection], Column]
"""Values in some windows -> one value for each window."""


def _count(held: Selection) -> Column:
    return pa.array(held.sizes, pa.int64())


def _sum(held: Selection) -> Column:
    if held.series.numbers.dtype.kind != "f":
        return held.known(to_integers(held.sums, held.series.where), least=1)
    return held.known(_with_infinities(held, to_floats(held.scaled_sums)), least=1)


def _mean(held: Selection) -> Column:
    return held.known(_with_infinities(held, to_floats(held.scaled_sums, np.maximum(held.sizes, 1))), least=1)


def _std(held: Selection) -> Column:
    several = np.flatnonzero(held.sizes > 1)  # in short windows a few
    squares = held.series.square_totals.between(held.runs.some(several))
    result = np.zeros(len(held.sizes))
    result[several] = deviations(picked(held.sums, several), squares, held.sizes[several])
    return held.known(np.where(np.any(held.special, axis=0), np.nan, result) if held.special else result, least=2)


def _min(held: Selection) -> Column:
    return _extreme(held, np.minimum)


def _max(held: Selection) -> Column:
    return _extreme(held, np.maximum)


def _first(held: Selection) -> Column:
    return held.series.chosen(held.runs.first(held.series.positions))


def _last(held: Selection) -> Column:
    return held.series.chosen(held.runs.last(held.series.positions))


def _distinct(held: Selection) -> Column:
    return pa.array(held.runs.distinct(held.series.ranks[0]), pa.int64())


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


def _with_infinities(held: Selection, results: Floats) -> Floats:
    if not held.special:
        return results
    nan, high, low = held.special
    results = np.where(high, np.inf, np.where(low, -np.inf, results))
    return np.where(nan | (high & low), np.nan, results)


def _extreme(held: Selection, choose: np.ufunc) -> Column:
    """The least or greatest value; NaN if the window holds one, as for every other aggregate of numbers."""
    series, some = held.series, held.sizes > 0
    if not len(series.values):
        return nothing(len(some), series.values.type)
    keys, values_of = series.ordered
    best = values_of(np.where(some, held.runs.extreme(keys, choose), keys[0]), ~some)
    if types.is_floating(logical_type(best.type)) and held.special:
        best = pc.if_else(pa.array(held.special[0]), pa.scalar(np.nan, best.type), best)
    return best
