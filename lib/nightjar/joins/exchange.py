"""Rows moved between tasks in columns: what Spark shuffles is a few large binary values, and it never looks into them.

Its own shuffle would turn columns into rows and back, which costs as much as the join.
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
"""The number they are sent to, a name (none for the rows that are moved) and a packed table."""


@dataclass(frozen=True)
class Destination:
    """Where rows go.

    Attributes:
        number: of each row of a table, at least 0.
        tasks: how many; task n gets the rows of the numbers n, n + tasks, ...
    """

    number: Callable[[pa.Table], Ints]
    tasks: int


@dataclass(frozen=True)
class Parcel:
    """What was sent to one number.

    Attributes:
        number: that number.
        rows: the rows that are moved, at least one.
        beside: name -> what else was sent there.
    """

    number: int
    rows: pa.Table
    beside: Mapping[str, pa.Table]


Batches: TypeAlias = Iterator[pa.RecordBatch]
Received: TypeAlias = dict[int, dict[Any, pa.Table]]
"""Number -> name -> what was sent there."""
Opening: TypeAlias = Callable[[Batches], Iterator[Parcel]]
"""What a task makes of what it is given."""


def exchanged(before: Rows, to: Destination) -> Rows:
    """What was made before, in other tasks: each gets one table for each number that it has rows of."""
    given, opened = dispatched(before, to)

    def make(batches: Batches) -> Iterator[pa.Table]:
        return (parcel.rows for parcel in opened(batches))

    return Rows(given, make, before.schema)


def dispatched(before: Rows, to: Destination, beside: DataFrame | None = None) -> tuple[DataFrame, Opening]:
    """What tasks are given, and what each makes of it: a parcel for each number that it has rows of, ascending.

    Rows are moved to their tasks, unless every task can make them all: then each picks its own.

    Args:
        before: the rows.
        to: where they go.
        beside: messages with what else is sent to the same numbers.
    """
    if before.whole is not None and beside is None:
        return number_tasks(before.task_input.sparkSession, to.tasks), _picking(before.whole, to, _nothing_beside)
    if before.whole is not None:
        moved, opened = _turns(before.task_input.sparkSession, to.tasks), _picking(before.whole, to, _received)
    else:
        moved, opened = sent(before, to), _parcels
    messages = moved if beside is None else moved.union(beside)
    return messages.repartitionById(to.tasks, "number"), opened


def _picking(whole: Callable[[], pa.Table], to: Destination, received: Callable[[Batches], Received]) -> Opening:
    """Each task makes all rows, and parcels of those that go to the numbers of the tasks it was told."""

    def pick(batches: Batches) -> Iterator[Parcel]:
        beside = received(batches)
        for task in sorted({number % to.tasks for number in beside}):
            rows = whole()
            of_rows = to.number(rows)
            for number, mine in _apart(rows, of_rows, np.flatnonzero(of_rows % to.tasks == task)):
                yield Parcel(number, mine, beside.pop(number, {}))

    return pick


def _nothing_beside(batches: Batches) -> Received:
    return {number: {} for number in task_numbers(batches)}


def _turns(spark: SparkSession, tasks: int) -> DataFrame:
    """A message to each task, so that none stays without one."""

    def tell(batches: Batches) -> Batches:
        return batched((task, "", packed(pa.table({}))) for task in task_numbers(batches))

    return in_tasks(spark.range(0, tasks, 1, 1), tell, MESSAGE)


def sent(rows: Rows, to: Destination, name: str | None = None) -> DataFrame:
    """Messages with some rows: those that are moved, or under a name what goes beside them."""
    make = rows.make  # a task can be sent this, not the DataFrame

    def send(batches: Batches) -> Batches:
        for made in make(batches):
            apart = _apart(made, to.number(made), np.arange(len(made)))
            yield from batched((number, name, packed(part)) for number, part in apart)

    return in_tasks(rows.task_input, send, MESSAGE)


def _parcels(batches: Batches) -> Iterator[Parcel]:
    """What a task was sent; no parcel where no row was moved."""
    sent = _received(batches)
    for number in sorted(sent):
        beside = sent.pop(number)
        moved = beside.pop(None, None)
        if moved is not None:
            yield Parcel(number, moved.combine_chunks(), beside)


def _received(batches: Batches) -> Received:
    parts: dict[int, dict[Any, list[pa.Table]]] = {}
    for batch in batches:
        for number, name, rows in zip(*batch.columns, strict=True):
            named = parts.setdefault(number.as_py(), {})
            named.setdefault(name.as_py(), []).append(unpacked(rows.as_buffer()))
    return {number: {name: pa.concat_tables(some) for name, some in named.items()} for number, named in parts.items()}


def batched(messages: Iterable[Message]) -> Batches:
    """Messages, as many at once as fit one array together: each batch to Java costs about a millisecond."""
    some: list[Message] = []
    size = 0
    for message in messages:
        if some and size + message[2].size > LARGEST_BATCH:
            yield _batch(some)
            some, size = [], 0
        some.append(message)
        size += message[2].size
    if some:
        yield _batch(some)


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


def _batch(messages: Iterable[Message]) -> pa.RecordBatch:
    numbers, names, tables = zip(*messages, strict=True)
    values = [numbers, names, [table.to_pybytes() for table in tables]]
    columns: list[Any] = [pa.array(one, kind) for one, kind in zip(values, COLUMNS.values(), strict=True)]
    return pa.record_batch(columns, schema=MESSAGE)


def _apart(rows: pa.Table, numbers: Ints, which: Ints) -> Iterator[tuple[int, pa.Table]]:
    """Number -> those of some rows that have it, in their order."""
    mine = numbers[which]
    counts = np.bincount(mine)
    found = np.flatnonzero(counts)
    small = mine.astype(np.min_scalar_type(len(counts)))  # NumPy sorts up to 16 bits by radix
    rows = rows.combine_chunks().take(which[np.argsort(small, kind="stable")])
    starts = np.cumsum(counts[found]) - counts[found]
    for one, start in zip(found.tolist(), starts.tolist(), strict=True):
        yield one, rows.slice(start, int(counts[one]))
