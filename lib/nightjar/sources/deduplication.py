"""Remove from a night's rows what other runs have stored or refused already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812

from nightjar.settings.sources import Source
from nightjar.sources import facts, repairs
from nightjar.sources.formats.failures import translate_expression_errors
from nightjar.sources.storing import Night
from nightjar.tables import arrow, delta, scan
from nightjar.tables.entries import DataFile
from nightjar.tables.source_definitions import QUARANTINE
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import instant

CONTENT = "_content"
HASH = "_hash"
LARGE = 500_000  # stored facts
KEY = "_key"
MOST_REPEATED = 100_000  # keys
DAY = 86_400_000_000  # microseconds
Span = tuple[datetime, datetime]


def content(columns: list[str]) -> Column:
    """A hash of a fact's columns; facts with the same key, clock and hash are the same fact.

    xxhash64 skips nulls, so it also includes which columns are null.
    """
    return F.xxhash64(*columns, *(F.col(name).isNull() for name in columns))


def is_large(warehouse: Warehouse, table: str) -> bool:
    """Whether so many facts are stored that a night's rows are worth a look before they are compared."""
    return arrow.exists(warehouse, table) and scan.snapshot(warehouse, table).rows > LARGE


@dataclass(frozen=True)
class Survey:
    """What a look at a night's rows shows before they are compared.

    Attributes:
        spans: times, such as days in UTC, in which facts state to have become known; None: any time.
        repeated: hashes of key, clock and sequence, the column `KEY`, that several facts have; None: they are not
            listed, as they are too many.
        has_refused: whether some rows are refused.
    """

    spans: list[Span] | None
    repeated: list[int] | None
    has_refused: bool = True


def with_keys(rows: DataFrame, source: Source) -> DataFrame:
    """The rows with a hash of each fact's key, clock and sequence; null for other rows."""
    key = F.xxhash64(*source.key, "stated_known_at", *source.sequence)
    return rows.withColumn(KEY, F.when(F.col(facts.STATE) == "fact", key))


def survey(rows: DataFrame, name: str) -> Survey:
    """Look through persisted rows of a source, see `with_keys`. All expressions are first computed here.

    Raises:
        SourceError: an expression fails.
    """
    day = F.floor(F.unix_micros("stated_known_at") / DAY).alias("day")
    groups = rows.where(F.col(KEY).isNotNull()).groupBy(KEY, day).agg((F.count("*") > 1).alias("repeated"))
    with translate_expression_errors(name):
        ((days, count),) = groups.agg(F.collect_set("day"), F.count_if("repeated")).collect()
    listed = groups.where("repeated").select(KEY).collect() if 0 < count <= MOST_REPEATED else []
    repeated = None if count > MOST_REPEATED else [row[0] for row in listed]
    return Survey([(instant(one * DAY), instant((one + 1) * DAY)) for one in days], repeated)


def survey_few(few: pa.Table, source: Source) -> Survey:
    """The same of few rows that are there already; where any keys are repeated, they are not listed."""
    of_facts = few.filter(pc.field(facts.STATE) == "fact")
    names = list(dict.fromkeys([*source.key, "stated_known_at", *source.sequence]))
    counts = of_facts.group_by(names).aggregate([([], "count_all")])["count_all"]
    has_fractions = any(pa.types.is_floating(of_facts.schema.field(name).type) for name in names)  # 0.0 is -0.0
    is_unique = not has_fractions and len(counts) == len(of_facts)
    times: Any = pc.min_max(of_facts["stated_known_at"])
    spans = [(times["min"].as_py(), times["max"].as_py())] if len(of_facts) else []
    return Survey(spans, [] if is_unique else None, "refused" in few[facts.STATE].unique().to_pylist())


def without_stored(
    spark: SparkSession,
    rows: DataFrame,
    warehouse: Warehouse,
    table: str,
    source: Source,
    night: Night,
    spans: Sequence[Span] | None,
) -> DataFrame:
    """The rows without facts that equal the latest version that other runs have stored. The rows are not shuffled.

    Where an old night is run again, a fact may also equal the version that was the latest as of that night.

    Args:
        spark: the session.
        rows: the night's facts and refused rows.
        warehouse: where the tables lie.
        table: of the source.
        source: its settings.
        night: the run.
        spans: times in which the facts state to have become known: stored facts of no other time equal any of them.
            None: any time.
    """
    if not arrow.exists(warehouse, table):
        return rows

    def may_hold(file: DataFile) -> bool:
        in_spans = spans is None or any(file.may_hold("stated_known_at", *span) for span in spans)
        return in_spans and bool(file.partition["ingested_on"] != night.run_date)

    if not scan.snapshot(warehouse, table).where(may_hold).files:
        return rows
    stored = delta.read(spark, warehouse, table, keep=may_hold)
    content_columns = [*source.stored_columns(), "event_time"]
    other = facts.with_absent(stored.where(F.col("ingested_on") != F.lit(night.run_date)), content_columns, rows)
    fact = [*source.key, "stated_known_at", *source.sequence]
    # Versions after the first are known later than stated, and few: the versions that they replace are not the latest.
    later = other.where(F.col("known_at") > F.col("stated_known_at")).select(*fact, "known_at")
    known_at, next_known_at, cutoff = F.col("known_at"), F.col("_other_known_at"), F.lit(night.cutoff)
    is_replaced = (known_at < next_known_at) & ((next_known_at <= cutoff) | (known_at > cutoff))
    latest = other.join(F.broadcast(_rename(later)), _same(fact) & is_replaced, "left_anti")
    latest_content = latest.select(*fact, content(content_columns).alias(CONTENT))
    is_same = _same([*fact, CONTENT]) & (F.col(facts.STATE) == "fact")
    return rows.join(_rename(latest_content), is_same, "left_anti")


def without_refused(spark: SparkSession, rows: DataFrame, warehouse: Warehouse, name: str, run_date: date) -> DataFrame:
    """The rows without those that another run has refused: old faults must not count again in every new night."""
    if not arrow.exists(warehouse, QUARANTINE.name):
        return rows
    is_other = (F.col("run_date") != F.lit(run_date)) & (F.col("source") == name)
    stored = delta.read(spark, warehouse, QUARANTINE.name, keep=lambda file: file.partition["run_date"] != run_date)
    refused = stored.where(is_other).select(F.col("row_hash").alias(HASH))
    return rows.join(_rename(refused), _same([HASH]) & (F.col(facts.STATE) == "refused"), "left_anti")


def of_last_items(rows: DataFrame, source: Source, order: Mapping[str, int]) -> DataFrame:
    """The rows without facts that an item read later states with the same key, clock and sequence.

    Where settings have changed, items of several nights are read again at once: what a later one has corrected is not
    the newest value.

    Args:
        rows: candidates.
        source: settings of the source.
        order: item -> its place; one that is not named is the last.
    """
    names = rows.sparkSession.createDataFrame([*order.items()] or [("", 0)], "_item string, _order int")
    placed = rows.join(F.broadcast(names), F.col("intake") == F.col("_item"), "left").drop("_item")
    placed = placed.withColumn("_order", F.coalesce("_order", F.lit(len(order))))
    same = Window.partitionBy(*source.key, "stated_known_at", *source.sequence, facts.STATE)
    is_last = (F.col(facts.STATE) != "fact") | (F.col("_order") == F.col("_last"))
    return placed.withColumn("_last", F.max("_order").over(same)).where(is_last).drop("_order", "_last")


def with_conflicts(rows: DataFrame, source: Source, repeated: Sequence[int] | None = None) -> DataFrame:
    """Keep one of identical facts; refuse different versions with the same key, clock and sequence.

    Of facts that only repairs have made identical it keeps one that needed none, or else always the same.

    Args:
        rows: facts and refused rows.
        source: its settings.
        repeated: the hashes in `KEY` of facts that are to be compared, see `Survey`; None: all are.
    """
    if repeated is None:
        return with_hashes(_compared(rows, source))
    if not repeated:
        return with_hashes(rows)
    hashes = F.broadcast(rows.sparkSession.createDataFrame([(one,) for one in repeated], f"{KEY} bigint"))
    compared = _compared(rows.join(hashes, KEY, "left_semi"), source)
    return with_hashes(rows.join(hashes, KEY, "left_anti").unionByName(compared))


def _compared(rows: DataFrame, source: Source) -> DataFrame:
    same = Window.partitionBy(*source.key, "stated_known_at", *source.sequence, facts.STATE)
    least, greatest = F.min("_content").over(same), F.max("_content").over(same)
    order = ["_content", facts.ROW] if repairs.declared(source) else ["_content"]
    place = F.row_number().over(same.orderBy(*order))
    is_fact = F.col(facts.STATE) == "fact"
    compared = rows.withColumns({"_conflict": is_fact & (least != greatest), "_repeated": is_fact & (place > 1)})
    conflict, repeated = F.col("_conflict"), F.col("_repeated")
    resolved = {
        facts.REASONS: F.when(conflict, F.array(F.lit(_conflict(source)))).otherwise(F.col(facts.REASONS)),
        facts.STATE: F.when(conflict, "refused").when(repeated, "repeated").otherwise(F.col(facts.STATE)),
    }
    return compared.withColumns(resolved).drop("_conflict", "_repeated")


def with_hashes(rows: DataFrame) -> DataFrame:
    """The rows with the hash of each that is refused or repaired."""
    is_hashed = F.col(facts.STATE) == "refused"
    if repairs.CHANGES in rows.columns:
        is_hashed |= F.col(repairs.CHANGES).isNotNull()
    return rows.withColumn(HASH, F.when(is_hashed, F.sha2(facts.row_as_json(), 256)))


def _conflict(source: Source) -> str:
    return f"several versions with one key{', known_at and sequence' if source.sequence else ' and known_at'}"


def _rename(other: DataFrame) -> DataFrame:
    return other.select(*(F.col(name).alias(f"_other_{name}") for name in other.columns))


def _same(names: list[str]) -> Column:
    """Equal, or both null, as a sequence may be."""
    return reduce(Column.__and__, (F.col(name).eqNullSafe(F.col(f"_other_{name}")) for name in names))
