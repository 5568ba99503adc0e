"""Charts as inline SVG: pure functions from values to markup. Colours and type come from night.css by class.

Every chart is drawn in its own units and scaled to its box. Night: filled bars. Reference: an outline, so that the two
differ in form as well as in colour.
"""

from collections.abc import Callable, Sequence

from markupsafe import Markup

from nightjar.report.formatting import percent, shorten
from nightjar.report.histograms import Distribution, Slot
from nightjar.report.svg import AXIS_WIDTH, BOTTOM, RIGHT, TOP, grid_line, rect, svg, text


def histogram(distribution: Distribution, title: str, height: int = 190) -> Markup:
    """Bars of the night over the reference: vertical for numbers, horizontal for levels."""
    return _upright(distribution, title, height) if distribution.is_numeric else _lying(distribution, title)


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
