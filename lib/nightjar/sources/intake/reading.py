"""Read what a night reads of a source: new items where they lie, and staged rows of earlier ones."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial, reduce
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from nightjar.errors import restated
from nightjar.settings.sources import Source
from nightjar.settings.validation import dump
from nightjar.sources import deduplication, facts, items, lookups
from nightjar.sources.connectors.connector import Connector
from nightjar.sources.connectors.corrections import CorrectionsConnector
from nightjar.sources.formats import files, raw
from nightjar.sources.formats.contents import digest_of
from nightjar.sources.formats.failures import translate_expression_errors
from nightjar.sources.intake import history, staging, undeclared
from nightjar.sources.intake.history import Intake
from nightjar.sources.items import Entry, Item, Portion
from nightjar.sources.storing import Night
from nightjar.tables import arrow, scan
from nightjar.tables.warehouse import Warehouse

NOT_DECISIVE: Mapping[str, Any] = dict.fromkeys(("arrival", "datasheet", "gates", "layouts", "refuse_above"), True) | {
    "file": {"changed"},
    "database": {"user", "password", "partition_column", "partitions", "fetch_size"},
}
"""Settings of a source that decide nothing about how raw rows become facts. After an edit of any other, all that there
is is read again."""


@dataclass(frozen=True)
class Place:
    """Where one source is read, how, and for which night."""

    spark: SparkSession
    warehouse: Warehouse
    name: str
    source: Source
    night: Night
    zone: str
    cache: Path
    connector: Connector

    @cached_property
    def corrections(self) -> Connector:
        """The way to rows that people have corrected."""
        columns = list(self.source.columns)
        return CorrectionsConnector(self.spark, self.warehouse, self.name, columns, self.night.run_date)


@dataclass(frozen=True)
class Reading:
    """What a night reads of one source.

    Attributes:
        portions: what is read.
        definition: hash of the settings by which its rows become facts.
        order: name of each item that nights have read -> its place in the order in which they have.
        rows: all candidates, see `facts`.
        new: the candidates of items that are read where they lie; some may become known later. None: there are none.
        columns_before: see `undeclared.columns_before`.
    """

    portions: Sequence[Portion]
    definition: str
    order: Mapping[str, int]
    rows: DataFrame
    new: DataFrame | None
    columns_before: frozenset[str] | None

    @property
    def is_corrected(self) -> bool:
        """Whether there are rows among them that a person has corrected."""
        return any(portion.item.is_corrected for portion in self.portions)

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
    definition = definition_of(source, name)
    before = history.read(place.warehouse, name, table)
    run_date = place.night.run_date
    if run_date not in before.nights and _has_facts(place, table):
        before = Intake((), ())  # a night of before there was the table `intake`: it reads all there is, as it did
    if all(entry.definition != definition for entry in before.entries):  # it holds the digests of lookups' files
        lookups.require_sound(place.spark, name, source, place.cache)
    portions = plan(place, before, definition)
    for portion in portions:
        if portion.staged is None and portion.columns is not None:
            connector_of(place, portion.item).require_unchanged(portion.item)
    order = items.order(before.entries, is_repeatable=place.connector.is_repeatable)
    return _reading(place, portions, definition, order, undeclared.columns_before(before.entries, run_date))


def plan(place: Place, before: Intake, definition: str) -> list[Portion]:
    """What is to be read: of the source's own items, and of rows that people have corrected."""
    return [
        portion
        for connector, corrected in ((place.connector, False), (place.corrections, True))
        for portion in items.plan(
            [entry for entry in before.entries if entry.item.is_corrected == corrected],
            before.nights,
            place.night.run_date,
            definition,
            partial(connector.discover, definition),
            connector.names(),
            is_repeatable=connector.is_repeatable,
        )
    ]


def connector_of(place: Place, item: Item) -> Connector:
    """The way to an item."""
    return place.corrections if item.is_corrected else place.connector


def _has_facts(place: Place, table: str) -> bool:
    """Whether a run of the night has stored facts."""
    if not arrow.exists(place.warehouse, table):
        return False
    files = scan.snapshot(place.warehouse, table).files
    return any(file.partition["ingested_on"] == place.night.run_date for file in files)


def _reading(
    place: Place,
    portions: Sequence[Portion],
    definition: str,
    order: Mapping[str, int],
    columns_before: frozenset[str] | None,
) -> Reading:
    others = _read_staged(place, [portion for portion in portions if portion.staged is not None], definition)
    corrected = [portion for portion in portions if portion.item.is_corrected]
    others += place.corrections.read(corrected) if corrected else []
    in_place = [portion for portion in portions if portion.staged is None and not portion.item.is_corrected]
    lying = [staging.carry(rows) for rows in place.connector.read(in_place)] if in_place else []
    new = _candidates(place, lying) if lying else None
    if new is None:
        rows = _candidates(place, others or [raw.of_texts(place.spark, list(place.source.columns))])
    else:
        rows = new.drop(facts.RAW, facts.TYPED)
        rows = rows.unionByName(_candidates(place, others)) if others else rows
    may_differ = [one.item.name for one in portions if one.after is None or not place.connector.is_repeatable]
    if len({order.get(name, len(order)) for name in may_differ}) > 1:
        rows = deduplication.of_last_items(rows, place.source, order)
    return Reading(portions, definition, order, rows, new, columns_before)


def stage(place: Place, reading: Reading) -> Reading:
    """Stage the rows of new items that may not lie there unchanged for long, and read them from there."""
    if reading.new is None or place.connector.is_lasting:
        return reading
    with restated(place.connector.failure):
        staged = _write_staged(place, reading.new, reading.definition)
    place.connector.close()
    portions = [portion.in_stage(*staged) for portion in reading.portions]
    return _reading(place, portions, reading.definition, reading.order, reading.columns_before)


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
        staged = _write_staged(place, later, reading.definition)
        portions = [portion.in_stage(*staged) for portion in portions]
    folders = {portion.staged for portion in portions if portion.staged is not None}
    waiting = {folder: staging.count_waiting(place.warehouse, folder, night.cutoff) for folder in folders}
    return [
        Entry(
            item=portion.item,
            definition=reading.definition,
            after=portion.after,
            until=night.cutoff,
            waiting=waiting.get(portion.staged or "", {}).get(portion.item.name, 0),
            staged=portion.staged,
            parts=portion.parts,
            whole=is_whole,
            columns=portion.columns or json.dumps(list(place.source.columns)),
            run_date=night.run_date,
            undeclared=portion.undeclared if portion.columns else _undeclared(place, portion.item),
        )
        for portion, is_whole in zip(portions, whole, strict=True)
    ]


def _undeclared(place: Place, item: Item) -> str | None:
    return undeclared.as_text(connector_of(place, item).columns_of(item), place.source.columns)


def _candidates(place: Place, batches: Sequence[DataFrame]) -> DataFrame:
    """Candidates of raw rows; those that are read with the same types are planned as one."""
    alike: dict[str, list[DataFrame]] = {}
    for rows in batches:
        alike.setdefault(rows.schema.json(), []).append(rows)
    together = [reduce(DataFrame.unionByName, members) for members in alike.values()]
    parts = [facts.candidates(rows, place.name, place.source, place.cache, place.zone) for rows in together]
    return reduce(DataFrame.unionByName, parts)


def _write_staged(place: Place, rows: DataFrame, definition: str) -> tuple[str, int]:
    with translate_expression_errors(place.name):
        typing = staging.typing_of(place.source, definition)
        return staging.write(rows, place.warehouse, place.name, place.night, typing)


def _read_staged(place: Place, portions: Sequence[Portion], definition: str) -> list[DataFrame]:
    """Staged rows, those of one folder and time at once."""
    groups: dict[tuple[str, datetime | None], list[Portion]] = {}
    for portion in portions:
        groups.setdefault((portion.staged or "", portion.after), []).append(portion)
    columns, typing = [*place.source.columns], staging.typing_of(place.source, definition)
    return [
        staging.read(place.spark, place.warehouse, place.name, members, columns, place.night.cutoff, typing)
        for members in groups.values()
    ]


def definition_of(source: Source, name: str) -> str:
    """Hash of all that decides how raw rows become facts: settings, and the content of lookups' files."""
    plain = dump(source, NOT_DECISIVE)
    plain["lookup_files"] = {
        one: digest_of(files.the_file(lookup.file, f"{name}.lookups.{one}")) for one, lookup in source.lookups.items()
    }
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
