"""The hash of training rows by their content."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt
import pyarrow as pa
import pyarrow.ipc


def content_hash(tables: Sequence[pa.Table], columns: Mapping[str, npt.NDArray[Any] | None], rest: bytes) -> str:
    """SHA-256 of tables, of columns that there are, and of the rest: the same for the same rows of whatever files."""
    present = pa.table({name: pa.array(values) for name, values in columns.items() if values is not None})
    first, *others = tables
    digest = hashlib.sha256(_stream(first))
    for table in (present, *others):
        digest.update(_stream(table))
    digest.update(rest)
    return digest.hexdigest()


def _stream(table: pa.Table) -> pa.Buffer:
    """The table as an Arrow stream."""
    sink = pa.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return sink.getvalue()
