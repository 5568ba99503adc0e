"""Read what a night reads of a source: new items where they lie, and staged rows of earlier ones."""

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial, reduce
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from nightjar.settings.files import Change
from nightjar.settings.sources import Source
from nightjar.sources import facts
from nightjar.sources.formats import files, raw
from nightjar.sources.intake import discovery, history, items, slices, staging
from nightjar.sources.intake.items import Entry, Item, Portion
from nightjar.sources.storing import Night
from nightjar.tables.warehouse import Warehouse

NOT_DECISIVE = ("file", "arrival", "gates", "layouts", "refuse_above")
"""Settings of a source that decide nothing about how raw rows become facts. After an edit of any other, all that there
is is read again."""


@dataclass(frozen=True)
class Place:
    """Where one source is read, and for which night."""

    spark: SparkSession
    warehouse: Warehouse
    name: str
    source: Source
    night: Night
    zone: str
    cache: Path


@dataclass(frozen=True)
class Reading:
    """What a night reads of one source.

    Attributes:
        portions: what is read.
        definition: hash of the settings by which its rows become facts.
        rows: all candidates, see `facts`.
        new: the candidates of items that are read where they lie; some may become known later. None: there are none.
    """

    portions: Sequence[Portion]
    definition: str
    rows: DataFrame
    new: DataFrame | None

    def spans(self, cutoff: datetime) -> list[tuple[datetime, datetime]] | None:
        """The time in which all rows become known, where only rows that have waited are read; None: any time."""
        times = [portion.after for portion in self.portions if portion.after is not None]
        return [(min(times), cutoff)] if times and len(times) == len(self.portions) else None


def open_items(place: Place, table: str) -> Reading:
    """Find what is to be read of a source, and open it; no row is read yet.

    Raises:
        SourceError: a file is missing, has changed or is not as declared.
        UsageError: an expression holds what it may not, or does not fit the columns.
    """
    name, source = place.name, place.source
    definition = _definition(source, name)
    before = history.read(place.warehouse, name, table, place.zone)
    is_empty_allowed = source.arrival.min_rows == 0
    discover = partial(discovery.discover, source.file, name, definition, is_empty_allowed=is_empty_allowed)
    portions = items.plan(before.entries, before.nights, place.night.run_date, definition, discover, name)
    for portion in portions:
        if portion.staged is None and portion.columns is not None:
            discovery.require_unchanged(portion.item, name)
    return _reading(place, portions, definition)


def _reading(place: Place, portions: Sequence[Portion], definition: str) -> Reading:
    staged = _read_staged(place, portions)
    lying = _read(place, [portion.item for portion in portions if portion.staged is None])
    new = _candidates(place, lying) if lying else None
    if new is None:
        no_rows = raw.read(place.spark, place.source.file, [], list(place.source.columns), place.name, place.cache)
        rows = _candidates(place, staged or [no_rows])
    else:
        rows = new.drop(facts.RAW)
        rows = rows.unionByName(_candidates(place, staged)) if staged else rows
    return Reading(portions, definition, rows, new)


def stage(place: Place, reading: Reading) -> Reading:
    """Stage the rows of new items that may not lie there unchanged for long, and read them from there."""
    if reading.new is None or discovery.change_of(place.source.file, place.name) is Change.ERROR:
        return reading
    folder = staging.write(reading.new, place.warehouse, place.name, place.night)
    portions = [replace(portion, staged=portion.staged or folder) for portion in reading.portions]
    return _reading(place, portions, reading.definition)


def entries(place: Place, reading: Reading, not_yet_known: int) -> list[Entry]:
    """What the night has read, for the table `intake`; rows that become known later are staged if they are not yet.

    Args:
        place: of the source.
        reading: what was read.
        not_yet_known: rows of `reading.new` that become known after the night.
    """
    night, portions, whole = place.night, reading.portions, [one.staged is not None for one in reading.portions]
    if not_yet_known and reading.new is not None:
        later = reading.new.where(F.col("stated_known_at") > F.lit(night.cutoff))
        folder = staging.write(later, place.warehouse, place.name, night)
        portions = [replace(portion, staged=portion.staged or folder) for portion in portions]
    folders = {portion.staged for portion in portions if portion.staged is not None}
    waiting = {folder: staging.count_waiting(place.warehouse, folder, night.cutoff) for folder in folders}
    return [
        Entry(
            portion.item,
            reading.definition,
            portion.after,
            waiting.get(portion.staged or "", {}).get(portion.item.name, 0),
            portion.staged,
            is_whole,
            portion.columns or json.dumps(list(place.source.columns)),
            night.run_date,
        )
        for portion, is_whole in zip(portions, whole, strict=True)
    ]


def _candidates(place: Place, batches: Sequence[DataFrame]) -> DataFrame:
    """Candidates of raw rows, which may differ in the types that they are read with."""
    parts = [facts.candidates(rows, place.name, place.source, place.cache, place.zone) for rows in batches]
    return reduce(DataFrame.unionByName, parts)


def _read(place: Place, new: Sequence[Item]) -> list[DataFrame]:
    """Raw rows of items where they lie."""
    read = partial(raw.read, place.spark, place.source.file)
    columns, name = list(place.source.columns), place.name
    parts = [item for item in new if slices.is_part(item)]
    whole = [item.name for item in new if item not in parts]
    batches = [read(whole, columns, name, place.cache)] if whole else []
    for item in parts:
        rows = read([slices.cut(item, place.source.file, place.cache)], columns, name, place.cache)
        batches.append(rows.withColumn(raw.FILE, F.lit(item.name)))
    return [staging.carry(rows) for rows in batches]


def _read_staged(place: Place, portions: Sequence[Portion]) -> list[DataFrame]:
    """Staged raw rows, those of one folder and time at once."""
    groups: dict[tuple[str, datetime | None], list[str]] = {}
    for portion in portions:
        if portion.staged is not None:
            groups.setdefault((portion.staged, portion.after), []).append(portion.item.name)
    return [
        staging.read(place.spark, place.warehouse, place.name, folder, after, place.night.cutoff).where(
            F.col(raw.FILE).isin(names)
        )
        for (folder, after), names in groups.items()
    ]


def _definition(source: Source, name: str) -> str:
    """Hash of all that decides how raw rows become facts: settings, and the content of lookups' files."""
    plain = {key: value for key, value in dataclasses.asdict(source).items() if key not in NOT_DECISIVE}
    plain["file"] = {key: value for key, value in dataclasses.asdict(source.file).items() if key != "changed"}
    plain["lookup_files"] = {
        one: discovery.digest_of(files.the_file(lookup.file, f"{name}.lookups.{one}"))
        for one, lookup in source.lookups.items()
    }
    return hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()
