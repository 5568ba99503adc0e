"""How a project goes over its nights: performance, drift, what was amiss, scores, seconds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow.compute as pc
from markupsafe import Markup

from nightjar.errors import TableError
from nightjar.report import period_charts
from nightjar.report.drift import OF_ALL
from nightjar.report.formatting import figure, measure
from nightjar.report.measures import shown_measures
from nightjar.report.period_charts import every_day, frame_of
from nightjar.report.reading import PinnedTables, nan_to_none
from nightjar.settings.label import Label
from nightjar.settings.project import Project

NIGHTS = 180
"""Nights of a trend, at most."""
_Values = Mapping[date, float | None]


@dataclass(frozen=True)
class Trend:
    """A chart with its caption; without a picture the caption says why there is none."""

    caption: str
    picture: Markup | None


def trends(tables: PinnedTables, project: Project) -> list[Trend]:
    """What there is to draw of the nights up to the tables' date; of a damaged table that it cannot be read."""
    readers: list[tuple[str, Callable[[PinnedTables], Trend | None]]] = [
        ("performance", lambda own: _performance(own, project.label)),
        ("drift", _drift),
        ("signals", _amiss),
        ("runs", _scores),
        ("runs", _seconds),
    ]
    return [trend for table, read in readers if (trend := _safely(table, read, tables)) is not None]


def _safely(table: str, read: Callable[[PinnedTables], Trend | None], tables: PinnedTables) -> Trend | None:
    """A night's page must not be missing for the sake of an old file of another night."""
    try:
        return read(tables)
    except TableError as error:
        return Trend(f"Not drawn: the table {table} cannot be read. {error}", None)


def since(tables: PinnedTables) -> pc.Expression:
    """The condition that a row is of the nights that are drawn."""
    first = tables.run_date - timedelta(days=NIGHTS - 1)
    return (pc.field("run_date") >= first) & (pc.field("run_date") <= tables.run_date)


def _performance(tables: PinnedTables, label: Label) -> Trend | None:
    """The main measure of each date, as it was judged last; that of rows that nobody acted on where it is recorded."""
    name = shown_measures(label).first.name
    where = since(tables) & (pc.field("subject") == "champion") & (pc.field("measure") == name)
    where &= pc.field("slice").isin(["all", "not_acted"])
    there = [one for one in ("low", "high") if one in tables.columns("performance")]
    rows = tables.rows("performance", ["evaluated_date", "run_date", "slice", "value", *there], where)
    last = {row["evaluated_date"]: row for row in sorted(rows, key=lambda row: (row["run_date"], row["slice"]))}
    if not last:
        return None
    nights = every_day(last)
    of = {one: [nan_to_none(last.get(day, {}).get(one)) for day in nights] for one in ("low", "value", "high")}
    title = f"{measure(name)} of {len(last)} judged dates; the last, {nights[-1]}, has {figure(of['value'][-1])}"
    drawn = period_charts.spread(frame_of(nights), of["low"], of["value"], of["high"], title, figure)
    return Trend(f"{measure(name)} by date, as labels say by now", drawn)


def _drift(tables: PinnedTables) -> Trend | None:
    where = since(tables) & (pc.field("subject") == OF_ALL) & (pc.field("measure") == "maximum")
    values = {row["run_date"]: nan_to_none(row["value"]) for row in tables.rows("drift", ["run_date", "value"], where)}
    return _line(values, "Farthest column, as a studentised distance")


def _amiss(tables: PinnedTables) -> Trend | None:
    rows = tables.rows("signals", ["run_date", "state"], since(tables))
    counts: dict[date, int] = {}
    for row in rows:
        counts[row["run_date"]] = counts.get(row["run_date"], 0) + (row["state"] != "ok")
    return _bars(counts, "Signals that something is amiss")


def _scores(tables: PinnedTables) -> Trend | None:
    where = since(tables) & (pc.field("status") == "done") & (pc.field("job") == "score")
    rows = sorted(tables.rows("runs", ["run_date", "rows", "started_at"], where), key=lambda row: row["started_at"])
    return _bars({row["run_date"]: int(dict(row["rows"] or ()).get("scores", 0)) for row in rows}, "Scores of a night")


def _seconds(tables: PinnedTables) -> Trend | None:
    steps = ["ingest", "build_features", "score", "monitor"]
    where = since(tables) & (pc.field("status") == "done") & pc.field("job").isin(steps)
    rows = tables.rows("runs", ["run_date", "job", "seconds", "started_at"], where)
    last = {(row["run_date"], row["job"]): row["seconds"] for row in sorted(rows, key=lambda row: row["started_at"])}
    sums: dict[date, float | None] = {}
    for (night, _), value in last.items():
        sums[night] = (sums.get(night) or 0.0) + (value or 0.0)
    return _line(sums, "Seconds of a night's steps")


def _line(values: _Values, caption: str) -> Trend | None:
    if not values:
        return None
    nights = every_day(values)
    ordered = [values.get(night) for night in nights]
    title = f"{caption}, over {len(values)} nights; the last, {nights[-1]}, has {figure(ordered[-1])}"
    return Trend(caption, period_charts.lines(frame_of(nights), ordered, [None] * len(nights), title))


def _bars(counts: Mapping[date, int], caption: str) -> Trend | None:
    if not counts:
        return None
    nights = every_day(counts)
    title = f"{caption}, over {len(counts)} nights; the last, {nights[-1]}, has {counts[nights[-1]]:,}"
    return Trend(caption, period_charts.bars(frame_of(nights), [counts.get(night, 0) for night in nights], title))
