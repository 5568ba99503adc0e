"""Commits to Delta tables. All of ours are made here, each on the version that was read."""

import json
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, unquote

from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction, RemoveAction

from nightjar.errors import BusyError, TableError
from nightjar.tables import commits, fence, opening, requirements
from nightjar.tables.datafiles import NewFile, partition_text
from nightjar.tables.entries import DataFile
from nightjar.tables.warehouse import Warehouse

ATTEMPTS = 20


class MovedError(TableError):
    """Another commit came after the version that a commit was to follow."""


@dataclass(frozen=True)
class Change:
    """The files that a commit adds and removes.

    Attributes:
        added: new files.
        removed: live files.
        rearranged: the added files have the same rows as the removed ones; readers of changes see nothing.
    """

    added: Sequence[NewFile] = ()
    removed: Sequence[DataFile] = ()
    rearranged: bool = False


@dataclass(frozen=True)
class Note:
    """The metadata of a commit.

    Attributes:
        run_id: of the run that makes it.
        inputs: table -> version that was read, for `DESCRIBE HISTORY`.
        marks: name -> number, stored in the table by this commit.
        tokens: the same, but dropped once the table's retention of them has passed.
    """

    run_id: str
    inputs: Mapping[str, int] = field(default_factory=dict)
    marks: Mapping[str, int] = field(default_factory=dict)
    tokens: Mapping[str, int] = field(default_factory=dict)


def commit(
    warehouse: Warehouse,
    table: str,
    make_change: Callable[[DeltaTable], Change],
    note: Note,
    expected_version: int | None = None,
) -> int:
    """Add files and remove others, on the version that the change was made for. Only contention is retried.

    The tokens of the warehouse's leases are checked on that version, and committed with the rest.

    Args:
        warehouse: where the table lies.
        table: its name. It exists.
        make_change: returns the change to the latest version; called again after another run's commit.
        note: the commit's metadata.
        expected_version: the version that must be the latest one; None: any.

    Returns:
        The new version.

    Raises:
        LeaseError: another run has taken over one of the leases. Nothing was written.
        MovedError: the latest version is not the expected one. Nothing was written.
        TableError: the table uses a feature that is not supported here, or delta-rs refuses the commit. Nothing was
            written.
        BusyError: others never stop committing. Nothing was written.
    """
    folder = warehouse.path(table)
    for attempt in range(ATTEMPTS):
        delta_table = opening.open_table(warehouse, table)
        if expected_version not in (None, delta_table.version()):
            raise MovedError(
                f"Table {table} at {folder} is at version {delta_table.version()}, no longer at {expected_version}."
            )
        tokens = {**note.tokens, **fence.tokens_to_commit(warehouse, table, delta_table)}
        requirements.check_writable(delta_table, table, folder)
        change = make_change(delta_table)
        if any(not file.path.isascii() for file in change.removed):
            raise _foreign_path_error(table, folder, change.removed)
        if change.removed and not change.rearranged:
            requirements.check_removable(delta_table, table, folder)
        if _try_commit(delta_table, table, folder, change, replace(note, tokens=tokens)):
            return int(delta_table.version()) + 1
        time.sleep(0.05 * (attempt + 1))
    raise BusyError(f"Table {table} at {folder}: too many others are writing to it. Nothing was written.")


def _try_commit(delta_table: DeltaTable, table: str, folder: str, change: Change, note: Note) -> bool:
    """Commit the change as the next version; false if that is another run's commit.

    Raises:
        TableError: delta-rs refuses, although there is no other commit.
    """
    version = int(delta_table.version()) + 1
    actions: list[AddAction | RemoveAction] = [
        *(_remove_action(file, is_change=not change.rearranged) for file in change.removed),
        *(_add_action(file, is_change=not change.rearranged) for file in change.added),
    ]
    metadata = _commit_metadata(change, note) | opening.state(
        delta_table, _live_paths(delta_table, table, folder, change)
    )
    metadata[commits.DIGEST] = commits.digest(
        [*map(_log_entry, actions), *_transaction_entries(note), {"commitInfo": metadata}]
    )
    properties = CommitProperties(
        custom_metadata=dict(metadata),
        max_commit_retries=0,  # with more, delta-rs puts it on top of versions that were never read here
        app_transactions=[
            *(Transaction(name, number) for name, number in note.marks.items()),
            *(Transaction(name, number, _now()) for name, number in note.tokens.items()),
        ],
    )
    partition_by = list(delta_table.metadata().partition_columns)
    try:
        delta_table.create_write_transaction(
            actions, "append", delta_table.schema(), partition_by, commit_properties=properties
        )
    except DeltaError as error:
        # The commit may have succeeded all the same: the checkpoint after it failed, or the answer was lost.
        info = commits.info(folder, version)
        if info is None:
            raise TableError(
                f"Table {table} at {folder}: delta-rs refuses the commit: {error}. Nothing was written."
            ) from error
        return info.get(commits.DIGEST) == metadata[commits.DIGEST]
    return True


def _commit_metadata(change: Change, note: Note) -> dict[str, str]:
    rows = sum(file.rows for file in change.added)
    inputs = {"run_id": note.run_id, "rows": rows, "inputs": dict(note.inputs)}
    metadata = {"commit": uuid.uuid4().hex, "run_id": note.run_id, "rows": str(rows)}
    metadata["userMetadata"] = json.dumps(inputs, sort_keys=True)
    return metadata | ({commits.REARRANGED: "true"} if change.rearranged else {})


def _live_paths(delta_table: DeltaTable, table: str, folder: str, change: Change) -> set[str]:
    """The files that are live after the commit."""
    before: list[Any] = opening.live_actions(delta_table, table, folder).column("path").to_pylist()
    return set(map(unquote, before)) - {unquote(file.path) for file in change.removed} | {
        file.path for file in change.added
    }


def _foreign_path_error(table: str, folder: str, gone: Iterable[DataFile]) -> TableError:
    """The error for a path beyond ASCII: Spark writes it unquoted, delta-rs quotes it and would not find the file."""
    foreign = next(file.path for file in gone if not file.path.isascii())
    return TableError(
        f"Table {table} at {folder}: {foreign} was written by Spark for a partition value with letters beyond ASCII, "
        "and delta-rs cannot remove such a file. Nothing was written. "
        "Delete the rows of that partition in Spark first."
    )


def _add_action(file: NewFile, *, is_change: bool) -> AddAction:
    return AddAction(file.path, file.size, file.partition, _now(), data_change=is_change, stats=file.statistics)


def _remove_action(file: DataFile, *, is_change: bool) -> RemoveAction:
    values = {name: partition_text(value) for name, value in file.partition.items()}
    path = unquote(file.path)  # delta-rs quotes it again
    return RemoveAction(path, data_change=is_change, deletion_timestamp=_now(), size=file.size, partition_values=values)


def _log_entry(action: AddAction | RemoveAction) -> dict[str, dict[str, Any]]:
    """An action as the log will contain it."""
    common = {
        "path": quote(action.path),
        "partitionValues": dict(action.partition_values or {}),
        "size": action.size,
        "dataChange": action.data_change,
    }
    return {"add": common | {"stats": action.stats}} if isinstance(action, AddAction) else {"remove": common}


def _transaction_entries(note: Note) -> list[dict[str, dict[str, Any]]]:
    return [{"txn": {"appId": name, "version": number}} for name, number in {**note.marks, **note.tokens}.items()]


def _now() -> int:
    return int(time.time() * 1000)
