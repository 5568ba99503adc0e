"""Rows stored by the tasks that made them, and shown by the driver in one Delta commit.

A task writes data files under new names; nobody sees them until the driver commits those of the successful attempts.
Files of attempts and runs that died are orphans, which VACUUM removes.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction, RemoveAction
from pyspark.sql import DataFrame

from nightjar.errors import TableError
from nightjar.tables import arrow, commits, datafiles, failures, opening, scan
from nightjar.tables.datafiles import Written, partition_text
from nightjar.tables.definitions import Table
from nightjar.tables.entries import DataFile
from nightjar.tables.rows import Making, in_tasks
from nightjar.tables.warehouse import Warehouse

ATTEMPTS = 20
TOLD = pa.schema({"file": pa.string()})


@dataclass(frozen=True)
class Target:
    """A table about to be written. Small enough to be sent to tasks.

    Attributes:
        table: its definition.
        folder: where it lies.
        schema: the columns it will have; rows that lack one have null there.
        stamps: column -> value that every row gets.
        version: the version that was seen when the work began; a later change of what is replaced is a conflict.
            None: there was no table.
    """

    table: Table
    folder: str
    schema: pa.Schema
    stamps: Mapping[str, Any]
    version: int | None


def target(warehouse: Warehouse, table: Table, **stamps: Any) -> Target:
    """The table as it is now. It is created, or widened to its definition, with the commit.

    Args:
        warehouse: where it lies.
        table: its definition.
        stamps: column -> value that every row gets.

    Raises:
        TableError: a stored column has another type than its definition.
    """
    stored = opening.found(warehouse, table.name)
    version = None if stored is None else int(stored.version())
    schema = pa.schema([field.remove_metadata() for field in arrow.widened(warehouse, table, stored)])
    return Target(table, warehouse.path(table.name), schema, stamps, version)


def write(rows: pa.Table, into: Target) -> list[Written]:
    """Store rows as data files, one for each combination of partition values. For tasks.

    Rows keep their order inside a file. Where a column of the table is missing stands its stamp, or null.
    """
    for field in into.schema:
        if field.name not in rows.column_names:
            rows = rows.append_column(field, pa.repeat(pa.scalar(into.stamps.get(field.name), field.type), len(rows)))
    return datafiles.write(rows.select(into.schema.names).cast(into.schema), into.folder, into.table.partition_by)


def in_one_piece(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """A task's share of the rows as one table; nothing where it has none."""
    shares = [batch for batch in batches if batch.num_rows]
    if shares:
        yield pa.Table.from_batches(shares)


def sorted_by(order: Sequence[str], make: Making) -> Making:
    """What a task makes, each table of it sorted by some columns; none: as it is."""
    by: Any = [(name, "ascending") for name in order]

    def sort(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
        for made in make(batches):
            yield made.sort_by(by) if by else made

    return sort


def collect(rows: DataFrame, make: Making, into: Target) -> list[Written]:
    """Let tasks make and write rows; the files of the attempts that succeeded.

    Raises:
        NightjarError: what a task has stated; nothing of what was written will be seen.
    """

    def task(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for made in make(batches):
            files = [json.dumps(asdict(file)) for file in write(made, into)]
            yield pa.record_batch([pa.array(files, pa.string())], schema=TOLD)

    with failures.stated():
        told = in_tasks(rows, task, TOLD).collect()
    return [Written(**json.loads(row[0])) for row in told]


def commit(
    warehouse: Warehouse,
    into: Target,
    files: Iterable[Written],
    replaces: Callable[[DataFile], bool],
    run_id: str,
    *,
    inputs: Mapping[str, int] | None = None,
    marks: Mapping[str, int] | None = None,
    rearranged: bool = False,
) -> int:
    """Show the files and hide those they replace, in one commit.

    A commit by someone else to other files of the table does not matter: this one is put on top of it.

    Args:
        warehouse: where the table lies.
        into: the target that the files were written for.
        files: of the successful attempts.
        replaces: which live files go.
        run_id: of this run.
        inputs: table -> version that was read, for `DESCRIBE HISTORY`.
        marks: name -> number, kept in the table and changed by this commit; `mark` reads them.
        rearranged: the files hold the very rows of those they replace; readers of changes see nothing.

    Returns:
        The new version.

    Raises:
        TableError: someone else has changed what is replaced since the target was taken. Nothing was written.
    """
    new = list(files)
    rows = sum(file.rows for file in new)
    said = json.dumps({"run_id": run_id, "rows": rows, "inputs": dict(inputs or {})}, sort_keys=True)
    seen: tuple[DataFile, ...] = ()
    if into.version is not None:
        seen = scan.snapshot(warehouse, into.table.name, into.version).where(replaces).files
    upkeep = {commits.REARRANGED: "true"} if rearranged else {}
    arrow.ensure(warehouse, into.table)
    properties = CommitProperties(
        custom_metadata={"run_id": run_id, "rows": str(rows), "userMetadata": said} | upkeep,
        max_commit_retries=0,
        app_transactions=[Transaction(name, number) for name, number in (marks or {}).items()],
    )
    for attempt in range(ATTEMPTS):
        table = opening.opened(warehouse, into.table.name)
        gone = scan.snapshot_of(table, warehouse, into.table.name).where(replaces).files
        if {file.path for file in gone} != {file.path for file in seen}:
            raise TableError(
                f"Table {into.table.name} at {into.folder}: another run has changed the same rows since version "
                f"{into.version}, which this run {run_id} began with. Nothing was written; run it again."
            )
        _check_names(into, gone)
        actions: list[AddAction | RemoveAction] = [_removed(file, is_change=not rearranged) for file in gone]
        actions += [_added(file, is_change=not rearranged) for file in new]
        try:
            table.create_write_transaction(
                actions, "append", table.schema(), list(into.table.partition_by), commit_properties=properties
            )
        except CommitFailedError:
            time.sleep(0.05 * (attempt + 1))
            continue
        return int(table.version()) + 1
    raise TableError(
        f"Table {into.table.name} at {into.folder}: too many others are writing to it. Nothing was written."
    )


def mark(opened: DeltaTable, name: str) -> int | None:
    """A number that a commit has left in the table, as of the version that was opened; None if none has."""
    found: int | None = opened.transaction_version(name)
    return found


def _check_names(into: Target, gone: Iterable[DataFile]) -> None:
    """Spark leaves such letters in the log as they are, delta-rs quotes them: it would never find the file again."""
    foreign = [file.path for file in gone if not file.path.isascii()]
    if foreign:
        raise TableError(
            f"Table {into.table.name} at {into.folder}: {foreign[0]} was written by Spark for a partition value with "
            "letters beyond ASCII, and delta-rs cannot remove such a file. Nothing was written. "
            "Delete the rows of that partition in Spark first."
        )


def _added(file: Written, *, is_change: bool) -> AddAction:
    return AddAction(file.path, file.size, file.partition, _now(), data_change=is_change, stats=file.statistics)


def _removed(file: DataFile, *, is_change: bool) -> RemoveAction:
    values = {name: partition_text(value) for name, value in file.partition.items()}
    path = unquote(file.path)  # delta-rs quotes it again
    return RemoveAction(path, data_change=is_change, deletion_timestamp=_now(), size=file.size, partition_values=values)


def _now() -> int:
    return int(time.time() * 1000)
