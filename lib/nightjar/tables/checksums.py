"""Checksums in the names of data files, of all that the checksums of Parquet's pages leave out.

A file of ours is called part-<id>-<entry>-<bounds>-<footer>.parquet. Readers compare the first two with the table's
log, before they choose or skip a file by it, and the last one with the file when they open it. They are CRC-32, as in
Parquet's pages: they detect damage, and do not protect from people.
"""

import json
import re
import uuid
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import Any
from urllib.parse import unquote

import pyarrow as pa

_NAME = re.compile(r"part-[0-9a-f]{32}-([0-9a-f]{8})-([0-9a-f]{8})-([0-9a-f]{8})\.parquet$")


@dataclass(frozen=True)
class Checksums:
    """The checksums of one data file.

    Attributes:
        entry: of its rows, size and partition values.
        bounds: of the bounds of its columns' values.
        footer: of Parquet's footer.
    """

    entry: str
    bounds: str
    footer: str

    def name(self) -> str:
        """A new file name that contains them."""
        return f"part-{uuid.uuid4().hex}-{self.entry}-{self.bounds}-{self.footer}.parquet"


def of_name(path: str) -> Checksums | None:
    """The checksums in a file's name; None for files of other writers, and for those of before names had them."""
    match = _NAME.search(path)
    return None if match is None else Checksums(*match.groups())


def of_entry(rows: int, size: int, partition: Mapping[str, str | None]) -> str:
    """The checksum of a file's rows, bytes and partition values."""
    return _of_values(rows, size, partition)


def of_bounds(least: Mapping[str, Any], greatest: Mapping[str, Any]) -> str:
    """The checksum of the bounds: column -> instant, date, number or text."""
    return _of_values(least, greatest)


def of_footer(footer: pa.Buffer) -> str:
    """The checksum of a footer, from its first byte to the end of the file."""
    return f"{zlib.crc32(memoryview(footer)):08x}"


def of_files(paths: Iterable[str]) -> str:
    """The number of files, and a checksum of their paths in any order."""
    each = [zlib.crc32(unquote(path).encode()) for path in paths]
    return f"{len(each)}-{reduce(xor, each, 0):08x}"


def of_columns(columns: Sequence[tuple[str, Any]]) -> str:
    """The checksum of columns' names and types, as Delta writes types."""
    return _of_values(columns)


def _of_values(*values: Any) -> str:
    return f"{zlib.crc32(json.dumps(values, sort_keys=True, default=str).encode()):08x}"
