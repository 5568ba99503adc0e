"""What the commits of a Delta table do and say of themselves, read from its log.

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
"""Said by commits that keep every row and change only the files they lie in."""
UPKEEP = ("OPTIMIZE", "VACUUM START", "VACUUM END")
DIGEST = "digest"
"""Said by each of our commits: the digest of its entries."""
LIVE = "live"
"""Said by each of our commits: how many files are live after it, and a checksum of their paths."""
SCHEMA = "schema"
"""Said by each of our commits: a checksum of the table's columns."""
FILES = {"add", "remove"}
DIGESTED = {
    "add": ("path", "partitionValues", "size", "dataChange", "stats"),
    "remove": ("path", "partitionValues", "size", "dataChange"),
    "txn": ("appId", "version"),
    "commitInfo": ("commit", "run_id", "rows", "userMetadata", LIVE, SCHEMA, REARRANGED),
}
"""Kind of entry -> what of it we say; the rest, such as the time, is added by delta-rs."""


def committed_at(warehouse: Warehouse, table: str, version: int) -> datetime:
    """When a version was committed, by the clock of who did.

    Raises:
        TableError: the log does not reach back to it.
    """
    said = info(warehouse.path(table), version)
    if said is None:
        raise TableError(f"Delta table {table} at {warehouse.path(table)} has no version {version} any more.")
    return datetime.fromtimestamp(said["timestamp"] / 1000, UTC)


def same_rows(warehouse: Warehouse, table: str, one: int, other: int) -> bool:
    """Whether two versions of a table hold the same rows, because all commits between them are upkeep."""
    first, last = sorted((one, other))
    between = (info(warehouse.path(table), version) for version in range(first + 1, last + 1))
    return all(said is not None and (said["operation"] in UPKEEP or REARRANGED in said) for said in between)


def state(folder: str, version: int) -> dict[str, str]:
    """What the last of our commits said of the files and the schema that it left, where they still are at a version."""
    holds = {LIVE: FILES, SCHEMA: {"metaData"}}
    while holds and (found := entries(folder, version)) is not None:
        said: Mapping[str, Any] = next((entry["commitInfo"] for entry in found if "commitInfo" in entry), {})
        if LIVE in said:
            return {name: str(said[name]) for name in holds if name in said}
        changed = {kind for entry in found for kind in entry}  # by another writer, or by delta-rs alone
        holds = {name: kinds for name, kinds in holds.items() if not kinds & changed}
        version -= 1
    return {}


def info(folder: str, version: int) -> Mapping[str, Any] | None:
    """What a version's commit says of itself; None if the log of the table in a folder has no such version."""
    found = entries(folder, version) or ()
    return next((entry["commitInfo"] for entry in found if "commitInfo" in entry), None)


def versions(folder: str) -> list[int]:
    """The versions whose commits are in the log of the table in a folder, in order."""
    log = storage.folder(folder).get_file_info(pafs.FileSelector("_delta_log", allow_not_found=True))
    names = [info.base_name.partition(".") for info in log]
    return sorted(int(version) for version, _, kind in names if kind == "json" and version.isdigit())


def entries(folder: str, version: int) -> list[dict[str, Any]] | None:
    """All entries of a version's commit, as they stand in the log; None if it has no such version.

    Raises:
        ValueError: it is empty, which delta-rs takes for a commit that changes nothing, or no JSON.
    """
    files, name = storage.folder(folder), f"_delta_log/{version:020}.json"
    try:
        with files.open_input_stream(name) as log:
            found = [json.loads(line) for line in log.read().splitlines()]
    except FileNotFoundError:
        return None
    if not found:
        raise ValueError(f"{name} is empty")
    return found


def digest(of: Iterable[Mapping[str, Any]]) -> str:
    """SHA-256 of what a commit's entries say, in any order. It is the same before and after they are in the log."""
    said = [(kind, _digested(kind, action)) for entry in of for kind, action in entry.items()]
    return hashlib.sha256("\n".join(sorted(json.dumps(one, sort_keys=True) for one in said)).encode()).hexdigest()


def _digested(kind: str, action: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: action[name] for name in DIGESTED.get(kind, action) if name in action}
    return kept | {name: unquote(path) for name, path in kept.items() if name == "path"}  # the log quotes it
