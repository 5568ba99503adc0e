"""The raw files of a source."""

from dataclasses import dataclass

from pyarrow.fs import FileSelector, FileType

from nightjar.settings.sources import File
from nightjar.sources import raw
from nightjar.tables import storage


@dataclass(frozen=True)
class RawFile:
    """A file: its path, its bytes, and when it was last changed (nanoseconds since 1970)."""

    path: str
    size: int
    modified: int


def list_files(file: File, source: str) -> list[RawFile]:
    """All files of a source, by path."""
    path = raw.locate(file, source)
    filesystem, inner = storage.of_file(path)
    infos = [filesystem.get_file_info(inner)]
    if infos[0].type is FileType.Directory:
        infos = filesystem.get_file_info(FileSelector(inner, recursive=True))
    return [
        RawFile(path + info.path.removeprefix(inner), info.size or 0, info.mtime_ns)
        for info in sorted(infos, key=lambda info: info.path)
        if info.type is not FileType.Directory and not info.base_name.startswith(("_", "."))
    ]


def names_one_file(file: File) -> bool:
    return True
