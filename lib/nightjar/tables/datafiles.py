"""Data files of a Delta table, with the statistics by which readers skip them."""

import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nightjar.tables import checksums, parquet, storage
from nightjar.tables.checksums import Checksums
from nightjar.timeline import YEAR_1, YEAR_10000

ROWS_PER_GROUP = 64 * 1024
VALUES_AT_ONCE = 16 * 1024  # more than Arrow's own number: a tenth less time to write
COMPRESSION = "lz4"  # half of zstd's time to write and to read, for files that are a sixth larger
LARGEST_DICTIONARY = 32 * 1024  # bytes; a column with more different values is not worth one: it costs time to find out
SAMPLE = 1024  # values of a column of numbers that decide how it is stored
REPEATED = 8  # a dictionary pays if each value occurs at least so many times
SHRUNK = 0.75  # compression pays if it leaves at most this share of the bytes
LONGEST_BOUND = 64  # characters of a text's bound; more would bloat the log
GREATEST = "\U0010ffff"  # no character comes after it, and no text has it
FIRST, END = YEAR_1 * 1000, YEAR_10000 * 1000  # milliseconds since 1970; texts go no further
DAY = 86_400_000  # milliseconds
BOUNDED = 32  # columns with statistics: as many as other writers keep


@dataclass(frozen=True)
class NewFile:
    """A data file that is not committed yet. Plain values, so that a task can return it."""

    path: str
    size: int
    rows: int
    partition: Mapping[str, str | None]
    statistics: str


def write(rows: pa.Table, folder: str, partition_by: tuple[str, ...]) -> list[NewFile]:
    """Store rows under new names, in their order, one file for each combination of partition values."""
    return [_store(part, values, folder) for values, part in _parts(rows, partition_by) if len(part)]


def _parts(rows: pa.Table, partition_by: tuple[str, ...]) -> Iterable[tuple[dict[str, Any], pa.Table]]:
    if not partition_by:
        return [({}, rows)]
    combinations = rows.select(list(partition_by)).group_by(list(partition_by)).aggregate([]).to_pylist()
    return (
        [(combinations[0], rows)]
        if len(combinations) == 1
        else ((values, _rows_with(rows, values)) for values in combinations)
    )


def _rows_with(rows: pa.Table, values: Mapping[str, Any]) -> pa.Table:
    same: Any = [
        pc.is_null(rows.column(name)) if value is None else pc.equal(rows.column(name), pa.scalar(value))
        for name, value in values.items()
    ]
    return rows.filter(reduce(pc.and_, same))


def _store(rows: pa.Table, values: Mapping[str, Any], folder: str) -> NewFile:
    partition = {name: partition_text(value) for name, value in values.items()}
    # Folders are for people: readers take partition values from the log.
    folders = "".join(f"{name}={re.sub(r'[^A-Za-z0-9.-]', '_', str(text))}/" for name, text in partition.items())
    file_rows = rows.drop_columns(list(partition))
    files = storage.ensure_folder(folder)
    if folders:
        files.create_dir(folders, recursive=True)
    temporary = f"{folders}{uuid.uuid4().hex}.part"  # the checksums in its name need the whole file
    with files.open_output_stream(temporary) as stream:
        # Arrow leaves NaN out of a row group's bounds, and Spark, to which NaN is the greatest, would miss those rows.
        bounded: Any = [field.name for field in file_rows.schema if not pa.types.is_floating(field.type)]
        pq.write_table(
            file_rows,
            stream,
            row_group_size=ROWS_PER_GROUP,
            write_batch_size=VALUES_AT_ONCE,
            dictionary_pagesize_limit=LARGEST_DICTIONARY,
            write_statistics=bounded or False,
            write_page_checksum=True,
            **_encoding(file_rows),
        )
    size, footer = files.get_file_info(temporary).size, parquet.footer(files, temporary)
    least, greatest, nulls = _bounds_of(file_rows)
    entry = checksums.of_entry(len(rows), size, partition)
    path = f"{folders}{Checksums(entry, checksums.of_bounds(least, greatest), checksums.of_footer(footer)).name()}"
    files.move(temporary, path)
    statistics = {"numRecords": len(rows), "minValues": least, "maxValues": greatest, "nullCount": nulls}
    # Letters as they are: delta-rs (1.6.6) takes some that JSON escapes in two parts for others.
    return NewFile(path, size, len(rows), partition, json.dumps(statistics, ensure_ascii=False, default=_text))


def _encoding(rows: pa.Table) -> dict[str, Any]:
    """Which columns get a dictionary and which are compressed: numbers only where a sample shows that it pays.

    Noise, such as measurements of many digits, hardly shrinks, and takes half as long again to write and to read. Texts
    are so only where all of a sample differ, and do not shrink: hashes.
    """
    if any(pa.types.is_nested(field.type) for field in rows.schema):
        return {"compression": COMPRESSION}
    samples = {field.name: _sample(rows.column(field.name)) for field in rows.schema if _is_number(field.type)}
    noise = {name for name, sample in samples.items() if not _shrinks(sample)}
    varied = {name for name, sample in samples.items() if pc.count_distinct(sample).as_py() * REPEATED > len(sample)}
    texts = {field.name: _sample(rows.column(field.name)) for field in rows.schema if pa.types.is_string(field.type)}
    hashes = {name for name, sample in texts.items() if len(sample) == SAMPLE and _are_hashes(sample)}
    noise, varied = noise | hashes, varied | hashes
    return {
        "use_dictionary": [name for name in rows.column_names if name not in varied],
        "compression": {name: "none" if name in noise else COMPRESSION for name in rows.column_names},
    }


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_temporal(kind)


def _sample(column: "pa.ChunkedArray[Any]") -> "pa.Array[Any]":
    """Neighbours from the middle of a column, without nulls, which Parquet does not store."""
    middle: Any = column.slice(max(len(column) - SAMPLE, 0) // 2, SAMPLE)
    present: pa.Array[Any] = middle.combine_chunks().drop_null()
    return present


def _shrinks(sample: "pa.Array[Any]") -> bool:
    """Whether compression leaves at most three quarters of some numbers."""
    width = sample.type.bit_width // 8
    values: Any = sample.buffers()[1]
    values = values.slice(sample.offset * width, len(sample) * width)
    return len(pa.compress(values, codec="lz4_raw")) <= SHRUNK * len(values)


def _are_hashes(sample: "pa.Array[Any]") -> bool:
    """Whether texts all differ, and compression leaves at least three quarters of them."""
    texts: list[Any] = sample.to_pylist()
    content = "".join(texts).encode()
    return bool(pc.count_distinct(sample).as_py() == len(sample)) and len(
        pa.compress(content, codec="lz4_raw")
    ) > SHRUNK * len(content)


def partition_text(value: Any) -> str | None:
    """A partition value as Delta's log writes it: to Delta, an empty text in a partition is null."""
    return None if value in (None, "") else value.isoformat() if isinstance(value, date) else str(value)


def _bounds_of(rows: pa.Table) -> tuple[dict[str, Any], dict[str, Any], dict[str, int]]:
    """Delta's statistics of a data file: column -> least value, column -> greatest value, column -> nulls."""
    first = rows.select(rows.column_names[:BOUNDED])
    bounds = {name: _bounds(first.column(name)) for name in first.column_names}
    least = {name: pair[0] for name, pair in bounds.items() if pair}
    greatest = {name: pair[1] for name, pair in bounds.items() if pair}
    return least, greatest, {name: first.column(name).null_count for name in first.column_names}


def _bounds(column: "pa.ChunkedArray[Any]") -> tuple[Any, Any] | None:
    """Least and greatest value; None where there is none, or where bounds are not reliable.

    Floats have none, as a NaN lies beyond any bound. Instants are in whole milliseconds, as other writers of Delta
    have them, and the greatest is rounded up.
    """
    kind = column.type
    instants, dates = pa.types.is_timestamp(kind) and kind.tz is not None, pa.types.is_date32(kind)
    if not (instants or dates or pa.types.is_integer(kind) or pa.types.is_string(kind)):
        return None
    extremes: Any = pc.min_max(column.cast(pa.int64()) if instants else column.cast(pa.int32()) if dates else column)
    low, high = extremes["min"].as_py(), extremes["max"].as_py()
    if low is None:
        return None
    if isinstance(low, str):
        upper = high if len(high) <= LONGEST_BOUND else high[:LONGEST_BOUND] + GREATEST
        return low[:LONGEST_BOUND], upper
    if not (instants or dates):
        return low, high
    first, last = (low // 1000, high // 1000) if instants else (low * DAY, high * DAY)
    if first < FIRST or last >= END:
        return None
    if instants:
        last = min(-(-high // 1000), END - 1)  # at the very end like Spark's, which readers take as truncated
    return (_instant(first), _instant(last)) if instants else (_instant(first).date(), _instant(last).date())


def _instant(milliseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


def _text(bound: date) -> str:
    """An instant or a date as Delta's statistics write it."""
    if isinstance(bound, datetime):
        return bound.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return bound.isoformat()
