"""Maintenance: merge small files, and remove files and log entries that no kept version needs. No row changes.

Files are merged by our own scan and sink: an OPTIMIZE of Spark or delta-rs destroys the order of layouts, and gives
columns of floats bounds that a NaN lies beyond.
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
from nightjar.tables.file_splits import read_shares
from nightjar.tables.runs import Outcome
from nightjar.tables.scan import Snapshot
from nightjar.tables.table import Table
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.maintain")
SMALL = 32 << 20  # bytes; smaller files are merged
MERGED = 64 << 20  # bytes that are merged into one file: they must fit a task's memory
FEW = 4  # small files of one partition that are not worth merging
DATES = ("run_date", "ingested_on")
MERGES, CREATED, REMOVED = "files merged", "merged files", "files removed"


def maintain(
    spark: SparkSession,
    warehouse: Warehouse,
    project: Project,
    keep: Mapping[str, Collection[int]],
    run_date: date,
    run_id: str,
) -> Outcome:
    """Merge the small files of every table of a project, and remove files that no kept version needs.

    Args:
        spark: the session.
        warehouse: where the tables lie.
        project: whose tables.
        keep: table -> versions that must stay readable however old they are.
        run_date: files of this night and later ones are not merged: a rerun may replace them.
        run_id: of this run.

    Raises:
        TableError: another run has changed the files that were being merged, or a version to keep is missing.
    """
    outcome = Outcome(rows={MERGES: 0, CREATED: 0, REMOVED: 0})
    order_of = orders(project)
    tables = sorted(name for name in order_of if arrow.exists(warehouse, name))
    log.info("upkeep of %d tables", len(tables))
    for table in tables:
        delta_table = opening.open_table(warehouse, table)
        try:
            requirements.check_maintainable(delta_table, table, warehouse.path(table))
        except TableError as error:
            log.warning("left as it is: %s", error)
            continue
        merged, created = compact(spark, warehouse, table, order_of[table], run_date, run_id)
        removed = vacuum(warehouse, table, keep.get(table, ()))
        if merged or removed:
            log.info("table %s: %d small files merged into %d, %d old files removed", table, merged, created, removed)
            outcome.outputs[table] = arrow.version(warehouse, table)
        for name, files in ((MERGES, merged), (CREATED, created), (REMOVED, removed)):
            outcome.rows[name] += files
    return outcome


def compact(
    spark: SparkSession, warehouse: Warehouse, table: str, order: Sequence[str], run_date: date, run_id: str
) -> tuple[int, int]:
    """Merge the small files of each partition, in one commit that changes no rows.

    Only files that are neighbours in time are merged, and large ones stay: readers can still skip files by time, and no
    row is rewritten more than a few times however long the table grows.

    Args:
        spark: the session.
        warehouse: where the table lies.
        table: its name.
        order: the columns that rows are sorted by; none: they are not sorted.
        run_date: see `maintain`.
        run_id: of this run.

    Returns:
        How many files were merged, and into how many.

    Raises:
        TableError: another run has changed these files meanwhile. Nothing was written.
    """
    partition_by = tuple(opening.open_table(warehouse, table).metadata().partition_columns)
    into = sink.target(warehouse, Table(table, "", (), partition_by, "", ()))
    shares = _shares(scan.snapshot(warehouse, table, into.version), run_date)
    if not shares:
        return 0, 0
    merged = {file.path for share in shares for file in share.files}
    rows = read_shares(spark, shares, into.schema)
    written = sink.collect(rows.task_input, sink.sorted_by(order, rows.make), into)
    sink.commit(warehouse, into, written, lambda file: file.path in merged, run_id, rearranged=True)
    return len(merged), len(written)


def vacuum(warehouse: Warehouse, table: str, keep: Collection[int], older_than: timedelta = RETENTION) -> int:
    """Remove files that have been in no version for some time, and the log of equally old versions.

    Args:
        warehouse: where the table lies.
        table: its name.
        keep: versions that stay readable however old they are.
        older_than: age up to which replaced files, and those of runs that died, are kept.

    Returns:
        How many data files were removed.

    Raises:
        TableError: a version to keep is missing.
    """
    delta_table = opening.open_table(warehouse, table)
    commit_times = [commits.committed_at(warehouse, table, version) for version in keep]
    removed = delta_table.vacuum(
        retention_hours=int(older_than / timedelta(hours=1)),
        dry_run=False,
        enforce_retention_duration=False,
        full=True,
        keep_versions=sorted(keep) or None,
    )
    if all(committed >= datetime.now(UTC) - RETENTION for committed in commit_times):
        delta_table.cleanup_metadata()
    return len(removed)


def orders(project: Project) -> dict[str, tuple[str, ...]]:
    """Every table that the project may have -> the columns that its rows are sorted by."""
    sources = {f"source_{name}": source for name, source in project.sources.items()}
    layout_orders = {
        layouts.name(table, layout.keys): layouts.order(layout.keys)
        for table, source in sources.items()
        for layout in source.layouts.values()
    }
    of_project = [*sources, "features", "labels", "scores", "scores_latest", "reviews"]
    return dict.fromkeys([*of_project, *(table.name for table in FIXED)], ()) | layout_orders


def _shares(snapshot: Snapshot, run_date: date) -> list[Snapshot]:
    """Groups of files, each of which is merged into one."""
    partitions: dict[tuple[Any, ...], list[DataFile]] = {}
    for file in sorted(snapshot.files, key=_first_in_time):
        if file.size < SMALL and _is_settled(file, run_date):
            partitions.setdefault(tuple(file.partition.values()), []).append(file)
    many = [files for files in partitions.values() if len(files) > FEW]
    shares = [share for files in many for share in _group_files(files) if len(share) > 1]
    return [replace(snapshot, files=tuple(share)) for share in shares]


def _group_files(files: Sequence[DataFile]) -> Iterator[list[DataFile]]:
    """Groups of neighbouring files, each as large as one merged file may be."""
    share: list[DataFile] = []
    for file in files:
        if share and sum(member.size for member in share) + file.size > MERGED:
            yield share
            share = []
        share.append(file)
    yield share


def _first_in_time(file: DataFile) -> tuple[datetime, str]:
    return file.least.get(layouts.EVENT_TIME, datetime.min.replace(tzinfo=UTC)), file.path


def _is_settled(file: DataFile, run_date: date) -> bool:
    latest = [file.partition.get(name) or file.greatest.get(name) for name in DATES]
    return all(day is None or day < run_date for day in latest)
