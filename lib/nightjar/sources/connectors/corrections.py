"""Corrected rows as items: those that one run of the job quarantine has taken, from a night on."""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession

from nightjar.errors import SourceError
from nightjar.sources.connectors.connector import Connector, Rows
from nightjar.sources.formats import raw
from nightjar.sources.formats.provenance import FOLDER
from nightjar.sources.items import OF_CORRECTIONS, Discovery, Entry, Item, Portion
from nightjar.sources.raw_columns import REPAIRED
from nightjar.tables import arrow
from nightjar.tables.corrections import CORRECTED
from nightjar.tables.source_definitions import CORRECTIONS
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import moment


@dataclass(frozen=True)
class CorrectionsConnector(Connector):
    """A way to the corrected rows of a source, whatever its other rows come from, see `Connector`.

    Attributes:
        spark: the session.
        warehouse: where the tables lie.
        source: name of the source.
        columns: those that are read.
        run_date: the night.
    """

    spark: SparkSession
    warehouse: Warehouse
    source: str
    columns: Sequence[str]
    run_date: date
    is_repeatable = True
    is_lasting = True

    def discover(self, definition: str, read: Mapping[str, Entry]) -> Discovery:
        """Corrections that hold from the night or one before, and that no other night has read by these settings."""
        due = self._due()
        new = [item for item in due if item.name not in read or read[item.name].definition != definition]
        return Discovery(new, {item.name for item in due})

    def names(self) -> Callable[[str], bool]:
        """All of them: settings name none."""
        return lambda item: item.startswith(OF_CORRECTIONS)

    def require_unchanged(self, item: Item) -> None:
        """Refuse corrections that are gone: their table is only ever appended to."""
        if item.name not in self._by_name or _item(item.name, self._by_name[item.name]) != item:
            raise SourceError(
                f"Source {self.source}: this night has read {item.name}, which table {CORRECTIONS.name} at "
                f"{self.warehouse.path(CORRECTIONS.name)} does not hold as it was. Put the table back from a backup to "
                "run this night again. Nothing was written."
            )

    def read(self, portions: Sequence[Portion]) -> Rows:
        """Rows of repaired texts that are of no dialect; a column that was declared later is null."""
        rows = [
            (json.loads(row["row"]), portion.item.name)
            for portion in portions
            for row in self._by_name[portion.item.name]
        ]
        metadata = {name: {FOLDER: True, REPAIRED: True} for name in self.columns}
        return [raw.of_texts(self.spark, self.columns, rows, metadata)]

    def unread(self, read: Collection[str]) -> DataFrame:
        """The rows of corrections that no night has read and that hold from the night or one before.

        Args:
            read: names of items that nights have read.
        """
        (rows,) = self.read([Portion(item) for item in self._due() if item.name not in read])
        return rows

    def _due(self) -> list[Item]:
        return [_item(name, rows) for name, rows in self._by_name.items() if rows[0]["run_date"] <= self.run_date]

    @cached_property
    def _by_name(self) -> Mapping[str, list[dict[str, Any]]]:
        """Name of each item -> rows of the table."""
        if not arrow.exists(self.warehouse, CORRECTIONS.name):
            return {}
        where = (pc.field("source") == self.source) & (pc.field("action") == CORRECTED)
        by_name: dict[str, list[dict[str, Any]]] = {}
        for row in arrow.read(self.warehouse, CORRECTIONS.name, where=where).to_pylist():
            by_name.setdefault(f"{OF_CORRECTIONS}{row['run_id']}", []).append(row)
        return by_name


def _item(name: str, rows: Sequence[Mapping[str, Any]]) -> Item:
    texts = sorted(row["row"] for row in rows)
    digest = hashlib.sha256(json.dumps(texts).encode()).hexdigest()
    return Item(name, digest, len(rows), max(moment(row["decided_at"]) for row in rows) * 1000)
