"""Where rows are made of a partition's rows: few in this process, many by Spark's tasks."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
from pyspark.sql import SparkSession

from nightjar.tables import scan, sink
from nightjar.tables.datafiles import NewFile
from nightjar.tables.file_splits import Stretch, has_values, read_partition, read_stretches
from nightjar.tables.rows import TaskFunction
from nightjar.tables.sink import Target, UnfinishedTask
from nightjar.tables.warehouse import Warehouse

FEW_ROWS = 100_000
"""So many rows are made sooner in this process than Spark's tasks are started, and far sooner than Spark is."""
Make = Callable[[TaskFunction], UnfinishedTask]
"""What reads a share of the rows -> what makes rows of them."""


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
    files = scan.snapshot(warehouse, table, version)
    partition = files.where(has_values(values))
    counted = all(file.rows for file in partition.files)  # of another engine's files nobody may know their rows
    if files.unreadable is None and counted and partition.rows <= few_rows:
        read = read_stretches(partition, [[Stretch(file) for file in partition.files]], columns)
        return sink.make_here(make(read), into)
    night = read_partition(session(), warehouse, table, version, columns, values)
    return sink.collect_parts(night.task_input, make(night.make), into)
