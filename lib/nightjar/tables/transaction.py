"""A commit to a Delta table. Every one of ours is made here, on a version that was looked at."""

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

from nightjar.errors import TableError
from nightjar.tables import commits, fence, opening, requirements
from nightjar.tables.datafiles import Written, partition_text
from nightjar.tables.entries import DataFile
from nightjar.tables.warehouse import Warehouse

ATTEMPTS = 20


class MovedError(TableError):
    """Someone has committed since the version that a commit was to follow."""


@dataclass(frozen=True)
class Change:
    """What a commit does: it shows some files and hides others.

    Attributes:
        added: files that nobody sees yet.
        removed: live files.
        rearranged: the added files hold the very rows of the removed ones; readers of changes see nothing.
    """

    added: Sequence[Written] = ()
    removed: Sequence[DataFile] = ()
    rearranged: bool = False


@dataclass(frozen=True)
class Note:
    """What a commit says of itself.

    Attributes:
        run_id: of the run that makes it.
        inputs: table -> version that was read, for `DESCRIBE HISTORY`.
        marks: name -> number, kept in the table and changed by this commit.
        tokens: the same, but forgotten when the table's retention of them has passed.
    """

    run_id: str
    inputs: Mapping[str, int] = field(default_factory=dict)
    marks: Mapping[str, int] = field(default_factory=dict)
    tokens: Mapping[str, int] = field(default_factory=dict)


def commit(
    warehouse: Warehouse, table: str, change: Callable[[DeltaTable], Change], note: Note, only_on: int | None = None
) -> int:
    """Show files and hide others, on the very version that was looked at. Contention, and nothing else, is retried.

    The tokens of the leases that the warehouse is held under are checked on that version, and committed with the rest.

    Args:
        warehouse: where the table lies.
        table: its name. It exists.
        change: what is done to the latest version; asked anew where someone else has committed meanwhile.
        note: what the commit says.
        only_on: the version that must be the latest one; None: any.

    Returns:
        The new version.

    Raises:
        LeaseError: another run has taken over one of the leases. Nothing was written.
        MovedError: the latest version is another than `only_on`. Nothing was written.
        TableError: the table needs what is not honoured here, delta-rs refuses the commit, or others never stop
            committing. Nothing was written.
    """
    folder = warehouse.path(table)
    for attempt in range(ATTEMPTS):
        stands = opening.opened(warehouse, table)
        if only_on not in (None, stands.version()):
            raise MovedError(f"Table {table} at {folder} is at version {stands.version()}, no longer at {only_on}.")
        tokens = {**note.tokens, **fence.passed(warehouse, table, stands)}
        requirements.check_writable(stands, table, folder)
        changed = change(stands)
        if any(not file.path.isascii() for file in changed.removed):
            raise _unnamed(table, folder, changed.removed)
        if changed.removed and not changed.rearranged:
            requirements.check_removable(stands, table, folder)
        if _committed(stands, table, folder, changed, replace(note, tokens=tokens)):
            return int(stands.version()) + 1
        time.sleep(0.05 * (attempt + 1))
    raise TableError(f"Table {table} at {folder}: too many others are writing to it. Nothing was written.")


def _committed(stands: DeltaTable, table: str, folder: str, changed: Change, note: Note) -> bool:
    """Whether the change is now the next version; false if that is someone else's commit.

    Raises:
        TableError: delta-rs refuses, although nobody else has committed.
    """
    version = int(stands.version()) + 1
    actions: list[AddAction | RemoveAction] = [
        *(_removed(file, is_change=not changed.rearranged) for file in changed.removed),
        *(_added(file, is_change=not changed.rearranged) for file in changed.added),
    ]
    said = _said(changed, note) | opening.state(stands, _live(stands, table, folder, changed))
    said[commits.DIGEST] = commits.digest([*map(_entry, actions), *_marked(note), {"commitInfo": said}])
    properties = CommitProperties(
        custom_metadata=dict(said),
        max_commit_retries=0,  # with more, delta-rs puts it on top of versions that nobody has looked at
        app_transactions=[
            *(Transaction(name, number) for name, number in note.marks.items()),
            *(Transaction(name, number, _now()) for name, number in note.tokens.items()),
        ],
    )
    partition_by = list(stands.metadata().partition_columns)
    try:
        stands.create_write_transaction(actions, "append", stands.schema(), partition_by, commit_properties=properties)
    except DeltaError as error:
        # The commit may be there all the same: the checkpoint that follows it failed, or the answer was lost.
        info = commits.info(folder, version)
        if info is None:
            raise TableError(
                f"Table {table} at {folder}: delta-rs refuses the commit: {error}. Nothing was written."
            ) from error
        return info.get(commits.DIGEST) == said[commits.DIGEST]
    return True


def _said(changed: Change, note: Note) -> dict[str, str]:
    rows = sum(file.rows for file in changed.added)
    inputs = {"run_id": note.run_id, "rows": rows, "inputs": dict(note.inputs)}
    said = {"commit": uuid.uuid4().hex, "run_id": note.run_id, "rows": str(rows)}
    said["userMetadata"] = json.dumps(inputs, sort_keys=True)
    return said | ({commits.REARRANGED: "true"} if changed.rearranged else {})


def _live(stands: DeltaTable, table: str, folder: str, changed: Change) -> set[str]:
    """The files that are live after the commit."""
    before: list[Any] = opening.live_actions(stands, table, folder).column("path").to_pylist()
    return set(map(unquote, before)) - {unquote(file.path) for file in changed.removed} | {
        file.path for file in changed.added
    }


def _unnamed(table: str, folder: str, gone: Iterable[DataFile]) -> TableError:
    """Spark leaves such letters in the log as they are, delta-rs quotes them: it would never find the file again."""
    foreign = next(file.path for file in gone if not file.path.isascii())
    return TableError(
        f"Table {table} at {folder}: {foreign} was written by Spark for a partition value with letters beyond ASCII, "
        "and delta-rs cannot remove such a file. Nothing was written. "
        "Delete the rows of that partition in Spark first."
    )


def _added(file: Written, *, is_change: bool) -> AddAction:
    return AddAction(file.path, file.size, file.partition, _now(), data_change=is_change, stats=file.statistics)


def _removed(file: DataFile, *, is_change: bool) -> RemoveAction:
    values = {name: partition_text(value) for name, value in file.partition.items()}
    path = unquote(file.path)  # delta-rs quotes it again
    return RemoveAction(path, data_change=is_change, deletion_timestamp=_now(), size=file.size, partition_values=values)


def _entry(action: AddAction | RemoveAction) -> dict[str, dict[str, Any]]:
    """An action as it will stand in the log."""
    common = {
        "path": quote(action.path),
        "partitionValues": dict(action.partition_values or {}),
        "size": action.size,
        "dataChange": action.data_change,
    }
    return {"add": common | {"stats": action.stats}} if isinstance(action, AddAction) else {"remove": common}


def _marked(note: Note) -> list[dict[str, dict[str, Any]]]:
    return [{"txn": {"appId": name, "version": number}} for name, number in {**note.marks, **note.tokens}.items()]


def _now() -> int:
    return int(time.time() * 1000)
