"""Delta tables opened at one of their versions, through delta-rs."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from nightjar.errors import TableError
from nightjar.tables.warehouse import Warehouse

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
MOST_AT_ONCE = 8  # tables or files opened side by side


def opened(warehouse: Warehouse, table: str, at_version: int | None = None) -> DeltaTable:
    """The table at a version, the latest one unless it is given.

    Raises:
        TableError: there is no such table, or one that delta-rs cannot open.
    """
    path = warehouse.path(table)
    try:
        return DeltaTable(path, version=at_version)
    except TableNotFoundError as error:
        raise TableError(f"There is no Delta table {table} at {path}. Run the job that writes it first.") from error
    except DeltaError as error:
        raise _unopened(table, path, error) from error


def found(warehouse: Warehouse, table: str) -> DeltaTable | None:
    """The latest version of the table; None if there is none.

    Raises:
        TableError: there is one that delta-rs cannot open.
    """
    path = warehouse.path(table)
    try:
        return DeltaTable(path)
    except TableNotFoundError:
        return None
    except DeltaError as error:
        raise _unopened(table, path, error) from error


def _unopened(table: str, path: str, error: DeltaError) -> TableError:
    return TableError(f"Table {table} at {path} cannot be opened: {error}")


def at_once(ask: Callable[[Asked], Answer], of: Sequence[Asked]) -> list[Answer]:
    """What is asked of each, side by side: opening a table is waiting for its log, and a file for its footer."""
    with ThreadPoolExecutor(MOST_AT_ONCE) as threads:
        return list(threads.map(ask, of))


def schema_of(table: DeltaTable) -> pa.Schema:
    """The columns of an opened table as Arrow types."""
    fields: Any = table.schema().to_arrow()
    return pa.schema(fields)


def plain(schema: pa.Schema) -> pa.Schema:
    """delta-rs may answer with string views and large types; the rest of the house uses the plain ones."""
    return pa.schema([_plain_field(field) for field in schema])


def _plain_field(field: "pa.Field[Any]") -> "pa.Field[Any]":
    if pa.types.is_large_string(field.type) or pa.types.is_string_view(field.type):
        return pa.field(field.name, pa.string(), field.nullable)
    return field.remove_metadata()
