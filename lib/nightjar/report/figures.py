"""A figure as the page shows it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class JudgedFigure:
    """A measured value with its 95% interval, the rows that it is over, and why it lacks a value or an interval."""

    value: float | None
    low: float | None
    high: float | None
    rows: int
    reason: str | None
