"""Where raw rows come from: the file of each, and the texts of those that are broken."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

from nightjar.errors import SourceError
from nightjar.tables import storage

MALFORMED = "_malformed"
FILE = "_file"
PLACE = "_place"
"""The path that Spark has read a row from, where that is a copy of its file."""
_APART = "\0"


def literally(path: str) -> str:
    """A path for Spark, with the characters quoted that it takes for patterns.

    The path is absolute, as Java may have been started in another folder than this process is in.
    """
    whole = path if "://" in path else str(Path(path).absolute())
    return re.sub(r"[*?\[\]{}\\]", r"\\\g<0>", whole)


def place(paths: Sequence[str]) -> Column:
    """The path that a row is read from, one of these."""
    if len(paths) == 1:
        return F.lit(paths[0])
    # Spark shows paths as URIs, but with a plus as itself.
    decoded = F.try_url_decode(F.replace("_metadata.file_path", F.lit("+"), F.lit("%2B")))
    return F.regexp_replace(decoded, r"^file:/+", "/")


def with_file(rows: DataFrame, places: Mapping[str, str]) -> DataFrame:
    """Rows with the file of each, and in `_malformed` the places of those that are broken.

    Args:
        rows: with `_place` and `_malformed`.
        places: file -> path that it is read from.
    """
    copied = {other: path for path, other in places.items() if other != path}
    file: Column = F.col(PLACE)
    if len(places) == 1:
        file = F.lit(next(iter(places)))
    elif copied:
        pairs = [F.lit(one) for pair in copied.items() for one in pair]
        file = F.coalesce(F.try_element_at(F.create_map(*pairs), PLACE), PLACE)
    broken = F.when(F.col(MALFORMED).isNotNull(), F.concat_ws(_APART, file, PLACE, MALFORMED))
    return rows.withColumns({FILE: file, MALFORMED: broken}).drop(PLACE)


def refuse_malformed(count: int, example: str | None, source: str, path: str) -> None:
    """Refuse a source with broken rows, of which the whole file is not trusted.

    Args:
        count: how many.
        example: `_malformed` of one of them.
        source: name for messages.
        path: what the source names.

    Raises:
        SourceError: there are some. It names the file, and the line where it is seen again.
    """
    if not count:
        return
    file, place_of, text = (example or "").split(_APART, 2) if example and _APART in example else (path, path, example)
    number = _line(place_of, text or "")
    where = f" (line {number})" if number else ""
    raise SourceError(
        f"Source {source}: {count:,} rows of {path} do not have as many fields as its header (in JSON: are not one "
        f"object on a line), such as {text!r}{where}{f' of {file}' if file != path else ''}. The file looks truncated "
        "or damaged; fetch it again. Nothing was written."
    )


def _line(path: str, text: str) -> int | None:
    """The number of the first line that a text begins with."""
    lines = text.encode().splitlines()
    if not lines:
        return None
    filesystem, inner = storage.of_file(path)
    stream: Any
    with filesystem.open_input_stream(inner) as stream:
        rest, number = b"", 0
        while True:
            chunk = stream.read(1 << 20)
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole if chunk else [*whole, rest]:
                number += 1
                if line.strip(b"\r") == lines[0]:
                    return number
            if not chunk:
                return None
