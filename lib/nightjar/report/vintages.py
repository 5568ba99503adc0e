"""Vintage curves: a figure of each evaluated date by the age of its labels. Figures of one age can be compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow.compute as pc
from markupsafe import Markup

from nightjar.report.formatting import count_noun, figure, measure
from nightjar.report.performance import OF_CHAMPION, JudgedDate
from nightjar.report.reading import PinnedTables, nan_to_none
from nightjar.report.svg import AXIS_WIDTH, BOTTOM, RIGHT, TOP, grid_line, svg, text

POSITIVE_SO_FAR = "known_positive_share"
"""The share of all rows of a date that is known to be true by now: it says something before any label is final."""
LEAST_AGE = 5
"""Days at which labels are still open where curves are drawn: what is final after a few nights needs none."""
_SINCE, _LINES, _AGES, _NEWEST = 400, 28, 60, 3
"""Days of run dates that are read; dates and ages of a chart, at most; dates that stand out in it."""
_WIDTH, _HEIGHT = 480.0, 180.0


@dataclass(frozen=True)
class Comparison:
    """The newest date beside those before it, at one age of their labels.

    Attributes:
        age: days.
        day: the newest date that has a figure so old.
        value: its figure.
        low: the lower quartile of the others.
        high: their upper quartile.
        others: how many there are.
    """

    age: int
    day: date
    value: float
    low: float
    high: float
    others: int


@dataclass(frozen=True)
class Vintages:
    """The curves of one measure.

    Attributes:
        name: of the measure.
        curves: evaluated date -> days since then -> its figure, both ascending, up to the first final one.
        comparison: the newest date at its greatest age; None where no other date has a figure of that age.
    """

    name: str
    curves: Mapping[date, Mapping[int, float]]
    comparison: Comparison | None


def read_vintages(tables: PinnedTables, judged: Sequence[JudgedDate], name: str) -> list[Vintages]:
    """Those of a measure and of `POSITIVE_SO_FAR`, where labels take long and several dates have several ages."""
    ages = [(tables.run_date - one.day).days for one in judged if one.is_provisional]
    if max(ages, default=0) < LEAST_AGE:
        return []
    where = (pc.field("run_date") <= tables.run_date) & (pc.field("subject") == OF_CHAMPION)
    where &= pc.field("run_date") > tables.run_date - timedelta(days=_SINCE)
    where &= pc.field("measure").isin([name, POSITIVE_SO_FAR]) & pc.field("slice").isin(["all", "not_acted"])
    columns = ["evaluated_date", "run_date", "measure", "slice", "value", "provisional"]
    stored = tables.read("performance", columns, where)
    rows = [] if stored is None else sorted(stored.to_pylist(), key=lambda row: (row["run_date"], row["slice"]))
    curves = {one: _curves([row for row in rows if row["measure"] == one]) for one in (name, POSITIVE_SO_FAR)}
    return [Vintages(one, own, _comparison(own)) for one, own in curves.items() if len(own) > 1]


def _curves(rows: Sequence[Mapping[str, Any]]) -> dict[date, dict[int, float]]:
    """Of rows by run date; of one run date the rows that nobody acted on come last, and hold where there are any."""
    curves: dict[date, dict[int, float]] = {}
    final: dict[date, date] = {}
    for row in rows:
        day, night, value = row["evaluated_date"], row["run_date"], nan_to_none(row["value"])
        if night > final.get(day, night):
            continue
        if not row["provisional"]:
            final[day] = night
        if value is not None:
            curves.setdefault(day, {})[(night - day).days] = value
    return {day: curve for day, curve in sorted(curves.items()) if len(curve) > 1}


def _comparison(curves: Mapping[date, Mapping[int, float]]) -> Comparison | None:
    day = max(curves)
    age = max(curves[day])
    others = [one[age] for other, one in curves.items() if other != day and age in one]
    if not others:
        return None
    low, high = (float(one) for one in np.quantile(others, [0.25, 0.75]))
    return Comparison(age, day, curves[day][age], low, high, len(others))


def chart(vintages: Vintages) -> Markup:
    """A line for each date, from left to right by the age of its labels; the newest ones stand out."""
    days = list(vintages.curves)[::-1]
    shown = days[:: -(-len(days) // _LINES)][::-1]
    newest = {*days[:_NEWEST]}
    lines = {day: _thinned(vintages.curves[day]) for day in sorted({*shown, *newest})}
    oldest = max(age for curve in lines.values() for age in curve)
    youngest = min(age for curve in lines.values() for age in curve)
    values = [value for curve in lines.values() for value in curve.values()]
    least, greatest = min(values), max(values)
    room = (greatest - least) * 0.06 or abs(greatest) * 0.02 or 1.0

    def across(age: int) -> float:
        return AXIS_WIDTH + 6 + (_WIDTH - AXIS_WIDTH - RIGHT - 12) * (age - youngest) / max(oldest - youngest, 1)

    def up(value: float) -> float:
        return _HEIGHT - BOTTOM - (_HEIGHT - BOTTOM - TOP) * (value - least + room) / (greatest - least + 2 * room)

    parts = [grid_line(up(value), _WIDTH, figure(value)) for value in dict.fromkeys([least, greatest])]
    for day, curve in lines.items():
        points = " ".join(f"{across(age):.1f},{up(value):.1f}" for age, value in curve.items())
        kind = "line" if day in newest else "vintage"
        age, value = list(curve.items())[-1]
        line = Markup('<g><title>{}: {} at {} days</title><polyline class="{}" points="{}"/>{}</g>')
        dot = Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="2.5"/>').format(across(age), up(value))
        parts.append(line.format(day, figure(value), age, kind, points, dot if day in newest else ""))
    for age, words, anchor in ((youngest, " after the date", "start"), (oldest, "", "end")):
        parts.append(text("", across(age), _HEIGHT - 7, count_noun(age, "day") + words, anchor))
    title = f"{measure(vintages.name)} of {count_noun(len(vintages.curves), 'date')} by the age of their labels"
    return svg(_WIDTH, _HEIGHT, title, parts)


def _thinned(curve: Mapping[int, float]) -> dict[int, float]:
    """Of many ages every few ones, and the last."""
    ages = list(curve)[::-1]
    return {age: curve[age] for age in sorted(ages[:: -(-len(ages) // _AGES)])}
