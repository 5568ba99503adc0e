"""The labelled rows of a pinned table: counted before a training, and read by row group in batches."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.errors import LearningError
from nightjar.evaluation.histograms import is_number
from nightjar.learning.distributed.lanes import Group, Piece, Slice
from nightjar.models.columns import FeatureColumn, difference
from nightjar.settings.task import Task
from nightjar.tables import parquet, scan, storage
from nightjar.tables.scan import Snapshot

BATCH_ROWS = 32_768
"""Rows of a row group that are decoded at once: the group may be far larger than a piece."""
NOT_SHARED = {Task.RANKING: "its lists must stay whole", Task.MULTICLASS: "they learn one output"}


@dataclass(frozen=True, eq=False)
class Source:
    """Rows to learn from. Small enough to be sent to every task.

    Attributes:
        snapshot: the table's live files, or some of them.
        features: the columns that are learned from.
        label: the column with the outcome; rows without one are not used.
        task: of the label, none of `NOT_SHARED`.
        weight: the column that says how many rows each one stands for; None: one each.

    Raises:
        LearningError: the table lacks a column or has another type there, or the task is one of `NOT_SHARED`.
    """

    snapshot: Snapshot
    features: tuple[FeatureColumn, ...]
    label: str
    task: Task
    weight: str | None = None

    def __post_init__(self) -> None:
        named = f"Table {self.snapshot.table}, version {self.snapshot.version}"
        if self.task in NOT_SHARED:
            raise LearningError(f"A {self.task.word} cannot be trained by several workers: {NOT_SHARED[self.task]}.")
        if self.snapshot.unreadable:
            raise LearningError(f"{named} cannot be streamed: {self.snapshot.unreadable}.")
        lines = difference(self.features, self.snapshot.schema)
        missing = [name for name in (self.label, self.weight) if name and name not in self.snapshot.schema.names]
        lines += [f"missing: {name}" for name in missing]
        if lines:
            raise LearningError(f"{named} differs from what is to be learned:\n  " + "\n  ".join(lines))


@dataclass(frozen=True)
class Census:
    """Counts and moments of the labels of a source, or of one of its files.

    Attributes:
        groups: the row groups, with the rows that have a label.
        mean: of the labels; 0 without rows.
        variance: of the labels, over all of them.
        weight: the sum of all weights.
        weight_true: the sum of the weights of the rows with the label 1.
    """

    groups: tuple[Group, ...]
    mean: float
    variance: float
    weight: float
    weight_true: float

    @property
    def rows(self) -> int:
        """Rows with a label."""
        return sum(group.rows for group in self.groups)


@dataclass(frozen=True, eq=False)
class CountedSource:
    """A source with its census."""

    source: Source
    census: Census


def census_of(source: Source, file: int) -> Census:
    """Count one file's rows, group by group; only labels and weights are read.

    Raises:
        LearningError: a label or weight that cannot be used.
        TableError: the file is gone.
    """
    data_file = source.snapshot.files[file]
    with scan.translate_read_errors(_only(source.snapshot, file)):
        footer = parquet.metadata(storage.folder(source.snapshot.folder), unquote(data_file.path), data_file.size)
    groups, labels, weights = [], [np.empty(0)], [np.empty(0)]
    for number in range(footer.num_row_groups):
        tables = [
            _drop_unlabelled(source, batch) for batch in _batches(source.snapshot, file, number, _label_columns(source))
        ]
        groups.append(Group(file, number, sum(part.num_rows for part in tables)))
        labels += [label_values(source, part) for part in tables]
        weights += [weight_values(source, part) for part in tables]
    label, weight = np.concatenate(labels), np.concatenate(weights)
    mean, variance = (float(label.mean()), float(label.var())) if len(label) else (0.0, 0.0)
    return Census(tuple(groups), mean, variance, float(weight.sum()), float(weight[label == 1].sum()))


def merge_censuses(source: Source, parts: list[Census]) -> CountedSource:
    """Merge the censuses of all files.

    Raises:
        LearningError: no labelled row, or no weight.
    """
    rows = max(1, sum(part.rows for part in parts))
    mean = sum(part.mean * part.rows for part in parts) / rows
    whole = Census(
        tuple(group for part in parts for group in part.groups),
        mean,
        sum((part.variance + (part.mean - mean) ** 2) * part.rows for part in parts) / rows,
        sum(part.weight for part in parts),
        sum(part.weight_true for part in parts),
    )
    named = f"table {source.snapshot.table}, version {source.snapshot.version}"
    if whole.rows == 0:
        raise LearningError(f"No row of {named} has a value in {source.label}: there is nothing to learn from.")
    if not whole.weight > 0:
        raise LearningError(f"The weights of {named} ({source.weight}) add up to nothing.")
    return CountedSource(source, whole)


def check_learnable(rows: CountedSource) -> None:
    """Raise LearningError where all labels of a classification are alike."""
    source, counted = rows.source, rows.census
    if source.task is Task.CLASSIFICATION and counted.mean in (0, 1):
        named = f"table {source.snapshot.table}, version {source.snapshot.version}"
        condition = f"{source.label} = {counted.mean == 1}"
        raise LearningError(f"All {counted.rows} rows of {named} have {condition}: there is nothing to learn.")


def read(source: Source, piece: Piece) -> pa.Table:
    """A piece's rows: features, label and weight.

    Raises:
        TableError: a file is gone.
    """
    return pa.concat_tables(rows for part in piece.slices for rows in _read_slice(source, part)).combine_chunks()


def label_values(source: Source, table: pa.Table) -> npt.NDArray[np.float64]:
    """The labels of labelled rows.

    Raises:
        LearningError: they are no numbers or booleans, not finite, or not 0 and 1 in a classification.
    """
    values = _floats(source, table, source.label)
    if source.task is Task.CLASSIFICATION:
        wrong = values[(values != 0) & (values != 1)]
        if len(wrong):
            raise _value_error(source, source.label, wrong[0], "a boolean, or 0 or 1")
    return values


def weight_values(source: Source, table: pa.Table) -> npt.NDArray[np.float64]:
    """The weights of labelled rows.

    Raises:
        LearningError: one is missing, not finite or below 0.
    """
    if source.weight is None:
        return np.ones(table.num_rows)
    values = _floats(source, table, source.weight)
    if (values < 0).any():
        raise _value_error(source, source.weight, values.min(), "0 or more")
    return values


def _floats(source: Source, table: pa.Table, column: str) -> npt.NDArray[np.float64]:
    kind = table.schema.field(column).type
    if not is_number(kind):
        raise _value_error(source, column, kind, "a column of booleans or numbers")
    plain: Any = table[column].cast(pa.int8()) if pa.types.is_boolean(kind) else table[column]
    values = np.asarray(plain.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    if not np.isfinite(values).all():
        raise _value_error(source, column, values[~np.isfinite(values)][0], "a finite number in every labelled row")
    return values


def _value_error(source: Source, column: str, value: object, expected: str) -> LearningError:
    named = f"table {source.snapshot.table}, version {source.snapshot.version}"
    return LearningError(f"Column {column} of {named} holds {value}: expected {expected}.")


def _label_columns(source: Source) -> list[str]:
    return [source.label, *([source.weight] if source.weight else [])]


def _drop_unlabelled(source: Source, table: pa.Table) -> pa.Table:
    return table.filter(pc.is_valid(table[source.label]))


def _read_slice(source: Source, part: Slice) -> Iterator[pa.Table]:
    """Yield a slice's rows. Rows before it are decoded, as Parquet's reader cannot skip them; later ones are not."""
    columns, position = [*_label_columns(source), *(column.name for column in source.features)], 0
    for batch in _batches(source.snapshot, part.group.file, part.group.number, columns):
        count = batch.num_rows - batch[source.label].null_count
        start = max(0, part.start - position)
        if start < count:
            yield _drop_unlabelled(source, batch).slice(start, part.stop - position - start)
        position += count
        if position >= part.stop:
            return


def _batches(snapshot: Snapshot, file: int, number: int, columns: list[str]) -> Iterator[pa.Table]:
    """Yield columns of one row group in batches of rows; other rows stay compressed in memory.

    A scan by `pyarrow.dataset` decodes the whole group before its first batch.
    """
    data_file, fields, rows = snapshot.files[file], [snapshot.schema.field(name) for name in columns], 0
    files = storage.folder(snapshot.folder)
    with (
        scan.translate_read_errors(_only(snapshot, file)),
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


def _only(snapshot: Snapshot, file: int) -> Snapshot:
    return snapshot.where(lambda one: one is snapshot.files[file])
