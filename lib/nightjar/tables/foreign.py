"""Delta tables that others write: looked at and read, never written."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from nightjar.errors import TableError
from nightjar.tables import delta, opening, requirements, scan
from nightjar.tables.entries import DataFile
from nightjar.tables.warehouse import Warehouse

FEED = "delta.enableChangeDataFeed"


@dataclass(frozen=True)
class Version:
    """A table at one version.

    Attributes:
        folder: where it lies.
        id: of the table; one that was made anew in its place has another.
        number: the version.
        modified: when it was committed, milliseconds since 1970.
        columns: names of its columns.
        has_feed: whether it keeps a change feed.
        is_direct: whether files have exactly its rows, so that some of them can be read alone.
    """

    folder: str
    id: str
    number: int
    modified: int
    columns: tuple[str, ...]
    has_feed: bool
    is_direct: bool


@dataclass(frozen=True)
class _Folder(Warehouse):
    """A folder that is itself a table."""

    def path(self, table: str) -> str:  # noqa: ARG002
        return self.root


def latest(folder: str) -> Version:
    """A table as it is now.

    Raises:
        TableError: there is none, or it cannot be opened.
    """
    place, name = _at(folder)
    table = opening.find(place, name)
    if table is None:
        raise TableError(f"There is no Delta table at {place.path(name)}")
    metadata = table.metadata()
    modified = int(table.history(1)[0]["timestamp"])
    feed = metadata.configuration.get(FEED, "false").lower() == "true"
    columns = tuple(opening.schema_of(table).names)
    is_direct = requirements.unreadable(table, name) is None
    return Version(place.path(name), str(metadata.id), int(table.version()), modified, columns, feed, is_direct)


def read(spark: SparkSession, version: Version, since: int | None) -> DataFrame:
    """The rows of a version, or at least those that have come after an earlier one.

    Args:
        spark: the session.
        version: what is read.
        since: number of the earlier version: rows of data files that it had are left out, where files can be read alone
            and the log still tells which they were. None: all rows.

    Raises:
        TableError: a file of the version is missing.
    """
    place, name = _at(version.folder)
    keep: Callable[[DataFile], bool] = _everything
    if since is not None and version.is_direct:
        try:
            before = {file.path for file in scan.snapshot(place, name, since).files}
        except TableError:  # of so old a version the log is gone: more rows are read than are new
            before = set()
        keep = lambda file: file.path not in before  # noqa: E731
    return delta.read(spark, place, name, version.number, keep)


def read_changes(spark: SparkSession, version: Version, since: int) -> DataFrame:
    """The changes after an earlier version, up to this one, with `_change_type` and when they were made.

    Raises:
        TableError: the feed does not go back so far.
    """
    try:
        changes = delta.read_changes(spark, version.folder, since + 1, version.number)
        changes.isEmpty()  # only an action looks at the log
    except PySparkException as error:
        raise TableError(
            f"The change feed of {version.folder} cannot be read from version {since + 1} to {version.number}: "
            f"{' '.join(str(error).split())} Nothing was written. See docs/runbook.md, A change feed has a gap."
        ) from error
    return changes


def folder_of(path: str) -> str:
    """The path of a table as versions of it name it."""
    return path.rstrip("/") if "://" in path else str(Path(path).absolute())


def _at(folder: str) -> tuple[Warehouse, str]:
    whole = folder_of(folder)
    return _Folder(whole, ""), whole.rpartition("/")[2]


def _everything(_: DataFile) -> bool:
    return True
