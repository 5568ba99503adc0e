"""Delta tables as Arrow, through delta-rs: created, read, and written where rows are few. No JVM."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError, TableNotFoundError

from nightjar.errors import TableError
from nightjar.tables import storage
from nightjar.tables.definitions import Table
from nightjar.tables.warehouse import Warehouse

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
MOST_AT_ONCE = 8  # tables opened side by side
# Logs are cleaned by `maintain` alone, which knows the versions that models were trained on.
RETENTION = timedelta(days=90)
PROPERTIES = {
    "delta.deletedFileRetentionDuration": f"interval {RETENTION.days} days",
    "delta.logRetentionDuration": f"interval {RETENTION.days} days",
    "delta.enableExpiredLogCleanup": "false",
    "delta.setTransactionRetentionDuration": f"interval {RETENTION.days} days",  # of those that say when they were set
    "delta.checkpointInterval": "10",  # who opens a table reads all commits since the last one; delta-rs waits for 100
}


def ensure(warehouse: Warehouse, table: Table) -> None:
    """Create the table, or add the columns it lacks.

    Raises:
        TableError: a column of the table has another type than its definition.
    """
    stored = found(warehouse, table.name) or DeltaTable.create(
        warehouse.path(table.name),
        schema=table.schema(),
        mode="ignore",
        partition_by=list(table.partition_by) or None,
        name=table.name,
        description=table.description(),
        configuration=PROPERTIES | table.properties,
    )
    has = schema_of(stored).names
    added = pa.schema([field for field in widened(warehouse, table, stored) if field.name not in has])
    if len(added):
        stored.alter.add_columns(list(_delta_fields(added)))


def widened(warehouse: Warehouse, table: Table, stored: DeltaTable | None) -> pa.Schema:
    """The columns that the table will have: those it has, and those that its definition adds.

    Args:
        warehouse: where it lies.
        table: its definition.
        stored: the table as it is; None if there is none yet.

    Raises:
        TableError: a column of the table has another type than its definition.
    """
    wanted = table.schema()
    if stored is None:
        return wanted
    has = plain(schema_of(stored))
    changed = [
        f"{field.name} is {has.field(field.name).type}, expected {field.type}"
        for field in wanted
        if field.name in has.names and not _same_type(has.field(field.name).type, field.type)
    ]
    if changed:
        raise TableError(
            f"Table {table.name} at {warehouse.path(table.name)} differs from its definition: {'; '.join(changed)}. "
            "Rename the column in the configuration, or move the table away and build it again."
        )
    return pa.schema([*has, *(field for field in wanted if field.name not in has.names)])


def exists(warehouse: Warehouse, table: str) -> bool:
    """Whether there is such a Delta table."""
    return bool(DeltaTable.is_deltatable(warehouse.path(table)))


def schema(warehouse: Warehouse, table: str, version: int | None = None) -> pa.Schema:
    """The table's columns as Arrow types."""
    return schema_of(opened(warehouse, table, version))


def schema_of(table: DeltaTable) -> pa.Schema:
    """The columns of an opened table as Arrow types."""
    fields: Any = table.schema().to_arrow()
    return pa.schema(fields)


def version(warehouse: Warehouse, table: str) -> int:
    """The table's latest Delta version."""
    return int(opened(warehouse, table).version())


def pinned(warehouse: Warehouse, tables: Sequence[str]) -> dict[str, int]:
    """Table -> latest Delta version.

    Raises:
        TableError: there is no such table.
    """
    return dict(zip(tables, at_once(lambda table: version(warehouse, table), tables), strict=True))


def versions(warehouse: Warehouse, tables: Sequence[str]) -> dict[str, int]:
    """Table -> latest Delta version, for those of the tables that exist."""
    stored = at_once(lambda table: found(warehouse, table), tables)
    return {table: int(one.version()) for table, one in zip(tables, stored, strict=True) if one is not None}


def read(
    warehouse: Warehouse,
    table: str,
    columns: Sequence[str] | None = None,
    where: ds.Expression | None = None,
    at_version: int | None = None,
) -> pa.Table:
    """Rows of a table. Files are skipped by partition and statistics where the condition allows it.

    Raises:
        TableError: there is no such table or column.
    """
    pinned = opened(warehouse, table, at_version)
    # Local folders by Arrow's own file system: threads of a scan may outlive it, and one that lets go of memory of
    # delta-rs' Python file system while Python shuts down ends the process by SIGABRT, whatever its exit code was.
    path = warehouse.path(table)
    dataset = pinned.to_pyarrow_dataset(filesystem=None if "://" in path else storage.folder(path))
    missing = [name for name in columns or () if name not in dataset.schema.names]
    if missing:
        raise TableError(f"Table {table} at {warehouse.path(table)} has no column {', '.join(missing)}.")
    rows = dataset.to_table(columns=list(columns) if columns is not None else None, filter=where)
    return rows.cast(plain(rows.schema))


def append(warehouse: Warehouse, table: Table, rows: Sequence[dict[str, Any]], run_id: str) -> int:
    """Append a few rows in one commit, creating the table if there is none; the new version."""
    ensure(warehouse, table)
    data = pa.Table.from_pylist(list(rows), schema=_bare(table.schema()))
    write_deltalake(warehouse.path(table.name), data, mode="append", commit_properties=_stamp(run_id, len(data)))
    return version(warehouse, table.name)


def replace(warehouse: Warehouse, table: Table, rows: Sequence[dict[str, Any]], where: str, run_id: str) -> int:
    """Replace the rows that meet an SQL condition by a few others, in one commit; the new version."""
    ensure(warehouse, table)
    data = pa.Table.from_pylist(list(rows), schema=_bare(table.schema()))
    stamp = _stamp(run_id, len(data))
    write_deltalake(warehouse.path(table.name), data, mode="overwrite", predicate=where, commit_properties=stamp)
    return version(warehouse, table.name)


def replace_if_unchanged(warehouse: Warehouse, table: Table, rows: Sequence[dict[str, Any]], seen: int) -> bool:
    """Replace all rows, only if nobody has committed anything since version `seen`; whether it did."""
    data = pa.Table.from_pylist(list(rows), schema=_bare(table.schema()))
    try:
        write_deltalake(
            opened(warehouse, table.name, seen),
            data,
            mode="overwrite",
            commit_properties=CommitProperties(max_commit_retries=0),
        )
    except CommitFailedError:
        return False
    return True


def commit_without_files(
    opened: DeltaTable, said: dict[str, str], transactions: list[Transaction], retries: int = 0
) -> None:
    """Commit nothing but transaction identifiers; `said` stands in the table's history.

    Raises:
        CommitFailedError: others have committed meanwhile, and that as often as it was tried again.
    """
    properties = CommitProperties(said, max_commit_retries=retries, app_transactions=transactions)
    opened.create_write_transaction([], "append", opened.schema(), [], commit_properties=properties)


def opened(warehouse: Warehouse, table: str, at_version: int | None = None) -> DeltaTable:
    """The table at a version, the latest one unless it is given.

    Raises:
        TableError: there is no such table.
    """
    path = warehouse.path(table)
    try:
        return DeltaTable(path, version=at_version)
    except TableNotFoundError as error:
        raise TableError(f"There is no Delta table {table} at {path}. Run the job that writes it first.") from error


def found(warehouse: Warehouse, table: str) -> DeltaTable | None:
    """The latest version of the table; None if there is none."""
    try:
        return DeltaTable(warehouse.path(table))
    except TableNotFoundError:
        return None


def at_once(ask: Callable[[Asked], Answer], of: Sequence[Asked]) -> list[Answer]:
    """What is asked of each, side by side: opening a table is waiting for its log."""
    with ThreadPoolExecutor(MOST_AT_ONCE) as threads:
        return list(threads.map(ask, of))


def _stamp(run_id: str, rows: int) -> CommitProperties:
    return CommitProperties(custom_metadata={"run_id": run_id, "rows": str(rows)})


def _bare(wanted: pa.Schema) -> pa.Schema:
    return pa.schema([field.remove_metadata() for field in wanted])


def plain(schema: pa.Schema) -> pa.Schema:
    """delta-rs may answer with string views and large types; the rest of the house uses the plain ones."""
    return pa.schema([_plain_field(field) for field in schema])


def _plain_field(field: "pa.Field[Any]") -> "pa.Field[Any]":
    if pa.types.is_large_string(field.type) or pa.types.is_string_view(field.type):
        return pa.field(field.name, pa.string())
    return field.remove_metadata()


def _same_type(stored: pa.DataType, wanted: pa.DataType) -> bool:
    if pa.types.is_nested(wanted):
        return type(stored) is type(wanted)
    return bool(stored == wanted)


def _delta_fields(added: pa.Schema) -> Sequence[Any]:
    from deltalake import Schema  # noqa: PLC0415  (a name too general for the whole module)

    return Schema.from_arrow(added).fields
