"""Footers of Parquet files: the files of a folder as one table, and values that cut rows into equal parts."""

import bisect
import itertools
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from nightjar.errors import TableError
from nightjar.tables import opening, parquet, scan, storage
from nightjar.tables.entries import DataFile
from nightjar.tables.scan import Snapshot
from nightjar.tables.table import INSTANT


def parquet_files(folder: str) -> Snapshot:
    """The Parquet files right in a folder that is no Delta table, such as a user's own spine.

    Instants are read in microseconds of UTC, as in tables. So are those of the old type INT96, which has no zone and
    whose nanoseconds are cut off. Categories are read as their values.

    Raises:
        TableError: there are none, they have different columns, or one is damaged.
    """
    files = storage.folder(folder)
    paths = sorted(info.path for info in files.get_file_info(pafs.FileSelector("")) if info.path.endswith(".parquet"))
    footers = {path: _metadata(folder, path) for path in paths}
    schemas = {path: _columns(footer) for path, footer in footers.items()}
    other = next((path for path in paths if schemas[path] != schemas[paths[0]]), None)
    if not paths or other is not None:
        what = f"{other} has other columns than {paths[0]}" if paths else "no Parquet file"
        raise TableError(f"The folder {folder} cannot be read as one table: {what}.")
    sizes = {path: files.get_file_info(path).size for path in paths}
    data = tuple(DataFile(path, footer.num_rows, sizes[path], {}, {}, {}) for path, footer in footers.items())
    return Snapshot(folder, folder, 0, opening.plain(schemas[paths[0]]), data)


def cuts(sources: Sequence[Snapshot], column: str, parts: int) -> list[Any]:
    """Values that cut the rows of some files into parts of about equal size, by the statistics of row groups.

    Values are in the files' own form: an instant is microseconds since 1970, of any year.
    """
    groups = sorted(group for source in sources for file in source.files for group in _row_groups(source, file, column))
    cumulative = list(itertools.accumulate(rows for _, rows in groups))
    targets = [cumulative[-1] * part // parts for part in range(1, parts)] if cumulative else []
    return sorted({groups[bisect.bisect_left(cumulative, rows)][0] for rows in targets})


def _metadata(folder: str, path: str) -> pq.FileMetaData:
    try:
        return parquet.metadata(storage.folder(folder), path)
    except (parquet.DamageError, pa.ArrowException, OSError) as error:
        raise TableError(f"The folder {folder} cannot be read: {path} is damaged: {error}.") from error


def _columns(footer: pq.FileMetaData) -> pa.Schema:
    physical = parquet.physical_types(footer)
    return pa.schema([_read_as(field, physical.get(field.name)) for field in footer.schema.to_arrow_schema()])


def _read_as(field: "pa.Field[Any]", physical: str | None) -> "pa.Field[Any]":
    kind = field.type
    if isinstance(kind, pa.TimestampType):
        kind = INSTANT if physical == "INT96" or kind.tz is not None else pa.timestamp("us")
    if isinstance(kind, pa.DictionaryType):
        kind = kind.value_type
    return pa.field(field.name, kind, field.nullable)


def _row_groups(source: Snapshot, file: DataFile, column: str) -> list[tuple[Any, int]]:
    """The greatest value, as it is stored, and the number of rows of each row group that has statistics."""
    with scan.translate_read_errors(source):
        metadata = parquet.metadata(storage.folder(source.folder), unquote(file.path), file.size)
    place = metadata.schema.to_arrow_schema().names.index(column)
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    group_statistics = [(group.column(place).statistics, group.num_rows) for group in groups]
    return [
        (statistics.max_raw, rows)
        for statistics, rows in group_statistics
        if statistics is not None and statistics.has_min_max
    ]
