"""The bytes of raw files, compressed or not, in blocks of whole lines."""

from collections.abc import Iterator
from typing import Any

from nightjar.sources.formats.contents import chunks
from nightjar.tables import storage


def blocks(path: str) -> Iterator[bytes]:
    """The bytes of a file in blocks of whole lines, a megabyte or one line long.

    Raises:
        OSError: it cannot be opened, or unpacked to its end.
    """
    filesystem, inner = storage.of_file(path)
    stream: Any
    with filesystem.open_input_stream(inner) as stream:
        rest = b""
        for chunk in chunks(stream):
            end = chunk.rfind(b"\n") + 1 or chunk.rfind(b"\r", 0, -1) + 1
            if end:
                yield rest + chunk[:end]
                rest = chunk[end:]
            else:
                rest += chunk
        if rest:
            yield rest
