"""A small table that the sink writes: things, in the partition of their place."""

from datetime import datetime

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from nightjar.tables import arrow, scan, sink
from nightjar.tables.entries import DataFile
from nightjar.tables.table import COUNTS, INSTANT, Column, Table
from nightjar.tables.warehouse import Warehouse

TYPES = {
    "id": pa.int64(),
    "x": pa.float64(),
    "at": INSTANT,
    "day": pa.date32(),
    "cost": pa.decimal128(10, 2),
    "tags": pa.list_(pa.string()),
    "counts": COUNTS,
    "flag": pa.bool_(),
    "text": pa.string(),
    "place": pa.string(),
    "run_id": pa.string(),
}
THINGS = Table(
    "things",
    "One thing.",
    ("id",),
    ("place",),
    "tests",
    tuple(Column(name, kind, name) for name, kind in TYPES.items()),
)


def things(**columns: object) -> pa.Table:
    """Rows with some of the columns."""
    return pa.table({name: pa.array(values, TYPES[name]) for name, values in columns.items()})


def of(*places: str | None):
    """Which files hold things of these places."""
    return lambda file: file.partition["place"] in places


def none_of(_: DataFile) -> bool:
    return False


def store(warehouse: Warehouse, *files: pa.Table, replaces=none_of, run="run-1", table: Table = THINGS) -> int:
    """Each as files of its own, all in one commit."""
    into = sink.target(warehouse, table, run_id=run)
    written = [file for rows in files for file in sink.write(rows, into)]
    return sink.commit(warehouse, into, written, replaces, run)


def ids(warehouse: Warehouse) -> list[int]:
    return sorted(arrow.read(warehouse, "things", ["id"])["id"].to_pylist())


def by_delta(spark: SparkSession, warehouse: Warehouse) -> DataFrame:
    """What Spark's own reader of Delta makes of the table."""
    return spark.read.format("delta").load(warehouse.path("things"))


def stored_rows(warehouse: Warehouse, *columns: str) -> list[tuple[object, ...]]:
    """What a scan reads, sorted by its first column."""
    rows = scan.read(scan.snapshot(warehouse, "things"), columns)
    return sorted(zip(*(rows[name].to_pylist() for name in columns), strict=True), key=lambda row: row[0])


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")
