"""Which positions of a range hold a value above a limit, without a look at those between."""

import numpy as np

from nightjar.asof.ranges import listed
from nightjar.asof.values import EARLIEST, Ints

_BITS = 4  # a block has 16 children: few levels, and few children looked at in vain


class Blocks:
    """Values with the greatest one of each block of 16, of 16 blocks, and so on.

    Only blocks that hold a value above the limit are opened, so a range costs about 16 comparisons a level for each
    position found, whatever its length.
    """

    def __init__(self, values: Ints) -> None:
        """Take the values of all positions."""
        self._levels = [values]
        while len(self._levels[-1]) > 1:
            below = self._levels[-1]
            padded = np.concatenate([below, np.full(-len(below) % (1 << _BITS), EARLIEST)])
            self._levels.append(padded.reshape(-1, 1 << _BITS).max(axis=1))

    def above(self, starts: Ints, ends: Ints, limits: Ints) -> tuple[Ints, Ints]:
        """The number of a range and a position in it whose value is above the range's limit: all pairs, ascending."""
        longest = int((ends - starts).max(initial=0))
        level = min(max(longest.bit_length() - 1, 0) // _BITS, len(self._levels) - 1)
        last = np.maximum(ends - 1, starts)
        filled = np.flatnonzero(ends > starts)
        low, high = starts[filled] >> _BITS * level, (last[filled] >> _BITS * level) + 1
        owner, places = listed(low, high)
        owner = filled[owner]
        while True:
            hit = np.flatnonzero(self._levels[level][places] > limits[owner])
            owner, places = owner[hit], places[hit]
            if level == 0:
                return owner, places
            level -= 1
            low = np.maximum(places << _BITS, starts[owner] >> _BITS * level)
            high = np.minimum((places + 1) << _BITS, (last[owner] >> _BITS * level) + 1)
            parent, places = listed(low, high)
            owner = owner[parent]
