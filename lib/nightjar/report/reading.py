"""The tables that a report reads, each pinned at one version; some may not exist yet."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from nightjar.masking.evidence import mask_evidence
from nightjar.masking.values import MASK, NOTHING_HIDDEN, Masking
from nightjar.tables import arrow
from nightjar.tables.warehouse import Warehouse

TABLES = (
    *("scores", "features", "performance", "drift", "references", "model_events", "experiments"),
    *("quality", "quarantine", "corrections", "runs", "signals", "verdicts", "triggers", "alerts"),
    *("retractions", "reviews"),
)


@dataclass(frozen=True)
class PinnedTables:
    """The tables as they were when the report began.

    Attributes:
        run_date: the night that is reported.
        versions: table -> Delta version, for the tables that exist.
        omission: why existing tables were not read; None if all were.
        masking: hides what sensitive columns hold: in evidence, in refused rows, and in messages.
    """

    warehouse: Warehouse
    run_date: date
    versions: dict[str, int]
    omission: str | None = None
    masking: Masking = NOTHING_HIDDEN

    def read(self, table: str, columns: Sequence[str], where: ds.Expression | None = None) -> pa.Table | None:
        """The rows that meet the condition; None where there is no such table."""
        if table not in self.versions:
            return None
        return arrow.read(self.warehouse, table, columns, where, self.versions[table])

    def rows(
        self, table: str, columns: Sequence[str], where: ds.Expression | None = None, apart: str | None = None
    ) -> list[dict[str, Any]]:
        """The same as dictionaries, masked; none where there is no such table.

        Args:
            table: its name.
            columns: of it.
            where: the condition.
            apart: a column whose different texts are to stay different: their masks have numbers.
        """
        selected = self.read(table, columns, where)
        if selected is None:
            return []
        rows = selected.to_pylist()
        shown = [self._masked(row) for row in rows]
        if apart is not None and self.masking.columns:
            pairs = [(row[apart], one[apart]) for row, one in zip(rows, shown, strict=True)]
            numbers = {text: n for n, text in enumerate(sorted({own for own, seen in pairs if own != seen}), 1)}
            for (own, seen), one in zip(pairs, shown, strict=True):
                one[apart] = seen if own == seen else seen.replace(MASK, f"{MASK[:-1]} {numbers[own]})")
        return shown

    def _masked(self, row: dict[str, Any]) -> dict[str, Any]:
        """A row as people may see it: JSON by what it says, other texts as messages.

        Tables that pages read row by row have no column of the feature table; one of theirs may be called like one.
        """
        if not self.masking.columns:
            return row
        shown = {name: self.masking.text(value) if isinstance(value, str) else value for name, value in row.items()}
        for name in {"evidence", "row"} & set(row):
            shown[name] = self._masked_json(name, row[name])
        return shown

    def _masked_json(self, name: str, text: str | None) -> str | None:
        try:
            content = json.loads(text or "null")
        except ValueError:
            return MASK
        if not isinstance(content, dict):
            return text
        shown = mask_evidence(content, self.masking) if name == "evidence" else self.masking.row(content)
        return json.dumps(shown, ensure_ascii=False)

    def columns(self, table: str) -> list[str]:
        """The names of a table's columns; none where there is no such table."""
        if table not in self.versions:
            return []
        return list(arrow.schema(self.warehouse, table, self.versions[table]).names)

    def of_night(self) -> ds.Expression:
        """The condition that a row belongs to the reported night."""
        return pc.field("run_date") == self.run_date

    def absence(self, table: str, rows: str = "rows") -> str:
        """Why there is nothing to show from a table, in words."""
        if table not in self.versions and self.omission is not None:
            return f"The table {table} was left out: {self.omission}"
        if table not in self.versions:
            return f"The table {table} does not exist yet in this warehouse."
        return f"The table {table} has no {rows} for {self.run_date}."


def nan_to_none(value: float | None) -> float | None:
    """The value, or None if it is NaN."""
    return None if value is None or math.isnan(value) else value


def open_tables(warehouse: Warehouse, run_date: date, masking: Masking = NOTHING_HIDDEN) -> PinnedTables:
    """The tables that exist, at their latest versions."""
    return PinnedTables(warehouse, run_date, arrow.versions(warehouse, TABLES), masking=masking)


def open_runs(warehouse: Warehouse, run_date: date, omission: str, masking: Masking = NOTHING_HIDDEN) -> PinnedTables:
    """The runs alone, where other tables cannot be read."""
    return PinnedTables(warehouse, run_date, arrow.versions(warehouse, ("runs",)), omission, masking)
