"""Delta tables as Arrow, through delta-rs: create and read them, and write them where rows are few. No JVM."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from nightjar.tables import datafiles, fields, opening, requirements, rewriting, scan, transaction
from nightjar.tables.datafiles import NewFile
from nightjar.tables.entries import DataFile
from nightjar.tables.table import Table
from nightjar.tables.transaction import Change, MovedError, Note
from nightjar.tables.warehouse import Warehouse

# Logs are cleaned by `maintain` alone, which knows the versions that models were trained on.
RETENTION = timedelta(days=90)
PROPERTIES = {
    "delta.deletedFileRetentionDuration": f"interval {RETENTION.days} days",
    "delta.logRetentionDuration": f"interval {RETENTION.days} days",
    "delta.enableExpiredLogCleanup": "false",
    "delta.setTransactionRetentionDuration": f"interval {RETENTION.days} days",  # for lease tokens: they have a time
    "delta.checkpointInterval": "10",  # opening a table reads all commits since the last one; delta-rs waits for 100
}


def ensure(warehouse: Warehouse, table: Table) -> DeltaTable:
    """Create the table, or add the columns and the contract that it lacks, and return it.

    Raises:
        TableError: a column of the table has another type than its definition, or the table uses a feature that is not
            supported here.
    """
    try:
        return _ensure(warehouse, table)
    except CommitFailedError:  # another run has created or widened it at the same moment
        return _ensure(warehouse, table)


def _ensure(warehouse: Warehouse, table: Table) -> DeltaTable:
    path = warehouse.path(table.name)
    delta_table = opening.find(warehouse, table.name) or DeltaTable.create(
        path,
        schema=table.schema(),
        mode="ignore",
        partition_by=list(table.partition_by) or None,
        name=table.name,
        description=table.description(),
        configuration=PROPERTIES | table.properties,
        raise_if_key_not_exists=False,  # or delta-rs refuses properties that are ours alone
    )
    requirements.check_writable(delta_table, table.name, path)
    existing = opening.schema_of(delta_table).names
    added = pa.schema(
        [field for field in fields.evolve_schema(warehouse, table, delta_table) if field.name not in existing]
    )
    if len(added):
        delta_table.alter.add_columns(list(_delta_fields(added)))
    stored = delta_table.metadata().configuration
    stale = {name: text for name, text in table.contract().items() if stored.get(name) != text}
    if stale:
        delta_table.alter.set_table_properties(stale, raise_if_not_exists=False)
    return delta_table


def exists(warehouse: Warehouse, table: str) -> bool:
    """Whether there is such a Delta table.

    Raises:
        TableError: there is one that cannot be opened. It does not count as missing, or it could be created anew.
    """
    return opening.find(warehouse, table) is not None


def schema(warehouse: Warehouse, table: str, version: int | None = None) -> pa.Schema:
    """The table's columns as Arrow types."""
    return opening.schema_of(opening.open_table(warehouse, table, version))


def version(warehouse: Warehouse, table: str) -> int:
    """The table's latest Delta version."""
    return int(opening.open_table(warehouse, table).version())


def pin(warehouse: Warehouse, tables: Sequence[str]) -> dict[str, int]:
    """Table -> latest Delta version.

    Raises:
        TableError: there is no such table.
    """
    return dict(zip(tables, opening.map_in_threads(lambda table: version(warehouse, table), tables), strict=True))


def versions(warehouse: Warehouse, tables: Sequence[str]) -> dict[str, int]:
    """Table -> latest Delta version, for those of the tables that exist."""
    delta_tables = opening.map_in_threads(lambda table: opening.find(warehouse, table), tables)
    return {
        table: int(delta_table.version())
        for table, delta_table in zip(tables, delta_tables, strict=True)
        if delta_table is not None
    }


def read(
    warehouse: Warehouse,
    table: str,
    columns: Sequence[str] | None = None,
    where: ds.Expression | None = None,
    at_version: int | None = None,
    keep: Callable[[DataFile], bool] = lambda _: True,
) -> pa.Table:
    """Rows of a table, of files that are to be kept; some are skipped by partition and statistics for the condition.

    Raises:
        TableError: there is no such table or column, a file is damaged or missing, or the table's rows cannot be read
            from its files alone.

    Example:
        >>> import tempfile, deltalake
        >>> folder = tempfile.TemporaryDirectory()
        >>> warehouse = Warehouse(folder.name, "machines")
        >>> rows = pa.table({"machine": ["m1", "m2"], "score": [0.2, 0.9]})
        >>> deltalake.write_deltalake(warehouse.path("scores"), rows)  # as another tool writes them
        >>> read(warehouse, "scores", ["machine"], where=ds.field("score") > 0.5).to_pylist()
        [{'machine': 'm2'}]
    """
    delta_table = opening.open_table(warehouse, table, at_version)
    requirements.check_readable(delta_table, table, warehouse.path(table))
    snapshot = scan.snapshot_of(delta_table, warehouse, table).where(keep)
    scan.require_columns(snapshot, columns or ())
    names = None if columns is None else list(columns)
    with scan.translate_read_errors(snapshot):
        return scan.dataset(snapshot, where).to_table(columns=names, filter=where)


def sample(
    warehouse: Warehouse,
    table: str,
    columns: Sequence[str],
    where: ds.Expression,
    most: int,
    random: np.random.Generator,
    at_version: int | None = None,
) -> pa.Table:
    """Some of the rows that meet a condition, drawn at random; of the others only a batch at a time is in memory.

    Raises:
        TableError: as `read`.
    """
    delta_table = opening.open_table(warehouse, table, at_version)
    requirements.check_readable(delta_table, table, warehouse.path(table))
    snapshot = scan.snapshot_of(delta_table, warehouse, table)
    rows = sum(len(batch) for batch in scan.batches(snapshot, columns[:1], where))
    places = np.sort(random.choice(rows, min(rows, most), replace=False))
    start, drawn = 0, [pa.schema([snapshot.schema.field(name) for name in columns]).empty_table()]
    for batch in scan.batches(snapshot, columns, where):
        inside = places[(places >= start) & (places < start + len(batch))]
        if len(inside):
            drawn.append(pa.Table.from_batches([batch.take(pa.array(inside - start, pa.int64()))]))
        start += len(batch)
    return pa.concat_tables(drawn)


def append(
    warehouse: Warehouse,
    table: Table,
    rows: Sequence[dict[str, Any]] | pa.Table,
    run_id: str,
    require: Callable[[int], None] = lambda _: None,
) -> int:
    """Append a few rows in one commit, creating the table if there is none; the new version.

    Args:
        warehouse: where the table lies.
        table: its definition.
        rows: the new rows; as a table, some of its columns.
        run_id: of this run.
        require: called with the version that the rows would follow, again after each commit of somebody else; what it
            raises is raised, and nothing is written.

    Raises:
        TableError: the table uses a feature that is not supported here. Nothing was written.
    """
    files = _write_files(warehouse, table, rows)

    def change(delta_table: DeltaTable) -> Change:
        require(int(delta_table.version()))
        return Change(files)

    return transaction.commit(warehouse, table.name, change, Note(run_id))


def replace(
    warehouse: Warehouse, table: Table, rows: Sequence[dict[str, Any]], where: Mapping[str, Any], run_id: str
) -> int:
    """Replace the rows that have some values by a few others, in one commit; the new version.

    Args:
        warehouse: where the table lies.
        table: its definition; it is created if there is none.
        rows: the new rows.
        where: column -> value of the rows to remove; empty: all.
        run_id: of this run.

    Raises:
        TableError: the table uses a feature that is not supported here. Nothing was written.
    """
    return _replace(warehouse, table, rows, where, run_id)


def replace_if_unchanged(
    warehouse: Warehouse, table: Table, rows: Sequence[dict[str, Any]], expected_version: int, run_id: str
) -> bool:
    """Replace all rows if the table is still at the expected version; whether it was."""
    try:
        _replace(warehouse, table, rows, {}, run_id, expected_version=expected_version)
    except MovedError:
        return False
    return True


def _replace(
    warehouse: Warehouse,
    table: Table,
    rows: Sequence[dict[str, Any]],
    where: Mapping[str, Any],
    run_id: str,
    expected_version: int | None = None,
) -> int:
    files = _write_files(warehouse, table, rows)

    def change(delta_table: DeltaTable) -> Change:
        hidden = rewriting.remove_rows(scan.snapshot_of(delta_table, warehouse, table.name), where, table.partition_by)
        return Change([*files, *hidden.added], hidden.removed)

    return transaction.commit(warehouse, table.name, change, Note(run_id), expected_version)


def _write_files(warehouse: Warehouse, table: Table, rows: Sequence[dict[str, Any]] | pa.Table) -> list[NewFile]:
    """Write a few rows to data files of a table, which are not committed yet."""
    delta_table = ensure(warehouse, table)
    path = warehouse.path(table.name)
    plain = _without_metadata(table.schema())
    data = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(list(rows), schema=plain)
    complete = fields.complete(data, opening.plain(opening.schema_of(delta_table)), {}, table, path)
    return datafiles.write(complete, path, table.partition_by)


def _without_metadata(columns: pa.Schema) -> pa.Schema:
    return pa.schema([field.remove_metadata() for field in columns])


def _delta_fields(columns: pa.Schema) -> Sequence[Any]:
    from deltalake import Schema  # noqa: PLC0415  (a name too general for the whole module)

    return Schema.from_arrow(columns).fields
