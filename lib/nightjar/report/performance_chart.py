"""How good predictions were, by date: what labels say, what is estimated before, and how many labels are known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from markupsafe import Markup

from nightjar.report.champion import Champion
from nightjar.report.figures import JudgedFigure
from nightjar.report.formatting import compact, figure, interval, measure, percent
from nightjar.report.performance import DAYS, Estimates, JudgedDate
from nightjar.report.svg import AXIS_WIDTH, RIGHT, TOP, grid_line, rect, svg, text
from nightjar.report.yardsticks import Yardstick

_WIDTH, _PLOT, _STRIP, _AXIS = 480.0, 200.0, 16.0, 24.0
_GAP, _INSET, _SHIFT = 12.0, 16.0, 14.0
_LINES = {"at_training": "at training", "baseline": "baseline"}
"""What is drawn as a line -> its label."""


@dataclass(frozen=True)
class _Scale:
    first: date
    last: date
    low: float
    high: float

    def across(self, day: date) -> float:
        days = (self.last - self.first).days
        room = _WIDTH - AXIS_WIDTH - RIGHT - 2 * _INSET
        return AXIS_WIDTH + _INSET + (room / 2 if days == 0 else room * (day - self.first).days / days)

    def up(self, value: float) -> float:
        return _PLOT - (_PLOT - TOP) * (value - self.low) / (self.high - self.low)

    def width(self) -> float:
        """Of one day."""
        return (_WIDTH - AXIS_WIDTH - RIGHT - 2 * _INSET) / max((self.last - self.first).days, 1)


def chart(
    judged: Sequence[JudgedDate],
    estimates: Estimates,
    champion: Champion | None,
    name: str,
    yardsticks: Mapping[date, Yardstick],
) -> Markup | None:
    """A measure by date, with the interval of the champion's promise as a band; None where no date has it.

    Dots: realised, hollow while some outcomes are still to come, with the interval of the date. Diamonds: estimated.
    Lines: what the version of the date had at its training, and its best baseline. Squares: a challenger. Below: the
    share of outcomes that is known. The axis has the last `DAYS` realised days, and what is estimated since.
    """
    realised = {night.day: night for night in judged if night.values.get(name) is not None}
    estimated = {day: one for day, one in estimates.by_date.items() if one.value is not None}
    if not realised and not estimated:
        return None
    last = max([*realised, *estimated])
    first = max(min([*realised, *estimated]), max(realised, default=last) - timedelta(days=DAYS - 1))
    realised = {day: one for day, one in sorted(realised.items()) if day >= first}
    estimated = {day: one for day, one in sorted(estimated.items()) if day >= first}
    beside = {day: one for day, one in yardsticks.items() if day in realised or day in estimated}
    band = _promised(champion, name)
    figures = [*(_figure(one, name) for one in realised.values()), *estimated.values()]
    scale = _Scale(first, last, *_ends(figures, band, beside))
    parts = [
        *_background(scale, band),
        *_lines(scale, beside),
        _band_label(scale, band),
        *_estimated(scale, estimated),
        *_realised(scale, realised, name),
        *_challenger(scale, beside),
        *_maturity(scale, realised),
        *_dates(scale),
    ]
    title = _title(realised, estimated, name, band) + _title_beside(beside)
    return svg(_WIDTH, _PLOT + _GAP + _STRIP + _AXIS, title, parts)


def _figure(night: JudgedDate, name: str) -> JudgedFigure:
    return night.figures.get(name) or JudgedFigure(night.values[name], None, None, 0, None)


def _promised(champion: Champion | None, name: str) -> tuple[float, float] | None:
    promise = champion.promise.of_champion(name) if champion and champion.promise else None
    if promise is None or promise.low is None or promise.high is None:
        return None
    return promise.low, promise.high


def _ends(
    figures: Sequence[JudgedFigure], band: tuple[float, float] | None, beside: Mapping[date, Yardstick]
) -> tuple[float, float]:
    """Room for all values and bounds, so that no dot lies on the frame and equal values do not divide by zero."""
    values = [end for one in figures for end in (one.value, one.low, one.high) if end is not None] + list(band or ())
    values += [value for one in beside.values() for value in one.values()]
    low, high = min(values), max(values)
    room = max((high - low) * 0.08, 0.015 * max(abs(low), abs(high))) or 0.01
    return low - room, high + room


def _background(scale: _Scale, band: tuple[float, float] | None) -> list[Markup]:
    values = (scale.low, (scale.low + scale.high) / 2, scale.high)
    shown = figure if max(map(abs, values)) < 1_000 else compact
    parts = [grid_line(scale.up(value), _WIDTH, shown(value)) for value in values]
    if band is not None:
        low, high = scale.up(band[0]), scale.up(band[1])
        parts.insert(0, rect("band", AXIS_WIDTH, high, _WIDTH - AXIS_WIDTH - RIGHT, low - high))
    return parts


def _band_label(scale: _Scale, band: tuple[float, float] | None) -> Markup:
    """Over lines that cross it."""
    words = "" if band is None else f"promised {interval(*band)}"
    return text("band-label", AXIS_WIDTH + 4, scale.up(band[1]) + 13 if band else 0.0, words, "start")


def _lines(scale: _Scale, beside: Mapping[date, Yardstick]) -> list[Markup]:
    """A line for each stretch of dates with one value; the last of each kind has its label, away from the other one."""
    parts, ends = [], dict[str, float]()
    half = scale.width() / 2
    for kind in _LINES:
        for value, dates in groupby(beside, key=lambda day: getattr(beside[day], kind)):
            if value is not None:
                days, y = list(dates), scale.up(value)
                x1 = max(scale.across(days[0]) - half, AXIS_WIDTH)
                x2 = min(scale.across(days[-1]) + half, _WIDTH - RIGHT)
                line = Markup('<line class="{}" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>')
                parts.append(line.format(kind.replace("_", "-"), x1, x2, y, y))
                ends[kind] = y
    for place, kind in enumerate(sorted(ends, key=lambda one: ends[one])):
        y = ends[kind] + (13 if place else -5)
        parts.append(text("line-label", _WIDTH - RIGHT - 4, y, _LINES[kind], "end"))
    return parts


def _challenger(scale: _Scale, beside: Mapping[date, Yardstick]) -> list[Markup]:
    shape = Markup("<g><title>{}: challenger {}</title>{}</g>")
    return [
        shape.format(day, figure(value), rect("challenger", scale.across(day) - 3.5, scale.up(value) - 3.5, 7, 7))
        for day, one in beside.items()
        if (value := one.challenger) is not None
    ]


def _estimated(scale: _Scale, estimated: dict[date, JudgedFigure]) -> list[Markup]:
    parts, half = [], min(max(scale.width() / 2, 0.8), 8.0)
    size = 5.0 if half > 3 else 2.5
    for day, one in estimated.items():
        x, y = scale.across(day), scale.up(one.value or 0.0)
        bounds = ""
        if one.low is not None and one.high is not None:
            low, high = scale.up(one.low), scale.up(one.high)
            parts.append(rect("estimate-band", x - half, high, 2 * half, low - high))
            bounds = f" ({interval(one.low, one.high)})"
        words = f"{day}: estimated {figure(one.value)}{bounds}"
        diamond = Markup('<path class="estimate" d="M{0:.1f} {1:.1f}l{2:g} {3:g}l-{2:g} {3:g}l-{2:g} -{3:g}z"/>')
        diamond = diamond.format(x, y - size, 0.8 * size, size)
        parts.append(Markup("<g><title>{}</title>{}</g>").format(words, diamond))
    return parts


def _realised(scale: _Scale, realised: dict[date, JudgedDate], name: str) -> list[Markup]:
    points = [(scale.across(day), scale.up(night.values[name] or 0.0)) for day, night in realised.items()]
    parts = []
    for day, night in realised.items():
        one = _figure(night, name)
        if one.low is not None and one.high is not None:
            whisker = Markup('<line class="whisker" x1="{0:.1f}" x2="{0:.1f}" y1="{1:.1f}" y2="{2:.1f}"/>')
            parts.append(whisker.format(scale.across(day), scale.up(one.low), scale.up(one.high)))
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    parts.append(Markup('<polyline class="line" points="{}"/>').format(path) if len(points) > 1 else Markup(""))
    size = 4.5 if len(points) <= 31 else min(3.0, scale.width())
    for (x, y), night in zip(points, realised.values(), strict=True):
        kind, state = ("dot hollow", "provisional") if night.is_provisional else ("dot", "final")
        share = night.values.get("matured_share")
        words = f"{night.day}: {figure(night.values[name])}, {state}" + (
            "" if share is None else f", {percent(share)} of its outcomes known"
        )
        group = Markup('<g><title>{}</title><circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{:g}"/></g>')
        parts.append(group.format(words, kind, x, y, size))
    return parts


def _maturity(scale: _Scale, realised: dict[date, JudgedDate]) -> list[Markup]:
    """The share of outcomes that is known, as a small bar under each date."""
    floor, half = _PLOT + _GAP + _STRIP, min(max(scale.width() * 0.4, 1.5), 6.0)
    parts = [text("", AXIS_WIDTH - 6, floor - 3, "known", "end")]
    for day, night in realised.items():
        share = night.values.get("matured_share")
        if share is not None:
            x = scale.across(day)
            parts.append(rect("frame", x - half, floor - _STRIP, 2 * half, _STRIP))
            parts.append(rect("night", x - half, floor - _STRIP * share, 2 * half, _STRIP * share))
    return parts


def _dates(scale: _Scale) -> list[Markup]:
    y = _PLOT + _GAP + _STRIP + _AXIS - 6
    if scale.first == scale.last:
        return [text("", scale.across(scale.first), y, scale.first.isoformat(), "middle")]
    ends = ((scale.first, "start", -_SHIFT), (scale.last, "end", _SHIFT))
    return [text("", scale.across(day) + shift, y, day.isoformat(), anchor) for day, anchor, shift in ends]


def _title(
    realised: dict[date, JudgedDate],
    estimated: dict[date, JudgedFigure],
    name: str,
    band: tuple[float, float] | None,
) -> str:
    title = f"{measure(name)} of {len(realised)} judged dates"
    if realised:
        latest = next(reversed(realised.values()))
        title += f"; the latest, {latest.day}, has {figure(latest.values[name])}"
    if estimated:
        day, one = next(reversed(estimated.items()))
        title += f"; estimated for {len(estimated)} dates, {figure(one.value)} for {day}"
    return title if band is None else f"{title}; the promised interval is {interval(*band)}"


def _title_beside(beside: Mapping[date, Yardstick]) -> str:
    """What the latest dates are put beside."""
    title = ""
    for kind, words in {**_LINES, "challenger": "a challenger"}.items():
        values = [value for one in beside.values() if (value := getattr(one, kind)) is not None]
        title += f"; {words} {figure(values[-1])}" if values else ""
    return title
