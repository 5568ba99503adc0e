"""Ingest raw data: validate what is known by a run date, and append it to the sources' tables.

Everything is read and checked before anything is written. Of each source, a run of D stores the versions of facts that
are known by D's midnight and that no other run has stored: a rerun replaces only its own partition.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from nightjar.errors import SourceError
from nightjar.expressions import syntax
from nightjar.settings.project import Project
from nightjar.settings.relations import sources_in_order
from nightjar.settings.sources import Source
from nightjar.sources import arrivals, counting, deduplication, facts, layouts, near_duplicates, repairs
from nightjar.sources.concurrency import side_by_side
from nightjar.sources.connectors.opening import connect
from nightjar.sources.formats import raw
from nightjar.sources.formats.failures import translate_expression_errors
from nightjar.sources.gates import check as gates
from nightjar.sources.gates.ground import Ground
from nightjar.sources.intake import history, reading, staging, undeclared
from nightjar.sources.intake.reading import Reading
from nightjar.sources.refusals import store_quarantine, store_repairs
from nightjar.sources.storing import (
    CheckedSource,
    Night,
    require_same_columns,
    store_facts,
    store_quality,
)
from nightjar.tables import arrow, sink
from nightjar.tables.rows import few_rows, settle
from nightjar.tables.runs import Outcome
from nightjar.tables.source_definitions import INTAKE, QUALITY, QUARANTINE, source_table, source_table_name
from nightjar.tables.table import Table
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff, instant

log = logging.getLogger("nightjar.ingest")


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
        previous: run date of the previous finished ingest; None: the stated `known_at` is trusted.
        run_id: of this run.
        cache: folder for unpacked archives.
        check: called with source -> the columns of its facts; raises where features or labels do not fit them.

    Raises:
        SourceError: a file or table is missing, damaged or not as declared, or has changed that may not; too many rows
            are refused, or a source brings less than it should or does not pass a gate that stops. No table has been
            touched.
        UsageError: an expression of the project holds what it may not, or does not fit. No table has been touched.
        TableError: a source's table has other columns than its settings store. No table has been touched.
        NightjarError: what `check` raises. No table has been touched.
    """
    syntax.require_allowed(spark, project.sql_of_sources() | project.sql_of_rows())
    zone = project.zone
    before = None if previous is None else cutoff(previous, zone)
    night = Night(run_date, cutoff(run_date, zone), before, run_id)
    with connect(spark, project.sources, night, zone, cache) as connectors:
        places = {
            name: reading.Place(spark, warehouse, name, source, night, zone, cache, connectors[name])
            for name, source in project.sources.items()
        }
        # All files are opened before the first one is read through.
        folder = warehouse.path("")

        def open_items(name: str) -> Reading:
            with raw.translate_read_errors(name, folder):
                return reading.open_items(places[name], source_table_name(name))

        opened = side_by_side(spark, open_items, list(project.sources))
        schemas = {
            name: one.rows.select(*project.sources[name].stored_columns()).schema for name, one in opened.items()
        }
        check(schemas)
        tables = {name: _table(name, project.sources[name], schema) for name, schema in schemas.items()}
        # Before keys of other types are compared.
        targets = [sink.target(warehouse, table) for table in tables.values()]
        checked: dict[str, CheckedSource] = {}
        with staging.discard_on_failure(warehouse, project.sources, night):

            def check_source(name: str) -> CheckedSource:
                with raw.translate_read_errors(name, folder):
                    read = reading.stage(places[name], opened[name])
                    ground = Ground(places[name], tables[name].name, project.sources, checked, read.is_corrected)
                    return _check_source(ground, tables[name], read)

            for names in sources_in_order(project.sources):  # a gate may refer to the facts of a source before
                checked |= side_by_side(spark, check_source, names)
            checked_sources = [checked[name] for name in project.sources]
            require_same_columns(targets)
            arrivals_of = {
                source.name: arrivals.check(spark, warehouse, source, project.sources[source.name], night, zone)
                for source in checked_sources
            }
            arrivals.require(arrivals_of, project.sources, run_date)
            gates.require(checked_sources, run_date)
    outcome = Outcome()
    entries_of = {source.name: source.entries for source in checked_sources}
    outcome.outputs[INTAKE.name] = history.store(warehouse, entries_of, run_date, run_id)

    def store(name: str) -> dict[str, int]:
        source, settings = checked[name], project.sources[name]
        version_before = arrow.versions(warehouse, [source.table.name]).get(source.table.name)
        version_after = store_facts(source, settings, warehouse, night)
        added, refused = f"{source.counts['stored']:,}", f"{source.counts['refused']:,}"
        log.info("source %s: %s rows stored, %s refused", name, added, refused)
        if source.new_columns:
            log.warning("source %s: new columns, which are not declared: %s", name, ", ".join(source.new_columns))
        of_layouts = layouts.store(spark, warehouse, settings, source.table, night, version_before, version_after)
        return {source.table.name: version_after} | of_layouts

    for name, versions in side_by_side(spark, store, list(project.sources)).items():
        outcome.outputs |= versions
        outcome.rows[checked[name].table.name] = checked[name].counts["stored"]
    outcome.outputs[QUARANTINE.name] = store_quarantine(checked_sources, warehouse, night)
    outcome.outputs |= store_repairs(checked_sources, project.sources, warehouse, night)
    outcome.outputs[QUALITY.name] = store_quality(checked_sources, arrivals_of, warehouse, night)
    outcome.rows[QUARANTINE.name] = sum(source.counts["refused"] for source in checked_sources)
    for source in checked_sources:
        for rows in source.persisted:
            rows.unpersist()
    return outcome


def _table(name: str, source: Source, stored: StructType) -> Table:
    columns = to_arrow_schema(stored, timezone="UTC")
    return source_table(name, source.key, columns, source.sequence, source.datasheet.purpose)


def _describe(items: Sequence[str]) -> str:
    """Their names; of many, their number with the first and the last name."""
    if len(items) > 10:
        return f"{len(items):,} items, {items[0]} to {items[-1]}"
    return ", ".join(items) or "nothing new"


def _check_source(ground: Ground, table: Table, read: Reading) -> CheckedSource:
    place = ground.place
    name, source, night, warehouse = place.name, place.source, place.night, place.warehouse
    log.info("source %s: reading %s", name, _describe([portion.item.name for portion in read.portions]))
    spark = read.rows.sparkSession
    observation, all_rows = Observation(), counting.mark_not_yet_known(read.rows, night)
    with translate_expression_errors(name):
        few = few_rows(all_rows)
    if few is not None:
        all_rows = spark.createDataFrame(few, all_rows.schema)
    visible = all_rows.observe(observation, *counting.state_counts()).where(F.col(facts.STATE).isin("fact", "refused"))
    content = deduplication.content([*source.stored_columns(), "event_time"])
    visible = visible.withColumns({deduplication.CONTENT: content, "_before": F.col(facts.STATE)})
    survey = deduplication.Survey(read.spans(night.cutoff), None)
    is_first = not arrow.exists(warehouse, table.name)
    if few is not None:
        survey = deduplication.survey_few(few, source)
    elif is_first or (survey.spans is None and deduplication.is_large(warehouse, table.name)):
        visible = deduplication.with_keys(visible, source).persist()
        survey = deduplication.survey(visible, name)
    not_stored = deduplication.without_stored(spark, visible, warehouse, table.name, source, night, survey.spans)
    compared = new = deduplication.with_conflicts(not_stored, source, survey.repeated)
    if source.near_duplicates:
        compared.persist()
        with translate_expression_errors(name):
            new = near_duplicates.refuse(ground, compared)
    if survey.has_refused:
        new = deduplication.without_refused(spark, new, warehouse, name, night.run_date)
    if few is not None:
        is_projected = not_stored is visible and survey.repeated == [] and not survey.has_refused
        new = new if is_projected else settle(new)
    elif not is_first or survey.repeated is None or source.near_duplicates:
        new = new.persist()  # else they are projections of persisted rows
    pairs = repairs.declared(source)
    state_counts = counting.count_states(new, name, night, pairs)
    if source.near_duplicates:
        compared.unpersist()
    new, results = gates.check(ground, new)
    if any(result.measured.refused for result in results):
        state_counts = counting.count_states(new, name, night, pairs)
    counts_by_state = {(row[0], row[1]): row[2] for row in state_counts}
    newest = max((row[3] for row in state_counts if row[1] == "fact"), default=None)
    corrected, late = (sum(row[place] for row in state_counts if row[1] == "fact") for place in (4, 5))
    # An observation counts rows as they are processed, so it is complete only now. Where no row remains at the end,
    # Spark may have removed it from the plan: then rows are counted once more.
    by_state = observation.get if state_counts else all_rows.agg(*counting.state_counts()).collect()[0].asDict()
    counts = counting.by_outcome(by_state, counts_by_state) | {"corrected": corrected}
    raw.refuse_malformed(by_state["malformed"], by_state["example"], name, source.origin.place)
    failed = counting.count_failed_checks(new) if counts["refused"] else {}
    _refuse_if_too_many(name, source, counts, failed, new)
    entries = reading.entries(place, read, by_state["not_yet_known"])
    counts |= counting.waiting_counts(counts, entries)
    repaired = counting.repaired(state_counts, pairs)
    return CheckedSource(
        name,
        table,
        new,
        counts,
        failed,
        None if newest is None else instant(newest),
        entries,
        has_late=late > 0,
        gates=results,
        repaired=repaired,
        persisted=(visible, new),
        new_columns=undeclared.new(entries, read.columns_before),
    )


def _refuse_if_too_many(
    name: str, source: Source, counts: Mapping[str, int], failed: Mapping[str, int], rows: DataFrame
) -> None:
    checked = counts["stored"] + counts["refused"] - counts["corrected"]
    if checked < 1 or counts["refused"] / checked <= source.refuse_above:
        return
    reason = max(failed, key=lambda check: failed[check])
    example = rows.where(F.array_contains(facts.REASONS, reason)).select(facts.row_as_json()).first()
    raise SourceError(
        f"Source {name}: {counts['refused']:,} of {checked:,} new rows are refused, more than the share of "
        f"{source.refuse_above:g} that sources.{name}.refuse_above allows. Most often ({failed[reason]:,} rows): "
        f"{reason}. Such a row: {example[0] if example else ''}. Has it changed its form? Nothing was written."
    )
