"""Where raw rows come from: the file of each, and the texts of those that are broken."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

from nightjar.errors import SourceError
from nightjar.sources.formats.lines import blocks

MALFORMED = "_malformed"
FILE = "_file"
FOLDER = "folder"
"""Metadata of a column that names of folders give."""
PLACE = "_place"
"""The path that Spark has read a row from, where that is a copy of its file."""
_APART = "\0"
SHOWN = 500  # characters of a broken row, in messages


@dataclass(frozen=True)
class RawRows:
    """Rows of raw files.

    Attributes:
        rows: the columns that are read.
        names: file -> the names of its columns, also of others; of JSON those of its first objects, and none of a file
            without an object, whose columns nobody knows.
    """

    rows: DataFrame
    names: Mapping[str, Sequence[str]]


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
    file, other, text = (example or "").split(_APART, 2)
    number = _line(other, text)
    raise SourceError(
        f"Source {source}: {count:,} rows of {path} do not have as many fields as its header, or are not one object of "
        f"JSON on one line, such as line {number} of {file}: {text[:SHOWN]!r}. The file looks truncated or damaged; "
        "fetch it again. Nothing was written."
    )


def _line(path: str, text: str) -> int | None:
    """The number of the first line that a text begins with."""
    first, number = re.split(r"[\r\n]", text, maxsplit=1)[0], 0
    for block in blocks(path):
        for line in block.splitlines():
            number += 1
            if line.decode(errors="backslashreplace") == first:
                return number
    return None
