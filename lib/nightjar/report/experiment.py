"""What is shown of versions that are compared with the champion: figures with bounds, and the main one by night."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow.compute as pc
from markupsafe import Markup

from nightjar.report import forest
from nightjar.report.forest import Bar
from nightjar.report.reading import PinnedTables
from nightjar.tables.serving_definitions import EXPERIMENTS

_NIGHTS = 12
"""Nights of the chart, at most."""
MARKED = ("worse", "breached")
"""Verdicts to look at."""
SINCE = ("model_version", "champion_version", "since")


@dataclass(frozen=True)
class ShownFigure:
    """A figure of the night; see the table `experiments` for what is in it."""

    stored: Mapping[str, Any]

    @property
    def is_marked(self) -> bool:
        """Whether it says that the version does harm, or cannot be computed."""
        return self.stored["verdict"] in (None, *MARKED)

    @property
    def words(self) -> str:
        """The verdict, and since when."""
        verdict, decided_on = self.stored["verdict"], self.stored["decided_on"]
        if verdict is None:
            return "cannot be computed"
        return str(verdict) if decided_on is None else f"{verdict} since {decided_on}"


@dataclass(frozen=True)
class ShownExperiment:
    """A version beside the champion.

    Attributes:
        figures: the main one first.
        picture: the main figure's bounds by night; None where there are none yet.
    """

    version: str
    champion: str
    is_randomised: bool
    since: date
    figures: Sequence[ShownFigure]
    picture: Markup | None

    @property
    def main(self) -> Mapping[str, Any]:
        """The figure that decides whether the version may become champion."""
        return self.figures[0].stored


def read_experiments(tables: PinnedTables) -> list[ShownExperiment]:
    """The comparisons as of the night, the newest version first."""
    names = EXPERIMENTS.schema().names
    rows = tables.rows(EXPERIMENTS.name, names, pc.field("run_date") <= tables.run_date)
    result = []
    for version in sorted({row["model_version"] for row in rows if row["run_date"] == tables.run_date}, reverse=True):
        own = [row for row in rows if row["model_version"] == version]
        figures = [ShownFigure(row) for row in own if row["run_date"] == tables.run_date]
        figures.sort(key=lambda one: (one.stored["figure"] != "value", one.stored["figure"]))
        main = figures[0].stored
        before = [row for row in own if all(row[name] == main[name] for name in (*SINCE, "figure"))]
        picture = _picture(sorted(before, key=lambda row: row["run_date"]))
        randomised = main["kind"] == "randomised"
        result.append(ShownExperiment(version, main["champion_version"], randomised, main["since"], figures, picture))
    return result


def _picture(rows: Sequence[Mapping[str, Any]]) -> Markup | None:
    bounded = [row for row in rows if row["low"] is not None and row["high"] is not None]
    if not bounded:
        return None
    step = -(-len(bounded) // _NIGHTS)
    shown = bounded[::-1][::step][::-1]
    bars = [
        Bar(str(row["run_date"]), row["difference"], row["low"], row["high"], is_main=row is shown[-1]) for row in shown
    ]
    last = shown[-1]
    words = f"The version minus the champion by run date, {last['figure']}; the last is {last['difference']:.3g}"
    return forest.chart(bars, words, origin=0.0)
