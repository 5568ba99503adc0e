"""The columns of a table: those it has, those its definition adds, and those that rows to be stored lack."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from nightjar.errors import TableError
from nightjar.tables import opening
from nightjar.tables.table import Table
from nightjar.tables.warehouse import Warehouse


def widened(warehouse: Warehouse, table: Table, stored: DeltaTable | None) -> pa.Schema:
    """The columns that the table will have: those it has, and those that its definition adds.

    Args:
        warehouse: where it lies.
        table: its definition.
        stored: the table as it is; None if there is none yet.

    Raises:
        TableError: a column of the table has another type than its definition, or it is partitioned otherwise.
    """
    wanted = table.schema()
    if stored is None:
        return wanted
    folder, partition_by = warehouse.path(table.name), tuple(stored.metadata().partition_columns)
    if partition_by != table.partition_by:
        raise TableError(
            f"Table {table.name} at {folder} is partitioned by {', '.join(partition_by) or 'nothing'}, "
            f"expected {', '.join(table.partition_by) or 'nothing'}. Move the table away and build it again."
        )
    has = opening.plain(opening.schema_of(stored))
    changed = [
        f"{field.name} is {has.field(field.name).type}, expected {field.type}"
        for field in wanted
        if field.name in has.names and not _same_type(has.field(field.name).type, field.type)
    ]
    if changed:
        raise TableError(
            f"Table {table.name} at {folder} differs from its definition: {'; '.join(changed)}. "
            "Rename the column in the configuration, or move the table away and build it again."
        )
    return pa.schema([*has, *(field for field in wanted if field.name not in has.names)])


def completed(rows: pa.Table, wanted: pa.Schema, stamps: Mapping[str, Any], table: Table, folder: str) -> pa.Table:
    """Rows with all columns of a table: where one is missing stands its stamp, or null.

    Args:
        rows: with some of the columns.
        wanted: the columns of the table.
        stamps: column -> value that every row gets.
        table: its definition.
        folder: where it lies.

    Raises:
        TableError: there is a null in a column that the table declares NOT NULL.
    """
    for field in wanted:
        if field.name not in rows.column_names:
            rows = rows.append_column(field.name, pa.repeat(pa.scalar(stamps.get(field.name), field.type), len(rows)))
    nulls = {field.name: _nulls(rows[field.name], field.name, table) for field in wanted if not field.nullable}
    if any(nulls.values()):
        told = ", ".join(f"{name} is null in {count} of {len(rows)} rows" for name, count in nulls.items() if count)
        raise TableError(
            f"Table {table.name} at {folder} declares columns NOT NULL that have nulls in the rows to store: {told}. "
            "Nothing of them is seen. Look for where they come from, or drop the rule in Spark."
        )
    return rows.select(wanted.names).cast(wanted)


def _nulls(column: Any, name: str, table: Table) -> int:
    """How many values are null; to Delta, an empty text in a partition is."""
    if name in table.partition_by and pa.types.is_string(column.type):
        column = pc.if_else(pc.equal(column, pa.scalar("")), pa.scalar(None, pa.string()), column)
    return int(column.null_count)


def _same_type(stored: pa.DataType, wanted: pa.DataType) -> bool:
    if pa.types.is_nested(wanted):
        return type(stored) is type(wanted)
    return bool(stored == wanted)
