"""Check whether a source has brought enough new facts to a night, before anything of the night is written.

Facts count by when they became known, not by the run that stored them: in a backfill, a later run may have stored the
facts of its night already.
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
from nightjar.sources.storing import ArrivalResult, CheckedSource, Night
from nightjar.tables import arrow, delta, quality
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import earlier, instant, local_date

log = logging.getLogger("nightjar.ingest")
NIGHTS = 28
"""Earlier nights that decide whether one without new facts is unusual: each day of the week four times."""
FEWEST = 2
"""Earlier nights that are needed to call new facts usual: one first load is not enough."""


def check(
    spark: SparkSession, warehouse: Warehouse, source: CheckedSource, settings: Source, night: Night, zone: str
) -> ArrivalResult:
    """Check the new facts of a source, without those that people have corrected: they are no delivery."""
    rows = source.counts["stored"] - source.counts["corrected"] + _count_later_stored(warehouse, source, night)
    shortage = _too_few(spark, warehouse, source, settings.arrival, night, zone, rows)
    staleness = _too_old(spark, warehouse, source, settings.arrival, night, zone)
    return ArrivalResult(rows, tuple(finding for finding in (shortage, staleness) if finding))


def require(arrived: Mapping[str, ArrivalResult], sources: Mapping[str, Source], run_date: date) -> None:
    """Log what is wrong with the sources of a night, and stop it where it may not go on.

    Raises:
        SourceError: a source of severity `error` has brought too little.
    """
    stops = []
    for name, result in arrived.items():
        if result.amiss and sources[name].arrival.severity is Severity.WARN:
            log.warning("source %s: %s; the night goes on, and its scores are marked", name, "; ".join(result.amiss))
        elif result.amiss:
            stops.append(name)
    if not stops:
        return
    shortages = " ".join(f"Source {name}: {'; '.join(arrived[name].amiss)}." for name in stops)
    settings = " ".join(f"project.sources.{name}.arrival.severity=warn" for name in stops)
    raise SourceError(
        f"The night of {run_date} stops: its sources bring less than they should. {shortages} Nothing was written. "
        f"Fetch what is missing and run it again; or go on without, and let scores be marked: {settings}. Where such "
        "nights are normal, let the source's arrival say so (min_rows: 0 if there may be nights without any row)."
    )


def _count_later_stored(warehouse: Warehouse, source: CheckedSource, night: Night) -> int:
    """The number of facts that became known between the previous run and this one, and were stored by later dates."""
    if not arrow.exists(warehouse, source.table.name):
        return 0
    where = (pc.field("ingested_on") > night.run_date) & (pc.field("known_at") <= night.cutoff)
    if night.previous_cutoff is not None:
        where &= pc.field("known_at") > night.previous_cutoff
    return len(arrow.read(warehouse, source.table.name, ["known_at"], where))


def _too_few(
    spark: SparkSession,
    warehouse: Warehouse,
    source: CheckedSource,
    arrival: Arrival,
    night: Night,
    zone: str,
    rows: int,
) -> str | None:
    of_file = f"of {source.counts['read']:,} read"
    if arrival.min_rows is not None:
        if rows >= arrival.min_rows:
            return None
        return f"{rows:,} new rows ({of_file}), expected at least {arrival.min_rows:,} (arrival.min_rows)"
    if rows or night.previous_cutoff is None or not arrow.exists(warehouse, source.table.name):
        return None
    previous = local_date(night.previous_cutoff, zone)
    days = max((night.run_date - previous).days, 1)  # a date that the zone has left out is no night of its own
    facts = delta.read(spark, warehouse, source.table.name).where(F.col("known_at") <= F.lit(night.previous_cutoff))
    went_on = {(previous - day).days // days for day in quality.nights_with_warnings(warehouse, source.name)}
    usual = every_night(_by_night(facts, previous, days, zone), went_on)
    if not usual:
        return None
    nights = f"{len(usual)} nights" if days == 1 else f"{len(usual)} times {days} nights"
    return f"no new row ({of_file}), where each of the {nights} before brought some, {min(usual):,} to {max(usual):,}"


def _by_night(facts: DataFrame, previous: date, days: int, zone: str) -> dict[int, int]:
    """How long ago -> number of facts that became known then, in steps of as many nights as this run covers.

    0: those of the previous run; NIGHTS: all older ones.
    """
    day = F.to_date(F.from_utc_timestamp(F.timestamp_micros(F.unix_micros("known_at") - 1), zone))
    ago = F.floor((F.datediff(F.lit(previous), day) - 1) / days)
    return {int(row[0]): int(row[1]) for row in facts.groupBy(F.least(ago, F.lit(NIGHTS))).count().collect()}


def every_night(rows: Mapping[int, int], went_on: set[int]) -> list[int]:
    """The rows of each earlier night, if every one had some and there are enough nights; else nothing.

    Args:
        rows: how long ago -> rows; NIGHTS and more: all older ones.
        went_on: nights that went on with too few rows; they do not make a quiet night usual.
    """
    nights = [count for ago, count in rows.items() if ago < NIGHTS]
    quiet = set(range(max(rows, default=0))) - set(rows) - went_on
    return nights if len(nights) >= FEWEST and not quiet else []


def _too_old(
    spark: SparkSession, warehouse: Warehouse, source: CheckedSource, arrival: Arrival, night: Night, zone: str
) -> str | None:
    if arrival.max_age is None:
        return None
    oldest = earlier(night.cutoff, parse_duration(arrival.max_age), zone)
    newest = source.newest
    if (newest is None or newest < oldest) and arrow.exists(warehouse, source.table.name):
        newest = max(filter(None, (newest, _newest_stored(spark, warehouse, source, night))), default=None)
    if newest is not None and newest >= oldest:
        return None
    problem = "there is no fact" if newest is None else f"the newest fact is of {newest:%Y-%m-%d %H:%M} UTC"
    age = "" if newest is None else f", {(night.cutoff - newest) / timedelta(hours=1):.1f} h before the night"
    return f"{problem}{age}, expected one of the last {arrival.max_age} (arrival.max_age)"


def _newest_stored(spark: SparkSession, warehouse: Warehouse, source: CheckedSource, night: Night) -> datetime | None:
    """The latest `stated_known_at` of the facts that other runs have stored and that are known by the night."""
    is_visible = (F.col("ingested_on") != F.lit(night.run_date)) & (F.col("known_at") <= F.lit(night.cutoff))
    facts = delta.read(spark, warehouse, source.table.name).where(is_visible)
    (row,) = facts.agg(F.unix_micros(F.max("stated_known_at"))).collect()
    return None if row[0] is None else instant(row[0])
