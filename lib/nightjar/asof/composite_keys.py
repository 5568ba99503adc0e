"""An entity and an instant as one integer, so that one sort and one search serve both."""

import numpy as np

from nightjar.asof.values import EARLIEST, FOREVER, Ints

_CROWDED = 4  # average values of a nonempty cell from which on a binary search is no slower
_STEPS = 4  # values of a cell that are compared one by one


class SortKeyEncoder:
    """Sort keys order as (entity, instant) do; every entity has a key before and one after all its facts.

    An instant is counted from the earliest one if all keys then fit 62 bits; otherwise it is its rank among the
    instants of the facts. Entity -1, which no fact has, comes before all others.
    """

    def __init__(self, event: Ints, entities: int) -> None:
        """Take the instants of the facts and the number of entities."""
        self._low, self._high = (int(event.min()), int(event.max())) if event.size else (0, 0)
        steps = self._high - self._low + 1
        fits = (entities + 1) * (steps + 1) < 1 << 62 and self._low > EARLIEST and self._high < FOREVER
        self._instants = None if fits else np.unique(event)
        self._stride = (steps if self._instants is None else len(self._instants)) + 1

    def before(self, entity: Ints, moment: Ints) -> Ints:
        """A key not after the entity's facts of the moment, and after all its earlier ones."""
        if self._instants is None:
            return entity * self._stride + (np.clip(moment, self._low, self._high + 1) - self._low)
        return entity * self._stride + np.searchsorted(self._instants, moment, "left")

    def after(self, entity: Ints, moment: Ints) -> Ints:
        """A key after the entity's facts of the moment, and not after any later one."""
        if self._instants is None:
            return entity * self._stride + (np.clip(moment, self._low - 1, self._high) - (self._low - 1))
        return entity * self._stride + np.searchsorted(self._instants, moment, "right")

    def first(self, entity: Ints) -> Ints:
        """A key not after any fact of the entity, and after all facts of the entities before it."""
        return entity * self._stride


class SortedIndex:
    """Ascending integers among which many others are searched.

    A binary search waits for memory at each of its steps. So the values are counted by cells of equal width, two to
    four cells for each value: where they are spread evenly, a search compares little more than the values of one cell.
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

    def count_below(self, targets: Ints) -> Ints:
        """How many of the values are less than each target."""
        if self._first is None:
            return np.searchsorted(self._values, targets)
        ranks: Ints = self._first[(np.clip(targets, self._low, self._high) - self._low) >> self._shift]
        short = np.flatnonzero(self._padded[ranks] < targets)
        for _ in range(_STEPS):
            ranks[short] += 1
            short = short[self._padded[ranks[short]] < targets[short]]
        ranks[short] = np.searchsorted(self._values, targets[short])
        return ranks


def rough_order(sort_keys: Ints) -> Ints:
    """The order of sort keys by their 16 leading bits, in which close keys are searched together, in cached memory.

    NumPy sorts 16 bits by radix, ten times as fast as the whole key.
    """
    low, high = int(sort_keys.min(initial=0)), int(sort_keys.max(initial=0))
    shift = max((high - low).bit_length() - 16, 0)
    return np.argsort(((sort_keys - low) >> shift).astype(np.uint16), kind="stable")


def search_order(sort_keys: Ints) -> Ints:
    """An order of sort keys in which close ones are searched together: the given one where most of them ascend."""
    breaks = np.count_nonzero(sort_keys[1:] < sort_keys[:-1])
    return np.arange(len(sort_keys)) if breaks <= len(sort_keys) // 8 else rough_order(sort_keys)


def sort_order(sort_keys: Ints) -> Ints | None:
    """The order that sorts the keys, None if they are sorted.

    A stable sort merges sorted stretches, such as consecutive files, quickly. Anything else costs it too many steps
    far apart in memory, so that is sorted roughly before.
    """
    breaks = np.count_nonzero(sort_keys[1:] < sort_keys[:-1])
    if not breaks:
        return None
    if breaks < len(sort_keys) // 64:
        return np.argsort(sort_keys, kind="stable")
    rough = rough_order(sort_keys)
    return rough[np.argsort(sort_keys[rough], kind="stable")]
