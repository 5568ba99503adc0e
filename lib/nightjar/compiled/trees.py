"""Sums of trees by bit vectors, see `nightjar.models.bit_vectors`."""

import numpy as np
import numpy.typing as npt

from nightjar.compiled.loops import compiled

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int32]
Bits = npt.NDArray[np.uint32 | np.uint64]

ROWS_AT_ONCE = 1024
"""Rows whose places stay in the processor's cache while all trees go over them."""
SIDE_BY_SIDE = 256
"""Rows whose places are looked for together, in the processor's registers."""


@compiled
def place_numbers(values: Floats, thresholds: Floats, first: int, missing: int, places: Places) -> None:
    """Of each value, `first` and the number of thresholds below it; `missing` of NaN.

    Args:
        values: (rows,).
        thresholds: ascending, filled up with infinity to a power of two.
        first: the place of values that no threshold is below.
        missing: the place of NaN.
        places: filled, (rows,).
    """
    below, steps = np.zeros(SIDE_BY_SIDE, np.uint32), 0
    while 1 << steps < len(thresholds):
        steps += 1
    for start in range(0, len(values), SIDE_BY_SIDE):
        rows = min(SIDE_BY_SIDE, len(values) - start)
        for row in range(rows):
            below[row] = 0
        for step in range(steps - 1, -1, -1):  # without a branch: every second would be guessed wrongly
            half = np.uint32((1 << step) - 1)
            for row in range(rows):
                is_below = thresholds[np.uint64(below[row] + half)] < values[start + row]
                below[row] += np.uint32(is_below) << np.uint32(step)
        for row in range(rows):
            place = first + np.int64(below[row])
            places[start + row] = missing if np.isnan(values[start + row]) else place


@compiled
def place_levels(values: Floats, first: int, missing: int, places: Places) -> None:
    """Of each code of a native category `first` and the code; `missing` of NaN."""
    for row in range(len(values)):
        value = values[row]
        places[row] = missing if np.isnan(value) else first + int(value)


@compiled
def add_leaves(
    places: Places, bits: Bits, leaves: Floats, outputs: Places, factor: int, shift: int, sums: Floats
) -> None:
    """Add to each row the value of the leaf that it comes to in each tree, tree after tree.

    Args:
        places: of each row's inputs, (inputs, rows): rows of `bits`.
        bits: blocks of trees, (blocks, places, trees): which leaves a row may come to, by its place.
        leaves: (blocks, trees, 32 or 64): the value of each leaf, at the number that `factor` and `shift` make of its
            bit. Trees that fill up a block are -0.
        outputs: the output that a tree adds to, (blocks, trees).
        factor: a de Bruijn number.
        shift: bits beside those that number a leaf.
        sums: added to, (rows, outputs).
    """
    inputs, rows = places.shape
    blocks, _, trees = bits.shape
    reached = np.empty(trees, bits.dtype)
    one_output = sums.shape[1] == 1
    spread, by = bits.dtype.type(factor), bits.dtype.type(shift)
    for start in range(0, rows, ROWS_AT_ONCE):
        stop = min(start + ROWS_AT_ONCE, rows)
        for block in range(blocks):
            for row in range(start, stop):
                of_first = bits[block, places[0, row]]
                for tree in range(trees):
                    reached[tree] = of_first[tree]
                for number in range(1, inputs):
                    of_input = bits[block, places[number, row]]
                    for tree in range(trees):
                        reached[tree] &= of_input[tree]
                if one_output:
                    total = sums[row, 0]
                    for tree in range(trees):
                        lowest = reached[tree] & (~reached[tree] + bits.dtype.type(1))
                        total += leaves[block, tree, bits.dtype.type(lowest * spread) >> by]
                    sums[row, 0] = total
                else:
                    for tree in range(trees):
                        lowest = reached[tree] & (~reached[tree] + bits.dtype.type(1))
                        sums[row, outputs[block, tree]] += leaves[block, tree, bits.dtype.type(lowest * spread) >> by]


@compiled
def logistic(values: Floats) -> None:
    """1 / (1 + exp(-x)) in place, by the C library's `exp`, as LightGBM computes it."""
    for place in range(len(values)):
        values[place] = 1.0 / (1.0 + np.exp(-values[place]))


@compiled
def softmax(values: Floats) -> None:
    """exp(x) over its sum in place, row by row, by the C library's `exp`, in LightGBM's order. (rows, classes)."""
    rows, classes = values.shape
    for row in range(rows):
        greatest = values[row, 0]
        for place in range(1, classes):
            greatest = max(values[row, place], greatest)
        total = 0.0
        for place in range(classes):
            values[row, place] = np.exp(values[row, place] - greatest)
            total += values[row, place]
        for place in range(classes):
            values[row, place] /= total
