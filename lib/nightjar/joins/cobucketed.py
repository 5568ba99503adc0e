"""The as-of join with facts that are laid out for its keys: the spine is shuffled to them, they stay where they are.

Each task gets the spine rows of some buckets, and reads the files of one after another. Facts are neither shuffled nor
turned into rows. Sources that are laid out alike for the same spine columns share one shuffle.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from nightjar.asof import Clocks
from nightjar.asof.keys import by_keys_and_time
from nightjar.asof.values import Ints, column_of, instants
from nightjar.joins import reading, slices
from nightjar.joins.exchange import Destination, dispatched, tasks_of_a_shuffle
from nightjar.joins.keys import Key, keys_of
from nightjar.joins.planner import Planned
from nightjar.joins.reading import Share
from nightjar.joins.shares import Shares, Slices, counted, shares_of
from nightjar.joins.stored import join_facts
from nightjar.tables import layouts
from nightjar.tables.rows import ROWS_AT_ONCE, Rows
from nightjar.tables.scan import Snapshot


@dataclass(frozen=True)
class Pass:
    """What can be joined by one move of the spine: the same spine columns, of the same types, in as many buckets.

    Attributes:
        planned: what is joined.
        files: for each bucket, layout -> its files.
        shares: how the spine is shared out.
    """

    planned: Sequence[Planned]
    files: Sequence[Mapping[str, Snapshot]]
    shares: Shares

    def joined(self, before: Rows, clocks: Clocks) -> Rows:
        """What was joined before, with these facts.

        A task holds the rows of its shares, or all rows of a small spine in files, and, of one share at a time, the
        columns that are asked of the facts they can see, at most about `slices.MOST`, and the result for a million rows
        (100 bytes of work each for latest values, 450 for a dozen aggregates). There are as many tasks as there are
        shares, but not more than Spark is told to make of a shuffle.
        """
        planned, shares = self.planned, self.shares
        keys, cuts = shares.slices.keys, shares.slices.cuts
        share_at = self._share_at()
        carries = bool(cuts) and any(one.facts.history is None for one in planned)
        # Another stage of Spark costs more than what a single task has to read once more.
        staged = carries and (len({bucket for bucket, _ in cuts}) < len(cuts) or max(self._pieces()) > 1)
        carried = self._carried(before.task_input.sparkSession, cuts) if staged else None
        given, opened = dispatched(before, Destination(shares.number_of, shares.tasks), carried)

        def make(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
            for parcel in opened(batches):
                rows = parcel.rows.take(_as_facts_lie(parcel.rows, keys, clocks.prediction_time))
                share, carried = share_at[parcel.number], parcel.beside
                if share.start is not None and carries and not staged:
                    carried = slices.carried_from(planned, share.files, None, share.start)
                facts = reading.laid_out(planned, rows, share, carried, clocks)
                for start in range(0, len(rows), ROWS_AT_ONCE):
                    yield join_facts(rows.slice(start, ROWS_AT_ONCE), facts, clocks)

        return Rows(given, make, before.schema)

    def _share_at(self) -> dict[int, Share]:
        """Number -> what its task reads."""
        starts = [None] * len(self.files) + [start for _, start in self.shares.slices.cuts]
        of_slice = zip(self.shares.slices.bucket_of_each(), starts, strict=True)
        shares = [Share(self.files[bucket], start) for bucket, start in of_slice]
        return {number: share for one, share in enumerate(shares) for number in self.shares.numbers_of(one)}

    def _pieces(self) -> list[int]:
        """In how many pieces each slice after a cut is dealt to tasks."""
        return [len(self.shares.numbers_of(one)) for one in range(len(self.files), len(self.shares.slices))]

    def _carried(self, spark: SparkSession, cuts: Sequence[slices.Cut]) -> DataFrame:
        later = range(len(self.files), len(self.files) + len(cuts))
        numbers_of = [self.shares.numbers_of(one) for one in later]
        return slices.carried_on(spark, self.planned, self.files, cuts, numbers_of)


def _as_facts_lie(rows: pa.Table, keys: Mapping[str, "Key"], prediction_time: str) -> Ints:
    at = instants(column_of(rows, prediction_time), f"spine, column {prediction_time!r}")
    return by_keys_and_time([column_of(rows, name) for name in keys], at)


def passes(planned: Sequence[Planned], spine: Rows, prediction_time: str) -> list[Pass]:
    """One for each set of facts that can be joined in one pass.

    Where a bucket is heavy, it is found out first, by a job, about how many rows of the spine each of its slices gets:
    tonight's all lie in the last one, which then goes to several tasks in pieces.
    """
    alike: dict[tuple[object, ...], list[Planned]] = {}
    for one in planned:
        kinds = ((name, key.kind) for name, key in _keys(one).items())
        alike.setdefault((_buckets(one), *kinds), []).append(one)
    return [_pass(group, spine, prediction_time) for group in alike.values()]


def _pass(planned: Sequence[Planned], spine: Rows, prediction_time: str) -> Pass:
    files = [_by_bucket(planned, bucket) for bucket in range(_buckets(planned[0]))]
    tasks = tasks_of_a_shuffle(spine.task_input.sparkSession)
    cut = Slices(_keys(planned[0]), len(files), slices.cuts(files, tasks), prediction_time)
    rows = counted(spine, cut) if cut.cuts else np.zeros(len(cut), np.int64)
    facts, buckets = slices.facts_in(files), cut.bucket_of_each()
    slices_of = Counter(buckets)
    of_each = [facts[bucket] // slices_of[bucket] for bucket in buckets]
    return Pass(planned, files, shares_of(cut, of_each, rows, tasks))


def _buckets(planned: Planned) -> int:
    return planned.layout.buckets if planned.layout else 0


def _by_bucket(planned: Sequence[Planned], bucket: int) -> dict[str, Snapshot]:
    """Layout -> its files of one bucket."""
    return {one.files.table: one.files.where(lambda file: file.partition[layouts.BUCKET] == bucket) for one in planned}


def _keys(planned: Planned) -> dict[str, Key]:
    return keys_of(planned, planned.layout.keys if planned.layout else ())
