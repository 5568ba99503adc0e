"""Delta tables opened at one of their versions, through delta-rs."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from nightjar.errors import TableError, is_panic
from nightjar.tables import checksums, commits, requirements
from nightjar.tables.warehouse import Warehouse

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
MOST_AT_ONCE = 8  # tables or files opened side by side


def opened(warehouse: Warehouse, table: str, at_version: int | None = None) -> DeltaTable:
    """The table at a version, the latest one unless it is given.

    Raises:
        TableError: there is no such table, or delta-rs cannot open it.
    """
    path = warehouse.path(table)
    try:
        with _log_named(table, path):
            return DeltaTable(path, version=at_version)
    except TableNotFoundError as error:
        raise TableError(f"There is no Delta table {table} at {path}. Run the job that writes it first.") from error


def found(warehouse: Warehouse, table: str) -> DeltaTable | None:
    """The latest version of the table; None if there is none.

    Raises:
        TableError: there is one that delta-rs cannot open.
    """
    try:
        with _log_named(table, warehouse.path(table)):
            return DeltaTable(warehouse.path(table))
    except TableNotFoundError:
        return None


def live_actions(stands: DeltaTable, table: str, folder: str) -> pa.Table:
    """What the log of an opened table says of its live files, one row each.

    Raises:
        TableError: they, or the columns, are not those that the last commit has left: the log is damaged.
    """
    version = int(stands.version())
    with _log_named(table, folder):
        actions = pa.table(stands.get_add_actions(flatten=True))
        said = commits.state(folder, version)
    is_now = state(stands, actions.column("path").to_pylist())
    other = [name for name, left in said.items() if is_now[name] != left]
    if other:
        raise TableError(
            f"Table {table} at {folder}, version {version}: the log does not give what the last commit has left "
            f"({', '.join(other)}): an entry of it or a checkpoint is damaged. Nothing was written. "
            "See docs/runbook.md, Damaged log."
        )
    return actions


def state(stands: DeltaTable, paths: Iterable[Any]) -> dict[str, str]:
    """Checksums of an opened table's columns and of the paths of some files, as commits say them."""
    columns = [(field["name"], field["type"]) for field in json.loads(stands.schema().to_json())["fields"]]
    return {commits.LIVE: checksums.of_files(paths), commits.SCHEMA: checksums.of_columns(columns)}


@contextmanager
def _log_named(table: str, folder: str) -> Iterator[None]:
    """Say whose log it is that cannot be read.

    Raises:
        TableError: naming it.
        TableNotFoundError: there is no log.
    """
    try:
        yield
    except TableNotFoundError:
        raise
    except BaseException as error:
        if not (isinstance(error, DeltaError | ValueError | OSError) or is_panic(error)):
            raise
        raise TableError(
            f"Table {table} at {folder} cannot be opened: {' '.join(str(error).split())}. Nothing was written. "
            + (requirements.in_log(folder) or "If its log is damaged, see docs/runbook.md, Damaged log.")
        ) from error


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
