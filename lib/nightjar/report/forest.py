"""Estimates with their intervals, one below the other on one axis: what differs, and what may be chance."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from nightjar.report.formatting import compact, figure, interval, shorten
from nightjar.report.svg import BOTTOM, svg, text, upright

_WIDTH, _NAMES, _SIDE = 480.0, 172.0, 24.0
_ROW, _ROW_WITH_NAME = 26.0, 42.0
_SHORT, _LONG = 20, 54
"""The letters of names that stand beside their bars, and of those above them."""
_APART = 56.0
"""The least distance between two labels of the axis."""


@dataclass(frozen=True)
class Bar:
    """One estimate.

    Attributes:
        name: of what.
        estimate, low, high: without bounds it is a dot alone.
        is_main: whether it is what the chart is about; others are hollow.
    """

    name: str
    estimate: float
    low: float | None
    high: float | None
    is_main: bool = True


def chart(bars: Sequence[Bar], title: str, origin: float | None = None) -> Markup:
    """The bars in their order, with a dashed line at the origin, where nothing differs, if there is one."""
    values = [value for bar in bars for value in (bar.estimate, bar.low, bar.high) if value is not None]
    ends = [*values, *([] if origin is None else [origin])]
    least, greatest = min(ends), max(ends)
    room = (greatest - least) or abs(greatest) * 0.1 or 0.01
    is_beside = all(len(bar.name) <= _SHORT for bar in bars)
    row, start = (_ROW, _NAMES) if is_beside else (_ROW_WITH_NAME, _SIDE)
    height = row * len(bars) + BOTTOM

    def across(value: float) -> float:
        return start + (_WIDTH - start - _SIDE) * (value - least + 0.04 * room) / (1.08 * room)

    ticks = [least, greatest]
    if origin is not None and all(abs(across(origin) - across(end)) > _APART for end in ticks):
        ticks.append(origin)
    parts = [upright("grid", across(value), 0, height - BOTTOM) for value in (least, greatest)]
    # Not through the names above the bars: those would be hard to read.
    rows = range(1, len(bars) + 1) if origin is not None else ()
    parts += [upright("diagonal", across(origin or 0.0), row * number - _ROW, row * number) for number in rows]
    parts += [text("", across(value), height - 6, compact(float(f"{value:.3g}")), "middle") for value in ticks]
    for number, bar in enumerate(bars):
        top, middle = row * number, row * (number + 1) - _ROW / 2
        words = bar.name if is_beside else shorten(bar.name, _LONG)
        place = (_NAMES - 12, middle + 5, words, "end") if is_beside else (0.0, top + 14, words, "start")
        parts += [text("share", *place), _drawn(bar, across, middle)]
    return svg(_WIDTH, height, title, parts)


def _drawn(bar: Bar, across: Callable[[float], float], middle: float) -> Markup:
    words = figure(bar.estimate)
    whisker = Markup("")
    if bar.low is not None and bar.high is not None:
        words = f"{words} ({interval(bar.low, bar.high)})"
        whisker = Markup('<line class="line" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>').format(
            across(bar.low), across(bar.high), middle, middle
        )
    dot = Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="4.5"/>').format(
        "dot" if bar.is_main else "dot hollow", across(bar.estimate), middle
    )
    return Markup("<g><title>{}: {}</title>{}{}</g>").format(bar.name, words, whisker, dot)
