"""Heavy buckets in slices of prediction time: a task holds the facts of its slice, and not all of its bucket's.

A slice reads the facts of its own time and, for windows, of the longest one before it. What else it needs of earlier
facts, the latest one of each key, is found beforehand, slice by slice, and carried in.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import reduce
from itertools import groupby
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import SparkSession

from nightjar.asof.carry import carried
from nightjar.joins import reading
from nightjar.joins.exchange import packed, unpacked
from nightjar.joins.planner import Planned
from nightjar.joins.reading import Share
from nightjar.tables import layouts, scan
from nightjar.tables.definitions import INSTANT
from nightjar.tables.rows import in_tasks
from nightjar.tables.scan import Snapshot

WORTH_A_TASK = 250_000  # facts; fewer are no burden to any task
Cut: TypeAlias = tuple[int, datetime]
"""A bucket and the first prediction time of a slice of it."""


def cuts(files: Sequence[Mapping[str, Snapshot]]) -> list[Cut]:
    """Where buckets with more than twice their fair share of facts are cut, into slices with at most that.

    Args:
        files: for each bucket, layout -> its files.
    """
    rows = [sum(layout.rows for layout in of_bucket.values()) for of_bucket in files]
    fair = max(sum(rows) // len(rows), WORTH_A_TASK)
    heavy = [number for number, count in enumerate(rows) if count > 2 * fair]
    return [
        (number, instant)
        for number in heavy
        for instant in scan.cuts(list(files[number].values()), layouts.EVENT_TIME, -(-rows[number] // (2 * fair)))
    ]


def shares(
    spark: SparkSession, planned: Sequence[Planned], files: Sequence[Mapping[str, Snapshot]], found: Sequence[Cut]
) -> list[Share]:
    """What the slice after each cut reads, and what is carried into it."""
    if all(one.facts.history is not None for one in planned):
        return [Share(files[bucket], start) for bucket, start in found]  # nothing is older than its history
    before = [None, *found[:-1]]
    tasks = [
        (files[bucket], cut[1] if cut is not None and cut[0] == bucket else None, until)
        for cut, (bucket, until) in zip(before, found, strict=True)
    ]

    def carry(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for number in (one.as_py() for batch in batches for one in batch.column(0)):
            for layout, rows in _carried_from(planned, *tasks[number]).items():
                yield pa.RecordBatch.from_pydict(
                    {"task": [number], "layout": [layout], "rows": [packed(rows).to_pybytes()]}
                )

    told = spark.range(0, len(tasks), 1, max(len(tasks), 1))
    kept = {
        (row["task"], row["layout"]): unpacked(row["rows"])
        for row in in_tasks(told, carry, "task long, layout string, rows binary").collect()
    }
    result = []
    for bucket, of_bucket in groupby(range(len(found)), key=lambda number: found[number][0]):
        numbers = list(of_bucket)
        for place, number in enumerate(numbers):
            into = {
                layout: pa.concat_tables(kept[earlier, layout] for earlier in numbers[: place + 1])
                for layout in files[bucket]
            }
            result.append(Share(files[bucket], found[number][1], into))
    return result


def _carried_from(
    planned: Sequence[Planned], files: Mapping[str, Snapshot], since: datetime | None, until: datetime
) -> dict[str, pa.Table]:
    """Layout -> the rows of one slice's time that later slices need."""
    end = pa.scalar(until, INSTANT)
    result = {}
    for layout, chosen in files.items():
        here = [one for one in planned if one.files.table == layout]
        condition = pc.field(layouts.EVENT_TIME) < end
        if since is not None:
            condition &= pc.field(layouts.EVENT_TIME) >= pa.scalar(since, INSTANT)
        rows = reading.rows_of(here, chosen, since, until, condition)
        kept: Any = reduce(np.union1d, (carried(reading.asked(one, rows), end) for one in here))
        result[layout] = rows.take(pa.array(kept))
    return result
