"""Data files distributed over tasks, which read them as Arrow tables."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from nightjar.tables import delta, row_groups, scan
from nightjar.tables.datafiles import ROWS_PER_GROUP
from nightjar.tables.entries import DataFile
from nightjar.tables.rows import ROWS_AT_ONCE, Rows, merge_tables, number_tasks, of_frame, task_numbers
from nightjar.tables.scan import Snapshot
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.tables")
PIECES = 8  # of a share: large files are cut so that shares are equal within an eighth
MOST_UNCUT = 2 * ROWS_PER_GROUP
"""Rows of a file that are never cut."""


def read_partition(
    spark: SparkSession,
    warehouse: Warehouse,
    table: str,
    version: int,
    columns: Sequence[str],
    values: Mapping[str, Any],
) -> Rows:
    """The rows of one partition, distributed over as many tasks as run at once.

    Tasks read the data files themselves. A table with features that they do not support, such as deletion vectors, is
    read by Spark instead, row by row, which is logged.

    Args:
        spark: the session.
        warehouse: where the table lies.
        table: its name.
        version: its Delta version.
        columns: to read.
        values: partition column -> value.
    """
    files = scan.snapshot(warehouse, table, version)
    if files.unreadable is not None:
        log.info("%s: it is read row by row", files.unreadable)
        of_partition = reduce(Column.__and__, (F.col(name) == F.lit(value) for name, value in values.items()))
        return of_frame(delta.read(spark, warehouse, table, version).where(of_partition).select(*columns))
    return read_by_tasks(spark, files.where(has_values(values)), columns)


def read_by_tasks(spark: SparkSession, files: Snapshot, columns: Sequence[str]) -> Rows:
    """Columns of all rows of some files, distributed over as many tasks as run at once; a task reads file after file.

    A task has some row groups in memory, about a million rows; large files are shared out by their row groups. Later
    stages may read small files whole in each of their tasks, which is faster than a shuffle.
    """
    schema = pa.schema([files.schema.field(name) for name in columns])
    shares = share_out(files, spark.sparkContext.defaultParallelism)
    whole = (lambda: scan.read(files, schema.names)) if files.size <= scan.SMALL else None
    return Rows(number_tasks(spark, len(shares)), read_stretches(files, shares, schema.names), schema, whole)


def read_stretches(
    files: Snapshot, shares: Sequence[Sequence["Stretch"]], columns: Sequence[str]
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.Table]]:
    """What a task does that gets numbers of shares: columns of their rows, in tables of about a million."""

    def read(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
        own = (stretch for number in task_numbers(batches) for stretch in shares[number])
        return merge_tables(table for stretch in own for table in _tables_of(files, stretch, columns))

    return read


def _tables_of(files: Snapshot, stretch: "Stretch", columns: Sequence[str]) -> Iterator[pa.Table]:
    alone = replace(files, files=(stretch.file,))
    if stretch.is_whole and 0 < stretch.file.rows <= ROWS_AT_ONCE:
        yield scan.read(alone, columns)
    else:
        yield from row_groups.read(alone, columns, stretch.start, stretch.stop, ROWS_AT_ONCE)


def read_shares(spark: SparkSession, shares: Sequence[Snapshot], schema: pa.Schema) -> Rows:
    """Columns of all rows of some shares, one task and one table for each."""

    def read(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
        return (scan.read(shares[number], schema.names) for number in task_numbers(batches))

    return Rows(number_tasks(spark, len(shares)), read, schema)


def has_values(values: Mapping[str, Any]) -> Callable[[DataFile], bool]:
    """Whether a file is of a partition, by the values of its columns."""
    return lambda file: all(file.partition[name] == value for name, value in values.items())


@dataclass(frozen=True)
class Stretch:
    """The row groups of a file that begin within some of its rows.

    Attributes:
        file: in which they are.
        start: the first of these rows.
        stop: the row after the last; None: to the file's end, of which nobody need know how many rows it has.
    """

    file: DataFile
    start: int = 0
    stop: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole file."""
        return self.start == 0 and self.stop is None

    @property
    def rows(self) -> int:
        """About how many it has."""
        return (self.file.rows if self.stop is None else self.stop) - self.start


def share_out(files: Snapshot, parts: int) -> list[list[Stretch]]:
    """The rows of some files in at most so many shares of about equal size, of which none is empty."""
    most = max(files.rows // (PIECES * parts), MOST_UNCUT) // ROWS_PER_GROUP * ROWS_PER_GROUP
    stretches = [stretch for file in files.files for stretch in _cut(file, most)]
    shares = balance([max(1, stretch.rows) for stretch in stretches], min(parts, len(stretches)))
    return [_joined([stretches[place] for place in sorted(share)]) for share in shares]


def _cut(file: DataFile, most: int) -> list[Stretch]:
    starts = [0] if file.rows <= most * 3 // 2 else [*range(0, file.rows, most)]
    return [Stretch(file, start, stop) for start, stop in zip(starts, [*starts[1:], None], strict=True)]


def _joined(stretches: Sequence[Stretch]) -> list[Stretch]:
    """The same rows; neighbours as one stretch."""
    joined = [stretches[0]]
    for stretch in stretches[1:]:
        last = joined[-1]
        if last.file is stretch.file and last.stop == stretch.start:
            joined[-1] = replace(last, stop=stretch.stop)
        else:
            joined.append(stretch)
    return joined


def balance(sizes: Sequence[int], parts: int) -> list[list[int]]:
    """The indices of some sizes in so many shares of about equal total, each with its largest first."""
    shares: list[list[int]] = [[] for _ in range(parts)]
    for place in sorted(range(len(sizes)), key=lambda place: -sizes[place]):
        min(shares, key=lambda share: sum(sizes[member] for member in share)).append(place)
    return shares
