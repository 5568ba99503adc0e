"""A part of a CSV file as a file of its own, with the header."""

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nightjar.settings.files import Dialect, File
from nightjar.sources.formats import csv_files
from nightjar.sources.formats.contents import chunks, once
from nightjar.sources.items import Item
from nightjar.tables import storage

LONGEST_HEADER = 8 << 20  # bytes


def cut(item: Item, file: File, cache: Path) -> str:
    """The path of a file that holds the header of an item's file, if it has one, and the item's own bytes.

    Args:
        item: what is read.
        file: how it is written.
        cache: folder for such files.
    """
    filesystem, inner = storage.of_file(item.name)
    folder = cache / hashlib.sha256(f"{item.name}{item.digest}{item.begins}".encode()).hexdigest()[:16]

    def write(target: Path) -> None:
        with filesystem.open_input_file(inner) as stream, target.open("wb") as part:
            if item.begins and not file.dialect.names:
                part.write(_header(stream, file.dialect))
            stream.seek(item.begins)
            for chunk in chunks(stream, item.size - item.begins):
                part.write(chunk)

    return once(folder / f"part-{Path(item.name).name}", write)


def is_part(item: Item) -> bool:
    """Whether an item is less than its whole file."""
    filesystem, inner = storage.of_file(item.name)
    return bool(item.begins or filesystem.get_file_info(inner).size != item.size)


def _header(stream: Any, dialect: Dialect) -> bytes:
    """The lines of the header, which may be several, without blank ones before them."""
    lines = list[bytes]()

    def texts() -> Iterator[str]:
        for line in b"".join(chunks(stream, LONGEST_HEADER)).splitlines(keepends=True):
            lines.append(line)
            yield line.decode("utf-8-sig")

    for row in csv.reader(texts(), **csv_files.signs(dialect)):
        if not csv_files.is_blank(row):
            break
        lines.clear()
    return b"".join(lines)
