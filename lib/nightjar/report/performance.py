"""Performance of earlier predictions, on the outcomes known by the night."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow.compute as pc
from markupsafe import Markup

from nightjar.report.champion import Champion
from nightjar.report.charts import Dot, over_dates
from nightjar.report.figures import JudgedFigure
from nightjar.report.formatting import figure, interval, measure
from nightjar.report.reading import PinnedTables, nan_to_none

_BOUNDS = ("low", "high", "rows", "reason")
"""Columns that tables of an earlier Nightjar lack."""


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
    columns = ["evaluated_date", "slice", "measure", "value", "provisional", "model_version", "run_date"]
    columns += [name for name in _BOUNDS if name in tables.columns("performance")]
    by_date: dict[date, list[dict[str, Any]]] = {}
    for row in tables.rows("performance", columns, where & (pc.field("subject") == "champion")):
        by_date.setdefault(row["evaluated_date"], []).append(row)
    return [_date_of_rows(day, _as_judged_last(by_date[day])) for day in sorted(by_date, reverse=True)]


def _as_judged_last(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    last = max(row["run_date"] for row in rows)
    return [row for row in rows if row["run_date"] == last]


def latest_with(judged: list[JudgedDate], name: str) -> tuple[JudgedDate, float] | None:
    """The latest date on which a measure is defined, and its value."""
    return next(((night, value) for night in judged if (value := night.values.get(name)) is not None), None)


def chart(judged: list[JudgedDate], champion: Champion | None, name: str) -> Markup | None:
    """A measure by date, with the interval of the champion's promise as a band; None where no date has it."""
    dots = [
        Dot(night.day, value, night.is_provisional) for night in judged if (value := night.values.get(name)) is not None
    ]
    if not dots:
        return None
    promise = champion.promise if champion else None
    estimate = promise.of_champion(name) if promise else None
    bounds = (estimate.low, estimate.high) if estimate else (None, None)
    band = (bounds[0], bounds[1]) if bounds[0] is not None and bounds[1] is not None else None
    latest = dots[0]
    title = f"{measure(name)} of {len(dots)} judged dates; the latest, {latest.day}, has {figure(latest.value)}"
    if band is not None:
        title += f"; the promised interval is {interval(*band)}"
    return over_dates(dots[::-1], band, title)


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
