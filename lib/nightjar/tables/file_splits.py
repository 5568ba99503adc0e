"""Data files distributed over tasks, which read them as Arrow tables."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from nightjar.tables import delta, scan
from nightjar.tables.entries import DataFile
from nightjar.tables.rows import Rows, merge_tables, number_tasks, of_frame, task_numbers
from nightjar.tables.scan import Snapshot
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.tables")


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
    return read_by_tasks(spark, files.where(_partition_is(values)), columns)


def read_by_tasks(spark: SparkSession, files: Snapshot, columns: Sequence[str]) -> Rows:
    """Columns of all rows of some files, distributed over as many tasks as run at once; a task reads file after file.

    Later stages may read small files whole in each of their tasks, which is faster than a shuffle.
    """
    schema = pa.schema([files.schema.field(name) for name in columns])
    shares = _balance_files(files, spark.sparkContext.defaultParallelism)

    def read(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
        here = (replace(files, files=(file,)) for number in task_numbers(batches) for file in shares[number].files)
        return merge_tables(scan.read(file, schema.names) for file in here)

    def whole() -> pa.Table:
        return scan.read(files, schema.names)

    return Rows(number_tasks(spark, len(shares)), read, schema, whole if files.size <= scan.SMALL else None)


def read_shares(spark: SparkSession, shares: Sequence[Snapshot], schema: pa.Schema) -> Rows:
    """Columns of all rows of some shares, one task and one table for each."""

    def read(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
        return (scan.read(shares[number], schema.names) for number in task_numbers(batches))

    return Rows(number_tasks(spark, len(shares)), read, schema)


def _partition_is(values: Mapping[str, Any]) -> Callable[[DataFile], bool]:
    return lambda file: all(file.partition[name] == value for name, value in values.items())


def _balance_files(files: Snapshot, parts: int) -> list[Snapshot]:
    """The files in at most so many shares of about equal rows; none is empty."""
    shares = balance([file.rows for file in files.files], min(parts, len(files.files)))
    return [replace(files, files=tuple(files.files[place] for place in share)) for share in shares]


def balance(sizes: Sequence[int], parts: int) -> list[list[int]]:
    """The indices of some sizes in so many shares of about equal total, each with its largest first."""
    shares: list[list[int]] = [[] for _ in range(parts)]
    for place in sorted(range(len(sizes)), key=lambda place: -sizes[place]):
        min(shares, key=lambda share: sum(sizes[member] for member in share)).append(place)
    return shares
