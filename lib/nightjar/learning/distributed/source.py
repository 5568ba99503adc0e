"""The labelled rows of a pinned table, read by row group in batches."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.errors import LearningError
from nightjar.learning.distributed.lanes import Piece, Slice
from nightjar.models.columns import FeatureColumn, difference
from nightjar.settings.task import Task
from nightjar.tables import parquet, scan, storage
from nightjar.tables.scan import Snapshot

BATCH_ROWS = 32_768
"""Rows of a row group that are decoded at once: the group may be far larger than a piece."""


@dataclass(frozen=True, eq=False)
class Source:
    """Rows to learn from. Small enough to be sent to every task.

    Attributes:
        snapshot: the table's live files, or some of them.
        features: the columns that are learned from.
        label: the column with the outcome; rows without one are not used.
        task: of the label; no ranking.
        weight: the column that says how many rows each one stands for; None: one each.
        classes: of several classes: the label's values, in the order of the network's outputs; otherwise none.

    Raises:
        LearningError: the table lacks a column or has another type there, the task is a ranking, or lacks its classes.
    """

    snapshot: Snapshot
    features: tuple[FeatureColumn, ...]
    label: str
    task: Task
    weight: str | None = None
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        named = f"Table {self.snapshot.table}, version {self.snapshot.version}"
        if self.task is Task.RANKING:
            raise LearningError("A ranking cannot be trained by several workers: its lists must stay whole.")
        if (self.task is Task.MULTICLASS) != bool(self.classes):
            raise LearningError(f"A {self.task.word} of the classes {self.classes}: multiclass has some, others none.")
        if self.snapshot.unreadable:
            raise LearningError(f"{named} cannot be streamed: {self.snapshot.unreadable}.")
        lines = difference(self.features, self.snapshot.schema)
        missing = [name for name in (self.label, self.weight) if name and name not in self.snapshot.schema.names]
        lines += [f"missing: {name}" for name in missing]
        if lines:
            raise LearningError(f"{named} differs from what is to be learned:\n  " + "\n  ".join(lines))


def read(source: Source, piece: Piece) -> pa.Table:
    """A piece's rows: features, label and weight.

    Raises:
        TableError: a file is gone.
    """
    return pa.concat_tables(rows for part in piece.slices for rows in _read_slice(source, part)).combine_chunks()


def label_columns(source: Source) -> list[str]:
    return [source.label, *([source.weight] if source.weight else [])]


def drop_unlabelled(source: Source, table: pa.Table) -> pa.Table:
    return table.filter(pc.is_valid(table[source.label]))


def _read_slice(source: Source, part: Slice) -> Iterator[pa.Table]:
    """Yield a slice's rows. Rows before it are decoded, as Parquet's reader cannot skip them; later ones are not."""
    columns, position = [*label_columns(source), *(column.name for column in source.features)], 0
    for batch in batches(source.snapshot, part.group.file, part.group.number, columns):
        count = batch.num_rows - batch[source.label].null_count
        start = max(0, part.start - position)
        if start < count:
            yield drop_unlabelled(source, batch).slice(start, part.stop - position - start)
        position += count
        if position >= part.stop:
            return


def batches(snapshot: Snapshot, file: int, number: int, columns: list[str]) -> Iterator[pa.Table]:
    """Yield columns of one row group in batches of rows; other rows stay compressed in memory.

    A scan by `pyarrow.dataset` decodes the whole group before its first batch.
    """
    data_file, fields, rows = snapshot.files[file], [snapshot.schema.field(name) for name in columns], 0
    files = storage.folder(snapshot.folder)
    with (
        scan.translate_read_errors(only(snapshot, file)),
        parquet.open_file(files, unquote(data_file.path), data_file.size) as parquet_file,
    ):
        stored = [name for name in columns if name in parquet_file.schema_arrow.names]
        # One thread: the tasks already fill the processors.
        for batch in parquet_file.iter_batches(BATCH_ROWS, row_groups=[number], columns=stored, use_threads=False):
            arrays = [_column(batch, field, data_file.partition) for field in fields]
            rows += batch.num_rows
            yield pa.Table.from_arrays(arrays, schema=pa.schema(fields))
        if stored and rows != parquet_file.metadata.row_group(number).num_rows:  # a damaged page was skipped
            raise parquet.DamageError(f"row group {number} has {rows:,} rows, more were written")


def _column(batch: pa.RecordBatch, field: "pa.Field[Any]", partition: Mapping[str, Any]) -> Any:
    """A column of the table: its partition value if it has one, else the file's column, else null."""
    if field.name in batch.schema.names and field.name not in partition:
        return batch.column(field.name).cast(field.type)
    return pa.repeat(pa.scalar(partition.get(field.name), field.type), batch.num_rows)


def only(snapshot: Snapshot, file: int) -> Snapshot:
    return snapshot.where(lambda one: one is snapshot.files[file])
