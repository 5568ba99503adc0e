"""Rows moved between tasks in columns: what Spark shuffles is a few large binary values, and it never looks into them.

Its own shuffle would turn columns into rows and back, which costs as much as the join.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from nightjar.asof.values import Ints
from nightjar.tables.rows import Rows, in_tasks

LARGEST_MESSAGE = 256 << 20  # bytes; an array of binary values holds 2 GB


@dataclass(frozen=True)
class Destination:
    """Where rows go.

    Attributes:
        number: of each row of a table, at least 0.
        tasks: how many; task n gets the rows of the numbers n, n + tasks, ...
    """

    number: Callable[[pa.Table], Ints]
    tasks: int


def exchanged(before: Rows, to: Destination) -> Rows:
    """What was made before, in other tasks: each gets one table for each number that it has rows of."""
    return replace(before, given=_sent(before, to), make=_received)


def packed(rows: pa.Table) -> pa.Buffer:
    """A table as one value that Spark can carry."""
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, rows.schema) as writer:
        writer.write_table(rows.combine_chunks())
    return stream.getvalue()


def unpacked(value: bytes | pa.Buffer) -> pa.Table:
    """The table that was packed."""
    return pa.ipc.open_stream(value).read_all()


def tasks_of_a_shuffle(spark: SparkSession) -> int:
    """How many tasks Spark is told to make of a shuffle."""
    return int(spark.conf.get("spark.sql.shuffle.partitions") or 1)


def _sent(before: Rows, to: Destination) -> DataFrame:
    make = before.make  # a task can be sent this, not the DataFrame

    def send(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for made in make(batches):
            apart = {number: packed(rows) for number, rows in _apart(made, to.number(made))}
            for some in _sendable(apart):
                values: list[pa.Array[Any]] = [pa.array(some, pa.int32()), _binary([apart[number] for number in some])]
                yield pa.record_batch(values, ["number", "rows"])

    return in_tasks(before.given, send, "number int, rows binary").repartitionById(to.tasks, "number")


def _sendable(apart: Mapping[int, pa.Buffer]) -> Iterator[list[int]]:
    """Numbers whose values fit one array together; each message to Java costs about a millisecond."""
    some: list[int] = []
    for number, value in apart.items():
        if some and sum(apart[one].size for one in some) + value.size > LARGEST_MESSAGE:
            yield some
            some = []
        some.append(number)
    if some:
        yield some


def _binary(values: Sequence[pa.Buffer]) -> "pa.Array[Any]":
    return pa.array([value.to_pybytes() for value in values], pa.binary())


def _received(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    parts: dict[Any, list[pa.Table]] = {}
    for batch in batches:
        for one, rows in zip(batch.column("number").to_pylist(), batch.column("rows"), strict=True):
            parts.setdefault(one, []).append(unpacked(rows.as_buffer()))
    for one in sorted(parts):
        yield pa.concat_tables(parts.pop(one)).combine_chunks()


def _apart(rows: pa.Table, numbers: Ints) -> Iterator[tuple[int, pa.Table]]:
    """Number -> its rows, in their order."""
    counts = np.bincount(numbers)
    found = np.flatnonzero(counts)
    if len(found) > 1:
        small = numbers.astype(np.min_scalar_type(len(counts)))  # NumPy sorts up to 16 bits by radix
        rows = rows.combine_chunks().take(np.argsort(small, kind="stable"))
    starts = np.cumsum(counts[found]) - counts[found]
    for one, start in zip(found.tolist(), starts.tolist(), strict=True):
        yield one, rows.slice(start, int(counts[one]))
