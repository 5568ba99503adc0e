"""The steps of an epoch for one worker: its share of each, from the stream of its lanes' pieces."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nightjar.learning.distributed.lanes import Group, cut_pieces, epoch_order, lane_sizes, lanes_of_worker, steps
from nightjar.learning.distributed.streaming import StreamReference, stream_pieces


@dataclass(frozen=True)
class StreamedRows:
    """Rows that are streamed to the workers, once an epoch.

    Attributes:
        stream: how they are prepared.
        groups: their row groups.
        weight: the sum of their weights.
    """

    stream: StreamReference
    groups: tuple[Group, ...]
    weight: float

    @property
    def count(self) -> int:
        """How many they are."""
        return sum(group.rows for group in self.groups)


@dataclass(frozen=True)
class LaneLayout:
    """How rows are divided into lanes, steps and pieces; the number of workers plays no part.

    Attributes:
        lanes: parts of the rows.
        step: rows that a step takes of each lane.
        piece: rows that are read at once, a whole number of steps' rows.
    """

    lanes: int
    step: int
    piece: int


@dataclass(frozen=True)
class Share:
    """Some of a step's rows, all of one lane.

    Attributes:
        lane: which one.
        inputs: (rows, inputs).
        label: (rows,).
        weight: (rows,).
    """

    lane: int
    inputs: Tensor
    label: Tensor
    weight: Tensor

    def part(self, start: int, stop: int) -> "Share":
        """The same of fewer rows."""
        return Share(self.lane, self.inputs[start:stop], self.label[start:stop], self.weight[start:stop])


@dataclass(frozen=True)
class TrainingStep:
    """One worker's part of a step.

    Attributes:
        number: the step's position in the epoch.
        rows: how many, over all workers.
        shares: the worker's; empty where its lanes have no further rows.
    """

    number: int
    rows: int
    shares: Sequence[Share]


def batches(
    rows: StreamedRows,
    layout: LaneLayout,
    worker: int,
    workers: int,
    device: torch.device,
    shuffle: tuple[int, int] | None,
) -> Iterator[TrainingStep]:
    """The steps of an epoch, the same number for every worker.

    Args:
        rows: all workers' rows.
        layout: of the rows in lanes.
        worker: whose shares are yielded, from 0.
        workers: how many share the lanes.
        device: of the tensors.
        shuffle: seed and epoch; None: rows as they lie.
    """
    counts = steps(lane_sizes(rows.count, layout.lanes), layout.step)
    steps_per_piece = layout.piece // layout.step
    rounds = _load_rounds(rows, layout, lanes_of_worker(layout.lanes, worker, workers), device, shuffle)
    for start, lane_shares in zip(range(0, len(counts), steps_per_piece), rounds, strict=True):
        for number in range(start, min(start + steps_per_piece, len(counts))):
            offset = (number - start) * layout.step
            shares = [share.part(offset, offset + layout.step) for share in lane_shares if len(share.label) > offset]
            yield TrainingStep(number, counts[number], shares)


def _load_rounds(
    rows: StreamedRows, layout: LaneLayout, lanes: range, device: torch.device, shuffle: tuple[int, int] | None
) -> Iterator[list[Share]]:
    """Yield the next piece of each of the lanes, as often as the longest of all lanes has pieces."""
    groups = rows.groups if shuffle is None else epoch_order(rows.groups, *shuffle)
    pieces = cut_pieces(groups, layout.lanes, layout.piece)
    rounds = [
        [piece for piece in pieces_of_round if piece is not None]
        for pieces_of_round in itertools.zip_longest(*(pieces[x] for x in lanes))
    ]
    arrays = stream_pieces(rows.stream, [piece for pieces_of_round in rounds for piece in pieces_of_round], shuffle)
    rounds += [[]] * (max(len(pieces_of_round) for pieces_of_round in pieces) - len(rounds))
    for pieces_of_round in rounds:
        yield [_share(piece.lane, next(arrays), device) for piece in pieces_of_round]


def _share(lane: int, arrays: Any, device: torch.device) -> Share:
    # Copied: Ray's object store lends its arrays for reading only.
    inputs, label, weight = (torch.tensor(arrays[name]).to(device) for name in ("inputs", "label", "weight"))
    return Share(lane, inputs, label, weight)
