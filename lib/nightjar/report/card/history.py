"""What has become of a version: who has decided what about it, and how its served nights turned out."""

from collections.abc import Iterator, Mapping
from typing import Any

from nightjar.report.card.records import Decision, Records
from nightjar.report.document import Absence, Cell, Details, Part, Section, Table, estimate_cell
from nightjar.report.formatting import heading, percent
from nightjar.report.measures import shown_measures

_SHOWN = 10


def sections(records: Records) -> list[Section]:
    """Decisions and nights."""
    return [
        Section("decisions", "Who has decided what", list(_decisions(records))),
        Section("nights", "How its nights turned out", list(_nights(records))),
    ]


def _decisions(records: Records) -> Iterator[Part]:
    if not records.decisions:
        yield Absence("Nobody has decided about this version yet.")
        return
    rows = [_decision_row(one) for one in reversed(records.decisions)]
    yield Table("Decisions, the last one first", ["Decision", "From run date", "By", "Reason"], rows)
    judged = next((one for one in reversed(records.decisions) if one.outcomes), None)
    if judged is not None:
        caption = f"What the gates said on {judged.recorded_at:%Y-%m-%d}"
        heads = ["Gate", "Verdict", "Figure", "Limit", "Rows", "Why"]
        yield Details(caption, [Table(caption, heads, [_gate_row(one) for one in judged.outcomes])])


def _decision_row(one: Decision) -> list[Cell]:
    if one.approval is None:
        who = Cell("people, see below" if one.is_approved() else "the evidence")
    else:
        who = Cell(one.approval.user, f"for {one.approval.by}" if one.approval.by else "")
    recorded = f"recorded {one.recorded_at:%Y-%m-%d %H:%M} UTC"
    return [
        Cell(one.event, recorded, is_marked=one.event in ("refused", "rolled back")),
        Cell(str(one.holds_from)),
        who,
        Cell(one.reason),
    ]


def _gate_row(one: Mapping[str, Any]) -> list[Cell]:
    numbers = [_number(one.get("figure")), _number(one.get("limit")), _count(one.get("rows"))]
    verdict = str(one["verdict"])
    return [Cell(str(one["gate"])), Cell(verdict, is_marked=verdict != "passed"), *numbers, Cell(str(one["sentence"]))]


def _number(value: float | None) -> Cell:
    return Cell("", why="this gate has no such number") if value is None else Cell(f"{value:,.4g}")


def _nights(records: Records) -> Iterator[Part]:
    if not records.judged:
        yield Absence("No served night of this version has been judged yet.")
        return
    first = shown_measures(records.project.label).first
    heads = ["Date", heading(first.name), "Rows", "Outcomes known", "State"]
    rows = [
        [
            Cell(str(night.day)),
            _figure_cell(night.figures.get(first.name)),
            _count(night.values.get("rows")),
            _share_cell(night.values.get("matured_share")),
            Cell("provisional" if night.is_provisional else "final"),
        ]
        for night in records.judged
    ]
    yield Table("Served nights, each as judged last", heads, rows[:_SHOWN])
    if len(rows) > _SHOWN:
        yield Details(f"{len(rows) - _SHOWN} earlier nights", [Table("Earlier nights", heads, rows[_SHOWN:])])


def _count(value: float | None) -> Cell:
    return Cell("", why="not over rows") if value is None else Cell(f"{value:,.0f}")


def _share_cell(value: float | None) -> Cell:
    return Cell("", why="not measured") if value is None else Cell(percent(value))


def _figure_cell(one: Any) -> Cell:
    if one is None:
        return Cell("", why="not measured")
    return estimate_cell(one.value, one.low, one.high, one.reason or "undefined")
