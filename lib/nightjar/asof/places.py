"""An entity and an instant as one integer, so that one sort and one search serve both."""

import numpy as np

from nightjar.asof.values import EARLIEST, FOREVER, Ints

_CROWDED = 4  # values in a cell, on average of those that hold any, that make looking into it no better
_STEPS = 4  # values of a cell that are looked at one by one


class Places:
    """Places order as (entity, instant) do; every entity has a place before and one after all its facts.

    An instant counts from the earliest one if all places then fit 62 bits, otherwise it is a rank among the instants
    of the facts. Entity -1, which no fact has, stands before all others.
    """

    def __init__(self, event: Ints, entities: int) -> None:
        """Take the instants of the facts and the number of entities."""
        self._low, self._high = (int(event.min()), int(event.max())) if event.size else (0, 0)
        steps = self._high - self._low + 1
        fits = (entities + 1) * (steps + 1) < 1 << 62 and self._low > EARLIEST and self._high < FOREVER
        self._instants = None if fits else np.unique(event)
        self._stride = (steps if self._instants is None else len(self._instants)) + 1

    def before(self, entity: Ints, moment: Ints) -> Ints:
        """A place not after the entity's facts of the moment, and after all its earlier ones."""
        if self._instants is None:
            return entity * self._stride + (np.clip(moment, self._low, self._high + 1) - self._low)
        return entity * self._stride + np.searchsorted(self._instants, moment, "left")

    def after(self, entity: Ints, moment: Ints) -> Ints:
        """A place after the entity's facts of the moment, and not after any later one."""
        if self._instants is None:
            return entity * self._stride + (np.clip(moment, self._low - 1, self._high) - (self._low - 1))
        return entity * self._stride + np.searchsorted(self._instants, moment, "right")

    def first(self, entity: Ints) -> Ints:
        """A place not after any fact of the entity, and after all facts of the entities before it."""
        return entity * self._stride


class Sorted:
    """Ascending integers among which many others are searched.

    A binary search waits for memory at each of its steps. So the values are counted by cells of equal width, two to
    four cells for each value: where they are spread evenly, a look into the cell is nearly all that a search needs.
    """

    def __init__(self, values: Ints) -> None:
        """Take the values; the least and the greatest one are less than 2^63 apart."""
        self._values = values
        self._first: Ints | None = None
        if not len(values):
            return
        self._low, self._high = int(values[0]), int(values[-1])
        span = self._high - self._low
        self._shift = max(span.bit_length() - len(values).bit_length() - 1, 0)
        counts = np.bincount((values - self._low) >> self._shift, minlength=(span >> self._shift) + 1)
        if _CROWDED * np.count_nonzero(counts) > len(values):
            self._first = np.cumsum(counts) - counts
            self._padded = np.append(values, FOREVER)

    def less_than(self, wanted: Ints) -> Ints:
        """How many of the values are less than each of the wanted."""
        if self._first is None:
            return np.searchsorted(self._values, wanted)
        found: Ints = self._first[(np.clip(wanted, self._low, self._high) - self._low) >> self._shift]
        left = np.flatnonzero(self._padded[found] < wanted)
        for _ in range(_STEPS):
            found[left] += 1
            left = left[self._padded[found[left]] < wanted[left]]
        found[left] = np.searchsorted(self._values, wanted[left])
        return found


def roughly_sorted(places: Ints) -> Ints:
    """The order of some places by their 16 leading bits: what lies close is searched together, in cached memory.

    NumPy sorts 16 bits by radix, ten times as fast as the whole place.
    """
    low, high = int(places.min(initial=0)), int(places.max(initial=0))
    shift = max((high - low).bit_length() - 16, 0)
    return np.argsort(((places - low) >> shift).astype(np.uint16), kind="stable")


def neighbours_together(places: Ints) -> Ints:
    """An order of some places in which neighbours are searched together: as they are where most of them ascend."""
    breaks = np.count_nonzero(places[1:] < places[:-1])
    return np.arange(len(places)) if breaks <= len(places) // 8 else roughly_sorted(places)


def ascending(places: Ints) -> Ints | None:
    """The order that sorts some places, None if they are sorted.

    A stable sort merges what is sorted in stretches, like files one after the other, in no time; of anything else it
    would make too many steps far apart in memory, unless it is sorted roughly before.
    """
    breaks = np.count_nonzero(places[1:] < places[:-1])
    if not breaks:
        return None
    if breaks < len(places) // 64:
        return np.argsort(places, kind="stable")
    rough = roughly_sorted(places)
    return rough[np.argsort(places[rough], kind="stable")]
