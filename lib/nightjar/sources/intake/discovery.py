"""Find the files of a source that no night has read yet, or that have changed since."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from pyarrow.fs import FileType

from nightjar.errors import SourceError
from nightjar.settings.files import Change, File, FileFormat
from nightjar.sources.formats import files
from nightjar.sources.formats.files import RawFile
from nightjar.sources.intake.items import Entry, Item
from nightjar.tables import storage

PACKED = (".zip", ".gz", ".bz2", ".zst")
CHUNK = 1 << 20  # bytes


def discover(
    file: File, source: str, definition: str, read: Mapping[str, Entry], *, is_empty_allowed: bool
) -> Iterator[Item]:
    """The files, or new ends of files, that no night has read by these settings.

    A file whose size and time of change are as before counts as unchanged.

    Args:
        file: settings of the source's files.
        source: its name.
        definition: hash of its settings.
        read: path -> the last entry of what nights have read.
        is_empty_allowed: whether there may be no file at all.

    Raises:
        SourceError: there is no file, or one has changed that may not.
    """
    all_files = files.list_files(file, source)
    if not all_files and not is_empty_allowed:
        raise SourceError(
            f"Source {source}: there is no file at {file.path}. If there are nights without any: "
            f"project.sources.{source}.arrival.min_rows=0. Nothing was written."
        )
    for present in all_files:
        before = read.get(present.path)
        if before is None:
            yield _whole(present)
            continue
        item = before.item
        same = (item.size, item.modified) == (present.size, present.modified)
        digest = item.digest if same else digest_of(present.path)
        if digest == item.digest and before.definition == definition:
            continue
        whole = Item(present.path, digest, present.size, present.modified)
        if digest != item.digest and _may_grow(file, present.path, source) and _begins_as(present, item):
            yield whole if before.definition != definition else _end(whole, item)
        elif digest != item.digest and change_of(file, source) is Change.ERROR:
            raise SourceError(
                f"Source {source}: {present.path} has changed since the night of {before.run_date} has read it: "
                f"{item.size:,} bytes with SHA-256 {item.digest[:12]}..., now {present.size:,} with {digest[:12]}... "
                "Put it back as it was; or, if it is to be read again, and its changed rows to be known from this "
                f"night on: project.sources.{source}.file.changed=correction. Nothing was written."
            )
        else:
            yield whole


def change_of(file: File, source: str) -> Change:
    """What it means that a file has changed."""
    return file.changed or (Change.CORRECTION if files.names_one_file(file, source) else Change.ERROR)


def require_unchanged(item: Item, source: str) -> None:
    """Refuse a file that is to be read again, as it was, and is not.

    Raises:
        SourceError: it is gone, or differs.
    """
    filesystem, inner = storage.of_file(item.name)
    is_there = filesystem.get_file_info(inner).type is FileType.File
    if not is_there or digest_of(item.name, item.size) != item.digest:
        raise SourceError(
            f"Source {source}: this night has read {item.name}, which {'has changed' if is_there else 'is gone'} since "
            f"(its first {item.size:,} bytes had the SHA-256 {item.digest[:12]}...). Bring it back as it was to run "
            "this night again. Nothing was written."
        )


def digest_of(path: str, size: int | None = None) -> str:
    """SHA-256 of a file, or of as many of its first bytes."""
    digest = hashlib.sha256()
    filesystem, inner = storage.of_file(path)
    with filesystem.open_input_stream(inner, compression=None) as stream:
        for block in blocks(stream, size):
            digest.update(block)
    return digest.hexdigest()


def blocks(stream: Any, size: int | None) -> Iterator[bytes]:
    """The first bytes of a stream, all of them unless there is a size, in blocks of a megabyte."""
    remaining = size
    while remaining is None or remaining > 0:
        block = stream.read(CHUNK if remaining is None else min(CHUNK, remaining))
        if not block:
            return
        yield block
        remaining = None if remaining is None else remaining - len(block)


def _whole(present: RawFile) -> Item:
    return Item(present.path, digest_of(present.path), present.size, present.modified)


def _end(whole: Item, before: Item) -> Item:
    return Item(whole.name, whole.digest, whole.size, whole.modified, before.size)


def _may_grow(file: File, path: str, source: str) -> bool:
    """Whether lines that are appended to a file can be read without those before, but for the header."""
    is_plain = file.format is FileFormat.CSV and file.dialect.is_utf8 and file.dialect.comment is None
    return is_plain and not path.endswith(PACKED) and not files.folder_values(files.base(file, source), path)


def _begins_as(present: RawFile, before: Item) -> bool:
    """Whether a file is what it was, and more: what it was must have ended with a whole line."""
    if present.size <= before.size or digest_of(present.path, before.size) != before.digest:
        return False
    filesystem, inner = storage.of_file(present.path)
    with filesystem.open_input_file(inner) as stream:
        stream.seek(before.size - 1)
        return bool(stream.read(1) == b"\n")
