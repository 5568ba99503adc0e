"""What a run date knows of the raw data: validated, and appended to the sources' tables.

Everything is read and judged before anything is written. Of each source, a run of D stores the versions of facts that
are known by D's midnight and that no other run has stored: a rerun replaces its own partition and nothing else.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

from pyspark.errors import ArithmeticException, DateTimeException, NumberFormatException, SparkRuntimeException
from pyspark.sql import Column, DataFrame, Observation, Row, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from nightjar.errors import SourceError
from nightjar.expressions import syntax
from nightjar.settings.project import Project
from nightjar.settings.sources import Source
from nightjar.sources import arrivals, facts, layouts, raw, seen
from nightjar.sources.storing import Judged, Night, require_kept, store_facts, store_quality, store_quarantine
from nightjar.tables import arrow, sink
from nightjar.tables.definitions import QUALITY, QUARANTINE, source_table
from nightjar.tables.ledger import Outcome
from nightjar.tables.table import Table
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff, instant

log = logging.getLogger("nightjar.ingest")
STATES = ("fact", "refused", "not_a_fact", "not_yet_known")
NEW_STATES = ("fact", "refused", "repeated")
EXPRESSION_FAILED = (ArithmeticException, DateTimeException, NumberFormatException, SparkRuntimeException)


def ingest(
    spark: SparkSession,
    warehouse: Warehouse,
    project: Project,
    run_date: date,
    previous: date | None,
    run_id: str,
    cache: Path,
    check: Callable[[Mapping[str, StructType]], None],
) -> Outcome:
    """Store what has become known by the run date's midnight.

    Args:
        spark: the session.
        warehouse: where tables lie.
        project: whose sources.
        run_date: the night.
        previous: run date of the finished ingest before this one; None: the stated `known_at` is trusted.
        run_id: of this run.
        cache: folder for unpacked archives.
        check: is given source -> the columns its facts will have, and raises where what is to be built of them does
            not fit.

    Raises:
        SourceError: a file is missing, damaged or not of its declared shape, too many rows are refused, or a source
            brings less than it should. No table has been touched.
        UsageError: an expression of the project holds what it may not, or does not fit. No table has been touched.
        TableError: a source's table has other columns than its settings store. No table has been touched.
        NightjarError: what `check` raises. No table has been touched.
    """
    syntax.require_allowed(spark, project.sql_of_sources() | project.sql_of_rows())
    zone = project.zone
    before = None if previous is None else cutoff(previous, zone)
    night = Night(run_date, cutoff(run_date, zone), before, run_id)
    # All files are looked at before the first one is read through.
    rows, folder = {}, warehouse.path("")
    for name, settings in project.sources.items():
        with raw.unread_named(name, folder):
            rows[name] = facts.candidates(spark, name, settings, cache, zone)
    schemas = {name: read.select(*project.sources[name].stored_columns()).schema for name, read in rows.items()}
    check(schemas)
    tables = {name: _table(name, project.sources[name], schema) for name, schema in schemas.items()}
    into = [sink.target(warehouse, table) for table in tables.values()]  # before keys of other types are compared
    judged = []
    for name, read in rows.items():
        with raw.unread_named(name, folder):
            judged.append(_judge(warehouse, name, project.sources[name], tables[name], read, night))
    require_kept(into)
    arrived = {
        source.name: arrivals.judge(spark, warehouse, source, project.sources[source.name], night, zone)
        for source in judged
    }
    arrivals.require(arrived, project.sources, run_date)
    outcome = Outcome()
    for source in judged:
        stood = arrow.versions(warehouse, [source.table.name]).get(source.table.name)
        settings = project.sources[source.name]
        after = store_facts(source, settings, warehouse, night)
        outcome.outputs[source.table.name] = after
        outcome.outputs |= layouts.store(spark, warehouse, settings, source.table, night, stood, after)
        outcome.rows[source.table.name] = source.counts["stored"]
        stored, refused = f"{source.counts['stored']:,}", f"{source.counts['refused']:,}"
        log.info("source %s: %s rows stored, %s refused", source.name, stored, refused)
    outcome.outputs[QUARANTINE.name] = store_quarantine(judged, warehouse, night)
    outcome.outputs[QUALITY.name] = store_quality(judged, arrived, warehouse, night)
    outcome.rows[QUARANTINE.name] = sum(source.counts["refused"] for source in judged)
    for source in judged:
        source.rows.unpersist()
    return outcome


def _table(name: str, source: Source, stored: StructType) -> Table:
    return source_table(name, source.key, to_arrow_schema(stored, timezone="UTC"), source.sequence)


def _judge(warehouse: Warehouse, name: str, source: Source, table: Table, rows: DataFrame, night: Night) -> Judged:
    log.info("source %s: reading %s", name, source.file.path)
    spark = rows.sparkSession
    passed, all_rows = Observation(), _known(rows, night)
    known = all_rows.observe(passed, *_observed()).where(F.col(facts.STATE).isin("fact", "refused"))
    said = seen.content([*source.stored_columns(), "event_time"])
    known = known.withColumns({seen.CONTENT: said, "_before": F.col(facts.STATE)})
    new = _with_conflicts(seen.without_stored(spark, known, warehouse, table.name, source, night.run_date), source)
    new = seen.without_refused(spark, new, warehouse, name, night.run_date).persist()
    counted = _counted(new, name)
    after = {(row[0], row[1]): row[2] for row in counted}
    newest = max((row[3] for row in counted if row[1] == "fact"), default=None)
    # An observation counts while the rows pass by, so it is complete only now. Where none is left at the end, Spark may
    # have thrown it out of the plan with the rest: then they are counted once more.
    by_state = passed.get if counted else all_rows.agg(*_observed()).collect()[0].asDict()
    counts = _counts(by_state, after)
    raw.refuse_malformed(by_state["malformed"], by_state["example"], name, source.file.path)
    failed = _failed_checks(new) if counts["refused"] else {}
    _refuse_if_too_many(name, source, counts, failed, new)
    return Judged(name, table, new, counts, failed, None if newest is None else instant(newest))


def _counted(new: DataFrame, name: str) -> list[Row]:
    """Rows by what they were and are, and the newest of them. All expressions are computed here for the first time."""
    newest = F.unix_micros(F.max("stated_known_at"))
    try:
        return new.groupBy("_before", facts.STATE).agg(F.count("*"), newest).collect()
    except EXPRESSION_FAILED as error:
        raise SourceError(
            f"Source {name}: one of its expressions fails on some row: {str(error).splitlines()[0]} Let the expression "
            "give null there (try_divide, try_cast, CASE), or give the raw column bounds. Nothing was written."
        ) from error


def _known(rows: DataFrame, night: Night) -> DataFrame:
    """Mark facts and refused rows that are not known by the night."""
    early = (F.col("stated_known_at") > F.lit(night.cutoff)) & (F.col(facts.STATE) != "not_a_fact")
    return rows.withColumn(facts.STATE, F.when(early, "not_yet_known").otherwise(F.col(facts.STATE)))


def _observed() -> list[Column]:
    """Rows by state, and what is malformed, counted while the rows pass by."""
    states = [F.count(F.when(F.col(facts.STATE) == state, 1)).alias(state) for state in STATES]
    return [*states, F.count(raw.MALFORMED).alias("malformed"), F.min(raw.MALFORMED).alias("example")]


def _counts(seen: Mapping[str, int], after: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """What became of the rows: counted before other runs' rows were taken out, and after."""
    left = {
        state: sum(count for (before, _), count in after.items() if before == state) for state in ("fact", "refused")
    }
    now = {state: sum(count for (_, is_now), count in after.items() if is_now == state) for state in NEW_STATES}
    return {
        "read": sum(seen[state] for state in STATES),
        "not_a_fact": seen["not_a_fact"],
        "not_yet_known": seen["not_yet_known"],
        "already_stored": seen["fact"] - left["fact"],
        "already_refused": seen["refused"] - left["refused"],
        "repeated": now["repeated"],
        "refused": now["refused"],
        "stored": now["fact"],
    }


def _with_conflicts(rows: DataFrame, source: Source) -> DataFrame:
    """Of identical facts keep one; of different ones that nothing orders, nobody can tell the true one."""
    same = Window.partitionBy(*source.key, "stated_known_at", *source.sequence, facts.STATE)
    least, greatest = F.min("_content").over(same), F.max("_content").over(same)
    place = F.row_number().over(same.orderBy("_content"))
    is_fact = F.col(facts.STATE) == "fact"
    compared = rows.withColumns({"_conflict": is_fact & (least != greatest), "_repeated": is_fact & (place > 1)})
    conflict, repeated = F.col("_conflict"), F.col("_repeated")
    judged = {
        facts.REASONS: F.when(conflict, F.array(F.lit(_conflict(source)))).otherwise(F.col(facts.REASONS)),
        facts.STATE: F.when(conflict, "refused").when(repeated, "repeated").otherwise(F.col(facts.STATE)),
        facts.ROW: F.when(conflict, facts.as_json(source.stored_columns())).otherwise(F.col(facts.ROW)),
    }
    return compared.withColumns(judged).withColumn("_hash", F.sha2(facts.ROW, 256)).drop("_conflict", "_repeated")


def _conflict(source: Source) -> str:
    return f"several versions with one key{', known_at and sequence' if source.sequence else ' and known_at'}"


def _failed_checks(rows: DataFrame) -> dict[str, int]:
    refused = rows.where(F.col(facts.STATE) == "refused").select(F.explode(facts.REASONS).alias("reason"))
    return {row[0]: row[1] for row in refused.groupBy("reason").count().orderBy("reason").collect()}


def _refuse_if_too_many(
    name: str, source: Source, counts: Mapping[str, int], failed: Mapping[str, int], rows: DataFrame
) -> None:
    judged = counts["stored"] + counts["refused"]
    if not judged or counts["refused"] / judged <= source.refuse_above:
        return
    reason = max(failed, key=lambda check: failed[check])
    found = rows.where(F.array_contains(facts.REASONS, reason)).select(facts.ROW).first()
    raise SourceError(
        f"Source {name}: {counts['refused']:,} of {judged:,} new rows are refused, more than the share of "
        f"{source.refuse_above:g} that sources.{name}.refuse_above allows. Most often ({failed[reason]:,} rows): "
        f"{reason}. Such a row: {found[0] if found else ''}. Has the file changed its form? Nothing was written."
    )
