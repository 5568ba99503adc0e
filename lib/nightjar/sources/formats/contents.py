"""The bytes of raw files: in chunks, and as digests."""

import hashlib
import tempfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from nightjar.tables import storage

CHUNK = 1 << 20  # bytes


def chunks(stream: Any, size: int | None = None) -> Iterator[bytes]:
    """The next bytes of a stream, all of them unless there is a size, a megabyte at a time."""
    remaining = size
    while remaining is None or remaining > 0:
        chunk = stream.read(CHUNK if remaining is None else min(CHUNK, remaining))
        if not chunk:
            return
        yield chunk
        remaining = None if remaining is None else remaining - len(chunk)


def digest_of(path: str) -> str:
    """SHA-256 of a file as it is stored."""
    digest = hashlib.sha256()
    with _stored(path) as stream:
        for chunk in chunks(stream):
            digest.update(chunk)
    return digest.hexdigest()


def digests_of(path: str, sizes: Collection[int]) -> dict[int, str]:
    """SHA-256 of as many of a file's first bytes, for each of the sizes; the file is read once."""
    digest, position, digests = hashlib.sha256(), 0, dict[int, str]()
    with _stored(path) as stream:
        for size in sorted(sizes):
            for chunk in chunks(stream, size - position):
                digest.update(chunk)
            position, digests[size] = size, digest.hexdigest()
    return digests


def once(target: Path, write: Callable[[Path], None]) -> str:
    """Write a file whole, unless it is there; its path. Others may write it at the same time."""
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="partial-", dir=target.parent) as folder:
            partial = Path(folder) / target.name
            write(partial)
            partial.replace(target)
    return str(target)


def _stored(path: str) -> Any:
    filesystem, inner = storage.of_file(path)
    return filesystem.open_input_stream(inner, compression=None)
