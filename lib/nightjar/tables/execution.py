"""Where rows are made of a partition's rows: few in this process, many by Spark's tasks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
from pyspark.sql import SparkSession

from nightjar.tables import scan, sink
from nightjar.tables.datafiles import NewFile
from nightjar.tables.file_splits import Stretch, has_values, read_partition, read_stretches
from nightjar.tables.rows import TaskFunction, in_tasks
from nightjar.tables.sink import Target, UnfinishedTask
from nightjar.tables.warehouse import Warehouse

FEW_ROWS = 100_000
"""So many rows are made sooner in this process than Spark's tasks are started, and far sooner than Spark is."""
Make = Callable[[TaskFunction], UnfinishedTask]
"""What reads a share of the rows -> what makes rows of them."""
Say = Callable[[TaskFunction], Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]]
"""What reads a share of the rows -> what says something of them."""


def collect(
    session: Callable[[], SparkSession],
    warehouse: Warehouse,
    table: str,
    version: int,
    columns: Sequence[str],
    values: Mapping[str, Any],
    make: Make,
    into: Target,
    few_rows: int = FEW_ROWS,
) -> tuple[list[NewFile], list[pa.Table]]:
    """Make rows of one partition's, and write them; the files, which are not committed yet, and the rows to finish.

    Both ways give the same rows. In this process one thread works, as in a task.

    Args:
        session: Spark's, which is not asked for where there are few rows.
        warehouse: where the table lies.
        table: that is read.
        version: its Delta version.
        columns: to read.
        values: partition column -> value.
        make: makes the rows.
        into: the table that they are written for.
        few_rows: so many, or fewer, are made here.

    Raises:
        NightjarError: what the making raised; nothing will be committed.
    """
    read = _read_here(warehouse, table, version, columns, values, few_rows)
    if read is not None:
        return sink.make_here([sink.only_task()], make(read), into)
    night = read_partition(session(), warehouse, table, version, columns, values)
    return sink.collect_parts(night.task_input, make(night.make), into)


def messages(
    session: Callable[[], SparkSession],
    warehouse: Warehouse,
    table: str,
    version: int,
    columns: Sequence[str],
    values: Mapping[str, Any],
    say: Say,
    schema: pa.Schema,
) -> list[dict[str, Any]]:
    """What there is to say of one partition's rows, share by share, for the driver to put together; nothing is written.

    Args:
        session: Spark's, which is not asked for where there are few rows.
        warehouse: where the table lies.
        table: that is read.
        version: its Delta version.
        columns: to read.
        values: partition column -> value.
        say: reads a share, and says something of it.
        schema: of what is said.

    Raises:
        NightjarError: what the reading raised.
    """
    read = _read_here(warehouse, table, version, columns, values, FEW_ROWS)
    if read is not None:
        return [message for batch in say(read)(iter([sink.only_task()])) for message in batch.to_pylist()]
    night = read_partition(session(), warehouse, table, version, columns, values)
    return [row.asDict() for row in in_tasks(night.task_input, say(night.make), schema).collect()]


def _read_here(
    warehouse: Warehouse, table: str, version: int, columns: Sequence[str], values: Mapping[str, Any], few_rows: int
) -> TaskFunction | None:
    """What reads a partition of few rows in this process; None: they are too many, or Spark alone can read them."""
    files = scan.snapshot(warehouse, table, version)
    partition = files.where(has_values(values))
    counted = all(file.rows for file in partition.files)  # of another engine's files nobody may know their rows
    if files.unreadable is not None or not counted or partition.rows > few_rows:
        return None
    return read_stretches(partition, [[Stretch(file) for file in partition.files]], columns)
