"""Columns of a pinned Delta version, read by tasks with Arrow: no row is made of them on the way.

The driver resolves a version to its live files, once; tasks get the files they shall read and nothing else.
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
        TableError: there is no such table, or its log is damaged.
    """
    return snapshot_of(opening.opened(warehouse, table, version), warehouse, table)


def snapshot_of(opened: DeltaTable, warehouse: Warehouse, table: str) -> Snapshot:
    """The live files of an opened table, at the version that was opened.

    Raises:
        TableError: the log does not say of some file what its name says: it is damaged.
    """
    actions = opening.live_actions(opened, table, warehouse.path(table)).to_pylist()
    schema = opening.plain(opening.schema_of(opened))
    files = tuple(data_file(action) for action in actions)
    unreadable = requirements.unreadable(opened, table)
    taken = Snapshot(table, warehouse.path(table), int(opened.version()), schema, files, unreadable)
    # Spark, which such a table is left to, may have given columns other names than files were written under.
    damaged = [file.path for file in files if unreadable is None and not file.is_as_named()]
    if damaged:
        what = f"the log's entry of the data file {', '.join(damaged)} is not what was written"
        raise TableError(f"{_named(taken)}: {what}. Nothing was written. See docs/runbook.md, Damaged log.")
    return taken


def read(source: Snapshot, columns: Sequence[str], where: ds.Expression | None = None) -> pa.Table:
    """Columns of the rows of all row groups in which, by their statistics, some row may meet a condition.

    Raises:
        TableError: there is no such column, or a file of the version is gone, vacuumed for instance, or damaged.
    """
    require_columns(source, columns)
    with damage_named(source):
        files = dataset(source, where)
        if where is not None:
            fragments = [fragment.subset(filter=where, schema=source.schema) for fragment in files.get_fragments()]
            files = ds.FileSystemDataset(fragments, source.schema, parquet.FORMAT, files.filesystem)
        # One thread: the tasks already fill the cores.
        return files.to_table(columns=list(columns), use_threads=False)


def require_columns(source: Snapshot, columns: Sequence[str]) -> None:
    """Raise TableError unless the table has these columns."""
    missing = [name for name in columns if name not in source.schema.names]
    if missing:
        raise TableError(f"{_named(source)}, has no column {', '.join(missing)}.")


def dataset(source: Snapshot, where: ds.Expression | None = None) -> ds.FileSystemDataset:
    """The files in which, by their partition, some row may meet a condition. Their footers are whole.

    Raises:
        DamageError: one is not.
        FileNotFoundError: a file is gone.
    """
    files = storage.folder(source.folder)
    sizes = {unquote(file.path): file.size for file in source.files}
    fragments: list[Any] = [
        parquet.FORMAT.make_fragment(
            unquote(file.path), files, partition_expression=_partition(file, source.schema), file_size=file.size
        )
        for file in source.files
    ]
    whole = ds.FileSystemDataset(fragments, source.schema, parquet.FORMAT, files)
    chosen = list(whole.get_fragments(where))
    for fragment in chosen:
        parquet.footer(files, fragment.path, sizes[fragment.path])
    return ds.FileSystemDataset(chosen, source.schema, parquet.FORMAT, files)


@contextmanager
def damage_named(source: Snapshot) -> Iterator[None]:
    """Say which file is meant where one of a version cannot be read.

    Raises:
        TableError: a file is gone or damaged.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise gone(source) from error
    except (parquet.DamageError, pa.ArrowException, OSError) as error:
        if "would lose data" in str(error):
            raise TableError(
                f"{_named(source)}: {error}. Instants are held in microseconds. Write them rounded: prediction times "
                "down, so that no row sees what it could not know."
            ) from error
        damaged = [f"{path} is damaged: {what}" for path, what in damages(source)]
        if not damaged and isinstance(error, parquet.DamageError):
            damaged = [f"{', '.join(file.path for file in source.files)} is damaged: {error}"]
        if not damaged:
            raise
        raise TableError(
            f"{_named(source)}: the data file {'; '.join(damaged)}. Nothing was written. "
            "See docs/runbook.md, Damaged data file."
        ) from error


def damages(source: Snapshot) -> Iterator[tuple[str, str]]:
    """The files that are gone or damaged, with what is wrong; each is read whole."""
    files = storage.folder(source.folder)
    for file in source.files:
        wrong = parquet.damage(files, unquote(file.path), file.size)
        if wrong is not None:
            yield file.path, wrong


def require_footers(source: Snapshot) -> None:
    """Look whether all files are there, and their footers what was written: Spark does not.

    Raises:
        TableError: one is not.
    """
    files = storage.folder(source.folder)

    def look(file: DataFile) -> None:
        parquet.footer(files, unquote(file.path), file.size)

    with damage_named(source):
        opening.at_once(look, source.files)


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
        f"{_named(source)}: the data file {files} is gone: "
        "removed by hand, or vacuumed with a shorter retention than this run takes. Nothing was written. "
        "Run it again on the table's latest version, or restore the file: docs/runbook.md, Missing data file."
    )


def _named(source: Snapshot) -> str:
    return f"Table {source.table} at {source.folder}, version {source.version}"


def _missing(source: Snapshot) -> list[str]:
    found = storage.folder(source.folder).get_file_info([unquote(file.path) for file in source.files])
    return [info.path for info in found if info.type is pafs.FileType.NotFound]


def _partition(file: DataFile, schema: pa.Schema) -> ds.Expression:
    condition = pc.scalar(True)
    for column, value in file.partition.items():
        field = pc.field(column)
        is_value = field.is_null() if value is None else field == pa.scalar(value, schema.field(column).type)
        condition = condition & is_value
    return condition
