"""What a source has brought to a night beside what it should, judged before anything of the night is written.

What counts is when facts became known, not which run stored them: a backfill finds those of its night stored by a later
one, and they are there to be used.
"""

import logging
from collections.abc import Mapping
from datetime import date, datetime, timedelta

import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from nightjar.durations import parse_duration
from nightjar.errors import SourceError
from nightjar.settings.arrival import Arrival, Severity
from nightjar.settings.sources import Source
from nightjar.sources.storing import Arrived, Judged, Night
from nightjar.tables import arrow, delta, quality
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import earlier, instant, local_date

log = logging.getLogger("nightjar.ingest")
NIGHTS = 28
"""Earlier nights that are looked at to tell whether a quiet one is unusual: each day of the week four times."""
FEWEST = 2
"""With fewer nights nobody can say `every night`: one first load is no habit."""


def judge(
    spark: SparkSession, warehouse: Warehouse, source: Judged, settings: Source, night: Night, zone: str
) -> Arrived:
    """What a source has brought to the night."""
    rows = source.counts["stored"] + _stored_by_later_runs(warehouse, source, night)
    few = _too_few(spark, warehouse, source, settings.arrival, night, zone, rows)
    old = _too_old(spark, warehouse, source, settings.arrival, night, zone)
    return Arrived(rows, tuple(finding for finding in (few, old) if finding))


def require(arrived: Mapping[str, Arrived], sources: Mapping[str, Source], run_date: date) -> None:
    """Tell what is amiss with a night, and stop it where it may not go on.

    Raises:
        SourceError: a source whose severity is ERROR has brought too little.
    """
    stops = []
    for name, one in arrived.items():
        if one.amiss and sources[name].arrival.severity is Severity.WARN:
            log.warning("source %s: %s; the night goes on, and its scores are marked", name, "; ".join(one.amiss))
        elif one.amiss:
            stops.append(name)
    if not stops:
        return
    found = " ".join(f"Source {name}: {'; '.join(arrived[name].amiss)}." for name in stops)
    settings = " ".join(f"project.sources.{name}.arrival.severity=WARN" for name in stops)
    raise SourceError(
        f"The night of {run_date} stops: its sources bring less than they should. {found} Nothing was written. Fetch "
        f"what is missing and run it again; or go on without, and let scores be marked: {settings}. Where such nights "
        "are normal, let the source's arrival say so (min_rows: 0 if there may be nights without any row)."
    )


def _stored_by_later_runs(warehouse: Warehouse, source: Judged, night: Night) -> int:
    """Facts that became known between the run before and this one, and that stand in partitions of later dates."""
    if not arrow.exists(warehouse, source.table.name):
        return 0
    where = (pc.field("ingested_on") > night.run_date) & (pc.field("known_at") <= night.cutoff)
    if night.previous_cutoff is not None:
        where &= pc.field("known_at") > night.previous_cutoff
    return len(arrow.read(warehouse, source.table.name, ["known_at"], where))


def _too_few(
    spark: SparkSession,
    warehouse: Warehouse,
    source: Judged,
    wanted: Arrival,
    night: Night,
    zone: str,
    rows: int,
) -> str | None:
    of_file = f"its file holds {source.counts['read']:,}"
    if wanted.min_rows is not None:
        if rows >= wanted.min_rows:
            return None
        return f"{rows:,} new rows ({of_file}), expected at least {wanted.min_rows:,} (arrival.min_rows)"
    if rows or night.previous_cutoff is None or not arrow.exists(warehouse, source.table.name):
        return None
    previous = local_date(night.previous_cutoff, zone)
    days = (night.run_date - previous).days
    facts = delta.read(spark, warehouse, source.table.name).where(F.col("known_at") <= F.lit(night.previous_cutoff))
    went_on = {(previous - day).days // days for day in quality.nights_with_warnings(warehouse, source.name)}
    usual = every_night(_by_night(facts, previous, days, zone), went_on)
    if not usual:
        return None
    nights = f"{len(usual)} nights" if days == 1 else f"{len(usual)} times {days} nights"
    return f"no new row ({of_file}), where each of the {nights} before brought some, {min(usual):,} to {max(usual):,}"


def _by_night(facts: DataFrame, previous: date, days: int, zone: str) -> dict[int, int]:
    """How long ago -> facts that became known then, in steps of as many nights as this run covers.

    0: those of the run before this one; NIGHTS: all that are older.
    """
    day = F.to_date(F.from_utc_timestamp(F.timestamp_micros(F.unix_micros("known_at") - 1), zone))
    ago = F.floor((F.datediff(F.lit(previous), day) - 1) / days)
    return {int(row[0]): int(row[1]) for row in facts.groupBy(F.least(ago, F.lit(NIGHTS))).count().collect()}


def every_night(rows: Mapping[int, int], went_on: set[int]) -> list[int]:
    """The rows of each earlier night, if every one had some and they are enough to say so; else nothing.

    Args:
        rows: how long ago -> rows; NIGHTS and more: all that are older.
        went_on: nights that had too little and went on all the same, which make none of them usual.
    """
    nights = [count for ago, count in rows.items() if ago < NIGHTS]
    quiet = set(range(max(rows, default=0))) - set(rows) - went_on
    return nights if len(nights) >= FEWEST and not quiet else []


def _too_old(
    spark: SparkSession, warehouse: Warehouse, source: Judged, wanted: Arrival, night: Night, zone: str
) -> str | None:
    if wanted.max_age is None:
        return None
    oldest = earlier(night.cutoff, parse_duration(wanted.max_age), zone)
    newest = source.newest
    if (newest is None or newest < oldest) and arrow.exists(warehouse, source.table.name):
        newest = max(filter(None, (newest, _newest_stored(spark, warehouse, source, night))), default=None)
    if newest is not None and newest >= oldest:
        return None
    found = "there is no fact" if newest is None else f"the newest fact is of {newest:%Y-%m-%d %H:%M} UTC"
    age = "" if newest is None else f", {(night.cutoff - newest) / timedelta(hours=1):.1f} h before the night"
    return f"{found}{age}, expected one of the last {wanted.max_age} (arrival.max_age)"


def _newest_stored(spark: SparkSession, warehouse: Warehouse, source: Judged, night: Night) -> datetime | None:
    """When the newest fact that other runs have stored, and that the night knows, says that it became known."""
    known = (F.col("ingested_on") != F.lit(night.run_date)) & (F.col("known_at") <= F.lit(night.cutoff))
    facts = delta.read(spark, warehouse, source.table.name).where(known)
    (row,) = facts.agg(F.unix_micros(F.max("stated_known_at"))).collect()
    return None if row[0] is None else instant(row[0])
