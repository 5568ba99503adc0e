"""Upkeep: small files are merged, and files and log entries go once no version that is kept needs them. No row changes.

Merging goes through scan and sink: an OPTIMIZE of Spark or delta-rs destroys the order of layouts, and gives columns of
floats bounds that a NaN lies beyond.
"""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pyspark.sql import SparkSession

from nightjar.errors import TableError
from nightjar.settings.project import Project
from nightjar.tables import arrow, commits, layouts, opening, requirements, scan, sink
from nightjar.tables.arrow import RETENTION
from nightjar.tables.definitions import FIXED
from nightjar.tables.entries import DataFile
from nightjar.tables.ledger import Outcome
from nightjar.tables.partition import by_tasks
from nightjar.tables.scan import Snapshot
from nightjar.tables.table import Table
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.maintain")
SMALL = 32 << 20  # bytes; smaller files are merged
MERGED = 64 << 20  # bytes that are merged into one file: a task holds them
FEW = 4  # small files of one partition that are not worth it
DATES = ("run_date", "ingested_on")
MERGES, MADE, REMOVED = "files merged", "merged files", "files removed"


def maintain(
    spark: SparkSession,
    warehouse: Warehouse,
    project: Project,
    keep: Mapping[str, Collection[int]],
    run_date: date,
    run_id: str,
) -> Outcome:
    """Merge the small files of every table of a project, and remove what no version needs that is to be kept.

    Args:
        spark: the session.
        warehouse: where the tables lie.
        project: whose tables.
        keep: table -> versions that must stay readable however old they are.
        run_date: what this night has stored, or a later one, is not merged: a rerun may replace it.
        run_id: of this run.

    Raises:
        TableError: another run has changed the files that were being merged, or a version to keep is gone.
    """
    outcome = Outcome(rows={MERGES: 0, MADE: 0, REMOVED: 0})
    order_of = orders(project)
    tables = sorted(name for name in order_of if arrow.exists(warehouse, name))
    log.info("upkeep of %d tables", len(tables))
    for table in tables:
        stands = opening.opened(warehouse, table)
        try:
            requirements.check_maintainable(stands, table, warehouse.path(table))
        except TableError as needs:
            log.warning("left as it is: %s", needs)
            continue
        merged, made = compact(spark, warehouse, table, order_of[table], run_date, run_id)
        removed = vacuum(warehouse, table, keep.get(table, ()))
        if merged or removed:
            log.info("table %s: %d small files merged into %d, %d old files removed", table, merged, made, removed)
            outcome.outputs[table] = arrow.version(warehouse, table)
        for name, files in ((MERGES, merged), (MADE, made), (REMOVED, removed)):
            outcome.rows[name] += files
    return outcome


def compact(
    spark: SparkSession, warehouse: Warehouse, table: str, order: Sequence[str], run_date: date, run_id: str
) -> tuple[int, int]:
    """Merge the small files of each partition, in one commit that changes no rows.

    Files that are neighbours in time are merged, and large ones stay: readers can still skip files by time, and no row
    is rewritten more than a few times however long the table grows.

    Args:
        spark: the session.
        warehouse: where the table lies.
        table: its name.
        order: the columns that rows are sorted by; none: it does not matter.
        run_date: see `maintain`.
        run_id: of this run.

    Returns:
        How many files were merged, and into how many.

    Raises:
        TableError: another run has changed these files meanwhile. Nothing was written.
    """
    partition_by = tuple(opening.opened(warehouse, table).metadata().partition_columns)
    into = sink.target(warehouse, Table(table, "", (), partition_by, "", ()))
    shares = _shares(scan.snapshot(warehouse, table, into.version), run_date)
    if not shares:
        return 0, 0
    merged = {file.path for share in shares for file in share.files}
    rows = by_tasks(spark, shares, into.schema)
    written = sink.collect(rows.given, sink.sorted_by(order, rows.make), into)
    sink.commit(warehouse, into, written, lambda file: file.path in merged, run_id, rearranged=True)
    return len(merged), len(written)


def vacuum(warehouse: Warehouse, table: str, keep: Collection[int], older_than: timedelta = RETENTION) -> int:
    """Remove the files that have been in no version for some time, and the log of versions as old.

    Args:
        warehouse: where the table lies.
        table: its name.
        keep: versions that stay readable however old they are.
        older_than: how long a file stays that was replaced, or that a dead run has left.

    Returns:
        How many data files were removed.

    Raises:
        TableError: a version to keep is gone.
    """
    stands = opening.opened(warehouse, table)
    kept_since = [commits.committed_at(warehouse, table, version) for version in keep]
    removed = stands.vacuum(
        retention_hours=int(older_than / timedelta(hours=1)),
        dry_run=False,
        enforce_retention_duration=False,
        full=True,
        keep_versions=sorted(keep) or None,
    )
    if all(since >= datetime.now(UTC) - RETENTION for since in kept_since):
        stands.cleanup_metadata()
    return len(removed)


def orders(project: Project) -> dict[str, tuple[str, ...]]:
    """Every table that the project may have -> the columns that its rows are sorted by."""
    sources = {f"source_{name}": source for name, source in project.sources.items()}
    laid_out = {
        layouts.name(table, layout.keys): layouts.order(layout.keys)
        for table, source in sources.items()
        for layout in source.layouts.values()
    }
    return dict.fromkeys([*sources, "features", "labels", "scores", *(table.name for table in FIXED)], ()) | laid_out


def _shares(stands: Snapshot, run_date: date) -> list[Snapshot]:
    """The files that are merged into one each."""
    partitions: dict[tuple[Any, ...], list[DataFile]] = {}
    for file in sorted(stands.files, key=_first_in_time):
        if file.size < SMALL and _is_settled(file, run_date):
            partitions.setdefault(tuple(file.partition.values()), []).append(file)
    many = [files for files in partitions.values() if len(files) > FEW]
    shares = [share for files in many for share in _filled(files) if len(share) > 1]
    return [replace(stands, files=tuple(share)) for share in shares]


def _filled(files: Sequence[DataFile]) -> Iterator[list[DataFile]]:
    """Neighbours, as many as are merged into one file."""
    share: list[DataFile] = []
    for file in files:
        if share and sum(one.size for one in share) + file.size > MERGED:
            yield share
            share = []
        share.append(file)
    yield share


def _first_in_time(file: DataFile) -> tuple[datetime, str]:
    return file.least.get(layouts.EVENT_TIME, datetime.min.replace(tzinfo=UTC)), file.path


def _is_settled(file: DataFile, run_date: date) -> bool:
    latest = [file.partition.get(name) or file.greatest.get(name) for name in DATES]
    return all(day is None or day < run_date for day in latest)
