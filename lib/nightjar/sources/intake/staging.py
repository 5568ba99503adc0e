"""Raw rows that a later run reads again: of what cannot be read twice, and those that are not known yet.

They lie as Parquet in the project's warehouse, each file sorted by their stated `known_at`, so that a night skips what
others have read. A folder of staged rows counts where the table `intake` names it.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pyarrow.compute as pc
import pyarrow.dataset as ds
from pyarrow.fs import FileSelector, FileType
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import ArrayType, AtomicType, DataType, MapType, StructType

from nightjar.errors import SourceError
from nightjar.settings.sources import Source
from nightjar.sources.facts import RAW, ROW, STATE, TYPED, decisive_columns
from nightjar.sources.formats import raw
from nightjar.sources.formats.provenance import literally
from nightjar.sources.items import Entry, Portion, parts_of
from nightjar.sources.storing import Night
from nightjar.tables import storage
from nightjar.tables.arrow import RETENTION
from nightjar.tables.warehouse import Warehouse

FOLDER = "staged"
CLOCK = "_stated_known_at"
ROW_GROUP = 8 << 20
"""Bytes: a night decodes those row groups alone that hold its rows."""
UNCOMMITTED = timedelta(days=2)
"""Age up to which a folder that no entry names may be that of a run that goes on."""


def carry(rows: DataFrame) -> DataFrame:
    """Raw rows with themselves as one more column, which `facts.candidates` leaves as it is."""
    return rows.withColumn(RAW, F.struct(*rows.columns))


def write(candidates: DataFrame, warehouse: Warehouse, source: str, night: Night, typing: str) -> tuple[str, int]:
    """Store the raw rows of candidates that carry them; the folder, within the project's warehouse, and its files.

    Beside them lie their values (`facts.TYPED`) under a name that says by which typing, where Parquet can hold them.

    Rows that are no facts have no clock there: they are of the night that reads their item first. Each file is sorted
    by itself: to sort them all Spark would read everything twice, first to see how the rows are spread.
    """
    folder = folder_of(source, night)
    clock = F.when(F.col(STATE) != "not_a_fact", F.col("stated_known_at")).alias(CLOCK)
    typed = [F.col(TYPED).alias(_typed(typing))] if _is_storable(candidates.schema[TYPED].dataType) else []
    rows = candidates.select(f"{RAW}.*", *typed, clock).sortWithinPartitions(CLOCK)
    # Most columns are keys, times and numbers: to begin a dictionary in every row group took a third of the time.
    options = {"parquet.block.size": ROW_GROUP, "parquet.enable.dictionary": False}
    rows.write.mode("overwrite").options(**options).parquet(warehouse.path(folder))
    return folder, len(_files(warehouse.path(folder)))


def typing_of(source: Source, definition: str) -> str:
    """What tells values apart that lie beside staged rows: how they were made, and of which columns."""
    return hashlib.sha256(json.dumps([definition, decisive_columns(source)]).encode()).hexdigest()[:16]


def _typed(typing: str) -> str:
    return f"{TYPED}_{typing}"


def _is_storable(kind: DataType) -> bool:
    """Whether Parquet can hold values of a type."""
    if isinstance(kind, StructType):
        return all(_is_storable(field.dataType) for field in kind)
    if isinstance(kind, ArrayType):
        return _is_storable(kind.elementType)
    if isinstance(kind, MapType):
        return _is_storable(kind.keyType) and _is_storable(kind.valueType)
    return isinstance(kind, AtomicType)


def folder_of(source: str, night: Night) -> str:
    """Where a run stages rows of a source, within the project's warehouse."""
    return f"{FOLDER}/{source}/{night.run_date}-{night.run_id}"


@contextmanager
def discard_on_failure(warehouse: Warehouse, sources: Iterable[str], night: Night) -> Iterator[None]:
    """Remove what a run has staged if it fails: no other run will read it."""
    try:
        yield
    except BaseException:
        for source in sources:
            filesystem, inner = storage.of_file(warehouse.path(folder_of(source, night)))
            if filesystem.get_file_info(inner).type is FileType.Directory:
                filesystem.delete_dir(inner)
        raise


def remove_old(warehouse: Warehouse, source: str, entries: Sequence[Entry], run_date: date) -> int:
    """Remove folders from which no rerun of the last nights and no later night will read; how many they were.

    Args:
        warehouse: where they lie.
        source: name of the source.
        entries: what all its nights have read.
        run_date: nights of the `RETENTION` before it may be run again.
    """
    last = [entry for parts in parts_of(entries).values() for entry in parts.values()]
    needed = {entry.staged for entry in last if entry.waiting}
    needed |= {entry.staged for entry in entries if entry.run_date > run_date - RETENTION}
    filesystem, inner = storage.of_file(warehouse.path(f"{FOLDER}/{source}"))
    removed = 0
    for folder in filesystem.get_file_info(FileSelector(inner, allow_not_found=True)):
        files = filesystem.get_file_info(FileSelector(folder.path, recursive=True))  # object stores date no folder
        newest = max((file.mtime for file in files if file.mtime is not None), default=None)
        is_old = newest is None or newest < datetime.now(UTC) - UNCOMMITTED
        if is_old and f"{FOLDER}/{source}/{folder.base_name}" not in needed:
            filesystem.delete_dir(folder.path)
            removed += 1
    return removed


def read(
    spark: SparkSession,
    warehouse: Warehouse,
    source: str,
    portions: Sequence[Portion],
    columns: Sequence[str],
    until: datetime,
    typing: str,
) -> DataFrame:
    """The rows of portions of one folder and time that are known by an instant: raw, or their values of this typing.

    Raises:
        SourceError: they are gone, or lack a column.
    """
    first, names = portions[0], [portion.item.name for portion in portions]
    path = warehouse.path(first.staged or "")
    present = len(_files(path))
    if present != first.parts:
        raise SourceError(
            f"Source {source}: rows that an earlier run has staged are gone: {path} has {present} of its {first.parts} "
            "files. Put it back from a backup to run this night. Nothing was written."
        )
    rows = spark.read.parquet(literally(path))
    missing = [name for name in columns if name not in rows.columns]
    if missing:
        raise SourceError(
            f"Source {source}: the staged rows of {', '.join(names)} have no column {', '.join(missing)}, which the "
            "settings read since. Run the night by the settings of then, or bring the file back for the next one. "
            "Nothing was written."
        )
    clock = F.col(CLOCK)
    if first.after is None:  # a broken row is reported whatever its time
        is_due = clock.isNull() | (clock <= F.lit(until)) | F.col(raw.MALFORMED).isNotNull()
    else:
        is_due = (clock > F.lit(first.after)) & (clock <= F.lit(until))
    typed = _typed(typing)
    of_values = [F.col(typed).alias(TYPED)] if typed in rows.columns else []
    kind = rows.schema[typed].dataType if of_values else None
    of_texts = [] if isinstance(kind, StructType) and ROW in kind.names else columns
    return rows.where(is_due & F.col(raw.FILE).isin(names)).select(*of_values, *of_texts, raw.MALFORMED, raw.FILE)


def _files(path: str) -> list[str]:
    filesystem, inner = storage.of_file(path)
    infos = filesystem.get_file_info(FileSelector(inner, allow_not_found=True))
    return [info.path for info in infos if info.base_name.endswith(".parquet")]


def count_waiting(warehouse: Warehouse, folder: str, until: datetime) -> Mapping[str, int]:
    """Item -> number of its staged rows that become known after an instant."""
    filesystem, inner = storage.of_file(warehouse.path(folder))
    files = ds.dataset(inner, filesystem=filesystem, format="parquet")
    items = files.to_table(columns=[raw.FILE], filter=pc.field(CLOCK) > until)
    counts = items.group_by(raw.FILE).aggregate([([], "count_all")]).to_pylist()
    return {str(row[raw.FILE]): int(row["count_all"]) for row in counts}
