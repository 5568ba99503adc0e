"""What the footers of Parquet files tell: the files of a folder as one table, and where to cut rows into parts."""

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
    """The Parquet files right in a folder that is no Delta table: a spine of the user's own, for instance.

    Instants are read as those of tables are, in microseconds of UTC. So are those of the old form INT96, which says no
    zone; what they have beyond microseconds is cut off. Categories are read as their values.

    Raises:
        TableError: there are none, they have different columns, or one is damaged.
    """
    files = storage.folder(folder)
    found = sorted(info.path for info in files.get_file_info(pafs.FileSelector("")) if info.path.endswith(".parquet"))
    footers = {path: _metadata(folder, path) for path in found}
    schemas = {path: _columns(footer) for path, footer in footers.items()}
    other = next((path for path in found if schemas[path] != schemas[found[0]]), None)
    if not found or other is not None:
        what = f"{other} has other columns than {found[0]}" if found else "no Parquet file"
        raise TableError(f"The folder {folder} cannot be read as one table: {what}.")
    sizes = {path: files.get_file_info(path).size for path in found}
    data = tuple(DataFile(path, footer.num_rows, sizes[path], {}, {}, {}) for path, footer in footers.items())
    return Snapshot(folder, folder, 0, opening.plain(schemas[found[0]]), data)


def cuts(sources: Sequence[Snapshot], column: str, parts: int) -> list[Any]:
    """Values that cut the rows of some files into parts of about equal size, by the statistics of row groups.

    They are as the files hold them: an instant is microseconds since 1970, of any year.
    """
    groups = sorted(group for source in sources for file in source.files for group in _row_groups(source, file, column))
    through = list(itertools.accumulate(rows for _, rows in groups))
    wanted = [through[-1] * part // parts for part in range(1, parts)] if through else []
    return sorted({groups[bisect.bisect_left(through, rows)][0] for rows in wanted})


def _metadata(folder: str, path: str) -> pq.FileMetaData:
    try:
        return parquet.metadata(storage.folder(folder), path)
    except (parquet.DamageError, pa.ArrowException, OSError) as error:
        raise TableError(f"The folder {folder} cannot be read: {path} is damaged: {error}.") from error


def _columns(footer: pq.FileMetaData) -> pa.Schema:
    lies = parquet.physical_types(footer)
    return pa.schema([_read_as(field, lies.get(field.name)) for field in footer.schema.to_arrow_schema()])


def _read_as(field: "pa.Field[Any]", lies: str | None) -> "pa.Field[Any]":
    kind = field.type
    if isinstance(kind, pa.TimestampType):
        kind = INSTANT if lies == "INT96" or kind.tz is not None else pa.timestamp("us")
    if isinstance(kind, pa.DictionaryType):
        kind = kind.value_type
    return pa.field(field.name, kind, field.nullable)


def _row_groups(source: Snapshot, file: DataFile, column: str) -> list[tuple[Any, int]]:
    """The greatest value, as it is stored, and the rows of each row group that tells them."""
    with scan.damage_named(source):
        found = parquet.metadata(storage.folder(source.folder), unquote(file.path), file.size)
    place = found.schema.to_arrow_schema().names.index(column)
    groups = [found.row_group(number) for number in range(found.num_row_groups)]
    told = [(group.column(place).statistics, group.num_rows) for group in groups]
    return [
        (statistics.max_raw, rows) for statistics, rows in told if statistics is not None and statistics.has_min_max
    ]
