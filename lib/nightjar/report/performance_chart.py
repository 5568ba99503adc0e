"""How good predictions were, by date: what labels say, what is estimated before, and how many labels are known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from markupsafe import Markup

from nightjar.report.champion import Champion
from nightjar.report.figures import JudgedFigure
from nightjar.report.formatting import compact, figure, interval, measure, percent
from nightjar.report.performance import Estimates, JudgedDate
from nightjar.report.svg import AXIS_WIDTH, RIGHT, TOP, grid_line, rect, svg, text

_WIDTH, _PLOT, _STRIP, _AXIS = 480.0, 200.0, 16.0, 24.0
_GAP, _INSET, _SHIFT = 12.0, 16.0, 14.0
_DAYS = 60
"""Days of the axis, at most: a page of years would show none of them."""


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


def chart(judged: Sequence[JudgedDate], estimates: Estimates, champion: Champion | None, name: str) -> Markup | None:
    """A measure by date, with the interval of the champion's promise as a band; None where no date has it.

    Dots: realised, hollow while some outcomes are still to come, with the interval of the date. Diamonds: estimated.
    Below: the share of outcomes that is known.
    """
    realised = {night.day: night for night in judged if night.values.get(name) is not None}
    estimated = {day: one for day, one in estimates.by_date.items() if one.value is not None}
    if not realised and not estimated:
        return None
    last = max([*realised, *estimated])
    first = max(min([*realised, *estimated]), last - timedelta(days=_DAYS - 1))
    realised = {day: one for day, one in sorted(realised.items()) if day >= first}
    estimated = {day: one for day, one in sorted(estimated.items()) if day >= first}
    band = _promised(champion, name)
    figures = [*(_figure(one, name) for one in realised.values()), *estimated.values()]
    scale = _Scale(first, last, *_ends(figures, band))
    parts = [
        *_background(scale, band),
        *_estimated(scale, estimated),
        *_realised(scale, realised, name),
        *_maturity(scale, realised),
        *_dates(scale),
    ]
    return svg(_WIDTH, _PLOT + _GAP + _STRIP + _AXIS, _title(realised, estimated, name, band), parts)


def _figure(night: JudgedDate, name: str) -> JudgedFigure:
    return night.figures.get(name) or JudgedFigure(night.values[name], None, None, 0, None)


def _promised(champion: Champion | None, name: str) -> tuple[float, float] | None:
    promise = champion.promise.of_champion(name) if champion and champion.promise else None
    if promise is None or promise.low is None or promise.high is None:
        return None
    return promise.low, promise.high


def _ends(figures: Sequence[JudgedFigure], band: tuple[float, float] | None) -> tuple[float, float]:
    """Room for all values and bounds, so that no dot lies on the frame and equal values do not divide by zero."""
    values = [end for one in figures for end in (one.value, one.low, one.high) if end is not None] + list(band or ())
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
        parts.append(text("band-label", AXIS_WIDTH + 4, high + 13, f"promised {interval(*band)}", "start"))
    return parts


def _estimated(scale: _Scale, estimated: dict[date, JudgedFigure]) -> list[Markup]:
    parts, half = [], min(max(scale.width() / 2, 2.0), 8.0)
    for day, one in estimated.items():
        x, y = scale.across(day), scale.up(one.value or 0.0)
        bounds = ""
        if one.low is not None and one.high is not None:
            low, high = scale.up(one.low), scale.up(one.high)
            parts.append(rect("estimate-band", x - half, high, 2 * half, low - high))
            bounds = f" ({interval(one.low, one.high)})"
        words = f"{day}: estimated {figure(one.value)}{bounds}"
        shape = Markup('<g><title>{}</title><path class="estimate" d="M{:.1f} {:.1f}l4 5l-4 5l-4 -5z"/></g>')
        parts.append(shape.format(words, x, y - 5))
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
    size = 4.5 if len(points) <= 31 else 3.0
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
