"""Small lines without axes: how a figure went over the nights, in a cell of a table."""

import math
from collections.abc import Sequence
from datetime import date

from markupsafe import Markup

NIGHTS = 60
"""Nights of a line."""
_WIDTH, _HEIGHT, _ROOM = 120.0, 24.0, 3.0


def line(points: Sequence[tuple[date, float | None]], last: date, title: str, limit: float | None = None) -> Markup:
    """Values by night up to the last one, spaced by days, on a scale from their least to their greatest or the limit.

    Args:
        points: night -> value, ascending; where it has none the line has a gap.
        last: the night at the right end.
        title: what people hear who do not see it.
        limit: drawn as a thin line, where there is one.
    """
    finite = [value for _, value in points if value is not None and math.isfinite(value)]
    if not finite:
        return Markup("")
    least = min([*finite, *([] if limit is None else [limit])])
    greatest = max([*finite, *([] if limit is None else [limit])])
    span = greatest - least or 1.0

    def across(night: date) -> float:
        return _WIDTH - _ROOM - (_WIDTH - 2 * _ROOM) * (last - night).days / (NIGHTS - 1)

    def up(value: float) -> float:
        return _HEIGHT - _ROOM - (_HEIGHT - 2 * _ROOM) * ((value - least) / span if greatest > least else 0.5)

    parts = []
    if limit is not None:
        across_all = Markup('<line class="limit" x1="0" x2="{0:g}" y1="{1:.1f}" y2="{1:.1f}"/>')
        parts.append(across_all.format(_WIDTH, up(limit)))
    for run in _runs(points):
        path = "L".join(f"{across(night):.1f} {up(value):.1f}" for night, value in run)
        parts.append(Markup('<path class="line" d="M{}"/>').format(path))
    night, value = points[-1]
    if value is not None and math.isfinite(value):
        parts.append(Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="2.2"/>').format(across(night), up(value)))
    start = Markup('<svg class="chart spark" viewBox="0 0 {:g} {:g}" role="img"><title>{}</title>')
    return start.format(_WIDTH, _HEIGHT, title) + Markup("").join(parts) + Markup("</svg>")


def _runs(points: Sequence[tuple[date, float | None]]) -> list[list[tuple[date, float]]]:
    """The stretches between gaps."""
    runs: list[list[tuple[date, float]]] = [[]]
    for night, value in points:
        if value is None or not math.isfinite(value):
            runs.append([])
        else:
            runs[-1].append((night, value))
    return [run for run in runs if len(run) > 1]
