"""The table `intake`: what each night has read of each source.

Its rows are written before the facts. They count once the commit of the facts has stored their digest in the source's
table: a run that died in between has read nothing.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any

import pyarrow.compute as pc

from nightjar.sources.items import Entry, Item
from nightjar.tables import arrow, opening
from nightjar.tables.source_definitions import INTAKE
from nightjar.tables.warehouse import Warehouse

MARK = "intake/"
"""Of the name, followed by the night, under which a source's table stores the digest of what the night has read."""


@dataclass(frozen=True)
class Intake:
    """What all finished nights have read of one source.

    Attributes:
        entries: what each has read.
        nights: their run dates; a night may have read nothing.
    """

    entries: Sequence[Entry]
    nights: Collection[date]


def read(warehouse: Warehouse, source: str, table: str) -> Intake:
    """What finished nights have read of a source.

    Args:
        warehouse: where the tables lie.
        source: its name.
        table: name of its table.
    """
    delta_table = opening.find(warehouse, table)
    if delta_table is None or not arrow.exists(warehouse, INTAKE.name):
        return Intake((), ())
    by_run: dict[tuple[date, str], list[Entry]] = {}
    for row in arrow.read(warehouse, INTAKE.name, where=pc.field("source") == source).to_pylist():
        entries = by_run.setdefault((row["run_date"], row["run_id"]), [])
        if row["item"] is not None:
            entries.append(_entry(row))
    counting = {
        run_date: entries
        for (run_date, _), entries in by_run.items()
        if digest(entries) == delta_table.transaction_version(f"{MARK}{run_date}")
    }
    return Intake([entry for entries in counting.values() for entry in entries], counting.keys())


def store(warehouse: Warehouse, entries_of: Mapping[str, Sequence[Entry]], run_date: date, run_id: str) -> int:
    """Append what a run has read.

    Args:
        warehouse: where the table lies.
        entries_of: source -> what has been read of it; of a source of which there was nothing new, one row says so.
        run_date: the night.
        run_id: of this run.

    Returns:
        The table's new version.
    """
    rows = [
        row | {"source": name, "run_date": run_date, "run_id": run_id}
        for name, entries in entries_of.items()
        for row in (map(_row, entries) if entries else [{}])
    ]
    return arrow.append(warehouse, INTAKE, rows, run_id)


def marks(entries: Iterable[Entry], run_date: date) -> dict[str, int]:
    """What the commit of a night's facts stores in the source's table."""
    return {f"{MARK}{run_date}": digest(entries)}


def digest(entries: Iterable[Entry]) -> int:
    """A number of 62 bits that stands for what a night has read, in whatever order."""
    texts = sorted(_key(entry) for entry in entries)
    return int.from_bytes(hashlib.sha256(json.dumps(texts).encode()).digest()[:8]) >> 2


def _key(entry: Entry) -> str:
    values = {name: value for name, value in _row(entry).items() if value is not None}  # columns may be added later
    return json.dumps(values, default=str, sort_keys=True)


def _row(entry: Entry) -> dict[str, Any]:
    plain = asdict(entry)
    item = plain.pop("item")
    return plain | {name: value for name, value in item.items() if name != "name"} | {"item": entry.item.name}


def _entry(row: Mapping[str, Any]) -> Entry:
    item = Item(row["item"], row["digest"], row["size"], row["modified"], row["begins"])
    plain = {"undeclared": None, **row}  # a table of before has no such column
    return Entry(item, **{field.name: plain[field.name] for field in fields(Entry) if field.name != "item"})
