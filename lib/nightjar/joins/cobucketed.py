"""The as-of join with facts that are laid out for its keys: only the spine is shuffled, by the facts' buckets.

Each task gets the spine rows of some buckets, and reads the files of one bucket after another. Facts are neither
shuffled nor converted to rows. Sources with equal layouts for the same spine columns share one shuffle.
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
from nightjar.joins.exchange import Destination, dispatch, tasks_of_a_shuffle
from nightjar.joins.keys import Key, keys_of
from nightjar.joins.planner import JoinPlan
from nightjar.joins.reading import Share
from nightjar.joins.shares import Shares, Slices, count_rows, shares_of
from nightjar.joins.stored_facts import join_facts
from nightjar.tables import layouts
from nightjar.tables.rows import ROWS_AT_ONCE, Rows
from nightjar.tables.scan import Snapshot


@dataclass(frozen=True)
class CoBucketedStage:
    """The joins that share one shuffle of the spine: by the same spine columns and types, in as many buckets.

    Attributes:
        plans: the joins.
        files: for each bucket, layout -> its files.
        shares: how the spine is divided among tasks.
    """

    plans: Sequence[JoinPlan]
    files: Sequence[Mapping[str, Snapshot]]
    shares: Shares

    def join(self, rows: Rows, clocks: Clocks) -> Rows:
        """The rows, joined with these facts.

        A task has in memory the rows of its shares, or all rows of a small spine in files; of one share at a time the
        needed columns of the facts that its rows can see, at most about `slices.MOST`; and the result for a million
        rows (100 bytes of work each for latest values, 450 for a dozen aggregates). There is one task for each share,
        up to Spark's number of shuffle partitions.
        """
        plans, shares = self.plans, self.shares
        keys, cuts = shares.slices.keys, shares.slices.cuts
        share_at = self._share_at()
        carries = bool(cuts) and any(plan.facts.history is None for plan in plans)
        # Another stage of Spark costs more than reading the facts for one slice again.
        staged = carries and (len({bucket for bucket, _ in cuts}) < len(cuts) or max(self._pieces()) > 1)
        carry_messages = self._carry(rows.task_input.sparkSession, cuts) if staged else None
        task_input, receive = dispatch(rows, Destination(shares.number_of, shares.tasks), carry_messages)

        def make(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
            for block in receive(batches):
                rows = block.rows.take(_order_like_facts(block.rows, keys, clocks.prediction_time))
                share, from_earlier = share_at[block.number], block.extras
                if share.start is not None and carries and not staged:
                    from_earlier = slices.carried_rows(plans, share.files, None, share.start)
                facts = reading.read_layouts(plans, rows, share, from_earlier, clocks)
                for start in range(0, len(rows), ROWS_AT_ONCE):
                    yield join_facts(rows.slice(start, ROWS_AT_ONCE), facts, clocks)

        return Rows(task_input, make, rows.schema)

    def _share_at(self) -> dict[int, Share]:
        """Number -> the share that its task reads."""
        starts = [None] * len(self.files) + [start for _, start in self.shares.slices.cuts]
        of_slice = zip(self.shares.slices.bucket_of_each(), starts, strict=True)
        shares = [Share(self.files[bucket], start) for bucket, start in of_slice]
        return {number: share for place, share in enumerate(shares) for number in self.shares.numbers_of(place)}

    def _pieces(self) -> list[int]:
        """The number of pieces of each slice after a cut."""
        return [len(self.shares.numbers_of(place)) for place in range(len(self.files), len(self.shares.slices))]

    def _carry(self, spark: SparkSession, cuts: Sequence[slices.Cut]) -> DataFrame:
        later = range(len(self.files), len(self.files) + len(cuts))
        numbers_of = [self.shares.numbers_of(number) for number in later]
        return slices.carry_messages(spark, self.plans, self.files, cuts, numbers_of)


def _order_like_facts(rows: pa.Table, keys: Mapping[str, "Key"], prediction_time: str) -> Ints:
    times = instants(column_of(rows, prediction_time), f"spine, column {prediction_time!r}")
    return by_keys_and_time([column_of(rows, name) for name in keys], times)


def stages(plans: Sequence[JoinPlan], spine: Rows, prediction_time: str) -> list[CoBucketedStage]:
    """One stage for each set of facts that can be joined together.

    Where a bucket is heavy, a job first estimates how many rows of the spine each of its slices has: tonight's rows are
    all in the last slice, which is then divided among several tasks.
    """
    groups: dict[tuple[object, ...], list[JoinPlan]] = {}
    for plan in plans:
        key_types = ((name, key.kind) for name, key in _keys(plan).items())
        groups.setdefault((_buckets(plan), *key_types), []).append(plan)
    return [_stage(group, spine, prediction_time) for group in groups.values()]


def _stage(plans: Sequence[JoinPlan], spine: Rows, prediction_time: str) -> CoBucketedStage:
    files = [_by_bucket(plans, bucket) for bucket in range(_buckets(plans[0]))]
    tasks = tasks_of_a_shuffle(spine.task_input.sparkSession)
    slicing = Slices(_keys(plans[0]), len(files), slices.cuts(files, tasks), prediction_time)
    rows = count_rows(spine, slicing) if slicing.cuts else np.zeros(len(slicing), np.int64)
    facts, buckets = slices.facts_in(files), slicing.bucket_of_each()
    slices_of = Counter(buckets)
    facts_in_slices = [facts[bucket] // slices_of[bucket] for bucket in buckets]
    return CoBucketedStage(plans, files, shares_of(slicing, facts_in_slices, rows, tasks))


def _buckets(plan: JoinPlan) -> int:
    return plan.layout.buckets if plan.layout else 0


def _by_bucket(plans: Sequence[JoinPlan], bucket: int) -> dict[str, Snapshot]:
    """Layout -> its files of one bucket."""
    return {plan.files.table: plan.files.where(lambda file: file.partition[layouts.BUCKET] == bucket) for plan in plans}


def _keys(plan: JoinPlan) -> dict[str, Key]:
    return keys_of(plan, plan.layout.keys if plan.layout else ())
