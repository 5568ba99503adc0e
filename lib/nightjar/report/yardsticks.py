"""What the figures of dates are put beside: those of the version's training, its best baseline's, a challenger's."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from nightjar.report.performance import OF_CHALLENGER, OF_CHAMPION, OF_ESTIMATES, PROMISED, Figures
from nightjar.report.reading import nan_to_none


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


def yardsticks(figures: Figures, name: str) -> dict[date, Yardstick]:
    """Date -> what its figure of a measure is put beside, ascending, of dates that are put beside anything.

    Args:
        figures: see `performance.read_figures`.
        name: of the measure.
    """
    result = {}
    for day, rows in sorted(figures.items()):
        own = {row["subject"]: row for row in rows if (row["slice"], row["measure"]) == ("all", name)}
        one = _yardstick(own)
        if one.values():
            result[day] = one
    return result


def _yardstick(rows: Mapping[str, Mapping[str, object]]) -> Yardstick:
    """Of the rows of one date by subject."""
    served = rows.get(OF_CHAMPION) or rows.get(OF_ESTIMATES) or {}
    at_training, baseline, challenger = (
        nan_to_none(value) if isinstance(value, float) else None
        for value in (*(served.get(one) for one in PROMISED), rows.get(OF_CHALLENGER, {}).get("value"))
    )
    return Yardstick(at_training, baseline, challenger)
