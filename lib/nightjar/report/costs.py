"""What decisions have cost by date, beside what acting on nobody, or on everybody, would have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from nightjar.report.figures import JudgedFigure
from nightjar.report.formatting import compact, count_noun
from nightjar.report.performance import DAYS, OF_CHAMPION, Figures, figure_of
from nightjar.report.period_charts import every_day, frame_of, spread

COST, IF_NONE, IF_ALL = "cost", "cost_if_none", "cost_if_all"
"""Measures of the table `performance`: the mean cost of a row as it was decided, and had none or all been acted on."""


@dataclass(frozen=True)
class CostOfDate:
    """What a row of one date has cost, by the project's costs, in their unit.

    Attributes:
        is_provisional: whether some outcome of the date may still become known.
        cost: as it was decided.
        if_none: had nobody been acted on.
        if_all: had everybody been.
    """

    is_provisional: bool
    cost: JudgedFigure
    if_none: float | None
    if_all: float | None


@dataclass(frozen=True)
class Costs:
    """Costs by date, and those of all final dates together.

    Attributes:
        by_date: ascending, of rows whose outcome is known.
        rows: of the final dates.
        cost: the mean of a row of them; None: no date is final.
        if_none: the same, had nobody been acted on.
        if_all: had everybody been.
        saved: by how much a row cost less than by the cheaper of the two; below 0 it cost more.
    """

    by_date: Mapping[date, CostOfDate]
    rows: int
    cost: float | None
    if_none: float | None
    if_all: float | None
    saved: float | None

    @property
    def final(self) -> Mapping[date, CostOfDate]:
        """The dates whose outcomes are final."""
        return {day: one for day, one in self.by_date.items() if not one.is_provisional}


def costs(figures: Figures) -> Costs | None:
    """The costs of judged dates, see `performance.read_figures`; None where the project has none, or none is known."""
    by_date = {}
    for day, rows in sorted(figures.items()):
        own = [row for row in rows if (row["subject"], row["slice"]) == (OF_CHAMPION, "all")]
        of_cost = {row["measure"]: row for row in own if row["measure"] in (COST, IF_NONE, IF_ALL)}
        shown = {name: figure_of(row) for name, row in of_cost.items()}
        if COST in shown and shown[COST].value is not None:
            beside = (shown[one].value if one in shown else None for one in (IF_NONE, IF_ALL))
            by_date[day] = CostOfDate(any(row["provisional"] for row in of_cost.values()), shown[COST], *beside)
    if not by_date:
        return None
    final = [one for one in by_date.values() if not one.is_provisional]
    weights = [one.cost.rows for one in final]
    cost, if_none, if_all = (
        _mean(values, weights)
        for values in ([one.cost.value for one in final], [one.if_none for one in final], [one.if_all for one in final])
    )
    saved = None if cost is None or if_none is None or if_all is None else min(if_none, if_all) - cost
    return Costs(by_date, sum(weights), cost, if_none, if_all, saved)


def _mean(values: Sequence[float | None], weights: Sequence[int]) -> float | None:
    """By rows; None where a value is missing, or there are no rows."""
    complete = [value for value in values if value is not None]
    if len(complete) < len(values) or not sum(weights):
        return None
    return sum(value * weight for value, weight in zip(complete, weights, strict=True)) / sum(weights)


def chart(costs: Costs) -> Markup | None:
    """The cost of a row by final date within its interval, and the two alternatives as lines; None below two dates."""
    final = costs.final
    if len(final) < 2:
        return None
    days = every_day(final)[-DAYS:]
    own = [final[day].cost if day in final else None for day in days]
    low, middle, high = ([getattr(one, end, None) for one in own] for end in ("low", "value", "high"))
    beside = {
        "if-none": [final[day].if_none if day in final else None for day in days],
        "if-all": [final[day].if_all if day in final else None for day in days],
    }
    last = final[days[-1]]
    title = f"Cost of a row over {count_noun(len(final), 'final date')}; the last, {days[-1]}, has "
    title += compact(last.cost.value or 0.0)
    for words, value in (("acting on none", last.if_none), ("acting on all", last.if_all)):
        title += "" if value is None else f", {words} {compact(value)}"
    return spread(frame_of(days), low, middle, high, title, compact, beside)
