"""Shuffle rows between tasks as packed Arrow tables: Spark moves a few large binary values.

Its own shuffle would convert columns to rows and back, which costs as much as the join.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from nightjar.asof.values import Ints
from nightjar.tables.rows import Rows, in_tasks, number_tasks, task_numbers

LARGEST_BATCH = 256 << 20  # bytes; an array of binary values holds 2 GB
COLUMNS: dict[str, pa.DataType] = {"number": pa.int32(), "name": pa.string(), "rows": pa.binary()}
MESSAGE = pa.schema(COLUMNS)
Message: TypeAlias = tuple[int, str | None, pa.Buffer]
"""The number that a table is sent to, its name (None: rows of the spine) and the packed table."""


@dataclass(frozen=True)
class Destination:
    """The partitioning of a shuffle.

    Attributes:
        number: returns the number of each row of a table, at least 0.
        tasks: their number; task n gets the rows of the numbers n, n + tasks, ...
    """

    number: Callable[[pa.Table], Ints]
    tasks: int


@dataclass(frozen=True)
class ShuffleBlock:
    """The tables that were sent to one number.

    Attributes:
        number: that number.
        rows: of the spine, at least one.
        extras: name -> a table that was sent along, such as facts.
    """

    number: int
    rows: pa.Table
    extras: Mapping[str, pa.Table]


Batches: TypeAlias = Iterator[pa.RecordBatch]
Received: TypeAlias = dict[int, dict[Any, pa.Table]]
"""Number -> name -> table that was sent there."""
Receiver: TypeAlias = Callable[[Batches], Iterator[ShuffleBlock]]
"""A task's input -> its blocks."""


def exchange_rows(rows: Rows, to: Destination) -> Rows:
    """The same rows in other tasks: each gets one table for each of its numbers that has rows."""
    task_input, receive = dispatch(rows, to)

    def make(batches: Batches) -> Iterator[pa.Table]:
        return (block.rows for block in receive(batches))

    return Rows(task_input, make, rows.schema)


def dispatch(rows: Rows, to: Destination, extras: DataFrame | None = None) -> tuple[DataFrame, Receiver]:
    """The input of the receiving tasks, and their function: a block for each number that has rows, ascending.

    Rows are shuffled, unless every task can make them all: then each task selects its own.

    Args:
        rows: to send.
        to: where they go.
        extras: messages with other tables that are sent to the same numbers.
    """
    if rows.whole is not None and extras is None:
        return number_tasks(rows.task_input.sparkSession, to.tasks), _pick_own(rows.whole, to, _no_extras)
    if rows.whole is not None:
        messages, receive = _empty_messages(rows.task_input.sparkSession, to.tasks), _pick_own(rows.whole, to, _receive)
    else:
        messages, receive = messages_of(rows, to), _blocks
    messages = messages if extras is None else messages.union(extras)
    return messages.repartitionById(to.tasks, "number"), receive


def _pick_own(whole: Callable[[], pa.Table], to: Destination, received: Callable[[Batches], Received]) -> Receiver:
    """A receiver that makes all rows, and blocks of those whose numbers belong to its tasks."""

    def pick(batches: Batches) -> Iterator[ShuffleBlock]:
        extras = received(batches)
        for task in sorted({number % to.tasks for number in extras}):
            rows = whole()
            numbers_of_rows = to.number(rows)
            for number, own_rows in _split(rows, numbers_of_rows, np.flatnonzero(numbers_of_rows % to.tasks == task)):
                yield ShuffleBlock(number, own_rows, extras.pop(number, {}))

    return pick


def _no_extras(batches: Batches) -> Received:
    return {number: {} for number in task_numbers(batches)}


def _empty_messages(spark: SparkSession, tasks: int) -> DataFrame:
    """One empty message to each task, so that every task runs."""

    def send(batches: Batches) -> Batches:
        return batch_messages((task, "", pack(pa.table({}))) for task in task_numbers(batches))

    return in_tasks(spark.range(0, tasks, 1, 1), send, MESSAGE)


def messages_of(rows: Rows, to: Destination, name: str | None = None) -> DataFrame:
    """Messages with some rows: of the spine, or under a name those that are sent along."""
    make = rows.make  # a DataFrame cannot be sent to tasks

    def send(batches: Batches) -> Batches:
        for table in make(batches):
            parts = _split(table, to.number(table), np.arange(len(table)))
            yield from batch_messages((number, name, pack(part)) for number, part in parts)

    return in_tasks(rows.task_input, send, MESSAGE)


def _blocks(batches: Batches) -> Iterator[ShuffleBlock]:
    """The blocks of the messages to a task; none where no row of the spine was sent."""
    received = _receive(batches)
    for number in sorted(received):
        tables = received.pop(number)
        block_rows = tables.pop(None, None)
        if block_rows is not None:
            yield ShuffleBlock(number, block_rows.combine_chunks(), tables)


def _receive(batches: Batches) -> Received:
    parts: dict[int, dict[Any, list[pa.Table]]] = {}
    for batch in batches:
        for number, name, rows in zip(*batch.columns, strict=True):
            tables = parts.setdefault(number.as_py(), {})
            tables.setdefault(name.as_py(), []).append(unpack(rows.as_buffer()))
    return {
        number: {name: pa.concat_tables(pieces) for name, pieces in named.items()} for number, named in parts.items()
    }


def batch_messages(messages: Iterable[Message]) -> Batches:
    """Messages in batches, as many in each as fit one array: each batch to Java costs about a millisecond."""
    batch: list[Message] = []
    size = 0
    for message in messages:
        if batch and size + message[2].size > LARGEST_BATCH:
            yield _batch(batch)
            batch, size = [], 0
        batch.append(message)
        size += message[2].size
    if batch:
        yield _batch(batch)


def pack(rows: pa.Table) -> pa.Buffer:
    """A table as one binary value."""
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, rows.schema) as writer:
        writer.write_table(rows.combine_chunks())
    return stream.getvalue()


def unpack(value: bytes | pa.Buffer) -> pa.Table:
    """The table that was packed."""
    return pa.ipc.open_stream(value).read_all()


def tasks_of_a_shuffle(spark: SparkSession) -> int:
    """Spark's number of shuffle partitions."""
    return int(spark.conf.get("spark.sql.shuffle.partitions") or 1)


def _batch(messages: Iterable[Message]) -> pa.RecordBatch:
    numbers, names, tables = zip(*messages, strict=True)
    values = [numbers, names, [table.to_pybytes() for table in tables]]
    columns: list[Any] = [
        pa.array(column_values, kind) for column_values, kind in zip(values, COLUMNS.values(), strict=True)
    ]
    return pa.record_batch(columns, schema=MESSAGE)


def _split(rows: pa.Table, numbers: Ints, which: Ints) -> Iterator[tuple[int, pa.Table]]:
    """Number -> those of the selected rows that have it, in their order."""
    selected = numbers[which]
    counts = np.bincount(selected)
    present = np.flatnonzero(counts)
    sort_keys = selected.astype(np.min_scalar_type(len(counts)))  # NumPy sorts up to 16 bits by radix
    rows = rows.combine_chunks().take(which[np.argsort(sort_keys, kind="stable")])
    starts = np.cumsum(counts[present]) - counts[present]
    for number, start in zip(present.tolist(), starts.tolist(), strict=True):
        yield number, rows.slice(start, int(counts[number]))
