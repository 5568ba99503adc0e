"""How a version treats groups of rows: parts of the card, of what its training has measured."""

from collections.abc import Mapping, Sequence
from typing import Any

from nightjar.registry.gates.fairness import group_in_words
from nightjar.report.card.effects import NOT_MEASURED, difference_cell, folded
from nightjar.report.document import Absence, Cell, Chart, Gallery, Paragraph, Part, Table
from nightjar.report.fairness import (
    CRITERIA,
    ShownGroup,
    ShownMitigation,
    charts,
    read_fairness,
    read_mitigation,
)
from nightjar.report.formatting import figure, heading, percent, signed
from nightjar.report.tiers import ShownTier


def fairness(evidence: Mapping[str, Any]) -> list[Part]:
    """Each group beside all others, by criterion; of evidence of before, each two groups as a gate compares them."""
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
    note = "A difference is a signal to look into, not a verdict about its cause."
    return [*parts, Paragraph(note, is_note=True), *_mitigation(evidence)]


def thresholds(tiers: Sequence[ShownTier]) -> list[Part]:
    """Those that groups have of their own, in each tier."""
    rows = [
        [
            Cell(tier.name),
            Cell(f"{tier.by_group.columns}: {group}"),
            Cell("acts on none") if value is None else Cell(figure(value)),
        ]
        for tier in tiers
        if tier.by_group is not None
        for group, value in [*tier.by_group.values.items(), ("any other", tier.by_group.unseen)]
    ]
    caption = "Thresholds of groups: a row's tier goes by that of its own group"
    return folded(caption, ["Tier", "Group", "Threshold"], rows, "thresholds") if rows else []


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
            Cell(f"{one['column']}: {' and '.join(map(group_in_words, one['groups']))}"),
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


def _mitigation(evidence: Mapping[str, Any]) -> list[Part]:
    """What treats groups more alike, and its price."""
    rows = [
        [
            Cell(one.kind, "in use" if one.is_used else "beside it"),
            Cell(f"{one.goal} by {one.columns}"),
            *(_gaps(one, side) for side in (0, 1)),
            _prices(one),
        ]
        for one in read_mitigation(evidence)
    ]
    caption = "What treats groups more alike: how far they are from all others, and its price, on the final period"
    heads = ["Kind", "Goal", "Without it", "With it", "Price"]
    return [Table(caption, heads, rows)] if rows else []


def _gaps(one: ShownMitigation, side: int) -> Cell:
    if one.reason is not None:
        return Cell("", why=f"cannot be compared: {one.reason}")
    return Cell("; ".join(f"{group} {_with_bounds(gaps[side])}" for group, gaps in one.gaps.items()))


def _prices(one: ShownMitigation) -> Cell:
    if not one.prices:
        return Cell("", why=one.reason or "not measured")
    return Cell("; ".join(f"{heading(name)} {_with_bounds(price)}" for name, price in one.prices.items()))


def _with_bounds(ends: Sequence[float | None]) -> str:
    estimate, low, high = ends
    if estimate is None:
        return "undefined"
    bounds = "no interval" if low is None or high is None else f"{signed(low)} to {signed(high)}"
    return f"{signed(estimate)} ({bounds})"
