"""JSON lines as Spark DataFrames of texts: an object on each line, as Python reads it, with the digits of its numbers.

Spark's own reader leaves out, without a word, what follows the first object of a line, and takes the last of two values
with one name.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import StringType, StructField, StructType

from nightjar.settings.files import File
from nightjar.sources.formats.failures import require_columns, translate_open_errors
from nightjar.sources.formats.lines import blocks
from nightjar.sources.formats.provenance import MALFORMED, PLACE, RawRows, literally, place
from nightjar.sources.formats.shared import SharedFiles

BLANK = " \t\r\n"
"""What may stand between the parts of JSON. A line of nothing else is none."""
_BOM = "\ufeff"


class Pairs(list[tuple[str, Any]]):
    """An object of JSON: its names and values in order, as often as they stand there."""


_DECODER = json.JSONDecoder(object_pairs_hook=Pairs, parse_int=str, parse_float=str, parse_constant=str)


def read(
    spark: SparkSession,
    _: File,
    places: Mapping[str, str],
    columns: Sequence[str],
    source: str,
    shared: SharedFiles,
) -> RawRows:
    """The columns as texts, `_malformed` (a line that is not one object with each name once) and `_place`.

    Texts are those of JSON's strings, the digits of its numbers, true or false, and of lists and objects their JSON.

    Args:
        spark: the session.
        places: file -> path that it is read from.
        columns: that some object of each file must have, if there is one.
        source: name for messages.
        shared: where other sources have seen the files.

    Raises:
        SourceError: a file lacks a column.
    """
    names: dict[str, Sequence[str]] = {}
    for path, other in places.items():
        with translate_open_errors(path, source):
            of_file = shared.get(path, ("json", *columns), partial(_names, other, columns))
        if of_file is not None:
            require_columns(of_file, columns, path, source)
            names[path] = of_file
    paths = list(places.values())
    lines = spark.read.text([literally(path) for path in paths], lineSep="\n")
    # As bytes: what is not UTF-8 is malformed, not mended.
    lines = lines.select(F.col("value").cast("binary"), place(paths).alias(PLACE))
    schema = StructType([StructField(name, StringType()) for name in [*columns, MALFORMED, PLACE]])
    return RawRows(lines.mapInArrow(partial(_read_batches, list(columns)), schema), names)


def texts(line: str, columns: Sequence[str]) -> list[str | None]:
    """The columns of the object on a line; null where it has none, or null.

    Raises:
        ValueError: the line is not one object with each name once, or has half a sign beyond the first 65,536.
        RecursionError: it is too deep.
    """
    pairs = _DECODER.decode(line)
    if not isinstance(pairs, Pairs):
        raise ValueError("not an object")  # noqa: TRY004  (as for all else that the line should not be)
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a name twice")
    row = [values.get(name) for name in columns]
    kinds = set(map(type, row))  # of most lines texts and null alone
    if list in kinds or Pairs in kinds:
        values = dict(_members(line))
        row = [values.get(name) for name in columns]
    if bool in kinds:
        row = [str(value).lower() if isinstance(value, bool) else value for value in row]
    if "\\u" in line:
        "".join(text for text in row if text).encode()
    return row


def _members(line: str) -> Iterator[tuple[str, Any]]:
    """Names and values of a valid object; of lists and objects their JSON as it is written."""
    at = line.index("{") + 1
    while line[(at := _next(line, at))] != "}":
        name, at = _DECODER.raw_decode(line, _next(line, at + (line[at] == ",")))
        begin = _next(line, _next(line, at) + 1)
        value, at = _DECODER.raw_decode(line, begin)
        yield name, line[begin:at] if isinstance(value, list) else value


def _next(line: str, at: int) -> int:
    while line[at] in BLANK:
        at += 1
    return at


def _read_batches(columns: Sequence[str], batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Bytes of lines and their places to the columns, the line if it is malformed, and the place."""
    for batch in batches:
        lines: list[Any] = batch.column(0).to_pylist()
        places = batch.column(1).to_pylist()
        rows = [(*_row(line, columns), place) for line, place in zip(lines, places, strict=True) if line.strip()]
        arrays = [pa.array([row[position] for row in rows], pa.string()) for position in range(len(columns) + 2)]
        yield pa.RecordBatch.from_arrays(arrays, names=[*columns, MALFORMED, PLACE])


def _row(line: bytes, columns: Sequence[str]) -> list[str | None]:
    try:
        return [*texts(line.decode().removeprefix(_BOM), columns), None]
    except (ValueError, RecursionError):
        return [*([None] * len(columns)), line.decode(errors="backslashreplace")]


def _names(path: str, columns: Sequence[str]) -> list[str] | None:
    """The names that objects of a file have, until all columns are among them; None if there is no object.

    Once there is one, only lines are parsed that may have what is missing.
    """
    names: dict[str, None] | None = None
    missing = set(columns)
    for block in blocks(path):
        for line in block.split(b"\n"):
            may_have = b"\\u" in line or any(_written(name) in line for name in missing)
            if not line.strip() or (names is not None and not may_have):
                continue
            try:
                pairs = _DECODER.decode(line.decode().removeprefix(_BOM))
            except (ValueError, RecursionError):
                continue  # reading it says so
            if isinstance(pairs, Pairs):
                names = (names or {}) | dict.fromkeys(name for name, _ in pairs)
                missing -= set(names)
            if not missing:
                return list(names or columns)
    return None if names is None else list(names)


def _written(name: str) -> bytes:
    """A name as it usually stands in JSON."""
    return json.dumps(name, ensure_ascii=False).encode()
