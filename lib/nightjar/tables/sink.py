"""Rows stored by the tasks that made them, and shown by the driver in one Delta commit.

A task writes data files under new names; nobody sees them until the driver commits those of the successful attempts.
Files of attempts and runs that died are orphans, which VACUUM removes.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable
from pyspark.sql import DataFrame

from nightjar.errors import TableError
from nightjar.tables import arrow, datafiles, failures, fields, opening, requirements, scan, transaction
from nightjar.tables.datafiles import Written
from nightjar.tables.entries import DataFile
from nightjar.tables.rows import Making, in_tasks
from nightjar.tables.table import Table
from nightjar.tables.transaction import Change, Note
from nightjar.tables.warehouse import Warehouse

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
        TableError: a stored column has another type than its definition, or the table needs what is not honoured here.
    """
    stored = opening.found(warehouse, table.name)
    version = None if stored is None else int(stored.version())
    if stored is not None:
        requirements.check_writable(stored, table.name, warehouse.path(table.name))
    schema = pa.schema([field.remove_metadata() for field in fields.widened(warehouse, table, stored)])
    return Target(table, warehouse.path(table.name), schema, stamps, version)


def write(rows: pa.Table, into: Target) -> list[Written]:
    """Store rows as data files, one for each combination of partition values. For tasks.

    Rows keep their order inside a file. Where a column of the table is missing stands its stamp, or null.

    Raises:
        TableError: there is a null in a column that the table declares NOT NULL.
    """
    stored = fields.completed(rows, into.schema, into.stamps, into.table, into.folder)
    return datafiles.write(stored, into.folder, into.table.partition_by)


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
        TableError: someone else has changed what is replaced since the target was taken, or the table needs what is
            not honoured here. Nothing was written.
    """
    new = list(files)
    seen: tuple[DataFile, ...] = ()
    if into.version is not None:
        seen = scan.snapshot(warehouse, into.table.name, into.version).where(replaces).files
    arrow.ensure(warehouse, into.table)

    def change(stands: DeltaTable) -> Change:
        gone = scan.snapshot_of(stands, warehouse, into.table.name).where(replaces).files
        if {file.path for file in gone} != {file.path for file in seen}:
            raise TableError(
                f"Table {into.table.name} at {into.folder}: another run has changed the same rows since version "
                f"{into.version}, which this run {run_id} began with. Nothing was written; run it again."
            )
        return Change(new, gone, rearranged)

    return transaction.commit(warehouse, into.table.name, change, Note(run_id, inputs or {}, marks or {}))


def mark(opened: DeltaTable, name: str) -> int | None:
    """A number that a commit has left in the table, as of the version that was opened; None if none has."""
    found: int | None = opened.transaction_version(name)
    return found
