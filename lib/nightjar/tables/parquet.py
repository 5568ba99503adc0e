"""Open Parquet files and check them: a file is read as it was written, or reported as damaged.

Arrow compares the checksums of pages. A footer is compared with the checksum in its file's name (`tables.checksums`).
Headers of pages have none, but a damaged one makes a page too long, too short or unreadable, or a column too short,
which Arrow detects where it reads whole row groups.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from nightjar.tables import checksums, storage

MAGIC = b"PAR1"
GONE, NO_FOOTER = "it is gone", "it does not end with a footer of Parquet"
FIRST_READ = 64 << 10  # bytes at the end of a file: most footers are shorter


def format_of(files: pafs.FileSystem) -> ds.ParquetFileFormat:
    """How files of a file system are read as a dataset.

    Of an object store few long reads are made ahead, not many short ones; of local files that would keep every byte of
    a file in memory until its last row is read.
    """
    return ds.ParquetFileFormat(
        # As nanoseconds, INT96 would hold no year before 1678 and none after 2262.
        read_options=ds.ParquetReadOptions(None, coerce_int96_timestamp_unit="us"),
        default_fragment_scan_options=ds.ParquetFragmentScanOptions(
            pre_buffer=not storage.is_local(files), page_checksum_verification=True
        ),
    )


class DamageError(Exception):
    """A file is not as it was written. Readers turn this into a TableError that names the table."""


def footer(files: pafs.FileSystem, path: str, size: int | None = None) -> pa.Buffer:
    """Read and check the footer of a file, from its first byte to the end of the file.

    Args:
        files: the file system.
        path: of the file, in there.
        size: bytes that were written; None: unknown.

    Raises:
        DamageError: the footer or the file's size is not as it was written.
        FileNotFoundError: there is no such file.
    """
    expected = checksums.of_name(path)
    with files.open_input_file(path) as file:
        reader: Any = file
        actual_size = reader.size()
        if expected is not None and size is not None and actual_size != size:
            raise DamageError(f"it has {actual_size:,} bytes, {size:,} were written")
        end = pa.py_buffer(reader.read_at(min(FIRST_READ, actual_size), max(0, actual_size - FIRST_READ)))
        length = _length(end)
        if length > actual_size:
            raise DamageError(NO_FOOTER)
        if length > end.size:
            end = pa.py_buffer(reader.read_at(length, actual_size - length))
    content = end.slice(end.size - length, length)
    if expected is not None and expected.footer != checksums.of_footer(content):
        raise DamageError("its footer is not the one that was written")
    return content


def metadata(files: pafs.FileSystem, path: str, size: int | None = None) -> pq.FileMetaData:
    """The metadata in the footer of a file.

    Raises:
        DamageError: see `footer`.
        FileNotFoundError: there is no such file.
    """
    return pq.read_metadata(pa.BufferReader(footer(files, path, size)))


def physical_types(footer: pq.FileMetaData) -> dict[str, str]:
    """Path of a column -> its physical type in a file; a plain column's path is its name."""
    columns = [footer.schema.column(place) for place in range(len(footer.schema))]
    return {column.path: column.physical_type for column in columns}


@contextmanager
def open_file(files: pafs.FileSystem, path: str, size: int | None = None) -> Iterator[pq.ParquetFile]:
    """Open a file, to be read some rows at a time.

    Raises:
        DamageError: see `footer`.
        FileNotFoundError: there is no such file.
    """
    file_metadata = metadata(files, path, size)
    with pq.ParquetFile(
        path,
        metadata=file_metadata,
        filesystem=files,
        pre_buffer=not storage.is_local(files),
        page_checksum_verification=True,
    ) as parquet_file:
        yield parquet_file


def damage(files: pafs.FileSystem, path: str, size: int | None = None) -> str | None:
    """What is wrong with a file, which is read whole, a row group at a time; None: nothing."""
    try:
        footer(files, path, size)
        fragment: Any = format_of(files).make_fragment(path, files)
        for group in fragment.split_by_row_group():
            group.to_table(use_threads=False)
    except FileNotFoundError:
        return GONE
    except (DamageError, pa.ArrowException, OSError) as error:
        return " ".join(str(error).split())
    return None


def _length(end: pa.Buffer) -> int:
    """The length of a file's footer, by its last bytes."""
    last = end.slice(max(0, end.size - 8)).to_pybytes()
    if len(last) < 8 or last[4:] != MAGIC:
        raise DamageError(NO_FOOTER)
    return int.from_bytes(last[:4], "little") + 8
