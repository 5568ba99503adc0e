"""Delta tables as Arrow, through delta-rs: created, read, and written where rows are few. No JVM."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from nightjar.tables import datafiles, fields, opening, requirements, rewriting, scan, transaction
from nightjar.tables.datafiles import Written
from nightjar.tables.table import Table
from nightjar.tables.transaction import Change, MovedError, Note
from nightjar.tables.warehouse import Warehouse

# Logs are cleaned by `maintain` alone, which knows the versions that models were trained on.
RETENTION = timedelta(days=90)
PROPERTIES = {
    "delta.deletedFileRetentionDuration": f"interval {RETENTION.days} days",
    "delta.logRetentionDuration": f"interval {RETENTION.days} days",
    "delta.enableExpiredLogCleanup": "false",
    "delta.setTransactionRetentionDuration": f"interval {RETENTION.days} days",  # of tokens, which say when they came
    "delta.checkpointInterval": "10",  # who opens a table reads all commits since the last one; delta-rs waits for 100
}


def ensure(warehouse: Warehouse, table: Table) -> DeltaTable:
    """Create the table, or add the columns it lacks; the table as it then is.

    Raises:
        TableError: a column of the table has another type than its definition, or it needs what is not honoured here.
    """
    try:
        return _ensured(warehouse, table)
    except CommitFailedError:  # another run has created or widened it at the same moment
        return _ensured(warehouse, table)


def _ensured(warehouse: Warehouse, table: Table) -> DeltaTable:
    path = warehouse.path(table.name)
    stored = opening.found(warehouse, table.name) or DeltaTable.create(
        path,
        schema=table.schema(),
        mode="ignore",
        partition_by=list(table.partition_by) or None,
        name=table.name,
        description=table.description(),
        configuration=PROPERTIES | table.properties,
    )
    requirements.check_writable(stored, table.name, path)
    has = opening.schema_of(stored).names
    added = pa.schema([field for field in fields.widened(warehouse, table, stored) if field.name not in has])
    if len(added):
        stored.alter.add_columns(list(_delta_fields(added)))
    return stored


def exists(warehouse: Warehouse, table: str) -> bool:
    """Whether there is such a Delta table.

    Raises:
        TableError: there is one that cannot be opened: to take it for none could create it anew.
    """
    return opening.found(warehouse, table) is not None


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
        TableError: there is no such table or column, a file is damaged or gone, or files alone do not tell its rows.
    """
    stands = opening.opened(warehouse, table, at_version)
    requirements.check_readable(stands, table, warehouse.path(table))
    pinned = scan.snapshot_of(stands, warehouse, table)
    scan.require_columns(pinned, columns or ())
    with scan.damage_named(pinned):
        return scan.dataset(pinned, where).to_table(columns=columns if columns is None else list(columns), filter=where)


def append(warehouse: Warehouse, table: Table, rows: Sequence[dict[str, Any]], run_id: str) -> int:
    """Append a few rows in one commit, creating the table if there is none; the new version.

    Raises:
        TableError: the table needs what is not honoured here. Nothing was written.
    """
    written = _written(warehouse, table, rows)
    return transaction.commit(warehouse, table.name, lambda _: Change(written), Note(run_id))


def replace(
    warehouse: Warehouse, table: Table, rows: Sequence[dict[str, Any]], where: Mapping[str, Any], run_id: str
) -> int:
    """Replace the rows that have some values by a few others, in one commit; the new version.

    Args:
        warehouse: where the table lies.
        table: its definition; it is created if there is none.
        rows: what comes.
        where: column -> value of the rows that go; empty: all.
        run_id: of this run.

    Raises:
        TableError: the table needs what is not honoured here. Nothing was written.
    """
    return _replace(warehouse, table, rows, where, run_id)


def replace_if_unchanged(
    warehouse: Warehouse, table: Table, rows: Sequence[dict[str, Any]], seen: int, run_id: str
) -> bool:
    """Replace all rows, only if nobody has committed anything since version `seen`; whether it did."""
    try:
        _replace(warehouse, table, rows, {}, run_id, only_on=seen)
    except MovedError:
        return False
    return True


def _replace(
    warehouse: Warehouse,
    table: Table,
    rows: Sequence[dict[str, Any]],
    where: Mapping[str, Any],
    run_id: str,
    only_on: int | None = None,
) -> int:
    new = _written(warehouse, table, rows)

    def change(stands: DeltaTable) -> Change:
        hidden = rewriting.without(scan.snapshot_of(stands, warehouse, table.name), where, table.partition_by)
        return Change([*new, *hidden.added], hidden.removed)

    return transaction.commit(warehouse, table.name, change, Note(run_id), only_on)


def _written(warehouse: Warehouse, table: Table, rows: Sequence[dict[str, Any]]) -> list[Written]:
    """A few rows as data files of a table, which nobody sees yet."""
    stored = ensure(warehouse, table)
    path = warehouse.path(table.name)
    data = pa.Table.from_pylist(list(rows), schema=_bare(table.schema()))
    complete = fields.completed(data, opening.plain(opening.schema_of(stored)), {}, table, path)
    return datafiles.write(complete, path, table.partition_by)


def _bare(wanted: pa.Schema) -> pa.Schema:
    return pa.schema([field.remove_metadata() for field in wanted])


def _delta_fields(added: pa.Schema) -> Sequence[Any]:
    from deltalake import Schema  # noqa: PLC0415  (a name too general for the whole module)

    return Schema.from_arrow(added).fields
