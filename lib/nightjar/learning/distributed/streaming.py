"""A pinned table through Ray: counted, sampled, and streamed piece by piece by Ray Data, never held as a whole."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import ray
import ray.data

from nightjar import errors
from nightjar.errors import LearningError, NightjarError
from nightjar.learning.distributed.lanes import Group, Piece, Slice, shuffled
from nightjar.learning.distributed.source import Counted, Source, census_of, label_values, merged, read, weight_values
from nightjar.learning.distributed.watchdog import starved, watched
from nightjar.models.columns import infinite_columns, to_frame
from nightjar.models.predictor import Preparation

Arrays = Mapping[str, npt.NDArray[Any]]

SAMPLED_GROUPS = 64
"""Row groups that a sample is drawn from at most: reading one is the cost, and many see all parts of a table."""


@dataclass(frozen=True, eq=False)
class Stream:
    """What rows go through on their way to a worker.

    Attributes:
        source: where they lie.
        preparation: fitted.
        scale: mean and deviation of the labels of a regression; 0 and 1 otherwise.
        class_weight: what a row with the label 0 and one with the label 1 weigh, beside their own weights.
    """

    source: Source
    preparation: Preparation
    scale: tuple[float, float]
    class_weight: tuple[float, float]


@dataclass(frozen=True)
class Sent:
    """A stream in Ray's object store: one copy of the preparation on each node.

    Who waits for its rows need not open it, and so need not import what preparations are made of.

    Attributes:
        reference: of the Stream.
        table: where its rows lie.
        starved_after: seconds without rows after which the one who waits gives up.
    """

    reference: Any
    table: str
    starved_after: float


def sent(stream: Stream, starved_after: float) -> Sent:
    """Put a stream where every node can read it."""
    return Sent(ray.put(stream), stream.source.snapshot.table, starved_after)


def count(source: Source, starved_after: float) -> Counted:
    """Count the rows of all files, side by side; only labels and weights are read. Ray must have been started.

    Raises:
        LearningError: a label or weight that cannot be used, no labelled row, or no file was counted
            for `starved_after` seconds.
        TableError: a file is gone.
    """
    shared = ray.put(source)
    task = ray.remote(census_of)
    asked = [task.remote(shared, file) for file in range(len(source.snapshot.files))]
    waiting = list(asked)
    while waiting:
        done, waiting = ray.wait(waiting, timeout=starved_after)
        if not done:
            raise starved(source.snapshot.table, starved_after)
    try:
        return merged(source, ray.get(asked))
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error


def sample(counted: Counted, rows: int, seed: int) -> pa.Table:
    """Labelled rows to fit a preparation on: equally many of each of some row groups, both drawn at random.

    Args:
        counted: where they lie.
        rows: how many, about.
        seed: of the draws. The same seed and version of the table give the same rows.
    """
    groups = shuffled([group for group in counted.census.groups if group.rows], seed, 0)[:SAMPLED_GROUPS]
    share = -(-rows // len(groups))
    return pa.concat_tables([_drawn(counted.source, group, share, seed) for group in groups])


def prepared(stream: Stream, piece: Piece, shuffle: tuple[int, int] | None) -> dict[str, npt.NDArray[np.float32]]:
    """A piece as a network takes it: inputs (rows, inputs), label (rows,) and weight (rows,).

    Args:
        stream: what it goes through.
        piece: its rows.
        shuffle: seed and epoch of the order of its rows; None: as they lie.

    Raises:
        LearningError: infinite values in a feature.
        TableError: a file is gone.
    """
    source = stream.source
    table = read(source, piece)
    frame = to_frame(table, source.features)
    infinite = infinite_columns(frame, source.features)
    if infinite:
        files = sorted({source.snapshot.files[part.group.file].path for part in piece.slices})
        raise LearningError(
            f"Infinite values in {', '.join(infinite)} of table {source.snapshot.table}, version "
            f"{source.snapshot.version}, in {', '.join(files)}. Make them finite or null."
        )
    label, (mean, deviation) = label_values(source, table), stream.scale
    weight = weight_values(source, table) * np.where(label == 1, stream.class_weight[1], stream.class_weight[0])
    arrays = {
        "inputs": np.asarray(stream.preparation.transform(frame), dtype=np.float32),
        "label": ((label - mean) / deviation).astype(np.float32),
        "weight": weight.astype(np.float32),
    }
    if shuffle is None:
        return arrays
    order = np.random.default_rng((*shuffle, piece.lane, piece.number)).permutation(piece.rows)
    return {name: values[order] for name, values in arrays.items()}


def streamed(stream: Sent, pieces: Sequence[Piece], shuffle: tuple[int, int] | None) -> Iterator[Arrays]:
    """Prepared pieces in their order, read ahead by tasks of Ray Data as far as its share of the object store goes.

    Args:
        stream: what they go through.
        pieces: what to read, in this order.
        shuffle: as for `prepared`.

    Raises:
        LearningError: no piece came for `starved_after` seconds, or infinite values in a feature.
        TableError: a file is gone.
    """
    if not pieces:
        return
    reference = stream.reference

    def task(row: Arrays) -> Arrays:
        try:
            return prepared(ray.get(reference), pieces[int(row["id"][0])], shuffle)
        except NightjarError as error:
            # Ray Data hands on the text of an error, not its type: a stated one travels as data.
            return {"refused": np.array([type(error).__name__]), "why": np.array([str(error)])}

    rows = ray.data.range(len(pieces), override_num_blocks=len(pieces))
    rows.context.execution_options.preserve_order = True
    rows.context.target_max_block_size = None  # a piece is a block
    rows.context.enable_progress_bars = False
    found = rows.map_batches(task, batch_size=None, batch_format="numpy")
    batches = found.iter_batches(batch_size=None, batch_format="numpy")
    for batch in watched(batches, stream.starved_after, stream.table):
        if "refused" in batch:
            raise getattr(errors, str(batch["refused"][0]))(str(batch["why"][0]))
        yield batch


def _drawn(source: Source, group: Group, rows: int, seed: int) -> pa.Table:
    found = read(source, Piece(0, 0, (Slice(group, 0, group.rows),)))
    order = np.random.default_rng((seed, group.file, group.number)).permutation(group.rows)
    return found.take(np.sort(order[:rows]))
