"""Where a version is worse, for whom, and what it goes by: parts of the card, of what its training has measured."""

from collections.abc import Mapping, Sequence
from typing import Any

from nightjar.report import forest
from nightjar.report.document import Absence, Cell, Chart, Details, Paragraph, Part, Table, estimate_cell
from nightjar.report.forest import Bar
from nightjar.report.formatting import figure, heading, measure, percent, signed

_SHOWN = 12
"""The rows of a table that are not folded up."""


def slices(evidence: Mapping[str, Any]) -> list[Part]:
    """Slices that were declared, and those that were found on some nights and confirmed on others."""
    stored = evidence.get("slices")
    if stored is None:
        return [Absence("Not measured by the training of this version.")]
    parts: list[Part] = [Paragraph(_search_in_words(evidence.get("slices_searched")), is_note=True)]
    if not stored:
        return [*parts, Absence("None was declared, and none was confirmed.")]
    bars = [_bar(one["text"], one) for one in stored if one.get("estimate") is not None]
    if bars:
        caption = "Error within the slice minus that of the other rows, with intervals: right of the line it is worse"
        parts.append(Chart(caption, forest.chart(bars[:_SHOWN], caption, origin=0.0)))
    heads = [
        "Slice",
        "Rows",
        "Error in it",
        "Error elsewhere",
        "Baseline there",
        "Difference",
        "Why it is here",
    ]
    rows = [_slice_row(one) for one in stored]
    return [*parts, *folded("Slices on the final period", heads, rows, "slices")]


def _slice_row(one: Mapping[str, Any]) -> list[Cell]:
    errors = [_number(one.get(name)) for name in ("error", "error_of_rest", "baseline_error")]
    return [
        Cell(str(one["text"])),
        Cell(f"{one['rows']:,}", "" if one.get("share") is None else percent(one["share"])),
        *errors,
        signed_cell(one),
        Cell("declared" if one.get("is_declared") else "found and confirmed"),
    ]


def _search_in_words(searched: Mapping[str, Any] | None) -> str:
    confirmed = (
        "Slices that were searched for were found on the folds' nights, and are here only if the final period, where "
        "nothing was searched, confirms them."
    )
    if not searched:
        return confirmed
    counts = ", ".join(f"{name.replace('_', ' ')} {_plain(value)}" for name, value in searched.items())
    return f"{confirmed} Searched: {counts}."


def fairness(evidence: Mapping[str, Any]) -> list[Part]:
    """Rates by group, differences between groups, and what a mitigation would change."""
    stored, mitigation = evidence.get("fairness"), evidence.get("mitigation")
    if stored is None:
        return [Absence("Not measured by the training of this version: the project declares no groups.")]
    if not stored:
        return [Absence("The project declares no groups to be compared.")]
    parts: list[Part] = []
    for columns in dict.fromkeys(_columns(one) for one in stored):
        of_columns = [one for one in stored if _columns(one) == columns]
        heads = ["Rate", "Group", "Value", "Rows"]
        rows = [
            [
                Cell(heading(str(one["rate"]))),
                Cell(str(one.get("group", "difference"))),
                value_cell(one),
                _count(one.get("size")),
            ]
            for one in of_columns
        ]
        parts += folded(f"Groups of {columns}, with 95% intervals", heads, rows, "rows")
    parts.append(
        Paragraph(
            "A rate that differs between groups is a signal to look into, not a verdict about its cause.", is_note=True
        )
    )
    if mitigation:
        parts.append(_plain_table("What a mitigation would change, and its price in the metric", mitigation))
    return parts


def importance(evidence: Mapping[str, Any]) -> list[Part]:
    """What the metric loses where columns are shuffled between rows."""
    stored = evidence.get("importance")
    if not stored:
        return [Absence("Not measured by the training of this version.")]
    ordered = sorted(stored, key=lambda one: -(one.get("estimate") or 0.0))
    bars = [_bar(", ".join(one["columns"]), one) for one in ordered if one.get("estimate") is not None]
    metric = measure(str(ordered[0]["metric"]))
    caption = (
        f"What {metric} loses on the final period if the columns are shuffled between its rows, with 95% intervals"
    )
    parts: list[Part] = [Chart(caption, forest.chart(bars[:_SHOWN], caption, origin=0.0))] if bars else []
    rows = [[Cell(", ".join(one["columns"])), signed_cell(one)] for one in ordered]
    note = "It says what this model goes by, not what causes the outcome: of columns that say the same, either may do."
    return [*parts, *folded(caption, ["Columns", "Loss"], rows, "columns"), Paragraph(note, is_note=True)]


def signed_cell(one: Mapping[str, Any]) -> Cell:
    """A difference with its interval, as evidence holds it."""
    if one.get("estimate") is None:
        return Cell("", why=str(one.get("reason") or "undefined"))
    if one.get("low") is None or one.get("high") is None:
        return Cell(signed(one["estimate"]), "no interval")
    share = "" if one.get("confidence") in (None, 0.95) else f" ({100 * one['confidence']:.4g}%)"
    return Cell(signed(one["estimate"]), f"{signed(one['low'])} to {signed(one['high'])}{share}")


def value_cell(one: Mapping[str, Any]) -> Cell:
    """A value with its interval, whichever of the two names it has."""
    estimate = one.get("estimate", one.get("value"))
    return estimate_cell(estimate, one.get("low"), one.get("high"), str(one.get("reason") or "undefined"))


def folded(caption: str, heads: Sequence[str], rows: Sequence[Sequence[Cell]], what: str) -> list[Part]:
    """A table, whose rows beyond the first ones are folded up."""
    parts: list[Part] = [Table(caption, heads, rows[:_SHOWN])]
    if len(rows) > _SHOWN:
        parts.append(Details(f"{len(rows) - _SHOWN} other {what}", [Table(f"Other {what}", heads, rows[_SHOWN:])]))
    return parts


def _plain_table(caption: str, stored: Sequence[Mapping[str, Any]]) -> Table:
    names = list(dict.fromkeys(name for one in stored for name in one))
    rows = [[Cell(_plain(one.get(name)), why="not stated") for name in names] for one in stored]
    return Table(caption, [heading(name) for name in names], rows)


def _columns(one: Mapping[str, Any]) -> str:
    stored = one.get("columns") or [one.get("column")]
    return " and ".join(map(str, stored))


def _bar(name: str, one: Mapping[str, Any]) -> Bar:
    return Bar(name, one["estimate"], one.get("low"), one.get("high"))


def _number(value: float | None) -> Cell:
    return Cell("", why="not stated") if value is None else Cell(figure(value))


def _count(value: int | None) -> Cell:
    return Cell("", why="not stated") if value is None else Cell(f"{value:,}")


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    return (
        "" if value is None else f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    )
