"""How good predictions were for each watched slice and group, on the latest date that says so, and over the dates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from nightjar.report import sparklines
from nightjar.report.figures import JudgedFigure
from nightjar.report.formatting import figure, heading
from nightjar.report.performance import JudgedDate

AGAINST_REST = "_against_rest"
"""How measures end that compare a group with all other rows."""
MOST = 60


@dataclass(frozen=True)
class ShownSlice:
    """The rows of one value of a watched column.

    Attributes:
        name: COLUMN=VALUE.
        own: its figure; without value or interval the reason says why, such as too few rows.
        rows: that are judged; None: not recorded.
        against_rest: name of a criterion -> the group minus all others (of a ratio: divided by them).
        picture: its figure over the dates.
    """

    name: str
    own: JudgedFigure
    rows: float | None
    against_rest: Mapping[str, JudgedFigure]
    picture: Markup


@dataclass(frozen=True)
class WatchedSlices:
    """The slices of one date, beside all rows.

    Attributes:
        overall: the figure of all rows.
        criteria: names of the criteria by which groups are compared with the rest, for people.
        more: how many further slices there are.
    """

    day: date
    is_provisional: bool
    measure: str
    overall: JudgedFigure | None
    slices: Sequence[ShownSlice]
    criteria: Mapping[str, str]
    more: int


def watched_slices(judged: Sequence[JudgedDate], measure: str) -> WatchedSlices | None:
    """Those of the latest final date, else of the latest; None where no slice is watched."""
    with_slices = [night for night in judged if any(_is_watched(name) for name in night.slices)]
    night = next((one for one in with_slices if not one.is_provisional), next(iter(with_slices), None))
    if night is None:
        return None
    names = sorted(name for name in night.slices if _is_watched(name))
    shown = [_slice(night, name, measure, judged) for name in names[:MOST]]
    criteria = {name: heading(name.removesuffix(AGAINST_REST)) for one in shown for name in one.against_rest}
    overall = night.figures.get(measure)
    return WatchedSlices(night.day, night.is_provisional, measure, overall, shown, criteria, len(names) - len(shown))


def _is_watched(name: str) -> bool:
    return "=" in name


def _slice(night: JudgedDate, name: str, measure: str, judged: Sequence[JudgedDate]) -> ShownSlice:
    figures = night.slices[name]
    own = figures.get(measure, JudgedFigure(None, None, None, 0, "not measured"))
    rows = figures["rows"].value if "rows" in figures else own.rows
    rest = {one: value for one, value in figures.items() if one.endswith(AGAINST_REST)}
    points = [
        (one.day, one.slices[name][measure].value)
        for one in reversed(judged)
        if measure in one.slices.get(name, {}) and (night.day - one.day).days < sparklines.NIGHTS
    ]
    title = f"{name} over {len(points)} dates; on {night.day} {figure(own.value, 'none')}"
    return ShownSlice(name, own, rows, rest, sparklines.line(points, max(judged[0].day, night.day), title))
