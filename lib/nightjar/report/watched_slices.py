"""How good predictions were for each watched slice and group, on the latest date that says so, and over the dates;
and how good those of the night are expected to be.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from nightjar.report import sparklines
from nightjar.report.figures import JudgedFigure
from nightjar.report.formatting import figure, heading
from nightjar.report.performance import Estimates, JudgedDate, SliceEstimate

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
        expected: of the night, before its labels are known; None: it has too few rows, or nothing to estimate by.
    """

    name: str
    own: JudgedFigure
    rows: float | None
    against_rest: Mapping[str, JudgedFigure]
    picture: Markup
    expected: SliceEstimate | None


@dataclass(frozen=True)
class WatchedSlices:
    """The slices of one date, beside all rows.

    Attributes:
        day: None: no date with slices is judged yet.
        overall: the figure of all rows.
        criteria: names of the criteria by which groups are compared with the rest, for people.
        more: how many further slices there are.
        are_expected: whether any has an estimate.
    """

    day: date | None
    is_provisional: bool
    measure: str
    overall: JudgedFigure | None
    slices: Sequence[ShownSlice]
    criteria: Mapping[str, str]
    more: int
    are_expected: bool


def watched_slices(judged: Sequence[JudgedDate], estimates: Estimates, measure: str) -> WatchedSlices | None:
    """Those of the latest final date, else of the latest, and those of the night; None where no slice is watched."""
    with_slices = [night for night in judged if any(_is_watched(name) for name in night.slices)]
    night = next((one for one in with_slices if not one.is_provisional), next(iter(with_slices), None))
    names = sorted({*(night.slices if night else ()), *estimates.slices})
    names = [name for name in names if _is_watched(name)]
    if not names:
        return None
    shown = [_slice(night, name, measure, judged, estimates.slices.get(name)) for name in names[:MOST]]
    return WatchedSlices(
        day=night.day if night else None,
        is_provisional=night is not None and night.is_provisional,
        measure=measure,
        overall=night.figures.get(measure) if night else None,
        slices=shown,
        criteria={name: heading(name.removesuffix(AGAINST_REST)) for one in shown for name in one.against_rest},
        more=len(names) - len(shown),
        are_expected=bool(estimates.slices),
    )


def _is_watched(name: str) -> bool:
    return "=" in name


def _slice(
    night: JudgedDate | None,
    name: str,
    measure: str,
    judged: Sequence[JudgedDate],
    expected: SliceEstimate | None,
) -> ShownSlice:
    figures = night.slices.get(name, {}) if night else {}
    own = figures.get(measure, JudgedFigure(None, None, None, 0, "not measured"))
    rows = figures["rows"].value if "rows" in figures else own.rows if figures else None
    rest = {one: value for one, value in figures.items() if one.endswith(AGAINST_REST)}
    if night is None:
        return ShownSlice(name, own, rows, rest, Markup(""), expected)
    points = [
        (one.day, one.slices[name][measure].value)
        for one in reversed(judged)
        if measure in one.slices.get(name, {}) and (night.day - one.day).days < sparklines.NIGHTS
    ]
    title = f"{name} over {len(points)} dates; on {night.day} {figure(own.value, 'none')}"
    return ShownSlice(name, own, rows, rest, sparklines.line(points, max(judged[0].day, night.day), title), expected)
