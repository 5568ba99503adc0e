"""Rows moved between tasks in columns: what Spark shuffles is a few large binary values, and it never looks into them.

Its own shuffle would turn columns into rows and back, which costs as much as the join.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from nightjar.joins.joined import Joined
from nightjar.tables.sink import Making

Numbering: TypeAlias = Callable[[pa.Table], "pa.ChunkedArray[Any]"]
"""A number of each row, at least 0."""
ROWS_AT_ONCE = 1_000_000


def exchanged(before: Joined, number: Numbering, tasks: int) -> Joined:
    """What was made before, in tasks that get rows by their number: task n those of the numbers n, n + tasks, ...

    A task gets one table for each number that it has rows of.
    """
    return Joined(_sent(before.rows, before.make, number, tasks), _received, before.schema, placed=True)


def gathered(joined: Joined, number: Numbering, tasks: int) -> Joined:
    """The same result, made by tasks that have all rows of a number, so that it can be stored in few files."""
    if joined.placed:
        return exchanged(joined, number, tasks)
    make = joined.make  # the spine is moved before the join: it has fewer columns

    def made(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
        for rows in _received(batches):
            yield from make(iter(rows.to_batches()))

    return replace(joined, rows=_sent(joined.rows, in_parts, number, tasks), make=made)


def in_parts(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """A task's share of the rows in tables of about a million rows, the last one smaller; none where it has none."""
    return merged(pa.Table.from_batches([batch]) for batch in batches)


def merged(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in tables of about a million rows, or larger ones as they are; no empty ones."""
    held: list[pa.Table] = []
    for table in tables:
        held.append(table)
        if sum(map(len, held)) >= ROWS_AT_ONCE:
            yield pa.concat_tables(held)
            held = []
    if sum(map(len, held)):
        yield pa.concat_tables(held)


def packed(rows: pa.Table) -> bytes:
    """A table as one value that Spark can carry."""
    buffer = pa.BufferOutputStream()
    with pa.ipc.new_stream(buffer, rows.schema) as stream:
        stream.write_table(rows.combine_chunks())
    return bytes(buffer.getvalue())


def unpacked(value: bytes | pa.Buffer) -> pa.Table:
    """The table that was packed."""
    return pa.ipc.open_stream(value).read_all()


def tasks_of_a_shuffle(spark: SparkSession) -> int:
    """How many tasks Spark is told to make of a shuffle."""
    return int(spark.conf.get("spark.sql.shuffle.partitions") or 1)


def _sent(rows: DataFrame, make: Making, number: Numbering, tasks: int) -> DataFrame:
    def send(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for made in make(batches):
            for one, of_number in _apart(made, np.asarray(number(made))):
                values: list[pa.Array[Any]] = [pa.array([one], pa.int32()), pa.array([packed(of_number)])]
                yield pa.record_batch(values, ["number", "rows"])

    return rows.mapInArrow(send, "number int, rows binary").repartitionById(tasks, "number")


def _received(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    parts: dict[Any, list[pa.Table]] = {}
    for batch in batches:
        for one, rows in zip(batch.column("number").to_pylist(), batch.column("rows"), strict=True):
            parts.setdefault(one, []).append(unpacked(rows.as_buffer()))
    for one in sorted(parts):
        yield pa.concat_tables(parts.pop(one))


def _apart(rows: pa.Table, numbers: "np.ndarray[Any, Any]") -> Iterator[tuple[int, pa.Table]]:
    """Number -> its rows, in their order."""
    order = np.argsort(numbers, kind="stable")
    found, starts = np.unique(numbers[order], return_index=True)
    in_order = rows.take(order) if len(found) > 1 else rows
    for one, start, end in zip(found, starts, [*starts[1:], len(rows)], strict=True):
        yield int(one), in_order.slice(start, end - start)
