"""Raw Avro for Spark: only the declared columns, with the types in the files' headers.

Avro's format is that of its specification 1.12, "Object container files".
"""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812

from nightjar.errors import SourceError
from nightjar.settings.files import File
from nightjar.sources.formats import parquet
from nightjar.sources.formats.failures import require_columns, translate_open_errors
from nightjar.sources.formats.provenance import MALFORMED, PLACE, RawRows, literally, place
from nightjar.sources.formats.shared import SharedFiles
from nightjar.tables import storage

MAGIC = b"Obj\x01"
READER = "org.apache.spark.sql.avro.AvroFileFormat"
_PLAIN: dict[str, pa.DataType] = {
    "null": pa.null(),
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "bytes": pa.binary(),
    "string": pa.string(),
    "enum": pa.string(),
    "fixed": pa.binary(),
    # Not read: types that a message can name.
    "record": pa.struct([]),
    "array": pa.list_(pa.null()),
    "map": pa.map_(pa.string(), pa.null()),
}
_LOGICAL: dict[str, pa.DataType] = {
    "date": pa.date32(),
    "time-millis": pa.time32("ms"),
    "time-micros": pa.time64("us"),
    "duration": pa.month_day_nano_interval(),
    "uuid": pa.string(),
    "timestamp-millis": pa.timestamp("ms", "UTC"),
    "timestamp-micros": pa.timestamp("us", "UTC"),
    "timestamp-nanos": pa.timestamp("ns", "UTC"),
    "local-timestamp-millis": pa.timestamp("ms"),
    "local-timestamp-micros": pa.timestamp("us"),
    "local-timestamp-nanos": pa.timestamp("ns"),
}


def read(
    spark: SparkSession,
    file: File,
    places: Mapping[str, str],
    columns: Sequence[str],
    source: str,
    shared: SharedFiles,
) -> RawRows:
    """The columns as the files hold them, `_malformed` (null) and `_place`.

    Args:
        spark: the session.
        file: what is read.
        places: file -> path that it is read from.
        columns: that some file must have; in those that lack one it is null.
        source: name for messages.
        shared: where other sources have seen the files.

    Raises:
        SourceError: a file is no Avro, files have a column with different types or one that is not read, or Spark has
            no reader of Avro.
    """
    java: Any = spark.sparkContext._jvm  # noqa: SLF001  (PySpark's only way to ask Java)
    if not java.org.apache.spark.util.Utils.classIsLoadable(READER):
        raise SourceError(
            f"Source {source}: this Spark does not read Avro. Run nightjar setup; to a cluster submit with --packages "
            f"org.apache.spark:spark-avro_2.13:{spark.version}. Nothing was written."
        )
    footers = []
    for path, other in places.items():
        look = partial(_columns, other, f"Source {source}: {path}")
        with translate_open_errors(path, source):
            footers.append(parquet.Footer(path, shared.get(path, "avro", look), {}))
    schema, names = parquet.fields(footers, columns, source)
    require_columns(names, columns, file.path, source)
    paths = list(places.values())
    with translate_open_errors(file.path, source):
        reader = spark.read.format("avro").option("datetimeRebaseMode", "CORRECTED").schema(schema)
        rows = reader.load([literally(path) for path in paths])
    rows = rows.select(*columns, F.lit(None).cast("string").alias(MALFORMED), place(paths).alias(PLACE))
    return RawRows(rows, {footer.path: footer.columns.names for footer in footers})


def _columns(path: str, where: str) -> pa.Schema:
    """The columns of one file, as Arrow has their types."""
    filesystem, inner = storage.of_file(path)
    with filesystem.open_input_stream(inner, compression=None) as stream:
        schema = _schema(stream, where)
    if not isinstance(schema, dict) or schema.get("type") != "record":
        raise SourceError(f"{where} holds no records, which rows are made of. Nothing was written.")
    named: dict[str, Any] = {}
    return pa.schema([(field["name"], _arrow_type(field["type"], named)) for field in schema["fields"]])


def _schema(stream: Any, where: str) -> Any:
    """The schema in the header of a file."""
    if stream.read(len(MAGIC)) != MAGIC:
        raise SourceError(f"{where} is no Avro: it does not begin with Obj. Correct file.format. Nothing was written.")
    metadata = dict[bytes, bytes]()
    while count := _whole(stream):
        if count < 0:
            _whole(stream)  # bytes of the block
        for _ in range(abs(count)):
            name = _bytes(stream)
            metadata[name] = _bytes(stream)
    return json.loads(metadata[b"avro.schema"])


def _whole(stream: Any) -> int:
    """A whole number: seven bits a byte, the lowest first, with the sign in the lowest bit of all."""
    number, shift = 0, 0
    while True:
        byte: bytes = _exactly(stream, 1)
        number |= (byte[0] & 0x7F) << shift
        shift += 7
        if byte[0] < 0x80:
            return (number >> 1) ^ -(number & 1)


def _bytes(stream: Any) -> bytes:
    return _exactly(stream, _whole(stream))


def _exactly(stream: Any, length: int) -> bytes:
    content: bytes = stream.read(length)
    if len(content) < length:
        raise OSError("it ends within its header")
    return content


def _arrow_type(kind: Any, named: dict[str, Any]) -> pa.DataType:
    """A type of Avro, with or without null, as Arrow has it.

    Args:
        kind: of the schema.
        named: gets types by their names, which may stand for them later.
    """
    if isinstance(kind, list):
        members = [member for member in kind if member != "null"] or ["null"]
        types = [_arrow_type(member, named) for member in members]
        return types[0] if len(types) == 1 else pa.dense_union([pa.field("", one) for one in types])
    if isinstance(kind, str):
        return _PLAIN[kind] if kind in _PLAIN else _arrow_type(named[kind.rpartition(".")[2]], named)
    if "name" in kind:
        named[kind["name"].rpartition(".")[2]] = kind
    for field in kind.get("fields", []):
        _arrow_type(field["type"], named)
    logical = kind.get("logicalType")
    if logical == "decimal":
        precision, scale = kind["precision"], kind.get("scale", 0)
        return pa.decimal128(precision, scale) if precision <= 38 else pa.decimal256(precision, scale)
    return _LOGICAL[logical] if logical in _LOGICAL else _arrow_type(kind["type"], named)
