"""Find the files of a source that no night has read yet, or that have changed since."""

from collections.abc import Mapping
from dataclasses import replace

from pyarrow.fs import FileType

from nightjar.errors import SourceError
from nightjar.settings.files import Change, File, FileFormat
from nightjar.sources.formats import files
from nightjar.sources.formats.contents import digests_of
from nightjar.sources.formats.files import RawFile
from nightjar.sources.intake.items import Discovery, Entry, Item
from nightjar.tables import storage

PACKED = (".zip", ".gz", ".bz2", ".zst")


def discover(
    file: File, source: str, definition: str, read: Mapping[str, Entry], *, is_empty_allowed: bool
) -> Discovery:
    """The files, and new ends of files, that no other night has read by these settings, and all there are.

    A file whose size and time of change are as before counts as unchanged.

    Args:
        file: settings of the source's files.
        source: its name.
        definition: hash of its settings.
        read: path -> the last entry of what other nights have read.
        is_empty_allowed: whether there may be no file at all.

    Raises:
        SourceError: there is no file, or one has changed that may not.
    """
    present = files.list_files(file, source)
    if not present and not is_empty_allowed:
        raise SourceError(
            f"Source {source}: there is no file at {file.path}. If there are nights without any: "
            f"project.sources.{source}.arrival.min_rows=0. Nothing was written."
        )
    new = [_new_item(file, source, definition, one, read.get(one.path)) for one in present]
    return Discovery([item for item in new if item is not None], {one.path for one in present})


def _new_item(file: File, source: str, definition: str, present: RawFile, before: Entry | None) -> Item | None:
    item = None if before is None else before.item
    if item is not None and present.modified and (item.size, item.modified) == (present.size, present.modified):
        digests = {item.size: item.digest}
    else:
        digests = digests_of(present.path, {present.size, *([] if item is None else [min(item.size, present.size)])})
    whole = Item(present.path, digests[present.size], present.size, present.modified)
    if before is None or item is None:
        return whole
    if whole.digest == item.digest:
        return None if before.definition == definition else whole
    if digests.get(item.size) == item.digest and _may_grow(file, present.path) and _ends_a_line(item):
        return replace(whole, begins=item.size) if before.definition == definition else whole
    if change_of(file, source) is Change.ERROR:
        raise SourceError(
            f"Source {source}: {present.path} has changed since the night of {before.run_date} has read it: "
            f"{item.size:,} bytes with SHA-256 {item.digest[:12]}..., now {present.size:,} with {whole.digest[:12]}... "
            "Put it back as it was; or, if it is to be read again, and its changed rows to be known from this "
            f"night on: project.sources.{source}.file.changed=correction. Nothing was written."
        )
    return whole


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
    if not is_there or digests_of(item.name, {item.size})[item.size] != item.digest:
        raise SourceError(
            f"Source {source}: this night has read {item.name}, which {'has changed' if is_there else 'is gone'} since "
            f"(its first {item.size:,} bytes had the SHA-256 {item.digest[:12]}...). Bring it back as it was to run "
            "this night again. Nothing was written."
        )


def _may_grow(file: File, path: str) -> bool:
    """Whether lines that are appended to a file can be read without those before, but for the header."""
    is_plain = file.format is FileFormat.CSV and file.dialect.is_utf8 and file.dialect.comment is None
    return is_plain and not path.endswith(PACKED)


def _ends_a_line(item: Item) -> bool:
    """Whether what an item is, of a file that is longer by now, ends where a line ends."""
    filesystem, inner = storage.of_file(item.name)
    with filesystem.open_input_file(inner) as stream:
        stream.seek(max(item.size - 1, 0))
        last, following = stream.read(1), stream.read(1)
        return last == b"\n" or following in (b"\n", b"\r")
