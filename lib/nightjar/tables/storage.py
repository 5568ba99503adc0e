"""The folder of a table as a file system: a local one, or any object store that delta-rs knows."""

from pathlib import Path

import pyarrow.fs as pafs
from deltalake.fs import DeltaStorageHandler


def folder(path: str) -> pafs.FileSystem:
    """The file system whose root is the table's folder. Object stores take their access from the environment."""
    if "://" not in path:
        return pafs.SubTreeFileSystem(path, pafs.LocalFileSystem())
    return pafs.PyFileSystem(DeltaStorageHandler(path))


def writable(path: str, inside: str) -> pafs.FileSystem:
    """The same with a folder inside it made where there is none; object stores have no folders."""
    if "://" not in path:
        (Path(path) / inside).mkdir(parents=True, exist_ok=True)
    return folder(path)
