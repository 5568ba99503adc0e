"""Performance of earlier predictions, on the outcomes known by the night."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow.compute as pc

from nightjar.report.figures import JudgedFigure
from nightjar.report.reading import PinnedTables, nan_to_none

_BOUNDS = ("low", "high", "rows", "reason")
"""Columns that tables of an earlier Nightjar lack."""
OF_ESTIMATES = "estimate"
"""The subject of figures of the champion's predictions before their labels are known."""


@dataclass(frozen=True)
class SliceEstimate:
    """What is expected of one slice of the night; without interval the reason says why.

    Attributes:
        interval_coverage: the share of its nights before whose interval had what came; None: too few, or none.
    """

    figure: JudgedFigure
    interval_coverage: float | None


@dataclass(frozen=True)
class Estimates:
    """A measure of dates whose labels are not known yet, as monitoring estimates it.

    Attributes:
        by_date: date -> figure of all rows, the latest first; of a figure without a value the reason says why.
        interval_coverage: the share of the nights before whose interval had what came; None: too few, or none.
        slices: slice -> what is expected of it on the reported night.
    """

    by_date: dict[date, JudgedFigure]
    interval_coverage: float | None
    slices: dict[str, SliceEstimate] = field(default_factory=dict)

    @property
    def reason(self) -> str | None:
        """Why the latest date has no interval; None: it has."""
        latest = next(iter(self.by_date.values()), None)
        return None if latest is None or latest.low is not None else latest.reason


@dataclass(frozen=True)
class JudgedDate:
    """The performance of one date's served predictions as of the reported night.

    It is that of rows that nobody has acted on, where this is recorded: the champion's promise is of such rows, and
    acting well would look like decay.

    Attributes:
        values: measure -> value; null where it is undefined.
        figures: the same with intervals; figures of an earlier Nightjar have none.
        slices: slice -> measure -> figure, of the rows of a decile of scores or of a class, those acted on included.
        is_provisional: whether some outcome of the date may still become known.
        version: the model that predicted.
        acted_on: judged rows that somebody has acted on.
    """

    day: date
    values: dict[str, float | None]
    is_provisional: bool
    version: str | None
    figures: dict[str, JudgedFigure] = field(default_factory=dict)
    slices: dict[str, dict[str, JudgedFigure]] = field(default_factory=dict)
    acted_on: int = 0


def read_performance(tables: PinnedTables) -> list[JudgedDate]:
    """Every judged date as of the night, the latest first."""
    return _judged(tables, tables.of_night())


def read_performance_of(tables: PinnedTables, version: str) -> list[JudgedDate]:
    """The dates that a version has predicted, each as of the last night that has judged it, the latest first."""
    return _judged(tables, pc.field("model_version") == version)


def _judged(tables: PinnedTables, where: pc.Expression) -> list[JudgedDate]:
    by_date: dict[date, list[dict[str, Any]]] = {}
    for row in _rows(tables, where):
        if row["subject"] == "champion":
            by_date.setdefault(row["evaluated_date"], []).append(row)
    return [_date_of_rows(day, _as_judged_last(by_date[day])) for day in sorted(by_date, reverse=True)]


def _rows(tables: PinnedTables, where: pc.Expression) -> list[dict[str, Any]]:
    """Realised and estimated figures, read together so that a masked slice has the same number in both."""
    columns = ["evaluated_date", "subject", "slice", "measure", "value", "provisional", "model_version", "run_date"]
    stored = tables.columns("performance")
    columns += [name for name in (*_BOUNDS, "interval_coverage") if name in stored]
    of_both = where & pc.field("subject").isin(["champion", OF_ESTIMATES])
    return tables.rows("performance", columns, of_both, apart="slice")


def _as_judged_last(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    last = max(row["run_date"] for row in rows)
    return [row for row in rows if row["run_date"] == last]


def read_estimates(tables: PinnedTables, name: str) -> Estimates:
    """What is estimated of a measure: of all rows of each date, and of each slice of the night."""
    own = [row for row in _rows(tables, tables.of_night()) if (row["subject"], row["measure"]) == (OF_ESTIMATES, name)]
    of_all = sorted((row for row in own if row["slice"] == "all"), key=lambda row: row["evaluated_date"], reverse=True)
    coverage = next((row["interval_coverage"] for row in of_all if row["interval_coverage"] is not None), None)
    slices = {
        row["slice"]: SliceEstimate(_figure(row), row["interval_coverage"])
        for row in own
        if row["slice"] != "all" and row["evaluated_date"] == tables.run_date
    }
    return Estimates({row["evaluated_date"]: _figure(row) for row in of_all}, coverage, slices)


def latest_with(judged: list[JudgedDate], name: str) -> tuple[JudgedDate, float] | None:
    """The latest date on which a measure is defined, and its value."""
    return next(((night, value) for night in judged if (value := night.values.get(name)) is not None), None)


def _date_of_rows(day: date, rows: list[dict[str, Any]]) -> JudgedDate:
    slices: dict[str, dict[str, JudgedFigure]] = {}
    for row in rows:
        slices.setdefault(row["slice"], {})[row["measure"]] = _figure(row)
    figures, acted = slices.pop("all", {}), slices.pop("acted", {})
    if acted:  # how many outcomes are known is told of all rows alone
        figures = {name: one for name, one in figures.items() if name == "matured_share"}
    figures |= slices.pop("not_acted", {})
    return JudgedDate(
        day,
        {name: one.value for name, one in figures.items()},
        any(row["provisional"] for row in rows),
        next((row["model_version"] for row in sorted(rows, key=lambda row: str(row["measure"]))), None),
        figures,
        slices,
        int(acted["rows"].value or 0) if "rows" in acted else 0,
    )


def _figure(row: dict[str, Any]) -> JudgedFigure:
    low, high, rows, reason = (row.get(name) for name in _BOUNDS)
    return JudgedFigure(nan_to_none(row["value"]), low, high, rows or 0, reason)
