"""Nights as a calendar: a month as weeks of days, each with its verdict."""

from calendar import Calendar, month_name
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True)
class Day:
    """A day of a month.

    Attributes:
        day: None: it is of the month beside.
        state: the verdict of its night; None: it has none.
        has_page: whether a report of it lies beside.
    """

    day: date | None
    state: str | None = None
    has_page: bool = False


@dataclass(frozen=True)
class Month:
    """A month with its weeks, Mondays first."""

    name: str
    weeks: list[list[Day]]


def months(verdicts: Mapping[date, str], pages: Iterable[date]) -> list[Month]:
    """The months that have nights, the newest first.

    Example:
        >>> one = months({date(2013, 10, 3): "act"}, [date(2013, 10, 3)])[0]
        >>> one.name, [day.state for day in one.weeks[0]]
        ('October 2013', [None, None, None, 'act', None, None, None])
    """
    there = set(pages)
    of_months = sorted({(night.year, night.month) for night in {*verdicts, *there}}, reverse=True)
    return [_month(year, month, verdicts, there) for year, month in of_months]


def _month(year: int, month: int, verdicts: Mapping[date, str], pages: set[date]) -> Month:
    weeks = [
        [Day(day, verdicts.get(day), day in pages) if day.month == month else Day(None) for day in week]
        for week in Calendar().monthdatescalendar(year, month)
    ]
    return Month(f"{month_name[month]} {year}", weeks)
