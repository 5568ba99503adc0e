"""What the figures of dates are put beside: those of the version's training, its best baseline's, a challenger's."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pyarrow.compute as pc

from nightjar.report.performance import OF_CHAMPION, OF_ESTIMATES, rows_of_dates
from nightjar.report.reading import PinnedTables, nan_to_none

_OF_CHALLENGER = "challenger"
_PROMISED = ("at_training", "baseline")
"""Columns that tables of an earlier Nightjar lack."""


@dataclass(frozen=True)
class Yardstick:
    """What a date's figure is put beside.

    Attributes:
        at_training: the figure of the version that served the date, in the final period of its training; None: not
            recorded.
        baseline: that of its best baseline there; None likewise.
        challenger: what a challenger reached on the same date; None: there was none, or it has no value.
    """

    at_training: float | None
    baseline: float | None
    challenger: float | None

    def values(self) -> list[float]:
        """Those that there are."""
        return [one for one in (self.at_training, self.baseline, self.challenger) if one is not None]


def read_yardsticks(tables: PinnedTables, nights: Mapping[date, date], name: str) -> dict[date, Yardstick]:
    """Date -> what its figure of a measure is put beside, ascending, of dates that are put beside anything.

    Args:
        tables: of the night.
        nights: date -> the run date whose rows say it, see `last_judged`.
        name: of the measure.
    """
    promised = [one for one in _PROMISED if one in tables.columns("performance")]
    where = (pc.field("slice") == "all") & (pc.field("measure") == name)
    where &= pc.field("subject").isin([OF_CHAMPION, OF_ESTIMATES, _OF_CHALLENGER])
    by_date = rows_of_dates(tables, ["slice", "subject", "value", *promised], nights, where)
    yardsticks = {day: _yardstick({row["subject"]: row for row in rows}) for day, rows in sorted(by_date.items())}
    return {day: one for day, one in yardsticks.items() if one.values()}


def _yardstick(rows: Mapping[str, Mapping[str, object]]) -> Yardstick:
    """Of the rows of one date by subject."""
    served = rows.get(OF_CHAMPION) or rows.get(OF_ESTIMATES) or {}
    at_training, baseline, challenger = (
        nan_to_none(value) if isinstance(value, float) else None
        for value in (*(served.get(one) for one in _PROMISED), rows.get(_OF_CHALLENGER, {}).get("value"))
    )
    return Yardstick(at_training, baseline, challenger)
