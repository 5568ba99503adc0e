"""Two count vectors of the same bins as shares that can be drawn beside each other.

Stored bins hold about equal shares of the training rows, so drawn as they are the reference would be flat. Many bins
are therefore spread over slots of equal width; both sides go through the same spreading, so that what differs in the
drawing differs in the counts.
"""

import itertools
import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from nightjar.evaluation.histograms import Bins
from nightjar.report.wording import compact

FEW_BINS = 30
"""Up to this many numeric bins each keep a slot of their own: such a column has few distinct values."""
MOST_LEVELS = 8
_SLOTS = 20

Numbers: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Slot:
    """One place on the axis: what it stands for, and its share of all rows of the reference and of the night."""

    label: str
    tick: str
    reference: float | None
    night: float


@dataclass(frozen=True)
class Shape:
    """A distribution, with the reference beside it unless there is none.

    Attributes:
        is_centred: a slot is one value, named at its middle; otherwise a range, named at its lower edge.
    """

    is_numeric: bool
    is_centred: bool
    slots: tuple[Slot, ...]
    reference_nulls: float | None
    night_nulls: float


def compare(bins: Bins, reference: npt.ArrayLike, night: npt.ArrayLike) -> Shape:
    """The shape of a night beside its reference; both are counts of these bins."""
    sides = [_shares(reference), _shares(night)]
    spread = _numeric_slots if bins.kind == "numeric" else _level_slots
    slots = spread(bins, *sides)
    is_few = len(bins.edges) - 1 <= FEW_BINS
    return Shape(bins.kind == "numeric", is_few, tuple(slots), float(sides[0][0]), float(sides[1][0]))


def alone(values: Numbers, low: float, high: float) -> Shape:
    """The shape of scores for which there is no reference: 20 slots from low to high."""
    counts, edges = np.histogram(values, bins=_SLOTS, range=(low, high))
    total = max(len(values), 1)
    slots = [
        Slot(_range(edges[k], edges[k + 1]), compact(edges[k]) if k % 4 == 0 else "", None, float(n / total))
        for k, n in enumerate(counts)
    ]
    return Shape(is_numeric=True, is_centred=False, slots=tuple(slots), reference_nulls=None, night_nulls=0.0)


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
    drawn = edges if len(edges) - 1 <= FEW_BINS else _even_edges(edges, reference)
    sides = [_spread(edges, side, drawn) for side in (reference, night)]
    every = 1 if len(drawn) <= 9 else max(1, round((len(drawn) - 1) / 5))
    inner = [
        Slot(_range(low, high), compact(low) if k % every == 0 else "", float(sides[0][k + 1]), float(sides[1][k + 1]))
        for k, (low, high) in enumerate(itertools.pairwise(drawn))
    ]
    below = Slot(f"below {compact(drawn[0])}", "<", float(sides[0][0]), float(sides[1][0]))
    above = Slot(f"{compact(drawn[-1])} and above", "≥", float(sides[0][-1]), float(sides[1][-1]))
    return [slot for slot in (below, *inner, above) if slot in inner or slot.reference or slot.night]


def _even_edges(edges: Numbers, reference: Numbers) -> Numbers:
    """Round edges over the middle 98% of the reference, about 20 slots."""
    up_to = np.cumsum(reference[1:])[:-1]
    middle = np.interp([0.01 * up_to[-1], 0.99 * up_to[-1]], up_to, edges)
    low, high = (middle[0], middle[1]) if middle[1] > middle[0] else (edges[0], edges[-1])
    step = _round_step((high - low) / _SLOTS)
    first, last = math.floor(low / step), math.ceil(high / step)
    return np.arange(first, last + 1, dtype=np.float64) * step


def _round_step(width: float) -> float:
    """The nearest of 1, 2, 2.5, 5 and 10 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(width))
    return float(min((1, 2, 2.5, 5, 10), key=lambda nice: abs(nice * power - width)) * power)


def _spread(edges: Numbers, shares: Numbers, drawn: Numbers) -> Numbers:
    """Shares below, between and from the drawn edges on, taking each bin's rows as evenly spread over the bin."""
    up_to = np.cumsum(shares[1:])
    inside = np.interp(drawn, edges, up_to[:-1], left=0.0, right=up_to[-1])
    return np.diff(np.concatenate([[0.0], inside, [up_to[-1]]]))


def _level_slots(bins: Bins, reference: Numbers, night: Numbers) -> list[Slot]:
    """The levels with the most rows on either side, largest first, and all others together."""
    levels = list(zip(bins.levels, reference[1:-1], night[1:-1], strict=True))
    ranked = sorted(levels, key=lambda level: (-max(level[1], level[2]), level[0]))
    shown, rest = ranked[:MOST_LEVELS], ranked[MOST_LEVELS:]
    slots = [Slot(name, name, float(was), float(now)) for name, was, now in shown]
    others_were = float(reference[-1] + sum(was for _, was, _ in rest))
    others_are = float(night[-1] + sum(now for _, _, now in rest))
    if others_were or others_are:
        slots.append(Slot("all other levels", "others", others_were, others_are))
    return slots


def _range(low: float, high: float) -> str:
    return compact(low) if compact(low) == compact(high) else f"{compact(low)} to {compact(high)}"
