"""One look at the rows of a partition: in this process by its processors, or by Spark's tasks where there are many."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial, reduce
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import SparkSession

from nightjar.monitoring.tallies import Tally, TallyPlan, add, tally
from nightjar.tables import scan
from nightjar.tables.file_splits import has_values, read_partition
from nightjar.tables.rows import TaskFunction, in_tasks
from nightjar.tables.warehouse import Warehouse

MOST_CELLS = 500_000_000
"""Rows times columns that are counted here: in some ten seconds, which Spark's session takes to start."""
MESSAGE = pa.schema({"of": pa.string(), "subject": pa.string(), "counts": pa.list_(pa.int64())})
Prepare: TypeAlias = Callable[[pa.Table], pa.Table]
"""Rows as they are stored -> rows with the columns of a plan."""


def as_stored(rows: pa.Table) -> pa.Table:
    """Rows whose columns are counted as they are."""
    return rows


def count_partition(
    session: Callable[[], SparkSession],
    warehouse: Warehouse,
    table: str,
    version: int,
    values: Mapping[str, Any],
    plan: TallyPlan,
    columns: Iterable[str] = (),
    prepare: Prepare = as_stored,
) -> Tally:
    """Count the rows of one partition; both ways give the same counts.

    Args:
        session: gives Spark's, which is asked for only where there are many rows.
        warehouse: where the table lies.
        table: its name.
        version: its Delta version.
        values: partition column -> value.
        plan: what is counted.
        columns: to read; none: those of the plan.
        prepare: makes the plan's columns of them; it has to be fit to be sent to tasks.
    """
    names = list(columns) or plan.columns
    files = scan.snapshot(warehouse, table, version).where(has_values(values))
    counted = all(file.rows for file in files.files)
    if files.unreadable is None and counted and files.rows * len(names) <= MOST_CELLS:
        return count_batches(scan.batches(files, names, pc.scalar(True)), plan, prepare)
    parts = read_partition(session(), warehouse, table, version, names, values)
    messages = in_tasks(parts.task_input, partial(_in_task, parts.make, plan, prepare), MESSAGE).collect()
    one_each = ({(row["of"], row["subject"]): np.array(row["counts"], np.int64)} for row in messages)
    return reduce(add, one_each, Tally())


def count_batches(batches: Iterable[pa.RecordBatch], plan: TallyPlan, prepare: Prepare = as_stored) -> Tally:
    """Count some rows after others in as many threads as this process has processors; few batches are in memory."""
    processors = len(os.sched_getaffinity(0))
    total, pending = Tally(), deque[Future[Tally]]()
    with ThreadPoolExecutor(processors) as pool:
        for batch in batches:
            pending.append(pool.submit(_tally_batch, plan, prepare, batch))
            if len(pending) > processors:
                add(total, pending.popleft().result())
        for part in pending:
            add(total, part.result())
    return total


def _tally_batch(plan: TallyPlan, prepare: Prepare, batch: pa.RecordBatch) -> Tally:
    return tally(plan, prepare(pa.Table.from_batches([batch])))


def _in_task(
    make: TaskFunction, plan: TallyPlan, prepare: Prepare, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """A task's share, table by table, so that no more than one is in memory."""
    total = reduce(add, (tally(plan, prepare(table)) for table in make(batches)), Tally())
    columns = [[of for of, _ in total], [subject for _, subject in total], [one.tolist() for one in total.values()]]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, MESSAGE, strict=True)]
    yield pa.record_batch(arrays, schema=MESSAGE)
