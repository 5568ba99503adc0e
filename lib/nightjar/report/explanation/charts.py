"""Charts of explanations: what columns add, and how a score depends on one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeGuard

import numpy as np
from markupsafe import Markup

from nightjar.explanation.dependence import Dependence
from nightjar.report.formatting import compact, shorten, signed
from nightjar.report.svg import AXIS_WIDTH, BOTTOM, RIGHT, TOP, grid_line, rect, svg, text, upright

_WIDTH, _ROW, _NAMES, _VALUES = 480.0, 28.0, 170.0, 62.0
_HEIGHT, _INSET, _ASIDE = 190.0, 14.0, 70.0
_MOST_LEVELS, _LONGEST = 6, 24


@dataclass(frozen=True)
class Addition:
    """What a column adds, as a bar.

    Attributes:
        name: of the column, with its value.
        added: below or above 0.
    """

    name: str
    added: float


def additions(parts: Sequence[Addition], title: str) -> Markup:
    """A bar for each part, to the left of the middle line what lowers the score, to the right what raises it."""
    greatest = max((abs(one.added) for one in parts), default=0.0) or 1.0
    room = (_WIDTH - _NAMES - 2 * _VALUES) / 2
    middle, height = _NAMES + _VALUES + room, _ROW * len(parts) + 8
    drawn = [upright("grid", middle, 0, height)]
    for number, one in enumerate(parts):
        y, length = 4 + _ROW * number, room * abs(one.added) / greatest
        start, anchor = (middle - length, "end") if one.added < 0 else (middle, "start")
        tip = middle - length - 6 if one.added < 0 else middle + length + 6
        bar = rect("night", start, y + 5, length, 14)
        drawn.append(Markup("<g><title>{}: {}</title>{}</g>").format(one.name, signed(one.added), bar))
        drawn.append(text("", _NAMES - 8, y + 17, shorten(one.name, _LONGEST), "end"))
        drawn.append(text("", tip, y + 17, signed(one.added), anchor))
    return svg(_WIDTH, height, title, drawn)


def curves(dependence: Dependence, title: str) -> Markup:
    """The mean curve over those of single rows: lines over a number, dots over levels."""
    low, high = float(dependence.curves.min()), float(dependence.curves.max())
    room = (high - low) * 0.05 or abs(high) * 0.02 or 0.01
    low, high = low - room, high + room

    def up(value: float) -> float:
        return _HEIGHT - BOTTOM - (_HEIGHT - BOTTOM - TOP) * (value - low) / (high - low)

    places = _places(dependence)
    parts = [grid_line(up(value), _WIDTH, compact(float(f"{value:.3g}"))) for value in (low, (low + high) / 2, high)]
    is_line = [_is_number(value) for value in dependence.values]
    numbers = [at for at, numeric in enumerate(is_line) if numeric]
    mean = dependence.mean
    for kind, curve in [*(("single", one) for one in dependence.curves), ("line mean", mean)]:
        parts += [_path(kind, [(places[at], up(float(curve[at]))) for at in numbers])]
    dots = [place for place, numeric in enumerate(is_line) if not numeric or len(numbers) == 1]
    parts += [_dot(places[at], up(float(mean[at])), f"{_word(dependence.values[at])}: {mean[at]:.3g}") for at in dots]
    return svg(_WIDTH, _HEIGHT, title, [*parts, *_labels(dependence, places, numbers)])


def _places(dependence: Dependence) -> list[float]:
    """Where each value is: numbers by their size, what is no number side by side, on the right."""
    numeric = [value for value in dependence.values if _is_number(value)]
    others = len(dependence.values) - len(numeric)
    begin, right = AXIS_WIDTH + _INSET, _WIDTH - RIGHT - _INSET
    end = right - _ASIDE * others if numeric else right
    least, greatest = (float(min(numeric)), float(max(numeric))) if numeric else (0.0, 1.0)
    places, seen = [], 0
    for value in dependence.values:
        if _is_number(value):
            places.append(begin + (end - begin) * (float(value) - least) / ((greatest - least) or 1.0))
        else:
            seen += 1
            places.append(end + _ASIDE * (seen - 0.4) if numeric else begin + (right - begin) * (seen - 0.5) / others)
    return places


def _labels(dependence: Dependence, places: Sequence[float], numbers: Sequence[int]) -> list[Markup]:
    others = [at for at in range(len(places)) if at not in numbers]
    shown = [*dict.fromkeys([*numbers[:1], *numbers[-1:]])]
    few = others if len(others) <= _MOST_LEVELS else others[:: -(-len(others) // _MOST_LEVELS)]
    return [text("", places[at], _HEIGHT - 6, _word(dependence.values[at])[:9], "middle") for at in [*shown, *few]]


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _word(value: object) -> str:
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return compact(float(value)) if isinstance(value, int | float | np.number) else str(value)


def _path(kind: str, points: Sequence[tuple[float, float]]) -> Markup:
    if len(points) < 2:
        return Markup("")
    return Markup('<polyline class="{}" points="{}"/>').format(kind, " ".join(f"{x:.1f},{y:.1f}" for x, y in points))


def _dot(x: float, y: float, words: str) -> Markup:
    return Markup('<g><title>{}</title><circle class="dot" cx="{:.1f}" cy="{:.1f}" r="4.5"/></g>').format(words, x, y)
