"""Figures as pages show them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class JudgedFigure:
    """A measured value with its 95% interval, the rows that it is over, and why it lacks a value or an interval."""

    value: float | None
    low: float | None
    high: float | None
    rows: int
    reason: str | None


@dataclass(frozen=True)
class Fact:
    """One number of the page's head: its label, detail, the section with more, and whether it needs attention."""

    value: str
    label: str
    detail: str
    section: str
    is_marked: bool = False
