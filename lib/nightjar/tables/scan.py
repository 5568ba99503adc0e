"""Columns of a pinned Delta version, read by tasks with Arrow, without converting them to rows.

The driver resolves a version to its live files, once; tasks get only the files that they read.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.fs as pafs
from deltalake import DeltaTable

from nightjar.errors import TableError
from nightjar.tables import opening, parquet, requirements, storage
from nightjar.tables.entries import DataFile, data_file
from nightjar.tables.warehouse import Warehouse

SMALL = 64 << 20  # bytes of files that every task can read
BATCH = 1 << 16  # rows


@dataclass(frozen=True)
class Snapshot:
    """The live files of a table at one version. Small enough to be sent to tasks.

    Attributes:
        table: its name.
        folder: where it lies.
        version: its Delta version.
        schema: its columns.
        files: the live files, or some of them.
        unreadable: why tasks cannot read the files directly; None where they can.
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
        """The same version, restricted to some of its files."""
        return replace(self, files=tuple(file for file in self.files if keep(file)))


def snapshot(warehouse: Warehouse, table: str, version: int | None = None) -> Snapshot:
    """The table's live files at a version, the latest one unless it is given.

    Raises:
        TableError: there is no such table, or its log is damaged.
    """
    return snapshot_of(opening.open_table(warehouse, table, version), warehouse, table)


def snapshot_of(delta_table: DeltaTable, warehouse: Warehouse, table: str) -> Snapshot:
    """The live files of an opened table, at the version that was opened.

    Raises:
        TableError: the log's entry of a file does not match the checksum in the file's name: it is damaged.
    """
    actions = opening.live_actions(delta_table, table, warehouse.path(table)).to_pylist()
    schema = opening.plain(opening.schema_of(delta_table))
    files = tuple(data_file(action) for action in actions)
    unreadable = requirements.unreadable(delta_table, table)
    snapshot = Snapshot(table, warehouse.path(table), int(delta_table.version()), schema, files, unreadable)
    # An unreadable table is left to Spark, and its columns may have other names than those in the files.
    damaged = [file.path for file in files if unreadable is None and not file.is_as_named()]
    if damaged:
        what = f"the log's entry of the data file {', '.join(damaged)} is not what was written"
        raise TableError(f"{_describe(snapshot)}: {what}. Nothing was written. See docs/runbook.md, Damaged log.")
    return snapshot


def read_file(source: Snapshot, path: str) -> pa.Table:
    """All rows of one of the files, in their order."""
    return read(source.where(lambda file: file.path == path), source.schema.names)


def read(source: Snapshot, columns: Sequence[str], where: ds.Expression | None = None) -> pa.Table:
    """Columns of all rows of the row groups in which, by their statistics, some row may meet a condition.

    Raises:
        TableError: there is no such column, or a file of the version is missing (vacuumed, for instance) or damaged.
    """
    require_columns(source, columns)
    with translate_read_errors(source):
        files = dataset(source, where)
        if where is not None:
            fragments = [fragment.subset(filter=where, schema=source.schema) for fragment in files.get_fragments()]
            files = ds.FileSystemDataset(fragments, source.schema, files.format, files.filesystem)
        # One thread: the tasks already fill the cores.
        return files.to_table(columns=list(columns), use_threads=False)


def batches(source: Snapshot, columns: Sequence[str], where: ds.Expression) -> Iterator[pa.RecordBatch]:
    """Columns of the rows that meet a condition, some at a time, in the order of the files; for a driver to count.

    Raises:
        TableError: there is no such column, or a file of the version is missing or damaged.
    """
    require_columns(source, columns)
    with translate_read_errors(source):
        yield from batches_of(dataset(source, where), columns, where)


def batches_of(
    files: ds.Dataset, columns: Sequence[str], where: ds.Expression | None = None
) -> Iterator[pa.RecordBatch]:
    """Columns of the rows of files that meet a condition, some at a time; few of them are in memory at once."""
    yield from files.to_batches(
        columns=list(columns), filter=where, batch_size=BATCH, batch_readahead=1, fragment_readahead=1
    )


def require_columns(source: Snapshot, columns: Sequence[str]) -> None:
    """Raise TableError unless the table has these columns."""
    missing = [name for name in columns if name not in source.schema.names]
    if missing:
        raise TableError(f"{_describe(source)}, has no column {', '.join(missing)}.")


def dataset(source: Snapshot, where: ds.Expression | None = None) -> ds.FileSystemDataset:
    """The files in which, by their partition, some row may meet a condition. Their footers are checked.

    Raises:
        DamageError: a footer is damaged.
        FileNotFoundError: a file is missing.
    """
    files = storage.folder(source.folder)
    file_format = parquet.format_of(files)
    sizes = {unquote(file.path): file.size for file in source.files}
    fragments: list[Any] = [
        file_format.make_fragment(
            unquote(file.path), files, partition_expression=_partition(file, source.schema), file_size=file.size
        )
        for file in source.files
    ]
    whole = ds.FileSystemDataset(fragments, source.schema, file_format, files)
    chosen = list(whole.get_fragments(where))
    for fragment in chosen:
        parquet.footer(files, fragment.path, sizes[fragment.path])
    return ds.FileSystemDataset(chosen, source.schema, file_format, files)


@contextmanager
def translate_read_errors(source: Snapshot) -> Iterator[None]:
    """Name the file of a version that cannot be read.

    Raises:
        TableError: a file is missing or damaged.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise missing_file_error(source) from error
    except (parquet.DamageError, pa.ArrowException, OSError) as error:
        if "would lose data" in str(error):
            raise TableError(
                f"{_describe(source)}: {error}. Instants are held in microseconds. Write them rounded: prediction "
                "times down, so that no row sees what it could not know."
            ) from error
        damaged = [f"{path} is damaged: {what}" for path, what in damages(source)]
        if not damaged and isinstance(error, parquet.DamageError):
            damaged = [f"{', '.join(file.path for file in source.files)} is damaged: {error}"]
        if not damaged:
            raise
        raise TableError(
            f"{_describe(source)}: the data file {'; '.join(damaged)}. Nothing was written. "
            "See docs/runbook.md, Damaged data file."
        ) from error


def damages(source: Snapshot) -> Iterator[tuple[str, str]]:
    """The files that are missing or damaged, with what is wrong; each is read whole."""
    files = storage.folder(source.folder)
    for file in source.files:
        problem = parquet.damage(files, unquote(file.path), file.size)
        if problem is not None:
            yield file.path, problem


def require_footers(source: Snapshot) -> None:
    """Check that no file is missing and all footers are as they were written, which Spark does not.

    Raises:
        TableError: a file is missing, or its footer damaged.
    """
    files = storage.folder(source.folder)

    def check(file: DataFile) -> None:
        parquet.footer(files, unquote(file.path), file.size)

    with translate_read_errors(source):
        opening.map_in_threads(check, source.files)


def require_files(source: Snapshot) -> None:
    """Check that no file is missing.

    Raises:
        TableError: one is.
    """
    if _missing(source):
        raise missing_file_error(source)


def missing_file_error(source: Snapshot) -> TableError:
    """The error for files of a version that are missing."""
    files = ", ".join(_missing(source))
    return TableError(
        f"{_describe(source)}: the data file {files} is gone: "
        "removed by hand, or vacuumed with a shorter retention than this run takes. Nothing was written. "
        "Run it again on the table's latest version, or restore the file: docs/runbook.md, Missing data file."
    )


def _describe(source: Snapshot) -> str:
    return f"Table {source.table} at {source.folder}, version {source.version}"


def _missing(source: Snapshot) -> list[str]:
    infos = storage.folder(source.folder).get_file_info([unquote(file.path) for file in source.files])
    return [info.path for info in infos if info.type is pafs.FileType.NotFound]


def _partition(file: DataFile, schema: pa.Schema) -> ds.Expression:
    condition = pc.scalar(True)
    for column, value in file.partition.items():
        field = pc.field(column)
        is_value = field.is_null() if value is None else field == pa.scalar(value, schema.field(column).type)
        condition = condition & is_value
    return condition
