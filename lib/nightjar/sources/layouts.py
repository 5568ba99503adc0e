"""The layouts of a source, brought up to what its table holds: by the night's facts, or built anew."""

import logging
from collections.abc import Callable

from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812

from nightjar.settings import sources
from nightjar.sources.storing import Night
from nightjar.tables import delta, layouts, sink
from nightjar.tables.definitions import Table, layout_table
from nightjar.tables.entries import DataFile
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
    """Bring every layout of a source from one version of its table to the next, each in one commit.

    A layout that does not reflect the version before, or has another number of buckets, or holds facts of a later
    run, is built anew from the whole table.

    Args:
        spark: the session.
        warehouse: where the tables lie.
        source: its settings.
        table: definition of the source's table.
        night: the run whose facts were stored.
        before: version of the source's table before they were; None: it did not exist.
        after: version with them.

    Returns:
        Table -> version.
    """
    versions = {}
    for settings in source.layouts.values():
        definition = layout_table(table, settings.keys)
        facts = delta.read(spark, warehouse, table.name, after)
        stands = layouts.find(warehouse, table.name, settings.keys)
        if stands is not None and _can_append(warehouse, table, stands, settings, night, before):
            is_new, replaces = F.col(DATE) == F.lit(night.run_date), _only_of(night)
            versions_of = facts.join(facts.where(is_new).select(*source.key).distinct(), source.key, "left_semi")
        else:
            is_new, replaces, versions_of = F.lit(True), _everything, facts
            log.info("layout %s: built anew", definition.name)
        rows = layouts.with_retractions(versions_of, source.key, source.sequence, settings.keys, is_new)
        into = sink.target(warehouse, definition)
        written = layouts.collect(rows, settings.keys, settings.buckets, into)
        marks = layouts.marks(after, settings.buckets)
        inputs = {table.name: after}
        versions[definition.name] = sink.commit(
            warehouse, into, written, replaces, night.run_id, inputs=inputs, marks=marks
        )
    return versions


def _can_append(
    warehouse: Warehouse,
    table: Table,
    stands: layouts.Layout,
    settings: sources.Layout,
    night: Night,
    before: int | None,
) -> bool:
    """Whether the run is the latest one that the layout holds, and all its rows lie in files of their own."""
    if before is None or stands.buckets != settings.buckets:
        return False
    is_next = layouts.reflects(warehouse, table.name, stands, before)
    earlier = all(not file.may_hold(DATE, since=night.run_date) or _only_of(night)(file) for file in stands.files.files)
    return is_next and earlier


def _only_of(night: Night) -> Callable[[DataFile], bool]:
    def only(file: DataFile) -> bool:
        return file.least.get(DATE) == night.run_date == file.greatest.get(DATE)

    return only


def _everything(_: DataFile) -> bool:
    return True
