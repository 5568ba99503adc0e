"""Heavy buckets in slices of prediction time: a task reads the facts of its slice instead of all of its bucket's.

A slice reads the facts of its own time and, for windows, of the longest window before it. The other earlier facts that
it needs, the latest one of each key, are computed beforehand, slice by slice, and carried in; where a bucket has only
one later slice, that computes them itself. Facts of one instant, and those of one row group, are never cut apart.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession

from nightjar.asof.carry import rows_to_carry
from nightjar.joins import reading
from nightjar.joins.exchange import MESSAGE, batch_messages, pack
from nightjar.joins.planner import JoinPlan
from nightjar.tables import footers, layouts
from nightjar.tables.rows import in_tasks, number_tasks, task_numbers
from nightjar.tables.scan import Snapshot

WORTH_A_TASK = 250_000  # facts; fewer do not justify a task of their own
MOST = 4_000_000  # facts of a slice, whatever a fair share is
"""A fact with four columns of numbers takes some 65 bytes in memory; the kernel takes 70 more for latest values, 450
for a dozen aggregates of these columns, at a time. So a task takes about 0.5 to 2 GB."""
Cut: TypeAlias = tuple[int, int]
"""A bucket and the first prediction time, in microseconds, of a slice of it."""


def cuts(files: Sequence[Mapping[str, Snapshot]], tasks: int) -> list[Cut]:
    """Where heavy buckets are cut, into slices of about equal numbers of facts.

    A bucket is heavy if it has more than twice the fair share of facts, and its slices then have up to 2.5 fair shares;
    or if it has more than `MOST`, and its slices have up to that, however few buckets there are. The fair share is the
    mean of the buckets, or that of half a task where this is more: such a bucket fits a task beside others.

    Args:
        files: for each bucket, layout -> its files.
        tasks: the number of tasks.
    """
    rows = facts_in(files)
    fair = max(sum(rows) // min(len(rows), 2 * tasks), WORTH_A_TASK)
    parts = [_slices_of(count, fair) for count in rows]
    return [
        (number, instant)
        for number in range(len(rows))
        if parts[number] > 1
        for instant in footers.cuts(list(files[number].values()), layouts.EVENT_TIME, parts[number])
    ]


def _slices_of(facts: int, fair: int) -> int:
    by_share = max(round(facts / fair / 2), 2) if facts > 2 * fair else 1
    return max(by_share, math.ceil(facts / MOST))


def facts_in(files: Sequence[Mapping[str, Snapshot]]) -> list[int]:
    """The number of facts of each bucket."""
    return [sum(layout.rows for layout in of_bucket.values()) for of_bucket in files]


def carry_messages(
    spark: SparkSession,
    plans: Sequence[JoinPlan],
    files: Sequence[Mapping[str, Snapshot]],
    cuts: Sequence[Cut],
    numbers_of: Sequence[Sequence[int]],
) -> DataFrame:
    """Messages with the earlier facts that later slices need, by layout.

    Args:
        spark: the session.
        plans: of the joins.
        files: for each bucket, layout -> its files.
        cuts: where buckets are cut.
        numbers_of: the numbers of the slice after each cut.
    """
    previous_cuts = [None, *cuts[:-1]]
    slices = [
        (files[bucket], previous[1] if previous is not None and previous[0] == bucket else None, until)
        for previous, (bucket, until) in zip(previous_cuts, cuts, strict=True)
    ]
    destinations = [
        [
            number
            for numbers, (cut_bucket, _) in zip(numbers_of[place:], cuts[place:], strict=True)
            if cut_bucket == bucket
            for number in numbers
        ]
        for place, (bucket, _) in enumerate(cuts)
    ]

    def carry(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for place in task_numbers(batches):
            by_layout = carried_rows(plans, *slices[place]).items()
            yield from batch_messages(
                (number, layout, pack(rows)) for layout, rows in by_layout for number in destinations[place]
            )

    return in_tasks(number_tasks(spark, len(cuts)), carry, MESSAGE)


def carried_rows(
    plans: Sequence[JoinPlan], files: Mapping[str, Snapshot], since: int | None, until: int
) -> dict[str, pa.Table]:
    """Layout -> the rows that later slices need of one slice's time, both ends in microseconds."""
    end = reading.instant(until)
    result = {}
    for layout, chosen in files.items():
        sharing = [plan for plan in plans if plan.files.table == layout]
        condition = pc.field(layouts.EVENT_TIME) < end
        if since is not None:
            condition &= pc.field(layouts.EVENT_TIME) >= reading.instant(since)
        rows = reading.read_rows(sharing, chosen, since, until, condition)
        indices: Any = reduce(np.union1d, (rows_to_carry(reading.layout_facts(plan, rows), end) for plan in sharing))
        result[layout] = rows.take(pa.array(indices))
    return result
