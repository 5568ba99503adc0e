"""Delta tables as Arrow, through delta-rs: created, read, and written where rows are few. No JVM."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError

from nightjar.errors import TableError
from nightjar.tables import opening, scan
from nightjar.tables.definitions import Table
from nightjar.tables.warehouse import Warehouse

# Logs are cleaned by `maintain` alone, which knows the versions that models were trained on.
RETENTION = timedelta(days=90)
PROPERTIES = {
    "delta.deletedFileRetentionDuration": f"interval {RETENTION.days} days",
    "delta.logRetentionDuration": f"interval {RETENTION.days} days",
    "delta.enableExpiredLogCleanup": "false",
    "delta.checkpointInterval": "10",  # who opens a table reads all commits since the last one; delta-rs waits for 100
}


def ensure(warehouse: Warehouse, table: Table) -> None:
    """Create the table, or add the columns it lacks.

    Raises:
        TableError: a column of the table has another type than its definition.
    """
    stored = opening.found(warehouse, table.name) or DeltaTable.create(
        warehouse.path(table.name),
        schema=table.schema(),
        mode="ignore",
        partition_by=list(table.partition_by) or None,
        name=table.name,
        description=table.description(),
        configuration=PROPERTIES,
    )
    has = opening.schema_of(stored).names
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
    has = opening.plain(opening.schema_of(stored))
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
    return opening.schema_of(opening.opened(warehouse, table, version))


def version(warehouse: Warehouse, table: str) -> int:
    """The table's latest Delta version."""
    return int(opening.opened(warehouse, table).version())


def pinned(warehouse: Warehouse, tables: Sequence[str]) -> dict[str, int]:
    """Table -> latest Delta version.

    Raises:
        TableError: there is no such table.
    """
    return dict(zip(tables, opening.at_once(lambda table: version(warehouse, table), tables), strict=True))


def versions(warehouse: Warehouse, tables: Sequence[str]) -> dict[str, int]:
    """Table -> latest Delta version, for those of the tables that exist."""
    stored = opening.at_once(lambda table: opening.found(warehouse, table), tables)
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
        TableError: there is no such table or column, a file is damaged, or the table uses what only Spark reads.
    """
    pinned = scan.snapshot(warehouse, table, at_version)
    if pinned.unreadable is not None:
        raise TableError(f"Table {table} at {pinned.folder} can only be read by Spark: {pinned.unreadable}.")
    missing = [name for name in columns or () if name not in pinned.schema.names]
    if missing:
        raise TableError(f"Table {table} at {pinned.folder} has no column {', '.join(missing)}.")
    with scan.damage_named(pinned):
        return scan.dataset(pinned, where).to_table(columns=columns if columns is None else list(columns), filter=where)


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


def replace_if_unchanged(warehouse: Warehouse, table: Table, row: dict[str, Any], where: str, seen: int) -> bool:
    """Replace rows by one, only if nobody has committed anything since version `seen`; whether it did."""
    data = pa.Table.from_pylist([row], schema=_bare(table.schema()))
    try:
        write_deltalake(
            opening.opened(warehouse, table.name, seen),
            data,
            mode="overwrite",
            predicate=where,
            commit_properties=CommitProperties(max_commit_retries=0),
        )
    except CommitFailedError:
        return False
    return True


def _stamp(run_id: str, rows: int) -> CommitProperties:
    return CommitProperties(custom_metadata={"run_id": run_id, "rows": str(rows)})


def _bare(wanted: pa.Schema) -> pa.Schema:
    return pa.schema([field.remove_metadata() for field in wanted])


def _same_type(stored: pa.DataType, wanted: pa.DataType) -> bool:
    if pa.types.is_nested(wanted):
        return type(stored) is type(wanted)
    return bool(stored == wanted)


def _delta_fields(added: pa.Schema) -> Sequence[Any]:
    from deltalake import Schema  # noqa: PLC0415  (a name too general for the whole module)

    return Schema.from_arrow(added).fields
