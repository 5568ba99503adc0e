"""Facts laid out for one key set: partitioned by a bucket of the keys, sorted by keys and event_time in each file.

A fact that a later version moves to another key or event_time leaves a *retraction* at its old place, from the instant
that version became known. So whoever looks at one bucket, or at the files of some time, sees each fact where it stood.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from nightjar.settings.sources import BY
from nightjar.tables import commits, opening, scan, sink
from nightjar.tables.datafiles import Written
from nightjar.tables.scan import Snapshot
from nightjar.tables.warehouse import Warehouse

BUCKET, RETRACTION = "bucket", "retraction"
EVENT_TIME, KNOWN_AT = "event_time", "known_at"
STAMPS = (KNOWN_AT, "ingested_on", "run_id")
SOURCE_VERSION, BUCKETS = "nightjar.source_version", "nightjar.buckets"
"""Marks in a layout's commits: the version of the source that it reflects, and its number of buckets."""


@dataclass(frozen=True)
class Layout:
    """A layout at one version.

    Attributes:
        keys: the columns it is laid out for, in its order.
        buckets: their number.
        source_version: the version of the source's table that it reflects.
        files: its live files.
    """

    keys: tuple[str, ...]
    buckets: int
    source_version: int
    files: Snapshot


def name(source_table: str, keys: Sequence[str]) -> str:
    """The table that holds the layout of a source's table."""
    return f"{source_table}{BY}{'_'.join(keys)}"


def find(warehouse: Warehouse, table: str, keys: Sequence[str]) -> Layout | None:
    """The latest state of a layout; None if there is none."""
    laid_out = name(table, keys)
    opened = opening.found(warehouse, laid_out)
    if opened is None:
        return None
    files = scan.snapshot_of(opened, warehouse, laid_out)
    reflects, buckets = (sink.mark(opened, mark) for mark in (SOURCE_VERSION, BUCKETS))
    return None if reflects is None or buckets is None else Layout(tuple(keys), buckets, reflects, files)


def reflects(warehouse: Warehouse, table: str, layout: Layout, version: int) -> bool:
    """Whether a layout holds the rows that its source's table has at a version, in whatever files."""
    return commits.same_rows(warehouse, table, layout.source_version, version)


def bucket(keys: Mapping[str, str], buckets: int) -> Column:
    """The bucket of a row; null where a key is null.

    Args:
        keys: column -> the type that the facts have there; xxhash64 differs between an int and a long.
        buckets: their number.
    """
    columns = [F.col(column).try_cast(kind) for column, kind in keys.items()]
    return F.when(_complete(list(keys)), F.pmod(F.xxhash64(*columns), F.lit(buckets)).cast("int"))


def with_retractions(
    rows: DataFrame, fact_id: Sequence[str], sequence: Sequence[str], keys: Sequence[str], is_new: Column
) -> DataFrame:
    """New versions of facts, and a retraction at the old place of each version that one of them moves away.

    Args:
        rows: all versions of every fact that has a new one.
        fact_id: the columns that name a fact.
        sequence: the columns that order versions of one `known_at`.
        keys: the key set. A version with a null key has no place: it is left out.
        is_new: which versions are.

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


def collect(rows: DataFrame, keys: Sequence[str], buckets: int, into: sink.Target) -> list[Written]:
    """Let tasks write rows of a layout, each a bucket, sorted by keys, event_time and known_at."""
    types = dict(rows.select(*keys).dtypes)
    placed = rows.withColumn(BUCKET, bucket(types, buckets)).repartitionById(buckets, BUCKET)
    return sink.collect(placed, sink.sorted_by(order(keys), sink.in_one_piece), into)


def order(keys: Sequence[str]) -> tuple[str, ...]:
    """The columns that a layout's files are sorted by."""
    return (*keys, EVENT_TIME, KNOWN_AT)


def marks(source_version: int, buckets: int) -> dict[str, int]:
    """What a commit to a layout leaves in it."""
    return {SOURCE_VERSION: source_version, BUCKETS: buckets}
