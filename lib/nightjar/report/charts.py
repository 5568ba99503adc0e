"""Charts as inline SVG: pure functions from values to markup. Colours and type come from night.css by class.

Every chart is drawn in its own units and scaled to its box. Night: filled bars. Reference: an outline, so that the two
differ in form as well as in colour.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from nightjar.report.formatting import compact, figure, interval, percent, shorten
from nightjar.report.histograms import Distribution, Slot
from nightjar.report.svg import AXIS_WIDTH, BOTTOM, RIGHT, TOP, grid_line, rect, svg, text

_SHIFT = {"start": -26.0, "middle": 0.0, "end": 26.0}


@dataclass(frozen=True)
class Dot:
    """One judged date of the chart over dates."""

    day: date
    value: float
    provisional: bool


def histogram(distribution: Distribution, title: str, height: int = 190) -> Markup:
    """Bars of the night over the reference: vertical for numbers, horizontal for levels."""
    return _upright(distribution, title, height) if distribution.is_numeric else _lying(distribution, title)


def over_dates(dots: Sequence[Dot], band: tuple[float, float] | None, title: str) -> Markup:
    """Values by date as joined dots, spaced by days and hollow while provisional; the band is shaded."""
    width, height = 480.0, 210.0
    values = [dot.value for dot in dots] + list(band or ())
    low, high = _pad(min(values), max(values))
    first, days = dots[0].day, max((dots[-1].day - dots[0].day).days, 1)

    def across(day: date) -> float:
        inset = 26.0
        room = width - AXIS_WIDTH - RIGHT - 2 * inset
        return AXIS_WIDTH + inset + (room / 2 if len(dots) == 1 else room * (day - first).days / days)

    def up(value: float) -> float:
        return height - BOTTOM - (height - BOTTOM - TOP) * (value - low) / (high - low)

    parts = [grid_line(up(value), width, _axis(value)) for value in (low, (low + high) / 2, high)]
    if band is not None:
        parts.insert(0, rect("band", AXIS_WIDTH, up(band[1]), width - AXIS_WIDTH - RIGHT, up(band[0]) - up(band[1])))
        label = f"promised {interval(*band)}"
        parts.append(text("band-label", width - RIGHT - 4, up(band[1]) + 13, label, "end"))
    path = " ".join(f"{across(dot.day):.1f},{up(dot.value):.1f}" for dot in dots)
    parts.append(Markup('<polyline class="line" points="{}"/>').format(path))
    parts += [_dot(across(dot.day), up(dot.value), dot) for dot in dots]
    ends = [(dots[0].day, "start"), (dots[-1].day, "end")] if len(dots) > 1 else [(dots[0].day, "middle")]
    parts += [text("", across(day) + _SHIFT[at], height - 6, day.isoformat(), at) for day, at in ends]
    return svg(width, height, title, parts)


def bar(value: float, full: float, marks: Sequence[float], level: str) -> Markup:
    """A value as a bar of a table cell, with thin lines at the marks. Decoration only: another cell has the number."""
    lines = [
        Markup('<line x1="{0:.1f}" x2="{0:.1f}" y1="0" y2="12"/>').format(100 * mark / full)
        for mark in marks
        if mark < full
    ]
    filled = rect(f"level-{level}", 0, 2, 100 * min(max(value / full, 0), 1), 8)
    start = Markup('<svg class="bar" viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">')
    return start + filled + Markup("").join(lines) + Markup("</svg>")


def _upright(distribution: Distribution, title: str, height: float) -> Markup:
    width = 480.0
    top = max(
        [slot.night for slot in distribution.slots] + [slot.reference or 0 for slot in distribution.slots] + [1e-9]
    )
    slot_width = (width - AXIS_WIDTH - RIGHT) / max(len(distribution.slots), 1)
    floor = height - BOTTOM

    def up(share: float) -> float:
        return floor - (floor - TOP) * share / top

    parts = [grid_line(up(share), width, percent(share)) for share in (0.0, top / 2, top)]
    for k, slot in enumerate(distribution.slots):
        x = AXIS_WIDTH + k * slot_width
        mark = rect("night", x + slot_width * 0.12, up(slot.night), slot_width * 0.76, floor - up(slot.night))
        parts.append(_with_tooltip(slot, mark))
        is_middle = distribution.is_centred or slot.tick in "<≥"
        parts.append(text("", x + (slot_width / 2 if is_middle else 0), height - 7, slot.tick, "middle"))
    parts.append(_outline(distribution.slots, slot_width, floor, up))
    return svg(width, height, title, parts)


def _outline(slots: Sequence[Slot], slot_width: float, floor: float, up: Callable[[float], float]) -> Markup:
    """The reference as steps over the bars."""
    if not slots or slots[0].reference is None:
        return Markup("")
    points = [f"M{AXIS_WIDTH:.1f} {floor:.1f}"]
    for k, slot in enumerate(slots):
        points.append(f"V{up(slot.reference or 0):.1f}H{AXIS_WIDTH + (k + 1) * slot_width:.1f}")
    return Markup('<path class="reference" d="{}V{:.1f}"/>').format("".join(points), floor)


def _lying(distribution: Distribution, title: str) -> Markup:
    width, row_height, margin = 480.0, 21.0, 110.0
    top = max(
        [slot.night for slot in distribution.slots] + [slot.reference or 0 for slot in distribution.slots] + [1e-9]
    )
    room = width - margin - 62
    parts = []
    for k, slot in enumerate(distribution.slots):
        y = 4 + k * row_height
        night, was = room * slot.night / top, margin + room * (slot.reference or 0) / top
        mark = Markup('<path class="reference" d="M{0:.1f} {1:.1f}V{2:.1f}"/>').format(was, y - 1, y + 17)
        mark = Markup("") if slot.reference is None else mark
        parts.append(text("", margin - 8, y + 12.5, shorten(slot.tick, 13), "end"))
        parts.append(_with_tooltip(slot, rect("night", margin, y + 2, night, 12)))
        parts.append(mark)
        parts.append(text("", max(margin + night, was) + 6, y + 12.5, percent(slot.night), "start"))
    return svg(width, 8 + row_height * len(distribution.slots), title, parts)


def _with_tooltip(slot: Slot, mark: Markup) -> Markup:
    both = "" if slot.reference is None else f"night {percent(slot.night)}, reference {percent(slot.reference)}"
    return Markup("<g><title>{}: {}</title>{}</g>").format(slot.label, both or percent(slot.night), mark)


def _dot(x: float, y: float, dot: Dot) -> Markup:
    kind, state = ("dot hollow", " (provisional)") if dot.provisional else ("dot", "")
    group = Markup('<g><title>{}: {}{}</title><circle class="{}" cx="{:.1f}" cy="{:.1f}" r="4.5"/></g>')
    return group.format(dot.day.isoformat(), figure(dot.value), state, kind, x, y)


def _pad(low: float, high: float) -> tuple[float, float]:
    """Room above and below, so that no dot lies on the frame and equal values do not divide by zero."""
    room = max((high - low) * 0.15, 0.015 * max(abs(low), abs(high))) or 0.01
    return low - room, high + room


def _axis(value: float) -> str:
    """Short enough for the margin."""
    return figure(value) if abs(value) < 1_000 else compact(value)
