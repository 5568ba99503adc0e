"""Heavy buckets in slices of prediction time: a task holds the facts of its slice, and not all of its bucket's.

A slice reads the facts of its own time and, for windows, of the longest one before it. What else it needs of earlier
facts, the latest one of each key, is found beforehand, slice by slice, and carried in; a bucket's
only later slice finds it itself. Facts of one instant, and those of one row group, are never cut apart.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession

from nightjar.asof.carry import carried
from nightjar.joins import reading
from nightjar.joins.exchange import MESSAGE, batched, packed
from nightjar.joins.planner import Planned
from nightjar.tables import footers, layouts
from nightjar.tables.rows import in_tasks, number_tasks, task_numbers
from nightjar.tables.scan import Snapshot

WORTH_A_TASK = 250_000  # facts; fewer are no burden to any task
MOST = 4_000_000  # facts of a slice, whatever a fair share is
"""Read they take some 65 bytes each with four columns of numbers; the kernel takes 70 more for latest values, 450 for a
dozen aggregates of these columns, at a time. So a task takes about 0.5 to 2 GB."""
Cut: TypeAlias = tuple[int, int]
"""A bucket and the first prediction time, in microseconds, of a slice of it."""


def cuts(files: Sequence[Mapping[str, Snapshot]], tasks: int) -> list[Cut]:
    """Where heavy buckets are cut, into slices of about equal numbers of facts.

    A bucket is heavy with more than twice its fair share of facts, and its slices then have up to 2.5 of them; or with
    more than `MOST`, and its slices have up to that, however few buckets there are. The fair share is that of a bucket,
    or of half a task where there are fewer of these: what a task can hold beside others needs no cut.

    Args:
        files: for each bucket, layout -> its files.
        tasks: that share the buckets.
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
    """How many facts each bucket holds."""
    return [sum(layout.rows for layout in of_bucket.values()) for of_bucket in files]


def carried_on(
    spark: SparkSession,
    planned: Sequence[Planned],
    files: Sequence[Mapping[str, Snapshot]],
    cuts: Sequence[Cut],
    numbers_of: Sequence[Sequence[int]],
) -> DataFrame:
    """Messages with what later slices need of earlier facts, by layout.

    Args:
        spark: the session.
        planned: what is asked.
        files: for each bucket, layout -> its files.
        cuts: where buckets are cut.
        numbers_of: where the slice after each cut gets its messages.
    """
    before = [None, *cuts[:-1]]
    slices = [
        (files[bucket], last[1] if last is not None and last[0] == bucket else None, until)
        for last, (bucket, until) in zip(before, cuts, strict=True)
    ]
    later = [
        [
            to
            for some, (heavy, _) in zip(numbers_of[place:], cuts[place:], strict=True)
            if heavy == bucket
            for to in some
        ]
        for place, (bucket, _) in enumerate(cuts)
    ]

    def carry(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for place in task_numbers(batches):
            found = carried_from(planned, *slices[place]).items()
            yield from batched((to, layout, packed(rows)) for layout, rows in found for to in later[place])

    return in_tasks(number_tasks(spark, len(cuts)), carry, MESSAGE)


def carried_from(
    planned: Sequence[Planned], files: Mapping[str, Snapshot], since: int | None, until: int
) -> dict[str, pa.Table]:
    """Layout -> the rows of one slice's time, both ends in microseconds, that later slices need."""
    end = reading.instant(until)
    result = {}
    for layout, chosen in files.items():
        here = [one for one in planned if one.files.table == layout]
        condition = pc.field(layouts.EVENT_TIME) < end
        if since is not None:
            condition &= pc.field(layouts.EVENT_TIME) >= reading.instant(since)
        rows = reading.rows_of(here, chosen, since, until, condition)
        kept: Any = reduce(np.union1d, (carried(reading.asked(one, rows), end) for one in here))
        result[layout] = rows.take(pa.array(kept))
    return result
