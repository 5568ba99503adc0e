"""Charts over consecutive periods, each as wide as the others; marks show where something stands out."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from markupsafe import Markup

from nightjar.report.formatting import compact, percent, shorten
from nightjar.report.svg import AXIS_WIDTH, BOTTOM, RIGHT, TOP, grid_line, rect, svg, text

_WIDTH, _HEIGHT = 480.0, 150.0
_LEVEL_HEIGHT, _NAME_WIDTH, _SHARE_WIDTH = 26.0, 118.0, 62.0
MARGINS = AXIS_WIDTH, RIGHT
Value = float | None


@dataclass(frozen=True)
class Frame:
    """What charts of one column have in common.

    Attributes:
        names: of the periods.
        marks: the numbers of the periods in which something stands out.
    """

    names: Sequence[str]
    marks: Collection[int] = ()

    def across(self, number: int, margins: tuple[float, float] = MARGINS) -> float:
        """The middle of a period, between margins of so much on both sides."""
        return margins[0] + (_WIDTH - sum(margins)) * (number + 0.5) / len(self.names)

    def axis(self, height: float, margins: tuple[float, float] = MARGINS) -> list[Markup]:
        """The first and the last period's names, and the marks."""
        ends = [(margins[0], self.names[0], "start"), (_WIDTH - margins[1], self.names[-1], "end")]
        labels = [text("", x, height - 6, name, anchor) for x, name, anchor in ends[: len(self.names)]]
        return [*labels, *(self._mark(number, margins) for number in sorted(self.marks))]

    def _mark(self, number: int, margins: tuple[float, float]) -> Markup:
        shape = Markup('<g><title>{}: see what stands out</title><path class="mark" d="M{:.1f} 10l5 -8h-10z"/></g>')
        return shape.format(self.names[number], self.across(number, margins))


def every_day(of: Mapping[date, object]) -> list[date]:
    """From the first to the last day, also those without a value: a gap is to be seen."""
    first, last = min(of), max(of)
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def frame_of(days: Sequence[date]) -> Frame:
    """The frame of consecutive days."""
    return Frame([day.isoformat() for day in days])


def bars(frame: Frame, counts: Sequence[int], title: str) -> Markup:
    """A bar for each period."""
    scale = _Scale(0.0, max(*counts, 1), _HEIGHT)
    width = (_WIDTH - AXIS_WIDTH - RIGHT) / len(counts)
    parts = [*scale.grid(lambda value: compact(round(value)))]
    for number, count in enumerate(counts):
        x, y = frame.across(number) - width * 0.4, scale.up(count)
        bar = rect("night", x, y, width * 0.8, _HEIGHT - BOTTOM - y)
        parts.append(Markup("<g><title>{}: {:,}</title>{}</g>").format(frame.names[number], count, bar))
    return svg(_WIDTH, _HEIGHT, title, [*parts, *frame.axis(_HEIGHT)])


def shares(frame: Frame, values: Sequence[Value], title: str) -> Markup:
    """A share over time, from 0; gaps where there is none."""
    greatest = max((value for value in values if value is not None), default=0.0)
    scale = _Scale(0.0, greatest or 1.0, _HEIGHT)
    line = _line(frame, scale, values, percent)
    return svg(_WIDTH, _HEIGHT, title, [*scale.grid(percent), *line, *frame.axis(_HEIGHT)])


def lines(frame: Frame, values: Sequence[Value], beside: Sequence[Value], title: str) -> Markup:
    """A line with dots, and a dashed one of other values beside it, on a scale of both."""
    everything = [value for value in (*values, *beside) if value is not None]
    least, greatest = (min(everything), max(everything)) if everything else (0.0, 1.0)
    room = (greatest - least) * 0.06 or abs(greatest) * 0.02 or 1.0
    scale = _Scale(least - room, greatest + room, _HEIGHT, least, greatest)
    parts = [*scale.grid(compact), *_beside(frame, scale, beside, "diagonal")]
    return svg(_WIDTH, _HEIGHT, title, [*parts, *_line(frame, scale, values, compact), *frame.axis(_HEIGHT)])


def spread(
    frame: Frame,
    low: Sequence[Value],
    middle: Sequence[Value],
    high: Sequence[Value],
    title: str,
    shown: Callable[[float], str] = compact,
    beside: Mapping[str, Sequence[Value]] | None = None,
) -> Markup:
    """A line of middle values within the band from low to high ones; gaps where there are none.

    Beside it others without dots, each of the class that is its name.
    """
    others = beside or {}
    everything = [value for values in (low, middle, high, *others.values()) for value in values if value is not None]
    least, greatest = (min(everything), max(everything)) if everything else (0.0, 1.0)
    room = (greatest - least) * 0.06 or abs(greatest) * 0.02 or 1.0
    scale = _Scale(least - room, greatest + room, _HEIGHT, least, greatest)
    parts = [_band(frame, scale, low, high), *scale.grid(shown)]
    parts += [part for kind, values in others.items() for part in _beside(frame, scale, values, kind)]
    parts += _line(frame, scale, middle, shown)
    return svg(_WIDTH, _HEIGHT, title, [*parts, *frame.axis(_HEIGHT)])


def levels(frame: Frame, rows: Sequence[tuple[str, Sequence[Value], float]], title: str) -> Markup:
    """A row for each level: its name, its share over time as an area, all of one scale, and its share of all."""
    greatest = max((value for _, values, _ in rows for value in values if value is not None), default=1.0) or 1.0
    height = TOP + _LEVEL_HEIGHT * len(rows) + BOTTOM
    parts = []
    for place, (name, values, share) in enumerate(rows):
        floor = TOP + _LEVEL_HEIGHT * (place + 1)
        scale = _Scale(0.0, greatest, floor, top=floor - _LEVEL_HEIGHT + 4, bottom=0.0)
        parts.append(text("", _NAME_WIDTH - 8, floor - 6, shorten(name, 15), "end"))
        parts.append(_area(scale, values, name))
        parts.append(text("", _WIDTH - _SHARE_WIDTH + 6, floor - 6, percent(share), "start"))
    return svg(_WIDTH, height, title, [*parts, *frame.axis(height, (_NAME_WIDTH, _SHARE_WIDTH))])


@dataclass(frozen=True)
class _Scale:
    """Values as heights, of a plot above the axis of a chart so high."""

    low: float
    high: float
    height: float
    least: Value = None
    greatest: Value = None
    top: float = TOP
    bottom: float = BOTTOM

    def up(self, value: float) -> float:
        floor = self.height - self.bottom
        return floor - (floor - self.top) * ((value - self.low) / (self.high - self.low))

    def grid(self, shown: Callable[[float], str]) -> list[Markup]:
        """Lines at the least, middle and greatest value."""
        least = self.low if self.least is None else self.least
        greatest = self.high if self.greatest is None else self.greatest
        values = dict.fromkeys([least, least / 2 + greatest / 2, greatest])
        return [grid_line(self.up(value), _WIDTH, shown(value)) for value in values]


def _runs(values: Sequence[Value]) -> list[list[int]]:
    """The numbers of values that are there, those next to each other together."""
    groups = groupby(range(len(values)), key=lambda number: values[number] is not None)
    return [list(numbers) for is_there, numbers in groups if is_there]


def _line(frame: Frame, scale: _Scale, values: Sequence[Value], shown: Callable[[float], str]) -> list[Markup]:
    parts = []
    for run in _runs(values):
        points = " ".join(f"{frame.across(number):.1f},{scale.up(values[number] or 0.0):.1f}" for number in run)
        parts.append(Markup('<polyline class="line" points="{}"/>').format(points))
        dot = Markup('<g><title>{}: {}</title><circle class="dot" cx="{:.1f}" cy="{:.1f}" r="1.6"/></g>')
        for number in run:
            value = values[number] or 0.0
            parts.append(dot.format(frame.names[number], shown(value), frame.across(number), scale.up(value)))
    return parts


def _beside(frame: Frame, scale: _Scale, values: Sequence[Value], kind: str) -> list[Markup]:
    parts = []
    for run in _runs(values):
        points = "L".join(f"{frame.across(number):.1f} {scale.up(values[number] or 0.0):.1f}" for number in run)
        parts.append(Markup('<path class="{}" d="M{}"/>').format(kind, points))
    return parts


def _band(frame: Frame, scale: _Scale, low: Sequence[Value], high: Sequence[Value]) -> Markup:
    """Widened to both sides where it is of a single period."""
    half = 0.5 * (frame.across(1) - frame.across(0)) if len(frame.names) > 1 else 20.0
    shapes = Markup("")
    for run in _runs(low):
        ends = [frame.across(number) for number in run]
        xs = [ends[0] - half, *ends, ends[-1] + half]
        numbers = [run[0], *run, run[-1]]
        upper = [f"{x:.1f} {scale.up(high[number] or 0.0):.1f}" for x, number in zip(xs, numbers, strict=True)]
        lower = [f"{x:.1f} {scale.up(low[number] or 0.0):.1f}" for x, number in zip(xs, numbers, strict=True)]
        shapes += Markup('<path class="band" d="M{}z"/>').format("L".join([*upper, *reversed(lower)]))
    return shapes


def _area(scale: _Scale, values: Sequence[Value], name: str) -> Markup:
    """Steps from the row's floor, with the floor as a line."""
    width = (_WIDTH - _NAME_WIDTH - _SHARE_WIDTH) / len(values)
    steps = []
    for number, value in enumerate(values):
        x = _NAME_WIDTH + number * width
        steps.append(f"L{x:.1f} {scale.up(value or 0.0):.1f}H{x + width:.1f}")
    floor = scale.height
    outline = f"M{_NAME_WIDTH:.1f} {floor:.1f}{''.join(steps)}V{floor:.1f}z"
    line = Markup('<line class="grid" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>')
    drawn = Markup('<g><title>{}</title><path class="night" d="{}"/></g>').format(name, outline)
    return drawn + line.format(_NAME_WIDTH, _WIDTH - _SHARE_WIDTH, floor, floor)
