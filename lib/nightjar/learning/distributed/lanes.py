"""The rows of each step of a training, and the pieces in which they are read: pure arithmetic, no I/O.

The rows of all row groups, in some order, are cut into lanes of equal size. Every step takes the next rows of every
lane, equally many of each. So a step's rows depend on the number of lanes alone, not on that of workers.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Group:
    """One row group of a table.

    Attributes:
        file: its file's position among the table's live files.
        number: its position in the file.
        rows: how many of its rows have a label.
    """

    file: int
    number: int
    rows: int


@dataclass(frozen=True)
class Slice:
    """Some of a row group's labelled rows: from `start` to before `stop`."""

    group: Group
    start: int
    stop: int


@dataclass(frozen=True)
class Piece:
    """Rows of one lane that are read together.

    Attributes:
        lane: which lane.
        number: the piece's position in its lane.
        slices: where its rows lie, in order.
    """

    lane: int
    number: int
    slices: tuple[Slice, ...]

    @property
    def rows(self) -> int:
        """How many they are."""
        return sum(part.stop - part.start for part in self.slices)


def epoch_order(groups: Sequence[Group], seed: int, epoch: int) -> list[Group]:
    """The row groups in the order of an epoch: the same for the same seed and epoch."""
    order = np.random.default_rng((seed, epoch)).permutation(len(groups))
    return [groups[position] for position in order]


def lane_sizes(rows: int, lanes: int) -> list[int]:
    """Rows in each lane: as equal as can be, and all rows in one of them."""
    return [rows // lanes + (lane < rows % lanes) for lane in range(lanes)]


def cut_pieces(groups: Sequence[Group], lanes: int, piece_rows: int) -> list[list[Piece]]:
    """The pieces of each lane: `piece_rows` rows in each, fewer in a lane's last one.

    Args:
        groups: in the order in which their rows are taken.
        lanes: how many.
        piece_rows: rows in a piece, at least 1.
    """
    sizes = lane_sizes(sum(group.rows for group in groups), lanes)
    starts = np.cumsum([0, *(group.rows for group in groups)])
    pieces = []
    for lane, size in enumerate(sizes):
        first = sum(sizes[:lane])
        bounds = [*range(first, first + size, piece_rows), first + size]
        ranges = enumerate(itertools.pairwise(bounds))
        pieces.append([Piece(lane, number, _slices(groups, starts, *ends)) for number, ends in ranges])
    return pieces


def steps(sizes: Sequence[int], lane_batch: int) -> list[int]:
    """Rows in each step of an epoch, over all lanes. Only the last steps may have fewer than the others.

    Args:
        sizes: rows in each lane.
        lane_batch: rows that a step takes of each lane.
    """
    number = -(-max(sizes) // lane_batch)
    return [sum(min(lane_batch, max(0, size - step * lane_batch)) for size in sizes) for step in range(number)]


def lanes_of_worker(lanes: int, worker: int, workers: int) -> range:
    """The lanes of one worker, numbered from 0."""
    return range(worker, lanes, workers)


def _slices(
    groups: Sequence[Group], starts: "np.ndarray[tuple[int], np.dtype[np.int64]]", start: int, stop: int
) -> tuple[Slice, ...]:
    first = int(np.searchsorted(starts, start, side="right")) - 1
    last = int(np.searchsorted(starts, stop, side="left"))
    slices = []
    for position in range(first, last):
        group_start, group = int(starts[position]), groups[position]
        part = Slice(group, max(0, start - group_start), min(group.rows, stop - group_start))
        if part.stop > part.start:
            slices.append(part)
    return tuple(slices)
