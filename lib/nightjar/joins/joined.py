"""A join that has been planned, not yet run: rows, and what a task makes of its share of them."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import from_arrow_schema

from nightjar.tables.sink import Making

ROWS_PER_BATCH = 50_000


@dataclass(frozen=True)
class Joined:
    """The result of a join: as a DataFrame by `frame()`, or made and stored by the same tasks by `sink.collect`.

    Attributes:
        rows: where they have to be for the join.
        make: what a task makes of its share.
        schema: of what it makes.
        placed: whether the rows were moved to the facts they are joined with.
    """

    rows: DataFrame
    make: Making
    schema: pa.Schema
    placed: bool = False

    def frame(self) -> DataFrame:
        """The result as a DataFrame."""
        make = self.make  # a task can be sent this, not the DataFrame

        def task(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for made in make(batches):
                yield from made.combine_chunks().to_batches(max_chunksize=ROWS_PER_BATCH)

        return self.rows.mapInArrow(task, from_arrow_schema(self.schema))
