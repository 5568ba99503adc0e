"""A look at a source before a night: some facts, and the rows that would be refused. No table is touched."""

from collections import Counter
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import StructField, TimestampType

from nightjar.errors import restated
from nightjar.settings.sources import Source
from nightjar.sources import counting, facts, lookups
from nightjar.sources.connectors.opening import connect
from nightjar.sources.formats import raw
from nightjar.sources.formats.failures import translate_expression_errors
from nightjar.sources.items import Portion
from nightjar.sources.storing import Night

SHOWN = 10
"""Facts that are shown."""


@dataclass(frozen=True)
class RefusalReason:
    """One reason for which rows would be refused, with the content of one of them as JSON."""

    reason: str
    rows: int
    example: str


@dataclass(frozen=True)
class Preview:
    """What a source holds.

    Attributes:
        states: rows that would be `fact`, `refused`, `not_a_fact` or `not_yet_known` -> how many.
        reasons: of the refused rows, the most frequent first. A row with several counts under each.
        types: what is stored of a fact, both clocks first: column -> type, in Spark's words.
        rows: some facts, with these columns; instants as texts in UTC.
    """

    states: Counter[str]
    reasons: list[RefusalReason]
    types: dict[str, str]
    rows: list[tuple[Any, ...]]


def preview(
    spark: SparkSession, name: str, source: Source, zone: str, night: Night, cache: Path, tables: str
) -> Preview:
    """Read all rows of a source, and judge each row by itself, as an ingest does.

    What an ingest compares with other rows and with stored facts (versions of one fact, gates over several rows) is
    left out.

    Args:
        spark: the session.
        name: of the source.
        source: its settings.
        zone: the project's time zone.
        night: what becomes known after its cutoff is not known yet.
        cache: folder for copies of files that Spark does not read as they are.
        tables: the folder of the project's tables.

    Raises:
        SourceError: a file is missing, damaged or not as declared, or an expression fails on some row.
        UsageError: an expression holds what it may not, or does not fit the columns.
    """
    lookups.require_sound(spark, name, source, cache)
    with (
        translate_expression_errors(name),
        connect(spark, {name: source}, night, zone, cache) as connectors,
        restated(connectors[name].failure),
        raw.translate_read_errors(name, tables),
    ):
        portions = [Portion(item) for item in connectors[name].discover("", {}).new]
        batches = [raw.of_texts(spark, list(source.columns))] if not portions else connectors[name].read(portions)
        parts = [facts.candidates(batch, name, source, cache, zone) for batch in batches]
        rows = counting.mark_not_yet_known(reduce(DataFrame.unionByName, parts), night)
        groups = _by_reason(rows)
        _refuse_malformed(groups, name, source)
        clocks = (F.col("event_time"), F.col("stated_known_at").alias("known_at"))
        shown = rows.where(F.col(facts.STATE) == "fact").select(*clocks, *source.stored_columns()).limit(SHOWN)
        some = [tuple(row) for row in shown.select(*map(_shown, shown.schema)).collect()]
    states = Counter[str]()
    for group in groups:
        states[group[facts.STATE]] += group["rows"]
    reasons = [RefusalReason(one["reason"], one["of_reason"], one["example"]) for one in groups if one["reason"]]
    types = {field.name: field.dataType.simpleString() for field in shown.schema}
    return Preview(states, sorted(reasons, key=lambda one: (-one.rows, one.reason)), types, some)


def _shown(field: StructField) -> Column:
    """Instants as texts, in UTC: Python would have them in the zone of this machine."""
    column = F.col(f"`{field.name}`")
    return column.cast("string") if isinstance(field.dataType, TimestampType) else column


def _by_reason(rows: DataFrame) -> list[Row]:
    """Rows by state and reason: `of_reason`, `rows` (each counted under its first reason alone), an example."""
    reasons = F.when(F.col(facts.STATE) == "refused", F.col(facts.REASONS))
    content = facts.row_as_json().alias("content")
    exploded = rows.select(facts.STATE, content, raw.MALFORMED, F.posexplode_outer(reasons).alias("place", "reason"))
    is_first = F.coalesce("place", F.lit(0)) == 0
    return (
        exploded.groupBy(facts.STATE, "reason")
        .agg(
            F.count("*").alias("of_reason"),
            F.count_if(is_first).alias("rows"),
            F.min("content").alias("example"),
            F.count_if(is_first & F.col(raw.MALFORMED).isNotNull()).alias("malformed"),
            F.min(raw.MALFORMED).alias("malformed_example"),
        )
        .collect()
    )


def _refuse_malformed(groups: list[Row], name: str, source: Source) -> None:
    count = sum(group["malformed"] for group in groups)
    examples = [group["malformed_example"] for group in groups if group["malformed_example"] is not None]
    raw.refuse_malformed(count, min(examples, default=None), name, source.origin.place)
