"""Refused rows, and what people have decided about them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pyarrow.dataset as ds

from nightjar.tables import arrow
from nightjar.tables.source_definitions import CORRECTIONS, QUARANTINE
from nightjar.tables.warehouse import Warehouse

CORRECTED, DISMISSED = "corrected", "dismissed"


@dataclass(frozen=True)
class RefusedRow:
    """A row that a night has refused.

    Attributes:
        source: name of its source.
        row_hash: SHA-256 of its content.
        reasons: every check that it failed.
        texts: its raw columns.
        night: that has refused it.
        decision: `CORRECTED` or `DISMISSED`; None: it is open.
    """

    source: str
    row_hash: str
    reasons: tuple[str, ...]
    texts: Mapping[str, str | None]
    night: date
    decision: str | None


def refused_rows(warehouse: Warehouse, where: ds.Expression | None = None) -> list[RefusedRow]:
    """Rows of `quarantine` that meet a condition, by night, source and hash."""
    if not arrow.exists(warehouse, QUARANTINE.name):
        return []
    decisions: dict[tuple[str, str], str] = {}
    if arrow.exists(warehouse, CORRECTIONS.name):
        rows = arrow.read(warehouse, CORRECTIONS.name, ["source", "row_hash", "action"]).to_pylist()
        decisions = {(row["source"], row["row_hash"]): row["action"] for row in rows}
    refused = [
        RefusedRow(
            row["source"],
            row["row_hash"],
            tuple(row["reasons"] or ()),
            {name: _text(value) for name, value in json.loads(row["row"]).items()},
            row["run_date"],
            decisions.get((row["source"], row["row_hash"])),
        )
        for row in arrow.read(warehouse, QUARANTINE.name, where=where).to_pylist()
    ]
    return sorted(refused, key=lambda row: (row.night, row.source, row.row_hash))


def _text(value: object) -> str | None:
    """Numbers and booleans are of rows that were refused before all values were stored as texts."""
    return value if value is None or isinstance(value, str) else json.dumps(value)
