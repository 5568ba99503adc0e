"""Rows in parts by the hash of a column: all rows of one value are in one part, and one part is in memory at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nightjar.tables.hashing import buckets_of

HASHED_AT_ONCE = 1 << 16
"""Rows; to hash texts takes some hundred bytes for each."""
OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")


class HashedParts:
    """Rows in some parts. A single part stays in memory; several lie in a folder, each in a file of Arrow streams.

    Attributes:
        count: of the parts.
        schema: of the rows.
        sizes: rows of each part.
    """

    def __init__(self, count: int, by: str, schema: pa.Schema, folder: Path) -> None:
        """No rows yet.

        Args:
            count: of the parts.
            by: the column whose value tells a row's part.
            schema: of the rows.
            folder: for the files; others may have none there. Whoever gives it removes it.
        """
        self.count, self.schema = count, schema
        self._by, self._folder = by, folder
        self.sizes = [0] * count
        self._tables: list[pa.Table] = []
        if count > 1:
            folder.mkdir()

    def __len__(self) -> int:
        """Rows of all parts."""
        return sum(self.sizes)

    def add(self, rows: pa.Table) -> None:
        """Add rows to their parts, behind those that are there."""
        if self.count == 1:
            self._append(0, rows)
            return
        numbers = np.concatenate([np.empty(0, np.int64), *self._numbers(rows[self._by])])
        order: Any = pa.array(np.argsort(numbers, kind="stable"))
        ordered, sizes = rows.take(order), np.bincount(numbers, minlength=self.count)
        for number, (start, size) in enumerate(zip(np.cumsum(sizes) - sizes, sizes, strict=True)):
            self._append(number, ordered.slice(start, size))

    def part(self, number: int) -> pa.Table:
        """The rows of a part, in the order in which they came."""
        return pa.concat_tables([self.schema.empty_table(), *self._streams(number)])

    def put(self, number: int, rows: pa.Table) -> None:
        """Let a part have these rows instead of its own; all of them have to be its own."""
        self._tables.clear()
        self._path(number).unlink(missing_ok=True)
        self.sizes[number] = 0
        self._append(number, rows)

    def _numbers(self, values: "pa.ChunkedArray[Any]") -> Iterator[npt.NDArray[np.int64]]:
        """The part of each row, some rows at a time."""
        for start in range(0, len(values), HASHED_AT_ONCE):
            some: Any = values.slice(start, HASHED_AT_ONCE).combine_chunks()
            yield buckets_of([some], self.count)

    def _append(self, number: int, rows: pa.Table) -> None:
        self.sizes[number] += len(rows)
        if self.count == 1:
            self._tables.append(rows)
        elif len(rows):
            with (
                pa.OSFile(str(self._path(number)), "ab") as file,
                pa.ipc.new_stream(file, self.schema, options=OPTIONS) as writer,
            ):
                writer.write_table(rows)

    def _streams(self, number: int) -> Iterator[pa.Table]:
        if self.count == 1 or not self.sizes[number]:
            yield from self._tables
            return
        with pa.OSFile(str(self._path(number)), "rb") as file:
            while file.tell() < file.size():
                yield pa.ipc.open_stream(file).read_all()

    def _path(self, number: int) -> Path:
        return self._folder / f"{number}.arrows"
