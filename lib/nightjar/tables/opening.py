"""Open Delta tables at a version, through delta-rs."""

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

Item = TypeVar("Item")
Result = TypeVar("Result")
MOST_AT_ONCE = 8  # tables or files opened side by side


def open_table(warehouse: Warehouse, table: str, at_version: int | None = None) -> DeltaTable:
    """The table at a version, the latest one unless it is given.

    Raises:
        TableError: there is no such table, or delta-rs cannot open it.
    """
    path = warehouse.path(table)
    try:
        with _translate_log_errors(table, path):
            return DeltaTable(path, version=at_version)
    except TableNotFoundError as error:
        raise TableError(f"There is no Delta table {table} at {path}. Run the job that writes it first.") from error


def find(warehouse: Warehouse, table: str) -> DeltaTable | None:
    """The latest version of the table; None if there is none.

    Raises:
        TableError: there is one that delta-rs cannot open.
    """
    try:
        with _translate_log_errors(table, warehouse.path(table)):
            return DeltaTable(warehouse.path(table))
    except TableNotFoundError:
        return None


def live_actions(delta_table: DeltaTable, table: str, folder: str) -> pa.Table:
    """The live files of an opened table by its log, one row each.

    Raises:
        TableError: files or columns differ from the checksums in the last commit: the log is damaged.
    """
    version = int(delta_table.version())
    with _translate_log_errors(table, folder):
        actions = pa.table(delta_table.get_add_actions(flatten=True))
        expected = commits.state(folder, version)
    actual = state(delta_table, actions.column("path").to_pylist())
    differing = [name for name, value in expected.items() if actual[name] != value]
    if differing:
        raise TableError(
            f"Table {table} at {folder}, version {version}: the log does not give what the last commit has left "
            f"({', '.join(differing)}): an entry of it or a checkpoint is damaged. Nothing was written. "
            "See docs/runbook.md, Damaged log."
        )
    return actions


def state(delta_table: DeltaTable, paths: Iterable[Any]) -> dict[str, str]:
    """Checksums of an opened table's columns and of some files' paths, as in the metadata of commits."""
    columns = [(field["name"], field["type"]) for field in json.loads(delta_table.schema().to_json())["fields"]]
    return {commits.LIVE: checksums.of_files(paths), commits.SCHEMA: checksums.of_columns(columns)}


@contextmanager
def _translate_log_errors(table: str, folder: str) -> Iterator[None]:
    """Name the table whose log cannot be read.

    Raises:
        TableError: the log cannot be read.
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
            + (requirements.log_advice(folder) or "If its log is damaged, see docs/runbook.md, Damaged log.")
        ) from error


def map_in_threads(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """A function's results for some items, in threads: opening a table or a file is waiting for storage."""
    with ThreadPoolExecutor(MOST_AT_ONCE) as threads:
        return list(threads.map(function, items))


def schema_of(table: DeltaTable) -> pa.Schema:
    """The columns of an opened table as Arrow types."""
    fields: Any = table.schema().to_arrow()
    return pa.schema(fields)


def plain(schema: pa.Schema) -> pa.Schema:
    """A schema without string views and large types, which delta-rs may return, and without metadata."""
    return pa.schema([_plain_field(field) for field in schema])


def _plain_field(field: "pa.Field[Any]") -> "pa.Field[Any]":
    if pa.types.is_large_string(field.type) or pa.types.is_string_view(field.type):
        return pa.field(field.name, pa.string(), field.nullable)
    return field.remove_metadata()
