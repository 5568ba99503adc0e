"""Parquet files opened and checked: whatever is read of one is what was written, or it is said to be damaged.

Pages have checksums, and Arrow compares them. A footer is held against the name of its file (`tables.checksums`). What
is left are the headers of pages: a damaged one makes a page too long, too short or unreadable, or a column too short,
which Arrow tells where it reads whole row groups.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from nightjar.tables import checksums

FORMAT = ds.ParquetFileFormat(
    # As nanoseconds, INT96 would hold no year before 1678 and none after 2262.
    read_options=ds.ParquetReadOptions(None, coerce_int96_timestamp_unit="us"),
    default_fragment_scan_options=ds.ParquetFragmentScanOptions(pre_buffer=True, page_checksum_verification=True),
)
"""How files are read as a dataset."""
MAGIC = b"PAR1"
GONE, NO_FOOTER = "it is gone", "it does not end with a footer of Parquet"
FIRST_READ = 64 << 10  # bytes at the end of a file: most footers are shorter


class DamageError(Exception):
    """A file is not what was written. Readers make a TableError of it, which names the table."""


def footer(files: pafs.FileSystem, path: str, size: int | None = None) -> pa.Buffer:
    """The footer of a file, from its first byte to the end of the file, after it was checked.

    Args:
        files: where it lies.
        path: in there.
        size: bytes that were written; None: not known.

    Raises:
        DamageError: it is not the one that was written, or the file is longer or shorter.
        FileNotFoundError: there is no such file.
    """
    said = checksums.of_name(path)
    with files.open_input_file(path) as file:
        opened: Any = file
        stands = opened.size()
        if said is not None and size is not None and stands != size:
            raise DamageError(f"it has {stands:,} bytes, {size:,} were written")
        end = pa.py_buffer(opened.read_at(min(FIRST_READ, stands), max(0, stands - FIRST_READ)))
        length = _length(end)
        if length > stands:
            raise DamageError(NO_FOOTER)
        if length > end.size:
            end = pa.py_buffer(opened.read_at(length, stands - length))
    found = end.slice(end.size - length, length)
    if said is not None and said.footer != checksums.of_footer(found):
        raise DamageError("its footer is not the one that was written")
    return found


def metadata(files: pafs.FileSystem, path: str, size: int | None = None) -> pq.FileMetaData:
    """What the footer of a file says.

    Raises:
        DamageError: see `footer`.
        FileNotFoundError: there is no such file.
    """
    return pq.read_metadata(pa.BufferReader(footer(files, path, size)))


def physical_types(footer: pq.FileMetaData) -> dict[str, str]:
    """How columns lie in a file, by their paths; a plain column's path is its name."""
    columns = [footer.schema.column(place) for place in range(len(footer.schema))]
    return {column.path: column.physical_type for column in columns}


@contextmanager
def opened(files: pafs.FileSystem, path: str, size: int | None = None) -> Iterator[pq.ParquetFile]:
    """A file, to be read some rows at a time.

    Raises:
        DamageError: see `footer`.
        FileNotFoundError: there is no such file.
    """
    said = metadata(files, path, size)
    # Buffered beforehand: few long reads of an object store, not many short ones.
    with pq.ParquetFile(
        path, metadata=said, filesystem=files, pre_buffer=True, page_checksum_verification=True
    ) as opened:
        yield opened


def damage(files: pafs.FileSystem, path: str, size: int | None = None) -> str | None:
    """What is wrong with a file, all of which is read, a row group at a time; None: nothing."""
    try:
        footer(files, path, size)
        whole: Any = FORMAT.make_fragment(path, files)
        for group in whole.split_by_row_group():
            group.to_table(use_threads=False)
    except FileNotFoundError:
        return GONE
    except (DamageError, pa.ArrowException, OSError) as error:
        return " ".join(str(error).split())
    return None


def _length(end: pa.Buffer) -> int:
    """How long a file's footer is, by its last bytes."""
    last = end.slice(max(0, end.size - 8)).to_pybytes()
    if len(last) < 8 or last[4:] != MAGIC:
        raise DamageError(NO_FOOTER)
    return int.from_bytes(last[:4], "little") + 8
