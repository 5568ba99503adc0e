"""Sums of trees, evaluated by bit vectors: each tree's value is looked up, without a walk through the tree.

A tree's leaves are numbered from left to right, a bit for each. A node whose condition a row does not fulfil rules out
the leaves below its lower child; of those that no node rules out, the row is in the leftmost one. All conditions on an
input are decided by the place of its value among their thresholds. So there is a vector for each place and tree, and a
row takes as many of them as there are inputs.

Lucchese, Nardini, Orlando, Perego, Tonellotto, Venturini: QuickScorer: a fast algorithm to rank documents with additive
ensembles of regression trees, SIGIR 2015.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nightjar.models.trees import LEAF, Tree, Trees

Floats = npt.NDArray[np.float64]
Bits = npt.NDArray[np.uint32 | np.uint64]

MOST_LEAVES = 64
"""Of a tree: bits of a word."""
MOST_BYTES = 64 << 20
"""Of the vectors of all trees: more would not stay in any cache."""
BLOCK_TREES = 64
"""Trees whose vectors stay in the processor's cache while rows go over them."""
DE_BRUIJN = {32: (0x077CB531, 27), 64: (0x03F79D71B4CB0A89, 58)}
"""Bits of a word -> a number whose product with a power of two has the place of its bit in the highest bits, and how
many bits are below those."""


@dataclass(frozen=True, eq=False)
class Column:
    """An input that trees read.

    Attributes:
        input: its number.
        thresholds: of a number: those of all conditions, ascending, each once, filled up with infinity to a power of
            two; of a native category None.
        first: the row of the vectors that its first place has; the place of a missing value is `missing`.
    """

    input: int
    thresholds: Floats | None
    first: int
    missing: int


@dataclass(frozen=True, eq=False)
class BitVectors:
    """Trees as `compiled.trees.add_leaves` takes them.

    Attributes:
        columns: the inputs that any tree reads.
        bits: (blocks, places, trees).
        leaves: (blocks, trees, bits of a word).
        outputs: (blocks, trees).
        base: what a sum begins with, (outputs,).
        zero: as `Trees` has it.
    """

    columns: tuple[Column, ...]
    bits: Bits
    leaves: Floats
    outputs: npt.NDArray[np.int32]
    base: Floats
    zero: float

    def sums(self, inputs: Floats) -> Floats:
        """The base and the values of all trees, tree after tree, as their library adds them: (rows, outputs).

        Args:
            inputs: (rows, inputs); quickest where each input's values lie side by side.
        """
        from nightjar.compiled import trees as compiled  # noqa: PLC0415  (loading Numba takes half a second)

        rows, width = len(inputs), self.bits.dtype.itemsize * 8
        places = np.empty((len(self.columns), rows), np.int32)
        for number, column in enumerate(self.columns):
            values = np.ascontiguousarray(inputs[:, column.input])
            if self.zero:
                values = np.where(np.abs(values) <= self.zero, 0.0, values)
            if column.thresholds is None:
                compiled.place_levels(values, column.first, column.missing, places[number])
            else:
                compiled.place_numbers(values, column.thresholds, column.first, column.missing, places[number])
        sums = np.tile(self.base, (rows, 1))
        if self.columns:
            compiled.add_leaves(places, self.bits, self.leaves, self.outputs, *DE_BRUIJN[width], sums)
        return sums


def bit_vectors(trees: Trees) -> BitVectors | None:
    """The vectors of trees; None where they would not pay or not fit.

    That is: trees of one leaf alone, or of more than 64; inputs that are read in another form than they come; more than
    `MOST_BYTES`.
    """
    leaves = max((sum(number == LEAF for number in tree.input) for tree in trees.trees), default=0)
    if not 1 < leaves <= MOST_LEAVES or trees.as_float32 or trees.shift is not None:
        return None
    columns = tuple(_columns(trees.trees))
    places = columns[-1].missing + 1
    word: type[np.uint32 | np.uint64] = np.uint32 if leaves <= 32 else np.uint64
    width = np.dtype(word).itemsize * 8
    blocks = -(-len(trees.trees) // BLOCK_TREES)
    size = -(-len(trees.trees) // (8 * blocks)) * 8
    if places * blocks * size * width // 8 > MOST_BYTES:
        return None
    bits = np.full((blocks, places, size), np.iinfo(word).max, word)
    values = np.full((blocks, size, width), -0.0)  # added to a number, it changes none
    outputs = np.zeros((blocks, size), np.int32)
    by_input = {column.input: column for column in columns}
    for number, tree in enumerate(trees.trees):
        block, place = divmod(number, size)
        outputs[block, place] = tree.output
        _enter(tree, by_input, bits[block, :, place], values[block, place])
    for column in columns:
        if column.thresholds is not None:  # a value above a threshold is above those before it
            below = slice(column.first, column.missing)
            bits[:, below] = np.bitwise_and.accumulate(bits[:, below], axis=1)
    return BitVectors(columns, bits, values, outputs, trees.base, trees.zero)


def _columns(trees: Sequence[Tree]) -> Iterator[Column]:
    thresholds: dict[int, set[float]] = {}
    levels: dict[int, int] = {}
    for tree in trees:
        for node, number in enumerate(tree.input):
            if number != LEAF and node in tree.levels:
                levels[number] = max(len(tree.levels[node]), levels.get(number, 0))
            elif number != LEAF:
                thresholds.setdefault(number, set()).add(tree.threshold[node])
    first = 0
    for number in sorted(thresholds.keys() | levels.keys()):
        places = levels[number] if number in levels else len(thresholds[number]) + 1
        ordered = None if number in levels else _filled_up(sorted(thresholds[number]))
        yield Column(number, ordered, first, first + places)
        first += places + 1


def _filled_up(thresholds: Sequence[float]) -> Floats:
    """Thresholds and infinity behind them: so many that halving their number ends at one."""
    size = 1 << len(thresholds).bit_length()
    return np.array([*thresholds, *[np.inf] * (size - len(thresholds))])


def _enter(tree: Tree, columns: dict[int, Column], bits: Bits, values: Floats) -> None:
    """Enter a tree: its leaves' values, and at each place what the conditions that end there rule out."""
    width = len(values)
    factor, shift = DE_BRUIJN[width]
    word = bits.dtype.type
    order = list(_leaves(tree, 0))
    for place, leaf in enumerate(order):
        values[((1 << place) * factor & (1 << width) - 1) >> shift] = tree.value[leaf, 0]
    numbers = {leaf: place for place, leaf in enumerate(order)}
    for node, number in enumerate(tree.input):
        if number == LEAF:
            continue
        below = [numbers[leaf] for leaf in _leaves(tree, tree.lower[node])]
        others = word((1 << width) - 1 & ~sum(1 << place for place in below))
        column = columns[number]
        if column.thresholds is None:
            places = column.first + np.flatnonzero(~tree.levels[node])
        else:
            places = column.first + 1 + np.searchsorted(column.thresholds, [tree.threshold[node]])
        bits[places] &= others
        if not tree.missing_lower[node]:
            bits[column.missing] &= others


def _leaves(tree: Tree, node: int) -> Iterator[int]:
    """The leaves below a node, from left to right."""
    pending = [node]
    while pending:
        one = pending.pop()
        if tree.input[one] == LEAF:
            yield one
        else:
            pending += [tree.upper[one], tree.lower[one]]
