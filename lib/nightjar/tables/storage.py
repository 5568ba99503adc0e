"""The folder of a table as a file system: a local one, or any object store that delta-rs knows."""

from pathlib import Path

import pyarrow.fs as pafs
from deltalake.fs import DeltaStorageHandler


def folder(path: str) -> pafs.FileSystem:
    """The file system whose root is the table's folder. Object stores take their access from the environment."""
    if "://" not in path:
        return pafs.SubTreeFileSystem(path, pafs.LocalFileSystem())
    return pafs.PyFileSystem(DeltaStorageHandler(path))


def made(path: str) -> pafs.FileSystem:
    """The same where there may be no such folder yet. Only object stores need none."""
    if "://" not in path or path.startswith("file://"):
        local, inside = pafs.FileSystem.from_uri(path)
        local.create_dir(inside, recursive=True)
    return folder(path)


def of_file(path: str) -> tuple[pafs.FileSystem, str]:
    """The file system in which a file or folder of any other origin lies, and its path in there."""
    return pafs.FileSystem.from_uri(path if "://" in path else Path(path).absolute().as_uri())


def holds_files(path: str) -> bool:
    """Whether anything lies in the table's folder; there need not be one."""
    if "://" not in path and not Path(path).is_dir():
        return False
    return bool(folder(path).get_file_info(pafs.FileSelector("", allow_not_found=True)))
