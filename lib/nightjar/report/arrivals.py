"""What each source brought to the night, beside what earlier nights had."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Any

import pyarrow.compute as pc

from nightjar.report.reading import Snapshot
from nightjar.tables.quality import ARRIVED, WARN

NIGHTS = 28
"""Earlier nights that say what is typical."""


@dataclass(frozen=True)
class Arrival:
    """The facts of one source that became known since the run before.

    Attributes:
        typical: the median of the earlier nights, the first load and those that brought too little left out; None:
            there are none.
        amiss: what ingest found amiss, in words; None: nothing.
    """

    source: str
    rows: int
    of: int
    typical: float | None
    nights: int
    amiss: str | None

    def is_short(self) -> bool:
        """Whether it is amiss, or less than half of what is typical."""
        return self.amiss is not None or (self.typical is not None and self.rows < self.typical / 2)


def read_arrivals(tables: Snapshot) -> list[Arrival]:
    """Each source of the night by name; nothing where no ingest has counted it."""
    if "status" not in tables.columns("quality"):  # written before arrivals were judged
        return []
    columns = ["source", "rows", "of", "run_date", "status", "message"]
    where = (pc.field("check") == ARRIVED) & (pc.field("run_date") <= tables.run_date)
    by_source: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(tables.rows("quality", columns, where), key=lambda row: row["run_date"]):
        by_source.setdefault(str(row["source"]), []).append(row)
    return [_arrival(source, rows) for source, rows in sorted(by_source.items()) if _is_of(rows[-1], tables.run_date)]


def _is_of(row: dict[str, Any], night: date) -> bool:
    return bool(row["run_date"] == night)


def _arrival(source: str, rows: Sequence[dict[str, Any]]) -> Arrival:
    """From what is recorded of the source, the night last."""
    night = rows[-1]
    usual = [row["rows"] for row in rows[1:-1] if row["status"] != WARN][-NIGHTS:]
    amiss = (night["message"] or "less than expected") if night["status"] == WARN else None
    return Arrival(source, night["rows"], night["of"], median(usual) if usual else None, len(usual), amiss)
