"""Find the positions of a range whose values exceed a limit, without scanning the others."""

import numpy as np

from nightjar.asof.ranges import expand_ranges
from nightjar.asof.values import EARLIEST, Ints

_BITS = 4  # a block has 16 children: few levels, and few children compared in vain


class Blocks:
    """Values, and the maximum of each block of 16, of each 16 blocks, and so on.

    Only blocks whose maximum exceeds the limit are searched, so a range costs about 16 comparisons a level for each
    match, whatever its length.
    """

    def __init__(self, values: Ints) -> None:
        """Take the values of all positions."""
        self._levels = [values]
        while len(self._levels[-1]) > 1:
            below = self._levels[-1]
            padded = np.concatenate([below, np.full(-len(below) % (1 << _BITS), EARLIEST)])
            self._levels.append(padded.reshape(-1, 1 << _BITS).max(axis=1))

    def above(self, starts: Ints, ends: Ints, limits: Ints) -> tuple[Ints, Ints]:
        """All pairs, ascending, of a range's number and a position in it whose value exceeds the range's limit."""
        longest = int((ends - starts).max(initial=0))
        level = min(max(longest.bit_length() - 1, 0) // _BITS, len(self._levels) - 1)
        last = np.maximum(ends - 1, starts)
        nonempty = np.flatnonzero(ends > starts)
        low, high = starts[nonempty] >> _BITS * level, (last[nonempty] >> _BITS * level) + 1
        owner, positions = expand_ranges(low, high)
        owner = nonempty[owner]
        while True:
            exceeding = np.flatnonzero(self._levels[level][positions] > limits[owner])
            owner, positions = owner[exceeding], positions[exceeding]
            if level == 0:
                return owner, positions
            level -= 1
            low = np.maximum(positions << _BITS, starts[owner] >> _BITS * level)
            high = np.minimum((positions + 1) << _BITS, (last[owner] >> _BITS * level) + 1)
            parent, positions = expand_ranges(low, high)
            owner = owner[parent]
