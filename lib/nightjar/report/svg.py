"""The elements that charts are made of, as inline SVG in a chart's own units."""

from collections.abc import Sequence

from markupsafe import Markup

AXIS_WIDTH, RIGHT, TOP, BOTTOM = 58.0, 8.0, 12.0, 24.0
"""The margins of a chart: left, where the labels of its values are, and right, above and below of its plot."""


def svg(width: float, height: float, title: str, parts: Sequence[Markup]) -> Markup:
    """A chart; the title is what people hear who do not see it."""
    start = Markup('<svg class="chart" viewBox="0 0 {:g} {:g}" role="img"><title>{}</title>')
    return start.format(width, height, title) + Markup("").join(parts) + Markup("</svg>")


def grid_line(y: float, width: float, label: str) -> Markup:
    """A line at a value, with its label."""
    line = Markup('<line class="grid" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>')
    return line.format(AXIS_WIDTH, width - RIGHT, y, y) + text("", AXIS_WIDTH - 6, y + 4, label, "end")


def upright(kind: str, x: float, top: float, bottom: float) -> Markup:
    """A vertical line of a class."""
    line = Markup('<line class="{0}" x1="{1:.1f}" x2="{1:.1f}" y1="{2:.1f}" y2="{3:.1f}"/>')
    return line.format(kind, x, top, bottom)


def rect(kind: str, x: float, y: float, width: float, height: float) -> Markup:
    """A rectangle of a class; what has no extent is not turned round."""
    rectangle = Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>')
    return rectangle.format(kind, x, y, max(width, 0.0), max(height, 0.0))


def text(kind: str, x: float, y: float, words: str, anchor: str) -> Markup:
    """A label; nothing where it is empty."""
    if not words:
        return Markup("")
    class_attribute = Markup(' class="{}"').format(kind) if kind else ""
    return Markup('<text{} x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        class_attribute, x, y, anchor, words
    )
