"""The form of a table's definition."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

INSTANT = pa.timestamp("us", tz="UTC")
COUNTS = pa.map_(pa.string(), pa.int64())
SECONDS = pa.map_(pa.string(), pa.float64())
TEXTS = pa.map_(pa.string(), pa.string())
FEED: Mapping[str, str] = {"delta.enableChangeDataFeed": "true"}
"""Property of tables whose changes others read."""
CONTRACT = "nightjar.contract"
"""How the properties begin that say what readers may rely on."""


@dataclass(frozen=True)
class Column:
    """One column: its Arrow type and what it means."""

    name: str
    type: pa.DataType
    comment: str


@dataclass(frozen=True)
class Table:
    """One table: `key` identifies a row, `partition_by` is what a rerun replaces, `properties` are set in Delta."""

    name: str
    comment: str
    key: tuple[str, ...]
    partition_by: tuple[str, ...]
    written_by: str
    columns: tuple[Column, ...]
    properties: dict[str, str] = field(default_factory=dict)

    def schema(self) -> pa.Schema:
        """The Arrow schema, with each column's meaning as its comment."""
        return pa.schema([pa.field(c.name, c.type, metadata={"comment": c.comment}) for c in self.columns])

    def description(self) -> str:
        """The table's comment, with its key and writer, as stored in Delta."""
        return f"{self.comment} Key: {', '.join(self.key)}. Written by: {self.written_by}."

    def contract(self) -> dict[str, str]:
        """The properties that say what readers may rely on; tables of before get them, too."""
        return {name: text for name, text in self.properties.items() if name.startswith(CONTRACT)}


RUN_ID = Column("run_id", pa.string(), "the run that wrote this row, see table runs")
RUN_DATE = Column("run_date", pa.date32(), "the night: local date in the project's zone")


def columns_of(schema: pa.Schema, comment: str) -> tuple[Column, ...]:
    """The columns of a schema, all with one meaning."""
    return tuple(Column(field.name, field.type, comment) for field in schema)


def contract(version: int, promise: str) -> dict[str, str]:
    """The properties of a table that others read: what they may rely on, in words, and the number of that promise."""
    return {CONTRACT: promise, f"{CONTRACT}.version": str(version)}
