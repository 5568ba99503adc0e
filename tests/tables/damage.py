"""Ways to damage what lies on a disk."""

from pathlib import Path

import pyarrow.parquet as pq

from nightjar.tables import scan
from nightjar.tables.warehouse import Warehouse

HEADER = 24  # bytes of a page that are its header, at least


def flip(file: Path, place: int, bit: int = 0) -> None:
    """Change one bit."""
    content = bytearray(file.read_bytes())
    content[place] ^= 1 << int(bit)
    file.write_bytes(content)


def edited(file: Path, old: str, new: str) -> None:
    """Replace a text by another, everywhere in a file."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def data_file(warehouse: Warehouse, table: str, number: int = 0) -> Path:
    """A live data file."""
    return Path(warehouse.path(table)) / scan.snapshot(warehouse, table).files[number].path


def newest_commit(warehouse: Warehouse, table: str) -> Path:
    return max((Path(warehouse.path(table)) / "_delta_log").glob("*.json"))


def strata(file: Path) -> dict[str, list[int]]:
    """Part of a Parquet file -> the places of its bytes, of all columns and row groups."""
    metadata, offsets = pq.ParquetFile(file).metadata, {"page header": [], "dictionary": [], "data": []}
    for group in (metadata.row_group(number) for number in range(metadata.num_row_groups)):
        for column in (group.column(number) for number in range(metadata.num_columns)):
            first = column.dictionary_page_offset if column.has_dictionary_page else column.data_page_offset
            end = first + column.total_compressed_size
            if column.has_dictionary_page:
                offsets["page header"] += range(first, first + HEADER)
                offsets["dictionary"] += range(first + HEADER, column.data_page_offset)
            offsets["page header"] += range(column.data_page_offset, column.data_page_offset + HEADER)
            offsets["data"] += range(column.data_page_offset + HEADER, end)
    size = file.stat().st_size
    return {**offsets, "footer": [*range(size - metadata.serialized_size - 8, size)]}


def data_place(file: Path, column: str) -> int:
    """A byte of the values of a column."""
    chunk = _column(file, column)
    first = chunk.dictionary_page_offset if chunk.has_dictionary_page else chunk.data_page_offset
    return int(first + chunk.total_compressed_size - 1)


def first_page(file: Path, column: str) -> int:
    """Where the first page with values of a column begins."""
    return int(_column(file, column).data_page_offset)


def _column(file: Path, name: str) -> pq.ColumnChunkMetaData:
    group = pq.ParquetFile(file).metadata.row_group(0)
    (chunk,) = (one for one in map(group.column, range(group.num_columns)) if one.path_in_schema == name)
    return chunk
