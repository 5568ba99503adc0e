"""Verify tables: all commits in their logs, and every data file of the latest and the cited versions."""

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
from nightjar.tables.entries import DataFile
from nightjar.tables.file_splits import balance
from nightjar.tables.rows import in_tasks, number_tasks, task_numbers
from nightjar.tables.source_definitions import QUALITY
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.maintain")
WAREHOUSE = "warehouse"
"""The source of these checks in `quality`."""
MESSAGE = pa.schema({"place": pa.string(), "what": pa.string()})


@dataclass(frozen=True)
class Damage:
    """What is wrong with a table.

    Attributes:
        table: its name.
        where: the file, within the table's folder.
        what: the damage in words.
        file: the data file, if it is one of the latest version; None: it is one of an older version, or of the log.
    """

    table: str
    where: str
    what: str
    file: DataFile | None = None


@dataclass(frozen=True)
class Verification:
    """What was read, and what is wrong with it.

    Attributes:
        looked_at: table -> number of files and commits that were read.
        damages: what is wrong.
    """

    looked_at: Mapping[str, int]
    damages: Sequence[Damage]


def verify(
    spark: SparkSession, warehouse: Warehouse, tables: Sequence[str], keep: Mapping[str, Collection[int]]
) -> Verification:
    """Check the log of every table, and read every data file of its latest version and of the cited ones.

    Args:
        spark: the session, whose tasks read the files.
        warehouse: where the tables lie.
        tables: their names.
        keep: table -> versions that are cited.
    """
    looked_at, damages = dict.fromkeys(tables, 0), []
    needed: list[tuple[str, DataFile, bool]] = []
    for table in tables:
        commit_damages = dict(_commits(warehouse.path(table)))
        looked_at[table] += len(commit_damages)
        damages += [Damage(table, where, what) for where, what in commit_damages.items() if what is not None]
        try:
            files = _files_to_read(warehouse, table, keep.get(table, ()))
        except TableError as error:
            damages.append(Damage(table, "_delta_log", str(error)))
            continue
        looked_at[table] += len(files)
        needed += [(table, file, latest) for file, latest in files]
    damaged_files = _damaged_files(spark, [(warehouse.path(table), file) for table, file, _ in needed])
    for place, what in sorted(damaged_files.items()):
        table, file, latest = needed[place]
        damages.append(Damage(table, unquote(file.path), what, file if latest else None))
    return Verification(looked_at, damages)


def record(warehouse: Warehouse, verification: Verification, run_date: date, run_id: str) -> int:
    """Store in `quality` how many files and commits were read and are damaged, also by table where some are."""
    damaged_of, looked_at = Counter(damage.table for damage in verification.damages), verification.looked_at
    counts = {"damaged files and commits": (damaged_of.total(), sum(looked_at.values()))}
    counts |= {
        f"damaged files and commits: {table}": (rows, looked_at[table]) for table, rows in sorted(damaged_of.items())
    }
    stamps = {"source": WAREHOUSE, "run_date": run_date, "run_id": run_id}
    rows = [{"check": check, "rows": damaged, "of": all_, **stamps} for check, (damaged, all_) in counts.items()]
    return arrow.replace(warehouse, QUALITY, rows, {"run_date": run_date, "source": WAREHOUSE}, run_id)


def _files_to_read(warehouse: Warehouse, table: str, cited: Collection[int]) -> list[tuple[DataFile, bool]]:
    """The files of the latest and the cited versions, each with whether it is the latest one's."""
    latest = opening.open_table(warehouse, table)
    if requirements.unreadable(latest, table) is not None:
        log.warning("%s: its files are not looked at", requirements.unreadable(latest, table))
        return []
    live = {file.path: file for file in scan.snapshot_of(latest, warehouse, table).files}
    older = [file for version in cited for file in scan.snapshot(warehouse, table, version).files]
    return [*((file, True) for file in live.values()), *((file, False) for file in older if file.path not in live)]


def _commits(folder: str) -> Iterator[tuple[str, str | None]]:
    """The commits in a table's log, each with what is wrong with it."""
    for version in commits.versions(folder):
        yield f"_delta_log/{version:020}.json", _commit_damage(folder, version)


def _commit_damage(folder: str, version: int) -> str | None:
    try:
        entries = commits.entries(folder, version) or []
    except ValueError as error:
        return f"it is no JSON: {error}"
    commit_info: Mapping[str, Any] = next((entry["commitInfo"] for entry in entries if "commitInfo" in entry), {})
    if commits.DIGEST in commit_info and commit_info[commits.DIGEST] != commits.digest(entries):
        return "its entries are not those that were written"
    return None


def _damaged_files(spark: SparkSession, files: Sequence[tuple[str, DataFile]]) -> dict[int, str]:
    """Index of a missing or damaged file -> what is wrong with it."""
    if not files:
        return {}
    paths = [(folder, unquote(file.path), file.size) for folder, file in files]
    shares = balance([size for *_, size in paths], min(spark.sparkContext.defaultParallelism, len(paths)))

    def look(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for place in (place for number in task_numbers(batches) for place in shares[number]):
            folder, path, size = paths[place]
            what = parquet.damage(storage.folder(folder), path, size)
            if what is not None:
                yield pa.record_batch([pa.array([str(place)]), pa.array([what])], schema=MESSAGE)

    messages: Any = in_tasks(number_tasks(spark, len(shares)), look, MESSAGE).collect()
    return {int(row[0]): str(row[1]) for row in messages}
