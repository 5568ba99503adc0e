"""The spine divided among the tasks of a stage: by buckets, slices of heavy buckets, pieces of full slices."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from nightjar.asof.values import ArrowArray, Ints, column_of, instants, plain
from nightjar.joins.keys import Key, bucket_of
from nightjar.joins.slices import Cut
from nightjar.tables.file_splits import balance
from nightjar.tables.hashing import is_hashable, xxhash64
from nightjar.tables.rows import Rows, in_tasks

WORTH_A_TASK = 250_000  # rows of the spine; fewer do not justify a task of their own
SAMPLE = 100_000  # rows of a table from which the rows of each slice are estimated
COUNTS = pa.schema({"slice": pa.int64(), "rows": pa.int64()})


@dataclass(frozen=True)
class Slices:
    """The slices of a stage: slice n is bucket n up to its first cut; then comes one slice after each cut.

    Attributes:
        keys: spine column -> its key in the facts, in the order of the layout.
        buckets: the number of buckets.
        cuts: where heavy buckets are cut.
        prediction_time: the spine's column.
    """

    keys: Mapping[str, Key]
    buckets: int
    cuts: Sequence[Cut]
    prediction_time: str

    def __len__(self) -> int:
        """The number of slices."""
        return self.buckets + len(self.cuts)

    def of(self, rows: pa.Table) -> Ints:
        """The slice of each row, by its bucket and prediction time."""
        slices = bucket = bucket_of(rows, self.keys, self.buckets)
        if self.cuts:
            times = self.times(rows)
            for place, (heavy, start) in enumerate(self.cuts):
                slices = np.where((bucket == heavy) & (times >= start), self.buckets + place, slices)
        return slices

    def times(self, rows: pa.Table) -> Ints:
        """The prediction time of each row in microseconds; undefined where it is null."""
        return instants(column_of(rows, self.prediction_time), f"spine, column {self.prediction_time!r}")

    def bucket_of_each(self) -> list[int]:
        """The bucket of each slice."""
        return [*range(self.buckets), *(heavy for heavy, _ in self.cuts)]


@dataclass(frozen=True)
class Shares:
    """The numbers that rows are sent to: one for each piece of each slice.

    Attributes:
        slices: of the stage.
        pieces: the number of pieces of each slice.
        number: of each piece, those of the first slice first.
        tasks: their number (see `exchange.Destination`).
    """

    slices: Slices
    pieces: Ints
    number: Ints
    tasks: int

    def number_of(self, rows: pa.Table) -> Ints:
        """The number of each row."""
        slice_of_row = self.slices.of(rows)
        if len(self.number) == len(self.slices):
            return self.number[slice_of_row]
        place = self._first[slice_of_row]
        divided = np.flatnonzero(self.pieces[slice_of_row] > 1)
        place[divided] += self._content(rows.take(divided)) % self.pieces[slice_of_row[divided]]
        return self.number[place]

    def numbers_of(self, slice_number: int) -> list[int]:
        """The numbers of the pieces of one slice."""
        first = int(self._first[slice_number])
        return [int(number) for number in self.number[first : first + int(self.pieces[slice_number])]]

    def _content(self, rows: pa.Table) -> Ints:
        """A hash of each row's values, at least 0.

        Not of its position: a task that is run again may get its rows in another order, and each must go to the same
        number as before.
        """
        hashable = [plain(column_of(rows, field.name)) for field in rows.schema if is_hashable(field.type)]
        times: ArrowArray = pa.array(self.slices.times(rows))
        return (xxhash64([times, *hashable]) >> np.uint64(1)).view(np.int64)

    @property
    def _first(self) -> Ints:
        """The index of each slice's first piece among all."""
        return np.cumsum(self.pieces) - self.pieces


def shares_of(slices: Slices, facts: Sequence[int], rows: Ints, most_tasks: int) -> Shares:
    """Divide slices into pieces and balance these over tasks, the largest pieces first.

    Args:
        slices: of the stage.
        facts: the number of facts of each slice.
        rows: the estimated rows of the spine of each slice; 0 where they were not counted.
        most_tasks: upper limit of tasks; there are no more than pieces either.
    """
    fair = max(int(rows.sum()) // most_tasks, WORTH_A_TASK)
    pieces = np.where(rows > 2 * fair, np.minimum(-(-rows // fair), most_tasks), 1)
    slice_of = np.repeat(np.arange(len(slices)), pieces)
    tasks = min(len(slice_of), most_tasks)
    weights = np.asarray(facts)[slice_of] + (rows // pieces)[slice_of]
    number = np.zeros(len(slice_of), np.int64)
    for task, places in enumerate(balance(weights.tolist(), tasks)):
        number[places] = task + tasks * np.arange(len(places))
    return Shares(slices, pieces, number, tasks)


def count_rows(spine: Rows, slices: Slices) -> Ints:
    """Estimate the spine's rows in each slice, by a job of Spark unless the spine is small."""
    if spine.whole is not None:
        return _estimate_rows(spine.whole(), slices)
    make, numbers = spine.make, np.arange(len(slices))

    def count(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for rows in make(batches):
            yield pa.RecordBatch.from_pydict({"slice": numbers, "rows": _estimate_rows(rows, slices)}, COUNTS)

    counts = in_tasks(spine.task_input, count, COUNTS).groupBy("slice").sum("rows").collect()
    rows_of = np.zeros(len(slices), np.int64)
    for number, rows in counts:
        rows_of[number] = rows
    return rows_of


def _estimate_rows(rows: pa.Table, slices: Slices) -> Ints:
    """Estimate the rows in each slice from a sample that is spread over the table."""
    sample = np.arange(0, len(rows), max(len(rows) // SAMPLE, 1))
    sampled_rows = rows.select([*slices.keys, slices.prediction_time]).take(sample)
    return np.bincount(slices.of(sampled_rows), minlength=len(slices)) * len(rows) // max(len(sample), 1)
