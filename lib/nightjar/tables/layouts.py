"""Facts laid out for one key set: partitioned by a bucket of the keys, sorted by keys and event_time in each file.

A fact that a later version moves to another key or event_time leaves a *retraction* at its old place, from the instant
that version became known. So one bucket, or the files of some event times, are complete in themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from nightjar.settings.layouts import BY
from nightjar.tables import commits, opening, scan, sink
from nightjar.tables.datafiles import NewFile
from nightjar.tables.scan import Snapshot
from nightjar.tables.warehouse import Warehouse

BUCKET, RETRACTION = "bucket", "retraction"
EVENT_TIME, KNOWN_AT = "event_time", "known_at"
STAMPS = (KNOWN_AT, "ingested_on", "run_id")
SOURCE_VERSION, BUCKETS = "nightjar.source_version", "nightjar.buckets"
"""Marks in a layout's commits: the source's version that it was made of, and its number of buckets."""


@dataclass(frozen=True)
class Layout:
    """A layout at one version.

    Attributes:
        keys: the columns it is laid out for, in its order.
        buckets: the number of buckets.
        source_version: the version of the source's table that it was made of.
        files: its live files.
    """

    keys: tuple[str, ...]
    buckets: int
    source_version: int
    files: Snapshot


def name(source_table: str, keys: Sequence[str]) -> str:
    """The name of the table with the layout of a source's table."""
    return f"{source_table}{BY}{'_'.join(keys)}"


def find(warehouse: Warehouse, table: str, keys: Sequence[str]) -> Layout | None:
    """The latest state of a layout; None if there is none."""
    layout_table = name(table, keys)
    delta_table = opening.find(warehouse, layout_table)
    if delta_table is None:
        return None
    files = scan.snapshot_of(delta_table, warehouse, layout_table)
    source_version, buckets = (sink.mark(delta_table, mark) for mark in (SOURCE_VERSION, BUCKETS))
    return None if source_version is None or buckets is None else Layout(tuple(keys), buckets, source_version, files)


def reflects(warehouse: Warehouse, table: str, layout: Layout, version: int) -> bool:
    """Whether a layout holds the rows that its source's table has at a version, in whatever files."""
    return commits.same_rows(warehouse, table, layout.source_version, version)


def bucket(keys: Mapping[str, str], buckets: int) -> Column:
    """The bucket of a row; null where a key is null.

    Args:
        keys: column -> its type in the facts; xxhash64 differs between an int and a long.
        buckets: the number of buckets.
    """
    columns = [F.col(column).try_cast(kind) for column, kind in keys.items()]
    return F.when(_complete(list(keys)), F.pmod(F.xxhash64(*columns), F.lit(buckets)).cast("int"))


def with_retractions(
    rows: DataFrame, fact_id: Sequence[str], sequence: Sequence[str], keys: Sequence[str], is_new: Column
) -> DataFrame:
    """New versions of facts, and a retraction at the old place of each version that a new one moves.

    Args:
        rows: all versions of every fact that has a new one.
        fact_id: the columns that identify a fact.
        sequence: the columns that order versions of one `known_at`.
        keys: the key set. A version with a null key is left out.
        is_new: whether a version is new.

    Returns:
        The rows' columns and `retraction`. A retraction has the old version's columns, but `known_at`, the sequence,
        and where there are such columns `ingested_on` and `run_id`, of the version that moved the fact away.
    """
    if not fact_id:
        return rows.where(is_new & _complete(keys)).withColumn(RETRACTION, F.lit(False))
    place = [*keys, EVENT_TIME]
    stamps = [name for name in (*STAMPS, *sequence) if name in rows.columns and name not in keys]
    next_version = Window.partitionBy(*fact_id).orderBy(KNOWN_AT, *sequence)
    pairs = rows.withColumn("_new", is_new).withColumn(
        "_next", F.lead(F.struct(*place, *stamps, "_new")).over(next_version)
    )
    stays = F.struct(*place).eqNullSafe(F.struct(*(F.col(f"_next.{name}").alias(name) for name in place)))
    moved = pairs.where(F.col("_next._new") & ~stays)
    retractions = moved.withColumns({name: F.col(f"_next.{name}") for name in stamps})
    facts = pairs.where("_new").withColumn(RETRACTION, F.lit(False))
    both = facts.unionByName(retractions.withColumn(RETRACTION, F.lit(True)))
    return both.drop("_new", "_next").where(_complete(keys))


def _complete(keys: Sequence[str]) -> Column:
    return reduce(Column.__and__, (F.col(key).isNotNull() for key in keys))


def collect(rows: DataFrame, keys: Sequence[str], buckets: int, into: sink.Target) -> list[NewFile]:
    """Let tasks write rows of a layout, a bucket each, sorted by keys, event_time and known_at."""
    types = dict(rows.select(*keys).dtypes)
    bucketed = rows.withColumn(BUCKET, bucket(types, buckets)).repartitionById(buckets, BUCKET)
    return sink.collect(bucketed, sink.sorted_by(order(keys), sink.in_one_piece), into, by_tasks=True)


def order(keys: Sequence[str]) -> tuple[str, ...]:
    """The columns that a layout's files are sorted by."""
    return (*keys, EVENT_TIME, KNOWN_AT)


def marks(source_version: int, buckets: int) -> dict[str, int]:
    """The marks of a commit to a layout."""
    return {SOURCE_VERSION: source_version, BUCKETS: buckets}
