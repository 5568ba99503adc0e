"""Where a version is worse, and what it relies on: parts of the card, of what its training has measured."""

from collections.abc import Mapping, Sequence
from typing import Any

from nightjar.evaluation.intervals import LEVEL
from nightjar.report import forest
from nightjar.report.document import Absence, Cell, Chart, Details, Paragraph, Part, Table
from nightjar.report.error_analysis import ShownSlice, read_error_analysis
from nightjar.report.forest import Bar
from nightjar.report.formatting import figure, heading, measure, percent, signed

NOT_MEASURED = "Not measured by the training of this version."
SHOWN = 12
"""The rows of a table that are not folded up."""


def slices(evidence: Mapping[str, Any]) -> list[Part]:
    """Slices that were declared, and those that were found on some nights and confirmed on others."""
    analysis = read_error_analysis(evidence)
    if analysis is None:
        return [Absence(NOT_MEASURED)]
    words = analysis.search_in_words() if "candidates" in analysis.searched or "reason" in analysis.searched else ""
    searched: list[Part] = [Paragraph(words, is_note=True)] if words else []
    if not analysis.slices:
        return [*searched, Absence("No slice was declared, and none was confirmed.")]
    bars = [Bar(one.text, one.difference, one.low, one.high) for one in analysis.slices if one.difference is not None]
    caption = f"{heading(analysis.loss)} within the slice minus that of the other rows: right of the line it is worse"
    drawn = [Chart(caption, forest.chart(bars[:SHOWN], caption, origin=0.0))] if bars else []
    heads = [
        "Slice",
        "Rows",
        "Error in it",
        "Error elsewhere",
        f"Of {analysis.baseline} there",
        "Difference",
        "Why here",
    ]
    rows = [_slice_row(one) for one in analysis.slices]
    return [
        *searched,
        *drawn,
        *folded(f"Slices on the final period, by {measure(analysis.loss)}", heads, rows, "slices"),
    ]


def _slice_row(one: ShownSlice) -> list[Cell]:
    why = "declared" if one.is_declared else "found and confirmed"
    return [
        Cell(one.text, one.name or ""),
        Cell(f"{one.rows:,}", percent(one.share)),
        *(_number(value) for value in (one.error, one.error_of_rest, one.baseline_error)),
        difference_cell(one.difference, one.low, one.high, one.reason),
        Cell(why, is_marked=one.is_worse),
    ]


def importance(evidence: Mapping[str, Any]) -> list[Part]:
    """What the metric loses where columns are shuffled between rows."""
    stored = evidence.get("importance")
    if not stored:
        return [Absence(NOT_MEASURED)]
    ordered = sorted(stored, key=lambda one: -(one.get("estimate") or 0.0))
    bars = [_bar(", ".join(one["columns"]), one) for one in ordered if one.get("estimate") is not None]
    metric = measure(str(ordered[0]["metric"]))
    caption = (
        f"What {metric} loses on the final period if the columns are shuffled between its rows, with 95% intervals"
    )
    parts: list[Part] = [Chart(caption, forest.chart(bars[:SHOWN], caption, origin=0.0))] if bars else []
    rows = [[Cell(", ".join(one["columns"])), signed_cell(one)] for one in ordered]
    note = (
        "It says what this model relies on, not what causes the outcome: of columns that say the same, either may do."
    )
    return [*parts, *folded(caption, ["Columns", "Loss"], rows, "columns"), Paragraph(note, is_note=True)]


def signed_cell(one: Mapping[str, Any]) -> Cell:
    """A difference as evidence holds it."""
    bounds = one.get("low"), one.get("high")
    return difference_cell(one.get("estimate"), *bounds, one.get("reason"), one.get("confidence") or LEVEL)


def difference_cell(
    estimate: float | None, low: float | None, high: float | None, reason: str | None, confidence: float = LEVEL
) -> Cell:
    """A difference with its interval."""
    if estimate is None:
        return Cell("", why=reason or "undefined")
    if low is None or high is None:
        return Cell(signed(estimate), reason or "no interval")
    share = "" if confidence == LEVEL else f" ({100 * confidence:.4g}%)"
    return Cell(signed(estimate), f"{signed(low)} to {signed(high)}{share}")


def folded(caption: str, heads: Sequence[str], rows: Sequence[Sequence[Cell]], what: str) -> list[Part]:
    """A table, whose rows beyond the first ones are folded up."""
    parts: list[Part] = [Table(caption, heads, rows[:SHOWN])]
    if len(rows) > SHOWN:
        parts.append(Details(f"{len(rows) - SHOWN} other {what}", [Table(f"Other {what}", heads, rows[SHOWN:])]))
    return parts


def _bar(name: str, one: Mapping[str, Any]) -> Bar:
    return Bar(name, one["estimate"], one.get("low"), one.get("high"))


def _number(value: float | None) -> Cell:
    return Cell("", why="not stated") if value is None else Cell(figure(value))
