"""Rows that tasks make, of what Spark hands to them or of files that they read themselves. Nothing runs until asked."""

import gc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

Making: TypeAlias = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.Table]]
"""What a task does: its share of Spark's rows -> the rows that it makes of them."""
ROWS_AT_ONCE = 1_000_000
ROWS_PER_BATCH = 50_000


@dataclass(frozen=True)
class Rows:
    """Rows as a DataFrame by `frame()`, or stored by the tasks that make them, by `sink.collect`.

    Attributes:
        given: what Spark hands to the tasks.
        make: what a task makes of its share.
        schema: of what it makes.
        whole: all rows, which any task can make: they are few. None where it cannot.
    """

    given: DataFrame
    make: Making
    schema: pa.Schema
    whole: Callable[[], pa.Table] | None = None

    def frame(self) -> DataFrame:
        """The rows as a DataFrame."""
        make = self.make  # a task can be sent this, not the DataFrame

        def task(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for made in make(batches):
                yield from made.combine_chunks().to_batches(max_chunksize=ROWS_PER_BATCH)

        return in_tasks(self.given, task, self.schema)


def numbered(spark: SparkSession, tasks: int) -> DataFrame:
    """So many tasks, given nothing but their numbers from 0 up."""
    return spark.range(0, tasks, 1, max(tasks, 1))


def numbers(batches: Iterator[pa.RecordBatch]) -> Iterator[int]:
    """The numbers that a task was given."""
    return (int(number.as_py()) for batch in batches for number in batch.column(0))


def of_frame(frame: DataFrame) -> Rows:
    """The rows of a DataFrame, in tables of about a million."""
    return Rows(frame, in_parts, to_arrow_schema(frame.schema, timezone="UTC"))


def in_tasks(
    frame: DataFrame, task: Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]], schema: pa.Schema
) -> DataFrame:
    """What tasks make of their shares of a DataFrame.

    A Python worker of Spark looks for garbage after each task, through all that its modules hold: as much time as a
    small task takes. So what is there when a task begins is not looked at again.
    """

    def settled(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        gc.freeze()
        return task(batches)

    return frame.mapInArrow(settled, from_arrow_schema(schema))


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
