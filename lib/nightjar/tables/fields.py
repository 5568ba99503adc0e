"""Columns of tables: schema evolution, and completing rows to a table's schema."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from nightjar.errors import TableError
from nightjar.tables import opening
from nightjar.tables.table import Table
from nightjar.tables.warehouse import Warehouse


def evolve_schema(warehouse: Warehouse, table: Table, delta_table: DeltaTable | None) -> pa.Schema:
    """The table's columns and those that its definition adds.

    Args:
        warehouse: where it lies.
        table: its definition.
        delta_table: the table as it is; None if there is none yet.

    Raises:
        TableError: a column of the table has another type than its definition, or its partitioning differs.
    """
    schema = table.schema()
    if delta_table is None:
        return schema
    folder, partition_by = warehouse.path(table.name), tuple(delta_table.metadata().partition_columns)
    if partition_by != table.partition_by:
        raise TableError(
            f"Table {table.name} at {folder} is partitioned by {', '.join(partition_by) or 'nothing'}, "
            f"expected {', '.join(table.partition_by) or 'nothing'}. Move the table away and build it again."
        )
    existing = opening.plain(opening.schema_of(delta_table))
    changed = [
        f"{field.name} is {existing.field(field.name).type}, expected {field.type}"
        for field in schema
        if field.name in existing.names and not _same_type(existing.field(field.name).type, field.type)
    ]
    if changed:
        raise TableError(
            f"Table {table.name} at {folder} differs from its definition: {'; '.join(changed)}. "
            "Rename the column in the configuration, or move the table away and build it again."
        )
    return pa.schema([*existing, *(field for field in schema if field.name not in existing.names)])


def complete(rows: pa.Table, schema: pa.Schema, stamps: Mapping[str, Any], table: Table, folder: str) -> pa.Table:
    """Rows with all columns of a table; a missing one is filled with its stamp, or null.

    Args:
        rows: with some of the columns.
        schema: the columns of the table.
        stamps: column -> value that every row gets.
        table: its definition.
        folder: where it lies.

    Raises:
        TableError: there is a null in a column that the table declares NOT NULL.
    """
    for field in schema:
        if field.name not in rows.column_names:
            rows = rows.append_column(field.name, pa.repeat(pa.scalar(stamps.get(field.name), field.type), len(rows)))
    nulls = {field.name: _nulls(rows[field.name], field.name, table) for field in schema if not field.nullable}
    if any(nulls.values()):
        counts = ", ".join(f"{name} is null in {count} of {len(rows)} rows" for name, count in nulls.items() if count)
        raise TableError(
            f"Table {table.name} at {folder} declares columns NOT NULL that have nulls in the rows to store: {counts}. "
            "Nothing of them is seen. Look for where they come from, or drop the rule in Spark."
        )
    return rows.select(schema.names).cast(schema)


def _nulls(column: Any, name: str, table: Table) -> int:
    """The number of null values; in a partition column, Delta reads an empty text as null."""
    if name in table.partition_by and pa.types.is_string(column.type):
        column = pc.if_else(pc.equal(column, pa.scalar("")), pa.scalar(None, pa.string()), column)
    return int(column.null_count)


def _same_type(existing: pa.DataType, expected: pa.DataType) -> bool:
    if pa.types.is_nested(expected):
        return type(existing) is type(expected)
    return bool(existing == expected)
