"""A raw file, read a column at a time, with the very columns and nulls that `ingest` would read.

Of CSV all values are texts. It is read once, in pieces, into a temporary Parquet file, so that no more than one of its
columns need be in memory.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from nightjar.asof.values import logical_type, plain
from nightjar.errors import SourceError
from nightjar.settings.files import File, FileFormat
from nightjar.sources.formats import copies, csv_files, files, parquet
from nightjar.sources.formats.failures import translate_open_errors
from nightjar.tables import storage

TEXT = pa.large_string()
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_BLOCK = 8 << 20  # bytes of CSV that are read at once: no row may be longer
_LENT = (".", "`", "${", "???")
"""What a setting cannot have in the name of a column."""


@dataclass(frozen=True)
class RawFile:
    """A raw file that has been looked at as a whole.

    Attributes:
        file: as a source's settings name it.
        rows: how many.
        names: the columns that a source can have, in the file's order.
        left_out: the other columns, with the reason.
    """

    file: File
    rows: int
    names: list[str]
    left_out: Mapping[str, str]
    _stored: Any = field(repr=False)
    _places: Mapping[str, str] = field(repr=False)

    @property
    def is_text(self) -> bool:
        """Whether it holds texts alone."""
        return self.file.format is FileFormat.CSV

    def column(self, name: str, null_text: str | None = None) -> Any:
        """All values of a column, chunked, as the file's type; of CSV without texts that stand for a null."""
        values = self._stored.to_table([self._places[name]]).column(0)
        if not self.is_text:
            _require_valid(values, name)
            kind: Any = logical_type(values.type)
            return pa.chunked_array([plain(chunk) for chunk in values.chunks], kind)
        values = values.slice(1)  # the header
        absent = pa.array(["", *([null_text] if null_text else [])], TEXT)
        return pc.if_else(pc.is_in(values, value_set=absent), pa.scalar(None, TEXT), values)


def _require_valid(values: Any, name: str) -> None:
    try:
        values.validate(full=True)
    except pa.ArrowInvalid as error:  # texts that are not UTF-8; Arrow does not say where
        raise pa.ArrowInvalid(f"the column {name} is damaged: {error}") from error


@contextmanager
def open_raw(path: str, source: str) -> Iterator[RawFile]:
    """Look at a CSV file (packed or not), a Parquet file, or a folder of them.

    Args:
        path: local, or in an object store.
        source: name for messages.

    Raises:
        SourceError: `ingest` would refuse it as a whole, or it has no row.
    """
    file = File(path if "://" in path else str(Path(path).absolute()), format=_format(path))
    paths = [one.path for one in files.list_files(file, source)]
    with tempfile.TemporaryDirectory(prefix="profile-") as folder, translate_open_errors(file.path, source):
        is_parquet = file.format is FileFormat.PARQUET
        whole = _parquet(file, paths, source) if is_parquet else _csv(file, paths[0], source, folder)
        if not whole.rows:
            raise SourceError(f"Source {source}: {path} has no row: nothing can be told of its columns.")
        yield whole


def _format(path: str) -> FileFormat:
    local = Path(path)
    if "://" not in path and local.is_file():
        with local.open("rb") as stream:
            return FileFormat.PARQUET if stream.read(4) == b"PAR1" else FileFormat.CSV
    is_table = local.suffix in (".parquet", ".pq") or ("://" not in path and local.is_dir())
    return FileFormat.PARQUET if is_table else FileFormat.CSV


def _csv(file: File, where: str, source: str, folder: str) -> RawFile:
    path = copies.unpack(where, source, Path(folder))
    csv_format = csv_files.read_format(path, source)
    _require_commas(csv_format.header, path, source)
    copy = str(Path(folder) / "columns.parquet")
    rows = _copy_texts(path, csv_format, copy, source)
    names, left_out = _usable(csv_format.header)
    places = {name: f"f{csv_format.header.index(name)}" for name in names}
    return RawFile(file, rows, names, left_out, ds.dataset(copy), places)


def _copy_texts(path: str, csv_format: csv_files.CsvFormat, copy: str, source: str) -> int:
    """Write the texts of all columns into a Parquet file; how many rows there are. Arrow's first row is the header."""
    schema = pa.schema([(f"f{place}", TEXT) for place in range(len(csv_format.header))])
    filesystem, inner = storage.of_file(path)
    stream: Any
    try:
        with (
            filesystem.open_input_stream(inner) as stream,
            pq.ParquetWriter(copy, schema) as writer,
        ):
            for batch in pyarrow.csv.open_csv(
                stream,
                pyarrow.csv.ReadOptions(block_size=_BLOCK, autogenerate_column_names=True),
                pyarrow.csv.ParseOptions(newlines_in_values=csv_format.row_end is not None),
                pyarrow.csv.ConvertOptions(column_types=schema, strings_can_be_null=False),
            ):
                writer.write_batch(batch)
    except pa.ArrowInvalid as error:
        raise SourceError(
            f"Source {source}: {path} cannot be read as rows of {len(csv_format.header)} fields: "
            f"{str(error).splitlines()[0]} If it is truncated or damaged, fetch it again."
        ) from error
    return max(pq.read_metadata(copy).num_rows - 1, 0)


def _parquet(file: File, paths: list[str], source: str) -> RawFile:
    if not paths:
        raise SourceError(f"Source {source}: {file.path} holds no Parquet file. Nothing was written.")
    where = files.base(file, source)
    folders = sorted({name for path in paths for name in files.folder_values(where, path)})
    _, within = parquet.schema(paths, [], source)
    names, left_out = _usable(list(dict.fromkeys([*folders, *within])))
    for name in list(names):
        try:
            parquet.schema(paths, [name], source)
        except SourceError as error:
            reason = str(error).removeprefix(f"Source {source}: ").removesuffix(" Nothing was written.")
            left_out[name] = reason.replace(f"the column {name} of {where} is", "it is")
            names.remove(name)
    filesystem, inner = storage.of_file(where)
    whole: Any = ds.dataset(inner, filesystem=filesystem, format="parquet", schema=pa.schema([]))
    fields = {field.name: field for one in whole.get_fragments() for field in one.physical_schema}
    of_folders = pa.schema([(name, TEXT) for name in names if name not in fields])
    stored: Any = ds.dataset(
        inner,
        filesystem=filesystem,
        format="parquet",
        schema=pa.schema([fields.get(name, pa.field(name, TEXT)) for name in names]),
        partitioning=ds.partitioning(of_folders, flavor="hive"),
    )
    return RawFile(file, stored.count_rows(), names, left_out, stored, {name: name for name in names})


def _usable(header: list[str]) -> tuple[list[str], dict[str, str]]:
    """The columns that settings can name, and why they cannot name the others."""
    names, left_out = list[str](), dict[str, str]()
    for name in header:
        folded = [other.casefold() for other in header]
        if not name.strip():
            left_out[name] = "it has no name"
        elif any(sign in name for sign in _LENT):
            left_out[name] = f"settings cannot name a column with one of {' '.join(_LENT)}"
        elif folded.count(name.casefold()) > 1:
            left_out[name] = "another column is named so, capitals aside, and Spark does not tell them apart"
        else:
            names.append(name)
    return names, left_out


def _require_commas(header: list[str], path: str, source: str) -> None:
    sign = next((sign for sign in SEPARATORS if sign in header[0]), None)
    if len(header) == 1 and sign is not None:
        raise SourceError(
            f"Source {source}: the fields of {path} look parted by {SEPARATORS[sign]}; its only column would be "
            f"{header[0]!r}. Write it with commas, as RFC 4180 has it (and numbers with a point)."
        )
