"""Rows stored by the tasks that made them, and shown by the driver in one Delta commit.

A task writes data files under new names; nobody sees them until the driver commits those of the successful attempts.
Files of attempts and runs that died are orphans, which VACUUM removes.
"""

import json
import re
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import CommitProperties, Transaction
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction, RemoveAction
from pyspark.sql import DataFrame

from nightjar.errors import TableError
from nightjar.tables import arrow, scan, storage
from nightjar.tables.definitions import Table
from nightjar.tables.scan import DataFile
from nightjar.tables.warehouse import Warehouse

Making: TypeAlias = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.Table]]
"""What a task does: its share of the rows -> the rows to store."""
ATTEMPTS = 20
ROWS_PER_GROUP = 128 * 1024
LONGEST_BOUND = 64  # characters of a text that is kept as a bound; longer ones would bloat the log
YEAR_1, YEAR_10000 = -62_135_596_800_000, 253_402_300_800_000  # milliseconds since 1970; texts go no further
BOUNDED = 32  # columns with statistics: as many as other writers keep


@dataclass(frozen=True)
class Target:
    """A table about to be written. Small enough to be sent to tasks.

    Attributes:
        table: its name.
        folder: where it lies.
        schema: its columns; rows that lack one have null there.
        partition_by: its partition columns.
        stamps: column -> value that every row gets.
        version: the version that was seen when the work began; a later change of what is replaced is a conflict.
    """

    table: str
    folder: str
    schema: pa.Schema
    partition_by: tuple[str, ...]
    stamps: Mapping[str, Any]
    version: int


@dataclass(frozen=True)
class Written:
    """A data file that nobody sees yet. Plain values, so that a task can return it."""

    path: str
    size: int
    rows: int
    partition: Mapping[str, str | None]
    statistics: str


def target(warehouse: Warehouse, table: Table, **stamps: Any) -> Target:
    """The table as it is now, created or widened where its definition asks for that.

    Args:
        warehouse: where it lies.
        table: its definition.
        stamps: column -> value that every row gets.

    Raises:
        TableError: a stored column has another type than its definition.
    """
    arrow.ensure(warehouse, table)
    opened = arrow.opened(warehouse, table.name)
    schema = arrow.plain(arrow.schema_of(opened))
    return Target(table.name, warehouse.path(table.name), schema, table.partition_by, stamps, int(opened.version()))


def write(rows: pa.Table, into: Target) -> list[Written]:
    """Store rows as data files, one for each combination of partition values. For tasks.

    Rows keep their order inside a file. Where a column of the table is missing stands its stamp, or null.
    """
    for field in into.schema:
        if field.name not in rows.column_names:
            rows = rows.append_column(field, pa.repeat(pa.scalar(into.stamps.get(field.name), field.type), len(rows)))
    rows = rows.select(into.schema.names).cast(into.schema)
    return [_stored(part, values, into) for values, part in _parts(rows, into.partition_by) if len(part)]


def in_one_piece(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """A task's share of the rows as one table; nothing where it has none."""
    shares = [batch for batch in batches if batch.num_rows]
    if shares:
        yield pa.Table.from_batches(shares)


def collect(rows: DataFrame, make: Making, into: Target) -> list[Written]:
    """Let tasks make and write rows; the files of the attempts that succeeded."""

    def task(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for made in make(batches):
            files = [json.dumps(asdict(file)) for file in write(made, into)]
            yield pa.RecordBatch.from_pydict({"file": pa.array(files, pa.string())})

    return [Written(**json.loads(row[0])) for row in rows.mapInArrow(task, "file string").collect()]


def commit(
    warehouse: Warehouse,
    into: Target,
    files: Iterable[Written],
    replaces: Callable[[DataFile], bool],
    run_id: str,
    *,
    inputs: Mapping[str, int] | None = None,
    marks: Mapping[str, int] | None = None,
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

    Returns:
        The new version.

    Raises:
        TableError: someone else has changed what is replaced since the target was taken. Nothing was written.
    """
    new = list(files)
    rows = sum(file.rows for file in new)
    said = json.dumps({"run_id": run_id, "rows": rows, "inputs": dict(inputs or {})}, sort_keys=True)
    seen = _replaced(warehouse, into, into.version, replaces)
    properties = CommitProperties(
        custom_metadata={"run_id": run_id, "rows": str(rows), "userMetadata": said},
        max_commit_retries=0,
        app_transactions=[Transaction(name, number) for name, number in (marks or {}).items()],
    )
    for attempt in range(ATTEMPTS):
        table = arrow.opened(warehouse, into.table)
        gone = _replaced(warehouse, into, int(table.version()), replaces)
        if {file.path for file in gone} != {file.path for file in seen}:
            raise TableError(
                f"Table {into.table} at {into.folder}: another run has changed the same rows since version "
                f"{into.version}, which this run {run_id} began with. Nothing was written; run it again."
            )
        actions: list[AddAction | RemoveAction] = [*map(_removed, gone), *map(_added, new)]
        try:
            table.create_write_transaction(
                actions, "append", table.schema(), list(into.partition_by), commit_properties=properties
            )
        except CommitFailedError:
            time.sleep(0.05 * (attempt + 1))
            continue
        return int(table.version()) + 1
    raise TableError(f"Table {into.table} at {into.folder}: too many others are writing to it. Nothing was written.")


def mark(warehouse: Warehouse, table: str, name: str, version: int | None = None) -> int | None:
    """A number that a commit has left in the table, as of a version; None if none has."""
    found: int | None = arrow.opened(warehouse, table, version).transaction_version(name)
    return found


def _replaced(
    warehouse: Warehouse, into: Target, version: int, replaces: Callable[[DataFile], bool]
) -> tuple[DataFile, ...]:
    return scan.snapshot(warehouse, into.table, version).where(replaces).files


def _parts(rows: pa.Table, partition_by: tuple[str, ...]) -> Iterable[tuple[dict[str, Any], pa.Table]]:
    if not partition_by:
        return [({}, rows)]
    found = rows.select(list(partition_by)).group_by(list(partition_by)).aggregate([]).to_pylist()
    return [(found[0], rows)] if len(found) == 1 else ((values, _having(rows, values)) for values in found)


def _having(rows: pa.Table, values: Mapping[str, Any]) -> pa.Table:
    same: Any = [
        pc.is_null(rows.column(name)) if value is None else pc.equal(rows.column(name), pa.scalar(value))
        for name, value in values.items()
    ]
    return rows.filter(reduce(pc.and_, same))


def _stored(rows: pa.Table, values: Mapping[str, Any], into: Target) -> Written:
    partition = {name: _partition_text(value) for name, value in values.items()}
    # Folders are for people: readers take partition values from the log.
    folders = "".join(f"{name}={re.sub(r'[^A-Za-z0-9.-]', '_', str(text))}/" for name, text in partition.items())
    path = f"{folders}part-{uuid.uuid4().hex}.parquet"
    files = storage.folder(into.folder)
    files.create_dir(folders, recursive=True)
    kept = rows.drop_columns(list(partition))
    with files.open_output_stream(path) as stream:
        pq.write_table(kept, stream, compression="zstd", row_group_size=ROWS_PER_GROUP)
    return Written(path, files.get_file_info(path).size, len(rows), partition, json.dumps(_statistics(kept)))


def _partition_text(value: Any) -> str | None:
    return None if value is None else value.isoformat() if isinstance(value, date) else str(value)


def _statistics(rows: pa.Table) -> dict[str, Any]:
    """Delta's statistics of a data file."""
    first = rows.select(rows.column_names[:BOUNDED])
    bounds = {name: _bounds(first.column(name)) for name in first.column_names}
    return {
        "numRecords": len(rows),
        "minValues": {name: found[0] for name, found in bounds.items() if found},
        "maxValues": {name: found[1] for name, found in bounds.items() if found},
        "nullCount": {name: first.column(name).null_count for name in first.column_names},
    }


def _bounds(column: "pa.ChunkedArray[Any]") -> tuple[Any, Any] | None:
    """Least and greatest value as JSON holds them; None where there are none, or none that can be relied on.

    Floats have none, as a NaN lies beyond any bound. Instants are in whole milliseconds, as other writers of Delta
    have them, and the greatest is not below the truth.
    """
    kind = column.type
    instants = pa.types.is_timestamp(kind)
    if not (instants or pa.types.is_integer(kind) or pa.types.is_date32(kind) or pa.types.is_string(kind)):
        return None
    found: Any = pc.min_max(column.cast(pa.int64()) if instants else column)
    if not found["min"].is_valid:
        return None
    if instants:
        first, last = found["min"].as_py() // 1000, -(-found["max"].as_py() // 1000)
        return (_instant(first), _instant(last)) if first >= YEAR_1 and last < YEAR_10000 else None
    low, high = found["min"].as_py(), found["max"].as_py()
    if isinstance(low, str):
        return (low, high) if max(len(low), len(high)) <= LONGEST_BOUND else None
    return (low.isoformat(), high.isoformat()) if isinstance(low, date) else (low, high)


def _instant(milliseconds: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _added(file: Written) -> AddAction:
    return AddAction(file.path, file.size, file.partition, _now(), data_change=True, stats=file.statistics)


def _removed(file: DataFile) -> RemoveAction:
    values = {name: _partition_text(value) for name, value in file.partition.items()}
    return RemoveAction(file.path, data_change=True, deletion_timestamp=_now(), size=file.size, partition_values=values)


def _now() -> int:
    return int(time.time() * 1000)
