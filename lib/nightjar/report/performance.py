"""Performance of earlier predictions, on the outcomes known by the night."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, TypeAlias

import pyarrow.compute as pc

from nightjar.report.figures import JudgedFigure
from nightjar.report.reading import PinnedTables, nan_to_none

_BOUNDS = ("low", "high", "rows", "reason")
PROMISED = ("at_training", "baseline")
_LATER = (*_BOUNDS, *PROMISED, "interval_coverage")
"""Columns that tables of an earlier Nightjar lack."""
SUBJECTS = OF_CHAMPION, OF_ESTIMATES, OF_CHALLENGER = "champion", "estimate", "challenger"
"""Of figures of the champion's predictions, of those before their labels are known, and of a challenger's."""
Figures: TypeAlias = dict[date, list[dict[str, Any]]]
"""Evaluated date -> rows of the table `performance`."""
DAYS = 60
"""Nights whose judgements are shown, as far as no later one has judged the same date, and days of a chart of dates."""


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


def _last_judged(tables: PinnedTables) -> dict[date, date]:
    """Evaluated date -> the last run date, up to the night, that says something of it.

    A date is followed until a week after its labels are final: what was judged last holds then. Where the
    night itself says nothing of any date there are none.
    """
    since = tables.run_date - timedelta(days=DAYS)
    where = (pc.field("run_date") > since) & (pc.field("run_date") <= tables.run_date)
    where &= pc.field("subject").isin([OF_CHAMPION, OF_ESTIMATES])
    rows = tables.read("performance", ["evaluated_date", "run_date"], where)
    if rows is None:
        return {}
    last = rows.group_by("evaluated_date").aggregate([("run_date", "max")]).to_pylist()
    nights = {row["evaluated_date"]: row["run_date_max"] for row in last}
    return nights if tables.run_date in nights.values() else {}


def read_figures(tables: PinnedTables) -> Figures:
    """Evaluated date -> the rows of `SUBJECTS`, realised and estimated, as the date's last run date says them.

    They are read once, and together: a masked slice has the same number in all of them.
    """
    nights = _last_judged(tables)
    as_of = pc.scalar(False)
    for night in sorted(set(nights.values())):
        days = [day for day, last in nights.items() if last == night]
        as_of |= (pc.field("run_date") == night) & pc.field("evaluated_date").isin(days)
    columns = ["evaluated_date", *_columns(tables)]
    by_date: Figures = {}
    for row in tables.rows("performance", columns, pc.field("subject").isin(SUBJECTS) & as_of, apart="slice"):
        by_date.setdefault(row["evaluated_date"], []).append(row)
    return by_date


def read_performance(figures: Figures) -> list[JudgedDate]:
    """Every judged date of `read_figures`, the latest first."""
    by_date = {day: [row for row in rows if row["subject"] == OF_CHAMPION] for day, rows in figures.items()}
    return [_date_of_rows(day, by_date[day]) for day in sorted(by_date, reverse=True) if by_date[day]]


def read_performance_of(tables: PinnedTables, version: str) -> list[JudgedDate]:
    """The dates that a version has predicted, each as of the last night that has judged it, the latest first."""
    by_date: dict[date, list[dict[str, Any]]] = {}
    where = (pc.field("model_version") == version) & (pc.field("subject") == OF_CHAMPION)
    for row in tables.rows("performance", ["evaluated_date", *_columns(tables)], where, apart="slice"):
        by_date.setdefault(row["evaluated_date"], []).append(row)
    return [_date_of_rows(day, _as_judged_last(by_date[day])) for day in sorted(by_date, reverse=True)]


def _columns(tables: PinnedTables) -> list[str]:
    columns = ["run_date", "subject", "slice", "measure", "value", "provisional", "model_version"]
    return columns + [name for name in _LATER if name in tables.columns("performance")]


def _as_judged_last(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    last = max(row["run_date"] for row in rows)
    return [row for row in rows if row["run_date"] == last]


def read_estimates(figures: Figures, night: date, name: str) -> Estimates:
    """What the night estimates of a measure: of all rows of each date, and of each slice of the night.

    Args:
        figures: see `read_figures`.
        night: the reported one.
        name: of the measure.
    """
    own = {
        day: [row for row in rows if (row["subject"], row["measure"], row["run_date"]) == (OF_ESTIMATES, name, night)]
        for day, rows in sorted(figures.items(), reverse=True)
    }
    of_all = {day: row for day, rows in own.items() for row in rows if row["slice"] == "all"}
    coverage = next(
        (row.get("interval_coverage") for row in of_all.values() if row.get("interval_coverage") is not None), None
    )
    slices = {
        row["slice"]: SliceEstimate(figure_of(row), row.get("interval_coverage"))
        for row in own.get(night, [])
        if row["slice"] != "all"
    }
    return Estimates({day: figure_of(row) for day, row in of_all.items()}, coverage, slices)


def latest_with(judged: list[JudgedDate], name: str) -> tuple[JudgedDate, float] | None:
    """The latest date on which a measure is defined, and its value."""
    return next(((night, value) for night in judged if (value := night.values.get(name)) is not None), None)


def _date_of_rows(day: date, rows: list[dict[str, Any]]) -> JudgedDate:
    slices: dict[str, dict[str, JudgedFigure]] = {}
    for row in rows:
        slices.setdefault(row["slice"], {})[row["measure"]] = figure_of(row)
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


def figure_of(row: Mapping[str, Any]) -> JudgedFigure:
    """The figure of a row of the table `performance`."""
    low, high, rows, reason = (row.get(name) for name in _BOUNDS)
    return JudgedFigure(nan_to_none(row["value"]), low, high, rows or 0, reason)
