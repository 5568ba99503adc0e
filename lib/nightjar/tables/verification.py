"""Whether tables still are what was written: all commits in their logs, and every data file that is needed."""

import logging
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
from pyspark.sql import SparkSession

from nightjar.errors import TableError
from nightjar.tables import arrow, commits, opening, parquet, requirements, scan, storage
from nightjar.tables.definitions import QUALITY
from nightjar.tables.entries import DataFile
from nightjar.tables.partition import dealt
from nightjar.tables.rows import in_tasks, numbered, numbers
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.maintain")
WAREHOUSE = "warehouse"
"""What `quality` calls the source of these checks."""
TOLD = pa.schema({"place": pa.string(), "what": pa.string()})


@dataclass(frozen=True)
class Damage:
    """What is wrong with a table.

    Attributes:
        table: its name.
        where: the file, within the table's folder.
        what: in words.
        file: the data file, if it is one of the latest version; None: it is of an older one, or of the log.
    """

    table: str
    where: str
    what: str
    file: DataFile | None = None


@dataclass(frozen=True)
class Verified:
    """What was looked at, and what is wrong.

    Attributes:
        looked_at: table -> files and commits.
        damages: what is wrong.
    """

    looked_at: Mapping[str, int]
    damages: Sequence[Damage]


def verify(
    spark: SparkSession, warehouse: Warehouse, tables: Sequence[str], keep: Mapping[str, Collection[int]]
) -> Verified:
    """Look at the log of every table, and read every data file of its latest version and of those that are cited.

    Args:
        spark: the session, whose tasks read the files.
        warehouse: where the tables lie.
        tables: their names.
        keep: table -> versions that are cited.
    """
    looked_at, damages = dict.fromkeys(tables, 0), []
    needed: list[tuple[str, DataFile, bool]] = []
    for table in tables:
        told = dict(_commits(warehouse.path(table)))
        looked_at[table] += len(told)
        damages += [Damage(table, where, what) for where, what in told.items() if what is not None]
        try:
            files = _needed(warehouse, table, keep.get(table, ()))
        except TableError as error:
            damages.append(Damage(table, "_delta_log", str(error)))
            continue
        looked_at[table] += len(files)
        needed += [(table, file, latest) for file, latest in files]
    wrong = _wrong(spark, [(warehouse.path(table), file) for table, file, _ in needed])
    for place, what in sorted(wrong.items()):
        table, file, latest = needed[place]
        damages.append(Damage(table, unquote(file.path), what, file if latest else None))
    return Verified(looked_at, damages)


def record(warehouse: Warehouse, found: Verified, run_date: date, run_id: str) -> int:
    """Put into `quality` how many files and commits were looked at and are damaged, by table where some are."""
    wrong, of = Counter(damage.table for damage in found.damages), found.looked_at
    counted = {"damaged files and commits": (wrong.total(), sum(of.values()))}
    counted |= {f"damaged files and commits: {table}": (rows, of[table]) for table, rows in sorted(wrong.items())}
    stamps = {"source": WAREHOUSE, "run_date": run_date, "run_id": run_id}
    rows = [{"check": check, "rows": damaged, "of": all_, **stamps} for check, (damaged, all_) in counted.items()]
    return arrow.replace(warehouse, QUALITY, rows, {"run_date": run_date, "source": WAREHOUSE}, run_id)


def _needed(warehouse: Warehouse, table: str, cited: Collection[int]) -> list[tuple[DataFile, bool]]:
    """The files of the latest version and of those cited, and whether they are the latest one's."""
    latest = opening.opened(warehouse, table)
    if requirements.unreadable(latest, table) is not None:
        log.warning("%s: its files are not looked at", requirements.unreadable(latest, table))
        return []
    live = {file.path: file for file in scan.snapshot_of(latest, warehouse, table).files}
    older = [file for version in cited for file in scan.snapshot(warehouse, table, version).files]
    return [*((file, True) for file in live.values()), *((file, False) for file in older if file.path not in live)]


def _commits(folder: str) -> Iterator[tuple[str, str | None]]:
    """The commits that are in a table's log -> what is wrong with each."""
    for version in commits.versions(folder):
        yield f"_delta_log/{version:020}.json", _wrong_with(folder, version)


def _wrong_with(folder: str, version: int) -> str | None:
    try:
        entries = commits.entries(folder, version) or []
    except ValueError as error:
        return f"it is no JSON: {error}"
    said: Mapping[str, Any] = next((entry["commitInfo"] for entry in entries if "commitInfo" in entry), {})
    if commits.DIGEST in said and said[commits.DIGEST] != commits.digest(entries):
        return "its entries are not those that were written"
    return None


def _wrong(spark: SparkSession, files: Sequence[tuple[str, DataFile]]) -> dict[int, str]:
    """Place of a file that is gone or damaged -> what is wrong with it."""
    if not files:
        return {}
    paths = [(folder, unquote(file.path), file.size) for folder, file in files]
    shares = dealt([size for *_, size in paths], min(spark.sparkContext.defaultParallelism, len(paths)))

    def look(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for place in (place for number in numbers(batches) for place in shares[number]):
            folder, path, size = paths[place]
            what = parquet.damage(storage.folder(folder), path, size)
            if what is not None:
                yield pa.record_batch([pa.array([str(place)]), pa.array([what])], schema=TOLD)

    told: Any = in_tasks(numbered(spark, len(shares)), look, TOLD).collect()
    return {int(row[0]): str(row[1]) for row in told}
