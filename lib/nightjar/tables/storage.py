"""The folder of a table as a file system: a local one, or any object store that delta-rs knows."""

from pathlib import Path

import pyarrow.fs as pafs
from deltalake.fs import DeltaStorageHandler


def folder(path: str) -> pafs.FileSystem:
    """The file system whose root is the table's folder. Object stores take their access from the environment."""
    if "://" not in path:
        return pafs.SubTreeFileSystem(path, pafs.LocalFileSystem())
    return pafs.PyFileSystem(DeltaStorageHandler(path))


def is_local(files: pafs.FileSystem) -> bool:
    """Whether a file system is of this machine: its reads take no round trips."""
    whole = files.base_fs if isinstance(files, pafs.SubTreeFileSystem) else files
    return isinstance(whole, pafs.LocalFileSystem)


def ensure_folder(path: str) -> pafs.FileSystem:
    """Create the table's folder where it is missing; its file system. Object stores need no folder."""
    if "://" not in path or path.startswith("file://"):
        local, inside = pafs.FileSystem.from_uri(path)
        local.create_dir(inside, recursive=True)
    return folder(path)


def of_file(path: str) -> tuple[pafs.FileSystem, str]:
    """The file system of any other file or folder, and its path in there."""
    return pafs.FileSystem.from_uri(path if "://" in path else Path(path).absolute().as_uri())


def holds_files(path: str) -> bool:
    """Whether the table's folder exists and has anything in it."""
    if "://" not in path and not Path(path).is_dir():
        return False
    return bool(folder(path).get_file_info(pafs.FileSelector("", allow_not_found=True)))
