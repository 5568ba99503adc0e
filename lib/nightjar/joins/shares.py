"""How the spine is shared out to the tasks of a pass: by buckets, slices of heavy buckets, pieces of full slices."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from nightjar.asof.values import Column, Ints, column_of, instants, plain
from nightjar.joins.keys import Key, bucket_of
from nightjar.joins.slices import Cut
from nightjar.tables.hashing import is_hashable, xxhash64
from nightjar.tables.partition import balance
from nightjar.tables.rows import Rows, in_tasks

WORTH_A_TASK = 250_000  # rows of the spine; fewer are no burden to any task
SAMPLE = 100_000  # rows of a table by which it is judged how many there are of each slice
COUNTED = pa.schema({"slice": pa.int64(), "rows": pa.int64()})


@dataclass(frozen=True)
class Slices:
    """The slices of a pass: numbered by bucket, up to its first cut, and then one after each cut.

    Attributes:
        keys: spine column -> its type in the facts, in the order of the layout.
        buckets: their number.
        cuts: where heavy buckets are cut.
        prediction_time: the spine's column.
    """

    keys: Mapping[str, Key]
    buckets: int
    cuts: Sequence[Cut]
    prediction_time: str

    def __len__(self) -> int:
        """How many there are."""
        return self.buckets + len(self.cuts)

    def of(self, rows: pa.Table) -> Ints:
        """The slice of each row: that of its bucket in which its prediction time lies."""
        found = bucket = bucket_of(rows, self.keys, self.buckets)
        if self.cuts:
            at = self.times(rows)
            for place, (heavy, start) in enumerate(self.cuts):
                found = np.where((bucket == heavy) & (at >= start), self.buckets + place, found)
        return found

    def times(self, rows: pa.Table) -> Ints:
        """The prediction time of each row in microseconds; anything where it is null."""
        return instants(column_of(rows, self.prediction_time), f"spine, column {self.prediction_time!r}")

    def bucket_of_each(self) -> list[int]:
        """The bucket that each slice is of."""
        return [*range(self.buckets), *(heavy for heavy, _ in self.cuts)]


@dataclass(frozen=True)
class Shares:
    """The numbers that rows are sent to: one for each piece of each slice.

    Attributes:
        slices: there are.
        pieces: of each slice.
        number: of each piece, those of the first slice first.
        tasks: that share the numbers (see `exchange.Destination`).
    """

    slices: Slices
    pieces: Ints
    number: Ints
    tasks: int

    def number_of(self, rows: pa.Table) -> Ints:
        """The number of each row."""
        of_row = self.slices.of(rows)
        if len(self.number) == len(self.slices):
            return self.number[of_row]
        place = self._first[of_row]
        full = np.flatnonzero(self.pieces[of_row] > 1)
        place[full] += self._content(rows.take(full)) % self.pieces[of_row[full]]
        return self.number[place]

    def numbers_of(self, one: int) -> list[int]:
        """The numbers of the pieces of one slice."""
        first = int(self._first[one])
        return [int(number) for number in self.number[first : first + int(self.pieces[one])]]

    def _content(self, rows: pa.Table) -> Ints:
        """A number for each row by what is in it, at least 0.

        Not by its place: a task that is run again may be handed its rows in another order, and each must go where it
        went before.
        """
        hashed = [plain(column_of(rows, field.name)) for field in rows.schema if is_hashable(field.type)]
        times: Column = pa.array(self.slices.times(rows))
        return (xxhash64([times, *hashed]) >> np.uint64(1)).view(np.int64)

    @property
    def _first(self) -> Ints:
        """The place of each slice's first piece among all."""
        return np.cumsum(self.pieces) - self.pieces


def shares_of(slices: Slices, facts: Sequence[int], rows: Ints, most_tasks: int) -> Shares:
    """Pieces dealt to tasks so that each gets about as much, the largest pieces first.

    Args:
        slices: there are.
        facts: of each slice.
        rows: of the spine, about, of each slice; 0 where they were not counted.
        most_tasks: there are no more tasks than this, nor than pieces.
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


def counted(spine: Rows, slices: Slices) -> Ints:
    """About how many rows of the spine are in each slice, by a job of Spark unless the spine is small."""
    if spine.whole is not None:
        return _about(spine.whole(), slices)
    make, numbers = spine.make, np.arange(len(slices))

    def count(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for rows in make(batches):
            yield pa.RecordBatch.from_pydict({"slice": numbers, "rows": _about(rows, slices)}, COUNTED)

    told = in_tasks(spine.task_input, count, COUNTED).groupBy("slice").sum("rows").collect()
    rows_of = np.zeros(len(slices), np.int64)
    for number, rows in told:
        rows_of[number] = rows
    return rows_of


def _about(rows: pa.Table, slices: Slices) -> Ints:
    """How many rows are in each slice, by some of them from all over the table."""
    some = np.arange(0, len(rows), max(len(rows) // SAMPLE, 1))
    asked = rows.select([*slices.keys, slices.prediction_time]).take(some)
    return np.bincount(slices.of(asked), minlength=len(slices)) * len(rows) // max(len(some), 1)
