"""The raw files that a source names: one, those of a folder, or those of a pattern."""

import importlib.util
import logging
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.fs as pafs

from nightjar.errors import SourceError
from nightjar.settings.files import File
from nightjar.tables import storage

log = logging.getLogger("nightjar.ingest")
PATTERN = re.compile(r"[*?\[]")
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
"""What Spark and Hive call the folder of rows without a value."""


@dataclass(frozen=True, order=True)
class RawFile:
    """A file that a source is read from.

    Attributes:
        path: absolute, or in an object store.
        size: bytes.
        modified: when its content was last written, nanoseconds since 1970; 0: the file system does not say.
    """

    path: str
    size: int
    modified: int


def list_files(file: File, source: str) -> list[RawFile]:
    """The files that there are, by path. An empty folder has none, and neither has a pattern that nothing fits.

    Raises:
        SourceError: there is no such file or folder, it cannot be looked at, or Spark would leave one out or misread
            it.
    """
    path = _absolute(file, source)
    try:
        raw = sorted(_list(path, source))
    except (OSError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise SourceError(f"Source {source}: {path} cannot be looked at: {reason}. Nothing was written.") from error
    for one in raw:
        _require_readable(one.path, source)
    return raw


def _list(path: str, source: str) -> Iterator[RawFile]:
    place, pattern = _split(path)
    filesystem, inner = storage.of_file(place)
    scheme = place.removesuffix(inner)
    info = filesystem.get_file_info(inner)
    may_be_empty = scheme and (pattern or path.endswith("/"))  # in object stores no folder is without a file
    if info.type is pafs.FileType.NotFound and not may_be_empty:
        what = "folder" if pattern else "file"
        raise SourceError(f"Source {source}: there is no {what} {place}. Nothing was written.")
    infos = [info]
    if info.type in (pafs.FileType.Directory, pafs.FileType.NotFound):
        infos = list(_matching(filesystem, inner, pattern))
    else:
        _require_visible(path, source)
    for one in infos:
        yield RawFile(scheme + one.path, one.size or 0, one.mtime_ns or 0)


def names_one_file(file: File, source: str) -> bool:
    """Whether what is named is one file, and no folder or pattern.

    Raises:
        SourceError: the package that holds it is not installed.
    """
    place, pattern = _split(_absolute(file, source))
    filesystem, inner = storage.of_file(place)
    return not pattern and filesystem.get_file_info(inner).type is pafs.FileType.File


def naming(file: File, source: str) -> Callable[[str], bool]:
    """A function that says whether a path, there or not, is what is named, in the folder that is, or fits the pattern.

    Raises:
        SourceError: the package that holds it is not installed.
    """
    place, pattern = _split(_absolute(file, source))

    def is_named(path: str) -> bool:
        names = path.removeprefix(f"{place}/").split("/")
        fits = len(names) >= len(pattern) and all(map(fnmatchcase, names, pattern))
        return path == place or (path.startswith(f"{place}/") and fits)

    return is_named


def the_file(file: File, source: str) -> str:
    """The path of the only file that there is.

    Raises:
        SourceError: there is none, or several.
    """
    paths = [one.path for one in list_files(file, source)]
    if len(paths) != 1:
        raise SourceError(f"Source {source}: {file.path} are {len(paths)} files, expected one. Nothing was written.")
    return paths[0]


def base(file: File, source: str) -> str:
    """The folder below which names of folders say something of the rows, or the only file."""
    return _split(_absolute(file, source))[0]


def folder_values(base: str, path: str) -> dict[str, str | None]:
    """What the names of folders between a base and a file say of its rows.

    `day=2024-03-31` says of all rows in it that their `day` is that text; signs such as `%2F` stand for others.
    """
    pairs = (name.partition("=") for name in path.removeprefix(base).split("/")[:-1] if "=" in name)
    return {name: None if value == NO_VALUE else unquote(value) for name, _, value in pairs}


def _absolute(file: File, source: str) -> str:
    """Where files lie: in a package, or anywhere else."""
    if file.package is None:
        path = file.path.removeprefix("file://")
        return path if "://" in path else _without_dots(path)
    spec = importlib.util.find_spec(file.package)
    if spec is None or not spec.submodule_search_locations:
        raise SourceError(
            f"Source {source}: the Python package {file.package} that holds its data is not installed. "
            "Install it (in a checkout: scripts/setup), or correct the source's file.package."
        )
    return _without_dots(str(Path(spec.submodule_search_locations[0]) / file.path))


def _without_dots(path: str) -> str:
    """An absolute path as Spark names the files in it: links stay, and `..` does not."""
    return os.path.abspath(path)  # noqa: PTH100  (Path.resolve follows links)


def _split(path: str) -> tuple[str, Sequence[str]]:
    """A path up to its first name with a sign that stands for others, and that name and those after it.

    On this machine a name that there is stands for itself.
    """
    scheme, _, inner = path.rpartition("://")
    names = inner.rstrip("/").split("/")
    for place, name in enumerate(names):
        before = "/".join(names[:place])
        if PATTERN.search(name) and (scheme or not Path(before, name).exists()):
            return path[: len(path) - len(inner)] + before, [one for one in names[place:] if one]
    return path.rstrip("/"), []


def _matching(filesystem: pafs.FileSystem, folder: str, pattern: Sequence[str]) -> Iterator[pafs.FileInfo]:
    """The files below a folder that fit a pattern, with all those in folders that do."""
    for info in filesystem.get_file_info(pafs.FileSelector(folder, allow_not_found=True)):
        if pattern and not fnmatchcase(info.base_name, pattern[0]):
            continue
        if _is_hidden(info.base_name):
            log.debug("left out as hidden or unfinished: %s", info.path)
        elif info.type is pafs.FileType.Directory:
            yield from _matching(filesystem, info.path, pattern[1:])
        elif len(pattern) < 2:
            yield info


def _is_hidden(name: str) -> bool:
    """Whether Spark leaves out files and folders of this name."""
    return (name.startswith("_") and "=" not in name) or name.startswith(".") or name.endswith("._COPYING_")


def _require_visible(path: str, source: str) -> None:
    if _is_hidden(Path(path).name):
        raise SourceError(
            f"Source {source}: {path} has a name that Spark takes for that of a hidden or unfinished file, and "
            "reads no row of. Rename it. Nothing was written."
        )


def _require_readable(path: str, source: str) -> None:
    """Refuse a name that Spark cannot read, or reads as another format than is meant."""
    name = Path(path).name
    if "://" not in path and ":" in name:
        raise SourceError(
            f"Source {source}: {path} has a colon in its name, which Spark's file systems cannot read. Rename it. "
            "Nothing was written."
        )
    if name.endswith(".lz4"):
        raise SourceError(
            f"Source {source}: {path} is compressed by LZ4, whose usual files Spark's codec does not read. Unpack it, "
            "or compress it by gzip, bzip2 or zstd. Nothing was written."
        )
