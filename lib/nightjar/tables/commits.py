"""The commits of a Delta table and their metadata, read from its log.

delta-rs's own `history` gives the commits of an older version wrong numbers.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import pyarrow.fs as pafs

from nightjar.errors import TableError
from nightjar.tables import storage
from nightjar.tables.warehouse import Warehouse

REARRANGED = "rearranged"
"""Metadata of commits that keep every row and change only the files they lie in."""
UPKEEP = ("OPTIMIZE", "VACUUM START", "VACUUM END")
DIGEST = "digest"
"""Metadata of each of our commits: the digest of its entries."""
LIVE = "live"
"""Metadata of each of our commits: how many files are live after it, and a checksum of their paths."""
SCHEMA = "schema"
"""Metadata of each of our commits: a checksum of the table's columns."""
FILES = {"add", "remove"}
DIGESTED = {
    "add": ("path", "partitionValues", "size", "dataChange", "stats"),
    "remove": ("path", "partitionValues", "size", "dataChange"),
    "txn": ("appId", "version"),
    "commitInfo": ("commit", "run_id", "rows", "userMetadata", LIVE, SCHEMA, REARRANGED),
}
"""Kind of entry -> its fields that go into the digest: those we set. delta-rs adds the rest, such as the time."""


def committed_at(warehouse: Warehouse, table: str, version: int) -> datetime:
    """When a version was committed, by the clock of its writer.

    Raises:
        TableError: the log does not reach back to it.
    """
    commit_info = info(warehouse.path(table), version)
    if commit_info is None:
        raise TableError(f"Delta table {table} at {warehouse.path(table)} has no version {version} any more.")
    return datetime.fromtimestamp(commit_info["timestamp"] / 1000, UTC)


def same_rows(warehouse: Warehouse, table: str, one: int, other: int) -> bool:
    """Whether two versions of a table hold the same rows, because all commits between them are upkeep."""
    first, last = sorted((one, other))
    between = (info(warehouse.path(table), version) for version in range(first + 1, last + 1))
    return all(
        commit_info is not None and (commit_info["operation"] in UPKEEP or REARRANGED in commit_info)
        for commit_info in between
    )


def state(folder: str, version: int) -> dict[str, str]:
    """The checksums `LIVE` and `SCHEMA` by the last of our commits, where they still hold at a version."""
    pending = {LIVE: FILES, SCHEMA: {"metaData"}}
    while pending and (log_entries := entries(folder, version)) is not None:
        commit_info: Mapping[str, Any] = next(
            (entry["commitInfo"] for entry in log_entries if "commitInfo" in entry), {}
        )
        if LIVE in commit_info:
            return {name: str(commit_info[name]) for name in pending if name in commit_info}
        changed_kinds = {kind for entry in log_entries for kind in entry}  # by another writer, or by delta-rs alone
        pending = {name: kinds for name, kinds in pending.items() if not kinds & changed_kinds}
        version -= 1
    return {}


def info(folder: str, version: int) -> Mapping[str, Any] | None:
    """The metadata of a version's commit; None if the log of the table in a folder has no such version."""
    log_entries = entries(folder, version) or ()
    return next((entry["commitInfo"] for entry in log_entries if "commitInfo" in entry), None)


def versions(folder: str) -> list[int]:
    """The versions whose commits are in the log of the table in a folder, in order."""
    log = storage.folder(folder).get_file_info(pafs.FileSelector("_delta_log", allow_not_found=True))
    names = [info.base_name.partition(".") for info in log]
    return sorted(int(version) for version, _, kind in names if kind == "json" and version.isdigit())


def entries(folder: str, version: int) -> list[dict[str, Any]] | None:
    """All entries of a version's commit, as in the log; None if it has no such version.

    Raises:
        ValueError: the file is empty, which delta-rs takes for a commit that changes nothing, or no JSON.
    """
    files, name = storage.folder(folder), f"_delta_log/{version:020}.json"
    try:
        with files.open_input_stream(name) as log:
            log_entries = [json.loads(line) for line in log.read().splitlines()]
    except FileNotFoundError:
        return None
    if not log_entries:
        raise ValueError(f"{name} is empty")
    return log_entries


def digest(log_entries: Iterable[Mapping[str, Any]]) -> str:
    """SHA-256 of a commit's entries in any order, the same before and after they are in the log."""
    contents = [(kind, _digest_content(kind, action)) for entry in log_entries for kind, action in entry.items()]
    return hashlib.sha256(
        "\n".join(sorted(json.dumps(content, sort_keys=True) for content in contents)).encode()
    ).hexdigest()


def _digest_content(kind: str, action: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name: action[name] for name in DIGESTED.get(kind, action) if name in action}
    return fields | {name: unquote(path) for name, path in fields.items() if name == "path"}  # the log quotes it
