"""A pinned table through Ray: counted, sampled, and streamed piece by piece by Ray Data, never as a whole in memory."""

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
from nightjar.learning.distributed.census import CountedSource, census_of, merge_censuses
from nightjar.learning.distributed.label_values import label_values, weight_values
from nightjar.learning.distributed.lanes import Group, Piece, Slice, epoch_order
from nightjar.learning.distributed.source import Source, read
from nightjar.learning.distributed.watchdog import starvation_error, watch
from nightjar.models.columns import infinite_columns, to_frame
from nightjar.models.predictor import FittedPreparation

Arrays = Mapping[str, npt.NDArray[Any]]

SAMPLED_GROUPS = 64
"""The most row groups that a sample is drawn from: reading each costs time, and many cover all parts of a table."""


@dataclass(frozen=True, eq=False)
class Stream:
    """How rows are read and prepared on their way to a worker.

    Attributes:
        source: of the rows.
        preparation: fitted.
        scale: mean and deviation of the labels of a regression; 0 and 1 otherwise.
        class_weight: factors of the weights of each class's rows; none of a regression.
    """

    source: Source
    preparation: FittedPreparation
    scale: tuple[float, float]
    class_weight: tuple[float, ...]


@dataclass(frozen=True)
class StreamReference:
    """A stream in Ray's object store: one copy of the preparation on each node.

    A worker that waits for its rows need not open it, and so need not import the libraries of preparations.

    Attributes:
        reference: of the Stream.
        table: of its rows.
        starved_after: seconds without rows after which waiting fails.
    """

    reference: Any
    table: str
    starved_after: float


def put_stream(stream: Stream, starved_after: float) -> StreamReference:
    """Put a stream into the object store, where every node can read it."""
    return StreamReference(ray.put(stream), stream.source.snapshot.table, starved_after)


def count(source: Source, starved_after: float) -> CountedSource:
    """Count the rows of all files, side by side; only labels and weights are read. Ray must have been started.

    Raises:
        LearningError: a label or weight that cannot be used, no labelled row, or no file was counted
            for `starved_after` seconds.
        TableError: a file is gone.
    """
    shared = ray.put(source)
    task = ray.remote(census_of)
    pending = [task.remote(shared, file) for file in range(len(source.snapshot.files))]
    unfinished = list(pending)
    while unfinished:
        done, unfinished = ray.wait(unfinished, timeout=starved_after)
        if not done:
            raise starvation_error(source.snapshot.table, starved_after)
    try:
        return merge_censuses(source, ray.get(pending))
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error


def sample(counted: CountedSource, rows: int, seed: int) -> pa.Table:
    """Labelled rows to fit a preparation on: equally many of each of some row groups, both drawn at random.

    Args:
        counted: the source.
        rows: how many, about.
        seed: of the draws. The same seed and version of the table give the same rows.
    """
    groups = epoch_order([group for group in counted.census.groups if group.rows], seed, 0)[:SAMPLED_GROUPS]
    share = -(-rows // len(groups))
    return pa.concat_tables([_draw_rows(counted.source, group, share, seed) for group in groups])


def prepare(stream: Stream, piece: Piece, shuffle: tuple[int, int] | None) -> dict[str, npt.NDArray[np.float32]]:
    """Read a piece and prepare it for the network: inputs (rows, inputs), label (rows,) and weight (rows,).

    Args:
        stream: how it is prepared.
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
    weight = weight_values(source, table)
    if stream.class_weight:
        weight = weight * np.take(stream.class_weight, label.astype(np.intp))
    arrays = {
        "inputs": np.asarray(stream.preparation.transform(frame), dtype=np.float32),
        "label": ((label - mean) / deviation).astype(np.float32),
        "weight": weight.astype(np.float32),
    }
    if shuffle is None:
        return arrays
    order = np.random.default_rng((*shuffle, piece.lane, piece.number)).permutation(piece.rows)
    return {name: values[order] for name, values in arrays.items()}


def stream_pieces(
    stream: StreamReference, pieces: Sequence[Piece], shuffle: tuple[int, int] | None
) -> Iterator[Arrays]:
    """Yield prepared pieces in order, read ahead by tasks of Ray Data within its share of the object store.

    Args:
        stream: how they are prepared.
        pieces: what to read, in this order.
        shuffle: as for `prepare`.

    Raises:
        LearningError: no piece came for `starved_after` seconds, or infinite values in a feature.
        TableError: a file is gone.
    """
    if not pieces:
        return
    reference = stream.reference

    def task(row: Arrays) -> Arrays:
        try:
            return prepare(ray.get(reference), pieces[int(row["id"][0])], shuffle)
        except NightjarError as error:
            # Ray Data passes on the text of an error, not its type: ours travels as data.
            return {"refused": np.array([type(error).__name__]), "why": np.array([str(error)])}

    rows = ray.data.range(len(pieces), override_num_blocks=len(pieces))
    rows.context.execution_options.preserve_order = True
    rows.context.target_max_block_size = None  # a piece is a block
    rows.context.enable_progress_bars = False
    prepared_pieces = rows.map_batches(task, batch_size=None, batch_format="numpy")
    batches = prepared_pieces.iter_batches(batch_size=None, batch_format="numpy")
    for batch in watch(batches, stream.starved_after, stream.table):
        if "refused" in batch:
            raise getattr(errors, str(batch["refused"][0]))(str(batch["why"][0]))
        yield batch


def _draw_rows(source: Source, group: Group, rows: int, seed: int) -> pa.Table:
    table = read(source, Piece(0, 0, (Slice(group, 0, group.rows),)))
    order = np.random.default_rng((seed, group.file, group.number)).permutation(group.rows)
    return table.take(np.sort(order[:rows]))
