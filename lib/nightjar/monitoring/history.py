"""What earlier run dates have found out about predictions: final figures, past estimates, and how labels came in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.evaluation.followed import ALL
from nightjar.monitoring.judged_rows import ROLE
from nightjar.tables import arrow
from nightjar.tables.monitoring_definitions import PERFORMANCE
from nightjar.tables.warehouse import Warehouse

MATURED = "matured_share"
REALISED, ESTIMATED = "realised", "estimated"
ESTIMATE = "estimate"
"""Subject of the figures that are estimated; the start of those of each method."""
_NEWER = ("low", "high", "rows")
"""Columns that tables of an earlier Nightjar lack."""
_COLUMNS = (
    *("evaluated_date", "subject", "slice", "measure", "value", *_NEWER),
    *("provisional", "model_version", "run_date"),
)
Row = Mapping[str, Any]
Key = tuple[str, str]
"""Slice and measure."""


@dataclass(frozen=True)
class History:
    """Rows of `performance` of run dates before this one.

    Attributes:
        final: final figures of the champions' predictions, by night, each as it was judged last.
        estimates: subject of a way to estimate, slice and measure -> night -> what was expected of it at first; None:
            nothing was.
        shares: days since a night -> the shares of labels that nights so old had, the oldest judgement first.
    """

    final: Mapping[date, Mapping[Key, Row]]
    estimates: Mapping[tuple[str, str, str], Mapping[date, float | None]]
    shares: Mapping[int, Sequence[float]]

    def versions(self) -> dict[date, str]:
        """Night -> the model version whose final figures are stored."""
        judged = {night: rows.get((ALL, MATURED)) for night, rows in self.final.items()}
        return {night: row["model_version"] for night, row in judged.items() if row is not None}

    def figures(self, version: str, tonight: Iterable[Row]) -> dict[date, dict[Key, Row]]:
        """Final figures of one version's nights, ascending: as earlier run dates have judged them, or this one does."""
        nights: dict[date, dict[Key, Row]] = {night: dict(rows) for night, rows in self.final.items()}
        added: dict[date, dict[Key, Row]] = {}
        for row in tonight:
            if row["subject"] == ROLE and not row["provisional"]:
                added.setdefault(row["evaluated_date"], {})[row["slice"], row["measure"]] = row
        nights |= added
        own = {night: rows for night, rows in nights.items() if _version(rows) == version}
        return dict(sorted(own.items()))


def read_history(warehouse: Warehouse, run_date: date) -> History:
    """What earlier run dates have stored; the same whatever later ones have."""
    rows = _rows(warehouse, run_date)
    if rows is None:
        return History({}, {}, {})
    columns: Any = rows
    is_role = pc.equal(columns["subject"], pa.scalar(ROLE))
    is_final = pc.and_(is_role, pc.invert(columns["provisional"]))
    final: dict[date, dict[Key, Row]] = {}
    for row in _judged_last(rows.filter(is_final)).to_pylist():
        final.setdefault(row["evaluated_date"], {})[row["slice"], row["measure"]] = row
    estimates: dict[tuple[str, str, str], dict[date, float | None]] = {}
    of_ways: Any = rows.filter(pc.starts_with(columns["subject"], f"{ESTIMATE}_"))
    names = ("subject", "slice", "measure", "evaluated_date", "value")
    for *key, night, value in zip(*(of_ways[name].to_pylist() for name in names), strict=True):
        estimates.setdefault((key[0], key[1], key[2]), {}).setdefault(night, value)
    shares: dict[int, list[float]] = {}
    of_all = pc.and_(pc.equal(columns["measure"], pa.scalar(MATURED)), pc.equal(columns["slice"], pa.scalar(ALL)))
    for row in rows.filter(pc.and_(is_role, of_all)).to_pylist():
        if row["value"] is not None:
            shares.setdefault((row["run_date"] - row["evaluated_date"]).days, []).append(row["value"])
    return History(final, estimates, shares)


def _rows(warehouse: Warehouse, run_date: date) -> pa.Table | None:
    """The rows that are followed, in the order of their run dates; None: there are none."""
    if not arrow.exists(warehouse, PERFORMANCE.name):
        return None
    stored = arrow.schema(warehouse, PERFORMANCE.name).names
    columns = [name for name in _COLUMNS if name in stored or name not in _NEWER]
    is_followed = ~pc.field("provisional") | (pc.field("measure") == MATURED)
    if "basis" in stored:
        is_followed |= pc.field("basis") == ESTIMATED
    where = (pc.field("run_date") < run_date) & is_followed
    rows = arrow.read(warehouse, PERFORMANCE.name, columns, where)
    return rows.sort_by([(name, "ascending") for name in ("run_date", "evaluated_date", "subject", "slice", "measure")])


def _judged_last(rows: pa.Table) -> pa.Table:
    """Of each night the rows of the last run date that has judged it, in their order."""
    days, last = rows["evaluated_date"].to_numpy(), rows["run_date"].to_numpy()
    number = np.unique(days, return_inverse=True)[1]
    newest = np.full(int(number.max(initial=-1)) + 1, np.datetime64("0000-01-01", "D"))
    np.maximum.at(newest, number, last)
    return rows.filter(pa.array(last == newest[number]))


def _version(rows: Mapping[Key, Row]) -> str | None:
    return next((row["model_version"] for row in rows.values()), None)
