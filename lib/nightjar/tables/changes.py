"""Whether a table still holds what a run of before has read or written: files that were added or removed since."""

from collections.abc import Callable, Iterator

from nightjar.errors import TableError
from nightjar.tables import commits, opening, scan
from nightjar.tables.entries import DataFile
from nightjar.tables.warehouse import Warehouse


def describe(
    warehouse: Warehouse, table: str, since: int, matters: Callable[[DataFile], bool], run_id: str
) -> str | None:
    """What has changed in a table since a version, in words; None: nothing that matters.

    Upkeep, which puts the same rows into other files, is no change.

    Args:
        warehouse: where the table lies.
        table: its name.
        since: the version.
        matters: whether a file is one that counts.
        run_id: of a run whose commits do not count.
    """
    delta_table = opening.find(warehouse, table)
    if delta_table is None:
        return f"table {table} is gone"
    version = int(delta_table.version())
    if version < since:
        return f"table {table} is at version {version}, before version {since}, which the run has seen"
    try:
        added, removed = changed_files(warehouse, table, since, version, matters, run_id)
    except (TableError, ValueError):
        return f"the log of table {table} no longer tells what has changed since version {since}"
    if not added and not removed:
        return None
    return f"table {table} has changed since version {since}: {_count(len(added))} added, {len(removed)} removed"


def changed_files(
    warehouse: Warehouse, table: str, since: int, until: int, matters: Callable[[DataFile], bool], run_id: str = ""
) -> tuple[list[DataFile], list[DataFile]]:
    """The files that commits have added between two versions of a table, and those that they have removed.

    Args:
        warehouse: where the table lies.
        table: its name.
        since: the first version.
        until: the last one.
        matters: whether a file is one that counts.
        run_id: of a run whose commits do not count; nor does upkeep.

    Raises:
        TableError: one of the versions cannot be opened any more.
        ValueError: a commit between them cannot be read.
    """
    added, removed = dict[str, DataFile](), dict[str, DataFile]()
    for before, after in _spans(warehouse.path(table), since, until, run_id):
        old, new = (_files(warehouse, table, at, matters) for at in (before, after))
        added |= {path: file for path, file in new.items() if path not in old}
        removed |= {path: file for path, file in old.items() if path not in new}
    return [*added.values()], [*removed.values()]


def _count(files: int) -> str:
    return f"{files} {'file' if files == 1 else 'files'}"


def _files(warehouse: Warehouse, table: str, version: int, matters: Callable[[DataFile], bool]) -> dict[str, DataFile]:
    files = scan.snapshot(warehouse, table, version).files
    return {file.path: file for file in files if file.rows and matters(file)}


def _spans(folder: str, since: int, until: int, run_id: str) -> Iterator[tuple[int, int]]:
    """The versions before and after each unbroken row of commits that count."""
    start = None
    for version in range(since + 1, until + 2):
        counts = version <= until and _counts(folder, version, run_id)
        if counts and start is None:
            start = version - 1
        elif not counts and start is not None:
            yield start, version - 1
            start = None


def _counts(folder: str, version: int, run_id: str) -> bool:
    """Whether a commit may have changed rows; so may one of which nothing is known."""
    commit_info = commits.info(folder, version)
    if commit_info is None:
        return True
    is_upkeep = commit_info.get("operation") in commits.UPKEEP or commits.REARRANGED in commit_info
    return not is_upkeep and commit_info.get("run_id") != run_id
