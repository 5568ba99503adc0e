"""Histograms for charts: two count vectors of the same bins as shares of the same slots.

Stored bins hold about equal shares of the training rows, so that the reference would be drawn flat. Many bins are
therefore spread over slots of equal width, for both sides in the same way, so that the chart differs only where the
counts do.
"""

import itertools
import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from nightjar.evaluation.histograms import Bins
from nightjar.report.formatting import compact

FEW_BINS = 30
"""Up to this many numeric bins each keep a slot of their own: such a column has few distinct values."""
MOST_LEVELS = 8
_SLOTS = 20

Numbers: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Slot:
    """One slot of the axis: its label, and its share of all rows of the reference and of the night."""

    label: str
    tick: str
    reference: float | None
    night: float


@dataclass(frozen=True)
class Distribution:
    """A distribution, with the reference beside it unless there is none.

    Attributes:
        is_centred: whether a slot is one value, ticked at its middle; otherwise a range, ticked at its lower edge.
    """

    is_numeric: bool
    is_centred: bool
    slots: tuple[Slot, ...]
    reference_nulls: float | None
    night_nulls: float


def compare(bins: Bins, reference: npt.ArrayLike, night: npt.ArrayLike) -> Distribution:
    """The distribution of a night beside its reference; both are counts of these bins."""
    sides = [_shares(reference), _shares(night)]
    spread = _numeric_slots if bins.kind == "numeric" else _level_slots
    slots = spread(bins, *sides)
    is_few = len(bins.edges) - 1 <= FEW_BINS
    return Distribution(bins.kind == "numeric", is_few, tuple(slots), float(sides[0][0]), float(sides[1][0]))


def slot_edges(low: float, high: float) -> Numbers:
    """The edges of 20 slots from low to high; of equal ends around them."""
    return np.histogram_bin_edges([], bins=_SLOTS, range=(low, high))


def alone(counts: npt.ArrayLike, edges: Numbers) -> Distribution:
    """The distribution of scores for which there is no reference: counts between the edges of slots."""
    counts = np.asarray(counts)
    total = max(int(counts.sum()), 1)
    slots = [
        Slot(_range(edges[k], edges[k + 1]), compact(edges[k]) if k % 4 == 0 else "", None, float(n / total))
        for k, n in enumerate(counts)
    ]
    return Distribution(is_numeric=True, is_centred=False, slots=tuple(slots), reference_nulls=None, night_nulls=0.0)


def null_share(counts: npt.ArrayLike) -> float | None:
    """The share of nulls in a count vector; None without rows."""
    values = np.asarray(counts, dtype=np.float64)
    return float(values[0] / values.sum()) if values.sum() else None


def _shares(counts: npt.ArrayLike) -> Numbers:
    values = np.asarray(counts, dtype=np.float64)
    return values / max(float(values.sum()), 1.0)


def _numeric_slots(bins: Bins, reference: Numbers, night: Numbers) -> list[Slot]:
    edges = np.array(bins.edges, dtype=np.float64)
    if len(edges) < 2:
        return []
    slot_edges = edges if len(edges) - 1 <= FEW_BINS else _even_edges(edges, reference)
    sides = [_spread(edges, side, slot_edges) for side in (reference, night)]
    every = 1 if len(slot_edges) <= 9 else max(1, round((len(slot_edges) - 1) / 5))
    inner = [
        Slot(_range(low, high), compact(low) if k % every == 0 else "", float(sides[0][k + 1]), float(sides[1][k + 1]))
        for k, (low, high) in enumerate(itertools.pairwise(slot_edges))
    ]
    below = Slot(f"below {compact(slot_edges[0])}", "<", float(sides[0][0]), float(sides[1][0]))
    above = Slot(f"{compact(slot_edges[-1])} and above", "≥", float(sides[0][-1]), float(sides[1][-1]))
    return [slot for slot in (below, *inner, above) if slot in inner or slot.reference or slot.night]


def _even_edges(edges: Numbers, reference: Numbers) -> Numbers:
    """Round edges over the middle 98% of the reference, about 20 slots."""
    cumulative = np.cumsum(reference[1:])[:-1]
    middle = np.interp([0.01 * cumulative[-1], 0.99 * cumulative[-1]], cumulative, edges)
    low, high = (middle[0], middle[1]) if middle[1] > middle[0] else (edges[0], edges[-1])
    step = _round_step((high - low) / _SLOTS)
    first, last = math.floor(low / step), math.ceil(high / step)
    return np.arange(first, last + 1, dtype=np.float64) * step


def _round_step(width: float) -> float:
    """The nearest of 1, 2, 2.5, 5 and 10 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(width))
    return float(min((1, 2, 2.5, 5, 10), key=lambda nice: abs(nice * power - width)) * power)


def _spread(edges: Numbers, shares: Numbers, slot_edges: Numbers) -> Numbers:
    """Shares below, between and above the slot edges, assuming that rows are spread evenly over each bin."""
    cumulative = np.cumsum(shares[1:])
    inside = np.interp(slot_edges, edges, cumulative[:-1], left=0.0, right=cumulative[-1])
    return np.diff(np.concatenate([[0.0], inside, [cumulative[-1]]]))


def _level_slots(bins: Bins, reference: Numbers, night: Numbers) -> list[Slot]:
    """The levels with the most rows on either side, largest first, and all others together."""
    levels = list(zip(bins.levels, reference[1:-1], night[1:-1], strict=True))
    ranked = sorted(levels, key=lambda level: (-max(level[1], level[2]), level[0]))
    shown, rest = ranked[:MOST_LEVELS], ranked[MOST_LEVELS:]
    slots = [
        Slot(name, name, float(reference_share), float(night_share)) for name, reference_share, night_share in shown
    ]
    rest_reference = float(reference[-1] + sum(reference_share for _, reference_share, _ in rest))
    rest_night = float(night[-1] + sum(night_share for _, _, night_share in rest))
    if rest_reference or rest_night:
        slots.append(Slot("all other levels", "others", rest_reference, rest_night))
    return slots


def _range(low: float, high: float) -> str:
    return compact(low) if compact(low) == compact(high) else f"{compact(low)} to {compact(high)}"
