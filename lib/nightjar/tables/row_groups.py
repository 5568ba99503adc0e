"""A large file, or a part of one, some row groups at a time."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from nightjar.tables import scan
from nightjar.tables.rows import ROWS_AT_ONCE


def read(
    source: scan.Snapshot, columns: Sequence[str], start: int, stop: int | None, rows_at_once: int
) -> Iterator[pa.Table]:
    """Columns of the row groups that begin within some rows of a single file, about so many rows at a time.

    Args:
        source: of one file.
        columns: to read.
        start: the first of these rows.
        stop: the row after the last; None: to the end.
        rows_at_once: of a table at least, as far as there are as many.

    Raises:
        TableError: see `scan.read`.
    """
    scan.require_columns(source, columns)
    with scan.translate_read_errors(source):
        files = scan.dataset(source)
        for fragment in files.get_fragments():
            for groups in _groups_between(fragment.row_groups, start, stop, rows_at_once):
                part = ds.FileSystemDataset(
                    [fragment.subset(row_group_ids=groups)], source.schema, files.format, files.filesystem
                )
                yield part.to_table(columns=list(columns), use_threads=False)


def read_file(source: scan.Snapshot, path: str) -> Iterator[pa.Table]:
    """All rows of one of the files, in their order, about a million at a time.

    Raises:
        TableError: see `scan.read`.
    """
    alone = source.where(lambda file: file.path == path)
    return read(alone, source.schema.names, 0, None, ROWS_AT_ONCE)


def _groups_between(groups: Sequence[Any], start: int, stop: int | None, rows_at_once: int) -> Iterator[list[int]]:
    """The numbers of row groups that begin within some rows, so many together as have the rows at once, or less."""
    first, rows, together = 0, 0, list[int]()
    for group in groups:
        if start <= first and (stop is None or first < stop):
            together.append(group.id)
            rows += group.num_rows
        first += group.num_rows
        if rows >= rows_at_once:
            yield together
            rows, together = 0, []
    if together:
        yield together
