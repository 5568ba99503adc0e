"""Update the layouts of a source to its table: append the night's facts, or build them anew."""

import logging
from collections.abc import Callable

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from nightjar.settings import sources
from nightjar.settings.layouts import Layout
from nightjar.sources.storing import Night
from nightjar.tables import arrow, delta, layouts, sink
from nightjar.tables.entries import DataFile
from nightjar.tables.source_definitions import layout_table
from nightjar.tables.table import Table
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.ingest")
DATE = "ingested_on"


def store(
    spark: SparkSession,
    warehouse: Warehouse,
    source: sources.Source,
    table: Table,
    night: Night,
    before: int | None,
    after: int,
) -> dict[str, int]:
    """Update every layout of a source from one version of its table to the next, each in one commit.

    A layout that does not match the version before, or has another number of buckets, or has facts of a later run, is
    built anew from the whole table.

    Args:
        spark: the session.
        warehouse: where the tables lie.
        source: its settings.
        table: definition of the source's table.
        night: the run whose facts were stored.
        before: version of the source's table without these facts; None: it did not exist.
        after: version with them.

    Returns:
        Table -> version.
    """
    versions = {}
    for settings in source.layouts.values():
        definition = layout_table(table, settings.keys)
        facts = delta.read(spark, warehouse, table.name, after)
        layout = layouts.find(warehouse, table.name, settings.keys)
        if layout is not None and _can_append(warehouse, table, layout, settings, night, before):
            is_new, replaces = F.col(DATE) == F.lit(night.run_date), _only_of(night)
            versions_of = facts.join(facts.where(is_new).select(*source.key).distinct(), source.key, "left_semi")
        else:
            is_new, replaces, versions_of = F.lit(True), _everything, facts
            log.info("layout %s: built anew", definition.name)
        rows = layouts.with_retractions(versions_of, source.key, source.sequence, settings.keys, is_new)
        into = sink.target(warehouse, definition)
        inputs, name = {table.name: after}, definition.name
        versions[name] = _store(warehouse, rows, settings, into, inputs, replaces, night.run_id)
    return versions


def rebuild(
    spark: SparkSession, warehouse: Warehouse, source: sources.Source, table: str, settings: Layout, run_id: str
) -> int:
    """Build a layout anew from the whole table of its source, without reading its own files; its new version."""
    version = arrow.version(warehouse, table)
    facts = delta.read(spark, warehouse, table, version)
    rows = layouts.with_retractions(facts, source.key, source.sequence, settings.keys, F.lit(True))
    into = sink.target(warehouse, Table(layouts.name(table, settings.keys), "", (), (layouts.BUCKET,), "", ()))
    return _store(warehouse, rows, settings, into, {table: version}, _everything, run_id)


def _store(
    warehouse: Warehouse,
    rows: DataFrame,
    settings: Layout,
    into: sink.Target,
    inputs: dict[str, int],
    replaces: Callable[[DataFile], bool],
    run_id: str,
) -> int:
    (version,) = inputs.values()
    written = layouts.collect(rows, settings.keys, settings.buckets, into)
    marks = layouts.marks(version, settings.buckets)
    return sink.commit(warehouse, into, written, replaces, run_id, inputs=inputs, marks=marks)


def _can_append(
    warehouse: Warehouse,
    table: Table,
    layout: layouts.Layout,
    settings: Layout,
    night: Night,
    before: int | None,
) -> bool:
    """Whether the layout matches the version before, and has no later facts but this run's, in files of their own."""
    if before is None or layout.buckets != settings.buckets:
        return False
    is_next = layouts.reflects(warehouse, table.name, layout, before)
    earlier = all(not file.may_hold(DATE, since=night.run_date) or _only_of(night)(file) for file in layout.files.files)
    return is_next and earlier


def _only_of(night: Night) -> Callable[[DataFile], bool]:
    def only(file: DataFile) -> bool:
        return file.least.get(DATE) == night.run_date == file.greatest.get(DATE)

    return only


def _everything(_: DataFile) -> bool:
    return True
