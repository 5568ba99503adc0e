"""How the values of a column are spread, to be drawn."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from nightjar.asof.values import Ints
from nightjar.evaluation.histograms import Bins, count, fit_bins
from nightjar.profiling.parsing import Values
from nightjar.report.histograms import Distribution, Slot, compare
from nightjar.settings.sources import ColumnType
from nightjar.timeline import instant

MOST_LEVELS, DRAWN = 50, 8
"""A text with more different values is drawn only if those that are drawn make up much of it."""
MUCH = 0.2
_SLOTS = 20


def distribution_of(kind: ColumnType, values: Values, counts: Ints) -> Distribution | None:
    """How often each of different values is there; None where no picture would show it.

    Args:
        kind: the type.
        values: the different values, as that type, without a null.
        counts: how often each of them is there.
    """
    if len(values) < 2:
        return None
    if kind in (ColumnType.DATE, ColumnType.TIMESTAMP):
        return _over_time(values, counts, is_day=kind is ColumnType.DATE)
    if kind in (ColumnType.STRING, ColumnType.BOOLEAN):
        return _of_levels(values, counts)
    repeated = pa.array(np.repeat(values.cast(pa.float64(), safe=False).to_numpy(), counts))
    bins = fit_bins(repeated)
    return _alone(bins, [0, *count(bins, repeated)[1:]]) if bins.edges else None


def _of_levels(values: Values, counts: Ints) -> Distribution | None:
    """The most frequent values, and all others together."""
    most = np.argsort(-counts, kind="stable")[:DRAWN]
    if len(values) > MOST_LEVELS and counts[most].sum() < MUCH * counts.sum():
        return None
    bins = Bins("categorical", levels=tuple(str(values[int(place)].as_py()) for place in most))
    return _alone(bins, [0, *counts[most], counts.sum() - counts[most].sum()])


def _alone(bins: Bins, counts: object) -> Distribution:
    """The distribution of counts without others beside them."""
    both = compare(bins, np.asarray(counts), np.asarray(counts))
    slots = tuple(replace(slot, reference=None) for slot in both.slots)
    return replace(both, slots=slots, reference_nulls=None)


def _over_time(values: Values, counts: Ints, *, is_day: bool) -> Distribution:
    """Twenty spans of equal length from the first to the last, or as many as there are days."""
    values = values.cast(pa.int32() if is_day else pa.int64()).to_numpy().astype(np.float64)
    number = min(_SLOTS, int(values.max() - values.min()) + 1)
    rows, edges = np.histogram(values, bins=number, range=(values.min(), values.max() + 1), weights=counts)
    names = [_named(edge, is_day=is_day) for edge in edges]
    every = max(1, number // 4)
    slots = [
        Slot(f"{names[n]} to {names[n + 1]}", names[n][:10] if n % every == 0 else "", None, float(share))
        for n, share in enumerate(rows / rows.sum())
    ]
    return Distribution(is_numeric=True, is_centred=False, slots=tuple(slots), reference_nulls=None, night_nulls=0.0)


def _named(moment: float, *, is_day: bool) -> str:
    if is_day:
        return (date(1970, 1, 1) + timedelta(days=int(moment))).isoformat()
    return f"{instant(int(moment)):%Y-%m-%d %H:%M}"
