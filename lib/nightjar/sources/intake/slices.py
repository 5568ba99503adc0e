"""A part of a CSV file as a file of its own, with the header."""

import hashlib
from pathlib import Path
from typing import Any

from nightjar.settings.files import File
from nightjar.sources.intake.discovery import blocks
from nightjar.sources.intake.items import Item
from nightjar.tables import storage


def cut(item: Item, file: File, cache: Path) -> str:
    """The path of a file that holds the header of an item's file, if it has one, and the item's own bytes.

    Args:
        item: what is read.
        file: how it is written.
        cache: folder for such files.
    """
    filesystem, inner = storage.of_file(item.name)
    folder = cache / hashlib.sha256(f"{item.name}{item.digest}{item.begins}".encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"part-{Path(item.name).name}"
    with filesystem.open_input_file(inner) as stream, target.open("wb") as part:
        if item.begins and not file.dialect.names:
            part.write(_first_line(stream))
        stream.seek(item.begins)
        for block in blocks(stream, item.size - item.begins):
            part.write(block)
    return str(target)


def is_part(item: Item) -> bool:
    """Whether an item is less than its whole file."""
    filesystem, inner = storage.of_file(item.name)
    return bool(item.begins or filesystem.get_file_info(inner).size != item.size)


def _first_line(stream: Any) -> bytes:
    line = b""
    for block in blocks(stream, None):
        line += block
        if b"\n" in line:
            break
    return line[: line.index(b"\n") + 1]
