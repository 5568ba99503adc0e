"""Columns of a pinned Delta version, read by tasks with Arrow: no row is made of them on the way.

The driver resolves a version to its live files, once; tasks get the files they shall read and nothing else.
"""

import bisect
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.fs as pafs
import pyarrow.parquet as pq
from deltalake import DeltaTable

from nightjar.errors import TableError
from nightjar.tables import opening, requirements, storage
from nightjar.tables.definitions import INSTANT
from nightjar.tables.warehouse import Warehouse

TRUNCATED = timedelta(milliseconds=1)  # Spark's statistics of instants are cut to milliseconds: the truth may be later
SMALL = 64 << 20  # bytes of files that every task can read
LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class DataFile:
    """One live data file.

    Attributes:
        path: within the table's folder, as the log writes it.
        rows: how many it holds.
        size: in bytes.
        partition: partition column -> value.
        least: column -> a lower bound of its values, where the file's writer left statistics.
        greatest: column -> an upper bound.
    """

    path: str
    rows: int
    size: int
    partition: Mapping[str, Any]
    least: Mapping[str, Any]
    greatest: Mapping[str, Any]

    def may_hold(self, column: str, since: Any = None, until: Any = None) -> bool:
        """Whether a value from `since` to `until`, both inclusive, may be in here; true where nothing is known."""
        below = since is not None and column in self.greatest and self.greatest[column] < since
        above = until is not None and column in self.least and self.least[column] > until
        return not (below or above)


@dataclass(frozen=True)
class Snapshot:
    """The live files of a table at one version. Small enough to be sent to tasks.

    Attributes:
        table: its name.
        folder: where it lies.
        version: its Delta version.
        schema: its columns.
        files: the live files, or some of them.
        unreadable: why tasks cannot read the files as they are; None where they can.
    """

    table: str
    folder: str
    version: int
    schema: pa.Schema
    files: tuple[DataFile, ...]
    unreadable: str | None = None

    @property
    def rows(self) -> int:
        """Rows in all files."""
        return sum(file.rows for file in self.files)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    def where(self, keep: Callable[[DataFile], bool]) -> "Snapshot":
        """The same with some of its files."""
        return replace(self, files=tuple(file for file in self.files if keep(file)))


def snapshot(warehouse: Warehouse, table: str, version: int | None = None) -> Snapshot:
    """The table's live files at a version, the latest one unless it is given.

    Raises:
        TableError: there is no such table.
    """
    return snapshot_of(opening.opened(warehouse, table, version), warehouse, table)


def snapshot_of(opened: DeltaTable, warehouse: Warehouse, table: str) -> Snapshot:
    """The live files of an opened table, at the version that was opened."""
    actions = pa.table(opened.get_add_actions(flatten=True)).to_pylist()
    schema = opening.plain(opening.schema_of(opened))
    files = tuple(_data_file(action) for action in actions)
    return Snapshot(
        table, warehouse.path(table), int(opened.version()), schema, files, requirements.unreadable(opened, table)
    )


def parquet_files(folder: str) -> Snapshot:
    """The Parquet files right in a folder that is no Delta table: a spine of the user's own, for instance.

    Instants are read as those of tables are, in microseconds of UTC.

    Raises:
        TableError: there are none, or they have different columns.
    """
    files = storage.folder(folder)
    found = sorted(info.path for info in files.get_file_info(pafs.FileSelector("")) if info.path.endswith(".parquet"))
    footers = {path: pq.read_metadata(path, filesystem=files) for path in found}
    schemas = {path: footer.schema.to_arrow_schema().remove_metadata() for path, footer in footers.items()}
    other = next((path for path in found if schemas[path] != schemas[found[0]]), None)
    if not found or other is not None:
        what = f"{other} has other columns than {found[0]}" if found else "no Parquet file"
        raise TableError(f"The folder {folder} cannot be read as one table: {what}.")
    sizes = {path: files.get_file_info(path).size for path in found}
    data = tuple(DataFile(path, footer.num_rows, sizes[path], {}, {}, {}) for path, footer in footers.items())
    columns = [field.with_type(INSTANT) if _is_instant(field.type) else field for field in schemas[found[0]]]
    return Snapshot(folder, folder, 0, opening.plain(pa.schema(columns)), data)


def read(source: Snapshot, columns: Sequence[str], where: ds.Expression | None = None) -> pa.Table:
    """Columns of the rows of all row groups in which, by their statistics, some row may meet a condition.

    Raises:
        TableError: a file of the version is gone, vacuumed for instance.
    """
    files = storage.folder(source.folder)
    form = ds.ParquetFileFormat(default_fragment_scan_options=ds.ParquetFragmentScanOptions(pre_buffer=True))
    fragments: list[Any] = [
        form.make_fragment(unquote(file.path), files, partition_expression=_partition(file, source.schema))
        for file in source.files
    ]
    try:
        if where is not None:
            fragments = [fragment.subset(filter=where, schema=source.schema) for fragment in fragments]
        dataset = ds.FileSystemDataset(fragments, source.schema, form, files)
        # One thread: the tasks already fill the cores.
        return dataset.to_table(columns=list(columns), use_threads=False)
    except FileNotFoundError as error:
        raise gone(source) from error


def require_files(source: Snapshot) -> None:
    """Look whether all files are there.

    Raises:
        TableError: one is not.
    """
    if _missing(source):
        raise gone(source)


def gone(source: Snapshot) -> TableError:
    """What to say when a file of a version is not there any more."""
    files = ", ".join(_missing(source))
    return TableError(
        f"Table {source.table} at {source.folder}, version {source.version}: the data file {files} is gone: "
        "removed by hand, or vacuumed with a shorter retention than this run takes. Nothing was written. "
        "Run it again on the table's latest version, or restore the file."
    )


def cuts(sources: Sequence[Snapshot], column: str, parts: int) -> list[Any]:
    """Values that cut the rows of some files into parts of about equal size, by the statistics of row groups.

    They are as the files hold them: an instant is microseconds since 1970, of any year.
    """
    groups = sorted(group for source in sources for file in source.files for group in _row_groups(source, file, column))
    through = list(itertools.accumulate(rows for _, rows in groups))
    wanted = [through[-1] * part // parts for part in range(1, parts)] if through else []
    return sorted({groups[bisect.bisect_left(through, rows)][0] for rows in wanted})


def _missing(source: Snapshot) -> list[str]:
    found = storage.folder(source.folder).get_file_info([unquote(file.path) for file in source.files])
    return [info.path for info in found if info.type is pafs.FileType.NotFound]


def _is_instant(kind: pa.DataType) -> bool:
    return isinstance(kind, pa.TimestampType) and kind.tz is not None


def _row_groups(source: Snapshot, file: DataFile, column: str) -> list[tuple[Any, int]]:
    """The greatest value, as it is stored, and the rows of each row group that tells them."""
    found = pq.read_metadata(unquote(file.path), filesystem=storage.folder(source.folder))
    place = found.schema.to_arrow_schema().names.index(column)
    groups = [found.row_group(number) for number in range(found.num_row_groups)]
    told = [(group.column(place).statistics, group.num_rows) for group in groups]
    return [
        (statistics.max_raw, rows) for statistics, rows in told if statistics is not None and statistics.has_min_max
    ]


def _partition(file: DataFile, schema: pa.Schema) -> ds.Expression:
    condition = pc.scalar(True)
    for column, value in file.partition.items():
        field = pc.field(column)
        is_value = field.is_null() if value is None else field == pa.scalar(value, schema.field(column).type)
        condition = condition & is_value
    return condition


def _data_file(action: dict[str, Any]) -> DataFile:
    partition, least, greatest = (_prefixed(action, prefix) for prefix in ("partition.", "min.", "max."))
    return DataFile(
        action["path"],
        action["num_records"] or 0,
        action["size_bytes"],
        partition,
        {name: value for name, value in least.items() if value is not None},
        {name: _not_below(value) for name, value in greatest.items() if value is not None},
    )


def _prefixed(action: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in action.items() if name.startswith(prefix)}


def _not_below(value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    return value + TRUNCATED if value < LAST - TRUNCATED else LAST
