"""The as-of join with facts that are laid out for its keys: the spine is shuffled to them, they stay where they are.

Each task gets the spine rows of some buckets, and reads the files of one after another. Facts are neither shuffled nor
turned into rows. Sources that are laid out alike for the same spine columns share one shuffle.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from nightjar.asof.keys import by_keys_and_time, lossless
from nightjar.asof.values import INSTANT, Ints, column_of, instants, plain
from nightjar.joins import reading, slices
from nightjar.joins.exchange import Destination, dispatched, tasks_of_a_shuffle
from nightjar.joins.planner import Planned
from nightjar.joins.reading import Share
from nightjar.joins.stored import join_facts
from nightjar.tables import layouts
from nightjar.tables.hashing import buckets_of
from nightjar.tables.partition import dealt
from nightjar.tables.rows import Rows
from nightjar.tables.scan import Snapshot


@dataclass(frozen=True)
class Pass:
    """What can be joined by one move of the spine: the same spine columns, of the same types, in as many buckets.

    Attributes:
        planned: what is joined.
        files: for each bucket, layout -> its files.
        cuts: where heavy buckets are cut into slices.
    """

    planned: Sequence[Planned]
    files: Sequence[Mapping[str, Snapshot]]
    cuts: Sequence[slices.Cut]

    def joined(self, before: Rows, prediction_time: str, known_by: str | None) -> Rows:
        """What was joined before, with these facts.

        A task holds the rows of its shares, or all rows of a small spine in files, and, of one share at a time, the
        columns that are asked of the facts they can see, and the result. There are as many tasks as there are shares,
        but not more than Spark is told to make of a shuffle.
        """
        spark, planned = before.given.sparkSession, self.planned
        keys, cuts, buckets = _keys(planned[0]), self.cuts, len(self.files)
        shares = [*(Share(files) for files in self.files), *(Share(self.files[heavy], start) for heavy, start in cuts)]
        tasks = min(len(shares), tasks_of_a_shuffle(spark))
        number = self._numbers(tasks)
        share_at = dict(zip(number.tolist(), shares, strict=True))

        def number_of(rows: pa.Table) -> Ints:
            return number[_shares(rows, keys, buckets, cuts, prediction_time)]

        carried = slices.carried_on(spark, planned, self.files, cuts, number[buckets:].tolist()) if cuts else None
        given, opened = dispatched(before, Destination(number_of, tasks), carried)

        def make(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
            for parcel in opened(batches):
                rows = parcel.rows.take(_as_facts_lie(parcel.rows, keys, prediction_time))
                share, carried = share_at[parcel.number], parcel.beside
                facts = reading.laid_out(planned, rows, share, carried, prediction_time, known_by)
                yield join_facts(rows, facts, prediction_time, known_by)

        return Rows(given, make, before.schema)

    def _numbers(self, tasks: int) -> Ints:
        """What messages to each share are numbered with: tasks get as many facts, and the largest shares first."""
        rows = slices.facts_in(self.files)
        buckets = [*range(len(rows)), *(heavy for heavy, _ in self.cuts)]  # of each share
        slices_of = Counter(buckets)
        numbers = np.zeros(len(buckets), np.int64)
        for task, shares in enumerate(dealt([rows[bucket] // slices_of[bucket] for bucket in buckets], tasks)):
            numbers[shares] = task + tasks * np.arange(len(shares))
        return numbers


def _shares(
    rows: pa.Table, keys: Mapping[str, "Key"], buckets: int, cuts: Sequence[slices.Cut], prediction_time: str
) -> Ints:
    """The share of each row of the spine: its bucket, or the slice of that in which its prediction time lies."""
    columns = [lossless(plain(column_of(rows, name)), key.kind, key.where) for name, key in keys.items()]
    found = bucket = buckets_of(columns, buckets)
    if cuts:
        at = instants(column_of(rows, prediction_time), f"spine, column {prediction_time!r}")
        for place, (heavy, instant) in enumerate(cuts):
            later = (bucket == heavy) & (at >= pa.scalar(instant, INSTANT).cast(pa.int64()).as_py())
            found = np.where(later, buckets + place, found)
    return found


def _as_facts_lie(rows: pa.Table, keys: Mapping[str, "Key"], prediction_time: str) -> Ints:
    at = instants(column_of(rows, prediction_time), f"spine, column {prediction_time!r}")
    return by_keys_and_time([column_of(rows, name) for name in keys], at)


@dataclass(frozen=True)
class Key:
    """The type that a key has in the facts, and a text for errors."""

    kind: pa.DataType
    where: str


def passes(planned: Sequence[Planned]) -> list[Pass]:
    """One for each set of facts that can be joined in one pass."""
    alike: dict[tuple[object, ...], list[Planned]] = {}
    for one in planned:
        kinds = ((name, key.kind) for name, key in _keys(one).items())
        alike.setdefault((_buckets(one), *kinds), []).append(one)
    return [_pass(group) for group in alike.values()]


def _pass(planned: Sequence[Planned]) -> Pass:
    files = [_by_bucket(planned, bucket) for bucket in range(_buckets(planned[0]))]
    return Pass(planned, files, slices.cuts(files))


def _buckets(planned: Planned) -> int:
    return planned.layout.buckets if planned.layout else 0


def _by_bucket(planned: Sequence[Planned], bucket: int) -> dict[str, Snapshot]:
    """Layout -> its files of one bucket."""
    return {one.files.table: one.files.where(lambda file: file.partition[layouts.BUCKET] == bucket) for one in planned}


def _keys(planned: Planned) -> dict[str, Key]:
    """Spine column -> its fact column's type, in the order of the layout."""
    spine_column = {fact: spine for spine, fact in planned.facts.keys.items()}
    found = {}
    for fact in planned.layout.keys if planned.layout else ():
        spine = spine_column[fact]
        where = f"facts {planned.facts.name!r}, column {fact!r}: spine key {spine!r}"
        found[spine] = Key(planned.files.schema.field(fact).type, where)
    return found
