"""The facts that each source brought to the night, compared with earlier nights."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Any

import pyarrow.compute as pc

from nightjar.report.reading import PinnedTables
from nightjar.tables.quality import ARRIVED, WARN

NIGHTS = 28
"""How many earlier nights decide what is typical."""


@dataclass(frozen=True)
class SourceArrival:
    """The facts of one source that became known since the run before.

    Attributes:
        typical: the median of the earlier nights, without the first load and those that brought too little; None if
            there are none.
        amiss: the warning of ingest; None if there is none.
    """

    source: str
    rows: int
    of: int
    typical: float | None
    nights: int
    amiss: str | None

    def is_short(self) -> bool:
        """Whether ingest warned of it, or it is less than half of what is typical."""
        return self.amiss is not None or (self.typical is not None and self.rows < self.typical / 2)


def read_arrivals(tables: PinnedTables) -> list[SourceArrival]:
    """The arrival of each source that the night's ingest has counted, by name."""
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


def _arrival(source: str, rows: Sequence[dict[str, Any]]) -> SourceArrival:
    """The arrival of a source from its rows of `quality`, the night's last."""
    night = rows[-1]
    usual = [row["rows"] for row in rows[1:-1] if row["status"] != WARN][-NIGHTS:]
    amiss = (night["message"] or "less than expected") if night["status"] == WARN else None
    return SourceArrival(source, night["rows"], night["of"], median(usual) if usual else None, len(usual), amiss)
