"""Several classes on the page: what each was taken for, and the figures of one class against all others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from nightjar.report.figures import JudgedFigure
from nightjar.report.formatting import percent, shorten
from nightjar.report.performance import JudgedDate
from nightjar.report.svg import rect, svg, text

OF_EACH = ("recall", "precision", "f1", "roc_auc", "average_precision", "expected_calibration_error")
"""The figures of one class, as the table `performance` and evidence name them before the brackets."""
_NAMES, _ROWS, _WIDTH = 132.0, 64.0, 480.0
_MOST_NAMED, _MOST_NUMBERED = 5, 16
_DEEPEST = 0.6
"""The opacity of a cell with all rows of its class: words on it stay legible."""


@dataclass(frozen=True)
class Confusion:
    """What the rows of each class were taken for.

    Attributes:
        names: of the classes, for people.
        rows: of each class whose outcome is known.
        shares: of a class's rows, (actual, predicted); of a class without rows 0.
        dates: how many judged dates there are in it; 0: it is of the final period of a training.
    """

    names: Sequence[str]
    rows: npt.NDArray[np.float64]
    shares: npt.NDArray[np.float64]
    dates: int


def confusion_of(judged: Sequence[JudgedDate], classes: Mapping[str, str]) -> Confusion | None:
    """That of all judged dates together; None where nothing of several classes was judged."""
    values = list(classes)
    counts = np.zeros((len(values), len(values)))
    dates = 0
    for date in judged:
        of_classes = [date.slices.get(f"class {value}", {}) for value in values]
        dates += any(of_classes)
        for actual, figures in enumerate(of_classes):
            for predicted, value in enumerate(values):
                figure = figures.get(f"predicted[{value}]")
                if figure is not None and figure.value is not None:
                    counts[actual, predicted] += figure.value * figure.rows
    rows = counts.sum(axis=1)
    if not rows.any():
        return None
    shares = np.divide(counts, rows[:, None], out=np.zeros_like(counts), where=rows[:, None] > 0)
    return Confusion(list(classes.values()), rows, shares, dates)


def promised_confusion(stored: Mapping[str, Any] | None, classes: Mapping[str, str]) -> Confusion | None:
    """That of a version's final period; None where its evidence has none of these classes."""
    if stored is None or stored["classes"] != list(classes):
        return None
    return Confusion(list(classes.values()), np.array(stored["rows"], float), np.array(stored["shares"]), 0)


def chart(confusion: Confusion) -> Markup:
    """A row for each class, a cell for what it was taken for, as deep as its share: errors in another colour."""
    number = len(confusion.names)
    side = (_WIDTH - _NAMES - _ROWS) / number
    height = min(max(side, 15.0), 44.0)
    top = 40.0
    heads = confusion.names if number <= _MOST_NAMED else [str(one + 1) for one in range(number)]
    parts = [
        text("axis", _NAMES, 14, "was taken for", "start"),
        text("axis", _NAMES - 8, 14, "outcome", "end"),
        text("axis", _WIDTH, 14, "rows", "end"),
    ]
    if number <= _MOST_NUMBERED:
        parts += [
            text("", _NAMES + (one + 0.5) * side, 32, shorten(head, 11), "middle") for one, head in enumerate(heads)
        ]
    for actual, name in enumerate(confusion.names):
        y = top + actual * height
        label = name if number <= _MOST_NAMED else f"{actual + 1} {name}"
        parts.append(text("", _NAMES - 8, y + height / 2 + 4, shorten(label, 14), "end"))
        parts += [_cell(confusion, actual, one, y, side, height) for one in range(number)]
        parts.append(text("", _WIDTH, y + height / 2 + 4, f"{confusion.rows[actual]:,.0f}", "end"))
    right = float(np.trace(confusion.shares * confusion.rows[:, None]) / confusion.rows.sum())
    title = f"What rows of each outcome were taken for: {percent(right)} of {confusion.rows.sum():,.0f} rows were right"
    return svg(_WIDTH, top + number * height + 4, title, parts)


def _cell(confusion: Confusion, actual: int, predicted: int, y: float, side: float, height: float) -> Markup:
    share, number = float(confusion.shares[actual, predicted]), len(confusion.names)
    kind, x = "right" if actual == predicted else "wrong", _NAMES + predicted * side
    frame = rect("frame", x + 1, y + 1, side - 2, height - 2)
    fill = Markup('<rect class="{}" fill-opacity="{:.3f}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>')
    filled = fill.format(kind, _DEEPEST * share, x + 1, y + 1, side - 2, height - 2)
    words = f"{share:.0%}" if number <= _MOST_NUMBERED // 2 and confusion.rows[actual] else ""
    label = text("share", x + side / 2, y + height / 2 + 4, words, "middle")
    names = confusion.names[actual], confusion.names[predicted]
    group = Markup("<g><title>{} taken for {}: {}</title>{}</g>")
    return group.format(*names, percent(share if confusion.rows[actual] else None), frame + filled + label)


def figures_of_classes(
    figures: Mapping[str, JudgedFigure], classes: Mapping[str, str]
) -> list[tuple[str, JudgedFigure | None, list[JudgedFigure | None]]]:
    """For each class its name, its share of the outcomes, and the figures of `OF_EACH`; none where none is stored."""
    rows = [
        (name, figures.get(f"rate[{value}]"), [figures.get(f"{measure}[{value}]") for measure in OF_EACH])
        for value, name in classes.items()
    ]
    return rows if any(one is not None for _, _, of_class in rows for one in of_class) else []
