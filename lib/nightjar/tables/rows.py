"""Rows that tasks make, of Spark's rows or of files that they read themselves. Lazy, as DataFrames are."""

import gc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema
from pyspark.sql.types import DataType, StructType
from threadpoolctl import threadpool_limits

from nightjar.settings.environment import FEW_ROWS

TaskFunction: TypeAlias = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.Table]]
"""A task's share of Spark's rows -> the rows that it makes of them."""
ROWS_AT_ONCE = 1_000_000
ROWS_PER_BATCH = 50_000
MOST_HERE, MOST_VALUES = 50_000, 1_000_000
"""Rows, and rows times columns, that are few: this process's Java holds each value several times, in some 30 bytes."""


@dataclass(frozen=True)
class Rows:
    """Rows as a DataFrame by `frame()`, or stored by the tasks that make them, by `sink.collect`.

    Attributes:
        task_input: what Spark hands to the tasks.
        make: what a task does with its share.
        schema: of the rows that tasks make.
        whole: makes all rows, where they are few enough for any task to do so; else None.
        by_tasks: whether tasks make them however few they are, as what they are made of is much.
    """

    task_input: DataFrame
    make: TaskFunction
    schema: pa.Schema
    whole: Callable[[], pa.Table] | None = None
    by_tasks: bool = False

    def frame(self) -> DataFrame:
        """The rows as a DataFrame; few rows are made now, in this process."""
        few = None if self.by_tasks else few_rows(self.task_input)
        if few is not None:
            with threadpool_limits(1):  # as a task has
                tables = list(self.make(iter(few.to_batches())))
            table = pa.concat_tables(tables) if tables else self.schema.empty_table()
            return self.task_input.sparkSession.createDataFrame(table, from_arrow_schema(self.schema))
        make = self.make  # a DataFrame cannot be sent to tasks

        def task(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for table in make(batches):
                yield from table.combine_chunks().to_batches(max_chunksize=ROWS_PER_BATCH)

        return in_tasks(self.task_input, task, self.schema)


def are_few(frame: DataFrame) -> bool:
    """Whether its session has few rows to work on, which are made in this process sooner than tasks are started."""
    return has_few(frame.sparkSession)


def has_few(spark: SparkSession) -> bool:
    """Whether a session has few rows to work on."""
    return spark.conf.get(FEW_ROWS, None) == "true"


def few_rows(frame: DataFrame) -> pa.Table | None:
    """The rows, computed now, where they are few; else None."""
    if not are_few(frame):
        return None
    most = most_here(frame.schema)
    rows = frame.limit(most + 1).toArrow()  # this time they may be many
    return None if len(rows) > most else rows


def most_here(schema: StructType) -> int:
    """How many rows of these columns are few."""
    return min(MOST_HERE, MOST_VALUES // max(1, _count_values(schema)))


def _count_values(kind: DataType) -> int:
    """The values of one row, those within structs each."""
    return sum(_count_values(field.dataType) for field in kind.fields) if isinstance(kind, StructType) else 1


def settle(frame: DataFrame) -> DataFrame:
    """The same rows; few are computed now, so that all that is made of them begins there."""
    rows = few_rows(frame)
    return frame if rows is None else frame.sparkSession.createDataFrame(rows, frame.schema)


def number_tasks(spark: SparkSession, tasks: int) -> DataFrame:
    """The input of so many tasks that get nothing but their numbers from 0 up."""
    return spark.range(0, tasks, 1, max(tasks, 1))


def task_numbers(batches: Iterator[pa.RecordBatch]) -> Iterator[int]:
    """The numbers in a task's share of `number_tasks`."""
    return (int(number.as_py()) for batch in batches for number in batch.column(0))


def of_frame(frame: DataFrame) -> Rows:
    """The rows of a DataFrame, in tables of about a million."""
    return Rows(frame, in_parts, to_arrow_schema(frame.schema, timezone="UTC"))


def in_tasks(
    frame: DataFrame, task: Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]], schema: pa.Schema
) -> DataFrame:
    """The rows that tasks make of their shares of a DataFrame.

    A Python worker of Spark collects garbage after each task, through all objects of its modules, which takes as long
    as a small task. So objects that exist when a task begins are frozen: the collector skips them.

    Arrow has one thread there, as all other libraries have: the tasks already fill the cores.
    """

    def frozen(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        gc.freeze()
        pa.set_cpu_count(1)
        return task(batches)

    return frame.mapInArrow(frozen, from_arrow_schema(schema))


def in_parts(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """A task's share of the rows in tables of about a million rows, the last one smaller; none where it has none."""
    return merge_tables(pa.Table.from_batches([batch]) for batch in batches)


def merge_tables(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in tables of about a million rows; larger tables stay as they are, empty ones are dropped."""
    pending: list[pa.Table] = []
    for table in tables:
        pending.append(table)
        if sum(map(len, pending)) >= ROWS_AT_ONCE:
            yield pa.concat_tables(pending)
            pending = []
    if sum(map(len, pending)):
        yield pa.concat_tables(pending)
