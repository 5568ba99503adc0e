"""How a version treats groups of rows: a part of the card, of what its training has measured."""

from collections.abc import Mapping
from typing import Any

from nightjar.report.card.effects import NOT_MEASURED, difference_cell, folded
from nightjar.report.document import Absence, Cell, Chart, Gallery, Paragraph, Part
from nightjar.report.fairness import CRITERIA, ShownGroup, charts, read_fairness
from nightjar.report.formatting import figure, heading, percent, signed


def fairness(evidence: Mapping[str, Any]) -> list[Part]:
    """Each group beside all others, by criterion; of several classes each two groups, as a gate compares them."""
    parts: list[Part] = []
    for one in read_fairness(evidence):
        pictures = [Chart(f"{name.capitalize()}, each minus all others", picture) for name, picture in charts(one)]
        heads = ["Group", *(heading(name) for name in CRITERIA), "Rows"]
        caption = f"Groups of {one.columns}: value, and the difference from all others"
        rows = [
            [Cell(group.name), *(_group_cell(group, name) for name in CRITERIA), Cell(f"{group.size:,}")]
            for group in one.groups
        ]
        parts.append(Gallery(pictures))
        parts += folded(f"{caption} with {100 * one.confidence:.4g}% intervals", heads, rows, "groups")
    parts = parts or _pairs(evidence)
    if not parts:
        return [Absence(NOT_MEASURED)]
    return [*parts, Paragraph("A difference is a signal to look into, not a verdict about its cause.", is_note=True)]


def _group_cell(group: ShownGroup, criterion: str) -> Cell:
    one = group.figures.get(criterion)
    if one is None or one.value[0] is None:
        return Cell("", why=(one and one.reason) or "undefined")
    gap, low, high = one.against_rest
    if gap is None:
        return Cell(figure(one.value[0]))
    bounds = "no interval" if low is None or high is None else f"{signed(low)} to {signed(high)}"
    return Cell(figure(one.value[0]), f"{signed(gap)} ({bounds})", is_marked=one.differs())


def _pairs(evidence: Mapping[str, Any]) -> list[Part]:
    """Each two groups of a column in the rates that a gate limits, of each class."""
    gates = evidence.get("gates") or {}
    stored = gates.get("fairness")
    if not stored:
        return []
    caption = f"Each two groups in each rate that a gate limits, with {100 * gates['confidence']:.5g}% intervals"
    heads = ["Groups", "Class", "Rate", "Difference", "Rows of the smaller"]
    rows = [
        [
            Cell(f"{one['column']}: {one['groups'][0]}, {one['groups'][1]}"),
            Cell(one["class"]) if "class" in one else Cell("", why="there are two classes"),
            Cell(
                heading(one["rate"]), ", ".join("undefined" if rate is None else percent(rate) for rate in one["rates"])
            ),
            difference_cell(one["estimate"], one["low"], one["high"], one["reason"], gates["confidence"]),
            Cell(f"{one['size']:,}"),
        ]
        for one in stored
    ]
    return folded(caption, heads, rows, "pairs")
