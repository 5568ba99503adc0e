"""A table at one glance, by its log alone: how many rows, how new, and what its columns hold. No data file is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from nightjar.errors import TableError
from nightjar.tables import commits, opening
from nightjar.tables.entries import DataFile, data_file
from nightjar.tables.warehouse import Warehouse

DATES = ("run_date", "ingested_on")
"""Columns by whose dates tables are partitioned."""


@dataclass(frozen=True)
class ColumnBounds:
    """What the log says of a column; None: not of every file.

    Attributes:
        nulls: rows without a value.
        least, greatest: of its values, or one a little beyond; None also where there are none.
    """

    nulls: int | None
    least: Any
    greatest: Any


@dataclass(frozen=True)
class Overview:
    """A table as it is.

    Attributes:
        version: of Delta.
        schema: its columns; a field's metadata has its comment.
        rows, files, size: live ones, and their bytes.
        dates: the partitions' dates, in order; empty: it is not partitioned by dates.
        committed_at: when the version was committed (wall clock); None: the log does not say.
        columns: column -> what the log says of it.
        properties: as they are set in Delta.
    """

    version: int
    schema: pa.Schema
    rows: int
    files: int
    size: int
    dates: tuple[date, ...]
    committed_at: datetime | None
    columns: Mapping[str, ColumnBounds]
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Unreadable:
    """A table that cannot be opened, and why."""

    problem: str


def overviews(warehouse: Warehouse, tables: list[str]) -> dict[str, Overview | Unreadable]:
    """Table -> what its log says, for those that exist."""
    looks = zip(tables, opening.map_in_threads(lambda table: _look(warehouse, table), tables), strict=True)
    return {table: one for table, one in looks if one is not None}


def _look(warehouse: Warehouse, table: str) -> Overview | Unreadable | None:
    try:
        return overview(warehouse, table)
    except TableError as error:
        return Unreadable(str(error))


def overview(warehouse: Warehouse, table: str) -> Overview | None:
    """What the log of a table says; None if there is no such table.

    Raises:
        TableError: the table cannot be opened, or its log is damaged.
    """
    delta_table = opening.find(warehouse, table)
    if delta_table is None:
        return None
    folder, version = warehouse.path(table), int(delta_table.version())
    actions = opening.live_actions(delta_table, table, folder).to_pylist()
    files = [data_file(action) for action in actions]
    by = next((name for name in delta_table.metadata().partition_columns if name in DATES), None)
    values = {file.partition[by] for file in files} if by else set()
    dates = tuple(sorted(value for value in values if isinstance(value, date)))
    commit = commits.info(folder, version)
    schema = opening.schema_of(delta_table)
    return Overview(
        version,
        schema,
        sum(file.rows for file in files),
        len(files),
        sum(file.size for file in files),
        dates,
        datetime.fromtimestamp(commit["timestamp"] / 1000, UTC) if commit and "timestamp" in commit else None,
        {name: _bounds(name, actions, files) for name in schema.names},
        delta_table.metadata().configuration,
    )


def _bounds(name: str, actions: list[dict[str, Any]], files: list[DataFile]) -> ColumnBounds:
    """A file whose column is null in every row has no bounds, and hides none."""
    nulls = [action.get(f"null_count.{name}") for action in actions]
    filled = [file for file, count in zip(files, nulls, strict=True) if count is None or count < file.rows]
    least, greatest = ([getattr(file, end).get(name) for file in filled] for end in ("least", "greatest"))
    is_whole = bool(filled) and not any(one is None for one in [*least, *greatest])
    return ColumnBounds(
        None if any(count is None for count in nulls) else sum(count for count in nulls if count is not None),
        min(least) if is_whole else None,
        max(greatest) if is_whole else None,
    )
