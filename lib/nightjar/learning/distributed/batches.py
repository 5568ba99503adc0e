"""A worker's share of each step, out of the stream of its lanes' pieces."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nightjar.learning.distributed.lanes import Group, cut, lane_sizes, own, shuffled, steps
from nightjar.learning.distributed.streaming import Sent, streamed


@dataclass(frozen=True)
class Rows:
    """Rows that are streamed to the workers, once an epoch.

    Attributes:
        stream: what they go through.
        groups: their row groups.
        weight: the sum of their weights.
    """

    stream: Sent
    groups: tuple[Group, ...]
    weight: float

    @property
    def count(self) -> int:
        """How many they are."""
        return sum(group.rows for group in self.groups)


@dataclass(frozen=True)
class Cut:
    """How rows are cut up, whoever reckons them.

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
class Step:
    """What one worker does in a step.

    Attributes:
        number: the step's place in the epoch.
        rows: those of all workers.
        shares: its own; none where its lanes have no rows left.
    """

    number: int
    rows: int
    shares: Sequence[Share]


def batches(
    rows: Rows, cut_up: Cut, worker: int, workers: int, device: torch.device, shuffle: tuple[int, int] | None
) -> Iterator[Step]:
    """The steps of an epoch, the same number for every worker.

    Args:
        rows: all workers' rows.
        cut_up: how they are cut.
        worker: whose shares are wanted, from 0.
        workers: how many share the lanes.
        device: where the tensors shall be.
        shuffle: seed and epoch; None: rows as they lie.
    """
    counts = steps(lane_sizes(rows.count, cut_up.lanes), cut_up.step)
    each = cut_up.piece // cut_up.step
    loaded = _loaded(rows, cut_up, own(cut_up.lanes, worker, workers), device, shuffle)
    for start, held in zip(range(0, len(counts), each), loaded, strict=True):
        for number in range(start, min(start + each, len(counts))):
            at = (number - start) * cut_up.step
            shares = [share.part(at, at + cut_up.step) for share in held if len(share.label) > at]
            yield Step(number, counts[number], shares)


def _loaded(
    rows: Rows, cut_up: Cut, lanes: range, device: torch.device, shuffle: tuple[int, int] | None
) -> Iterator[list[Share]]:
    """The next piece of each of some lanes, as often as the longest lane of all has pieces."""
    groups = rows.groups if shuffle is None else shuffled(rows.groups, *shuffle)
    pieces = cut(groups, cut_up.lanes, cut_up.piece)
    rounds = [[one for one in found if one is not None] for found in itertools.zip_longest(*(pieces[x] for x in lanes))]
    arrays = streamed(rows.stream, [piece for found in rounds for piece in found], shuffle)
    rounds += [[]] * (max(len(found) for found in pieces) - len(rounds))
    for found in rounds:
        yield [_share(piece.lane, next(arrays), device) for piece in found]


def _share(lane: int, arrays: Any, device: torch.device) -> Share:
    # Copied: Ray's object store lends its arrays for reading only.
    inputs, label, weight = (torch.tensor(arrays[name]).to(device) for name in ("inputs", "label", "weight"))
    return Share(lane, inputs, label, weight)
