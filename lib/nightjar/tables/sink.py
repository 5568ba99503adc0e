"""Rows written by the tasks that make them, and committed by the driver in one Delta commit.

A task writes data files under new names; readers see them once the driver commits those of the successful attempts.
Files of attempts and runs that died are orphans, which VACUUM removes.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from pyspark.sql import DataFrame
from threadpoolctl import threadpool_limits

from nightjar.errors import BusyError
from nightjar.tables import arrow, datafiles, failures, fields, opening, requirements, scan, storage, transaction
from nightjar.tables.datafiles import NewFile
from nightjar.tables.entries import DataFile
from nightjar.tables.rows import TaskFunction, few_rows, in_tasks
from nightjar.tables.table import Table
from nightjar.tables.transaction import Change, Note
from nightjar.tables.warehouse import Warehouse

MESSAGE = pa.schema({"file": pa.string()}).append(pa.field("rows", pa.binary()))


@dataclass(frozen=True, eq=False)
class Unfinished:
    """Rows of a task that the driver finishes before they are stored. Few: all of them travel to it."""

    rows: pa.Table


UnfinishedTask: TypeAlias = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.Table | Unfinished]]
"""A task's share of Spark's rows -> the rows that it makes of them, some of which the driver finishes."""


@dataclass(frozen=True)
class Target:
    """A table that will be written. Small enough to be sent to tasks.

    Attributes:
        table: its definition.
        folder: where it lies.
        schema: the columns it will have; rows that lack one have null there.
        stamps: column -> value that every row gets.
        version: the table's version when the work began; a later change of the files to replace is a conflict.
            None: there was no table.
    """

    table: Table
    folder: str
    schema: pa.Schema
    stamps: Mapping[str, Any]
    version: int | None


def target(warehouse: Warehouse, table: Table, **stamps: Any) -> Target:
    """The table as it is now. The commit creates it, or adds the columns that it lacks.

    Args:
        warehouse: where it lies.
        table: its definition.
        stamps: column -> value that every row gets.

    Raises:
        TableError: a stored column has another type than its definition, or the table uses a feature that is not
            supported here.
    """
    delta_table = opening.find(warehouse, table.name)
    version = None if delta_table is None else int(delta_table.version())
    if delta_table is not None:
        requirements.check_writable(delta_table, table.name, warehouse.path(table.name))
    schema = pa.schema([field.remove_metadata() for field in fields.evolve_schema(warehouse, table, delta_table)])
    return Target(table, warehouse.path(table.name), schema, stamps, version)


def write(rows: pa.Table, into: Target) -> list[NewFile]:
    """Store rows as data files, one for each combination of partition values. For tasks.

    Rows keep their order inside a file. A missing column is filled with its stamp, or null.

    Raises:
        TableError: there is a null in a column that the table declares NOT NULL.
    """
    complete = fields.complete(rows, into.schema, into.stamps, into.table, into.folder)
    return datafiles.write(complete, into.folder, into.table.partition_by)


def read(file: NewFile, into: Target) -> pa.Table:
    """The rows of a file that is not committed yet, without the columns that the table is partitioned by."""
    with storage.folder(into.folder).open_input_file(file.path) as stream:
        return pq.read_table(stream)


def in_one_piece(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """A task's share of the rows as one table; none where it is empty."""
    shares = [batch for batch in batches if batch.num_rows]
    if shares:
        yield pa.Table.from_batches(shares)


def sorted_by(order: Sequence[str], make: TaskFunction) -> TaskFunction:
    """The same task, with each of its tables sorted by some columns; without columns, the task unchanged."""
    by: Any = [(name, "ascending") for name in order]

    def sort(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
        for table in make(batches):
            yield table.sort_by(by) if by else table

    return sort


def collect(rows: DataFrame, make: TaskFunction, into: Target, *, by_tasks: bool = False) -> list[NewFile]:
    """Let tasks make and write rows, or this process where they are few; the files of the attempts that succeeded.

    Args:
        rows: what tasks get.
        make: what a task does with its share.
        into: the target of the rows.
        by_tasks: whether tasks make them however few they are.

    Raises:
        NightjarError: the making has raised it; nothing will be committed.
    """
    with failures.translate_errors():
        few = None if by_tasks else few_rows(rows)
    return (collect_parts(rows, make, into) if few is None else make_here(few.to_batches(), make, into))[0]


def collect_parts(rows: DataFrame, make: UnfinishedTask, into: Target) -> tuple[list[NewFile], list[pa.Table]]:
    """The same where tasks leave some rows to the driver: the files, and the rows to finish and `write`.

    Raises:
        NightjarError: a task has raised it; nothing will be committed.
    """

    def task(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for part in make(batches):
            if isinstance(part, Unfinished):
                yield pa.record_batch([pa.nulls(1, pa.string()), pa.array([_to_bytes(part.rows)])], schema=MESSAGE)
                continue
            files = [json.dumps(asdict(file)) for file in write(part, into)]
            yield pa.record_batch([pa.array(files, pa.string()), pa.nulls(len(files), pa.binary())], schema=MESSAGE)

    with failures.translate_errors():
        messages = in_tasks(rows, task, MESSAGE).collect()
    files = [NewFile(**json.loads(row["file"])) for row in messages if row["file"] is not None]
    return files, [_from_bytes(row["rows"]) for row in messages if row["rows"] is not None]


def _to_bytes(rows: pa.Table) -> bytes:
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, rows.schema) as writer:
        writer.write_table(rows)
    return stream.getvalue().to_pybytes()


def _from_bytes(content: bytes) -> pa.Table:
    with pa.ipc.open_stream(pa.py_buffer(bytes(content))) as reader:
        return reader.read_all()


def make_here(
    batches: Iterable[pa.RecordBatch], make: UnfinishedTask, into: Target
) -> tuple[list[NewFile], list[pa.Table]]:
    """What `collect_parts` gives of a single task, made in this process, with one thread as a task has.

    Args:
        batches: what the task gets.
        make: what it does.
        into: the target of the rows.

    Raises:
        NightjarError: the making has raised it; nothing will be committed.
    """
    files, unfinished = list[NewFile](), list[pa.Table]()
    with threadpool_limits(1):
        for part in make(iter(batches)):
            if isinstance(part, Unfinished):
                unfinished.append(part.rows)
            else:
                files += write(part, into)
    return files, unfinished


def only_task() -> pa.RecordBatch:
    """What a single task gets: its number."""
    return pa.record_batch({"id": pa.array([0], pa.int64())})


def commit(
    warehouse: Warehouse,
    into: Target,
    files: Iterable[NewFile],
    replaces: Callable[[DataFile], bool],
    run_id: str,
    *,
    inputs: Mapping[str, int] | None = None,
    marks: Mapping[str, int] | None = None,
    rearranged: bool = False,
) -> int:
    """Add files and remove those they replace, in one commit.

    A commit by another run to other files of the table is no conflict: this one is put on top of it.

    Args:
        warehouse: where the table lies.
        into: the target that the files were written for.
        files: of the successful attempts.
        replaces: which live files to remove.
        run_id: of this run.
        inputs: table -> version that was read, for `DESCRIBE HISTORY`.
        marks: name -> number, stored in the table by this commit; `mark` reads them.
        rearranged: the files have the same rows as those they replace; readers of changes see nothing.

    Returns:
        The new version.

    Raises:
        BusyError: another run has changed the files to replace since the target was created. Nothing was written.
        TableError: the table uses a feature that is not supported here. Nothing was written.
    """
    added = list(files)
    expected: tuple[DataFile, ...] = ()
    if into.version is not None:
        expected = scan.snapshot(warehouse, into.table.name, into.version).where(replaces).files
    arrow.ensure(warehouse, into.table)

    def change(delta_table: DeltaTable) -> Change:
        replaced = scan.snapshot_of(delta_table, warehouse, into.table.name).where(replaces).files
        if {file.path for file in replaced} != {file.path for file in expected}:
            raise BusyError(
                f"Table {into.table.name} at {into.folder}: another run has changed the same rows since version "
                f"{into.version}, which this run {run_id} began with. Nothing was written; run it again."
            )
        return Change(added, replaced, rearranged)

    return transaction.commit(warehouse, into.table.name, change, Note(run_id, inputs or {}, marks or {}))


def mark(delta_table: DeltaTable, name: str) -> int | None:
    """A number that a commit has stored in the table, as of the version that was opened; None if none has."""
    number: int | None = delta_table.transaction_version(name)
    return number
