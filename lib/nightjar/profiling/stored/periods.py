"""Days, weeks or months of a project's calendar, by which stored facts are counted."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import Enum

import numpy as np

from nightjar.asof.values import Ints
from nightjar.timeline import Moments, clock_of

MOST = 60
"""A range with more days is counted by week, one with more weeks by month."""
FEW = 0.001
"""The share of facts that may be left out at either end of a range, and one fact at least."""
FEWEST = 20
"""Of fewer facts none is left out."""
DAY = 86_400_000_000  # microseconds
_EPOCH = date(1970, 1, 1)
_SUNDAY = 6


class Unit(Enum):
    """How long a period is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True)
class Periods:
    """Consecutive periods of one length; the first and the last one may be shorter, as the range begins or ends in it.

    Attributes:
        unit: how long each is.
        starts: the first day of each that is in the range.
        until: the last day of the last one.
    """

    unit: Unit
    starts: tuple[date, ...]
    until: date

    def __len__(self) -> int:
        """How many there are."""
        return len(self.starts)

    @property
    def since(self) -> date:
        """The first day of the first one."""
        return self.starts[0]

    @property
    def is_last_whole(self) -> bool:
        """Whether the range ends with the last day of a period."""
        return self.until == self._end_of_last

    @property
    def _end_of_last(self) -> date:
        """The day with which the last period ends in the calendar, whose own last day is that of the year 9999."""
        if self.unit is Unit.MONTH:
            return self.until.replace(day=monthrange(self.until.year, self.until.month)[1])
        rest = 0 if self.unit is Unit.DAY else _SUNDAY - self.until.weekday()
        return day_of(min(day_number(self.until) + rest, day_number(date.max)))

    def extend(self, until: date) -> "Periods":
        """The same with the days up to this one that the last period lacks, if it lacks some."""
        return replace(self, until=max(self.until, min(until, self._end_of_last)))

    def numbers(self, days: Ints) -> Ints:
        """The number of the period that each day lies in; -1 before the first one, their number after the last one.

        Args:
            days: since 1970.
        """
        edges = [day_number(day) for day in self.starts] + [day_number(self.until) + 1]
        return np.asarray(np.searchsorted(edges, days, "right") - 1, dtype=np.int64)

    def name(self, number: int) -> str:
        """A period for people: its first day, or its month."""
        start = self.starts[number]
        return f"{start:%Y-%m}" if self.unit is Unit.MONTH else start.isoformat()

    def on(self, number: int) -> str:
        """When it was, within a sentence."""
        words = {Unit.DAY: "on", Unit.WEEK: "in the week of", Unit.MONTH: "in"}
        return f"{words[self.unit]} {self.name(number)}"

    def since_then(self, number: int) -> str:
        """From when on, within a sentence."""
        return f"since {'the week of ' if self.unit is Unit.WEEK else ''}{self.name(number)}"

    def count(self, number: int) -> str:
        """1 day, 12 weeks."""
        return f"{number:,} {self.unit.value}{'' if number == 1 else 's'}"


def divide(since: date, until: date) -> Periods:
    """A range of days, both inclusive, as at most 60 days or weeks, or else as months.

    Example:
        >>> divide(date(2024, 1, 1), date(2024, 2, 29)).unit.value
        'day'
        >>> [str(day) for day in divide(date(2024, 1, 31), date(2024, 4, 2)).starts[:3]]
        ['2024-01-31', '2024-02-05', '2024-02-12']
    """
    days = (until - since).days + 1
    unit = Unit.DAY if days <= MOST else Unit.WEEK if days + since.weekday() <= 7 * MOST else Unit.MONTH
    return Periods(unit, tuple(_starts(unit, since, until)), until)


def latest(days: Ints, facts: Ints) -> Periods:
    """The last periods there are facts of: all of them, or the last 60 months.

    A handful of facts far from all others, such as one of the year 1900, would make days of all others months. So at
    either end one in a thousand facts, or else one, is left out where the range without them is less than half as long.

    Args:
        days: with facts, since 1970, ascending.
        facts: of each of these days.
    """
    until_day, whole = np.cumsum(facts), int(facts.sum())
    few = max(1.0, FEW * whole) if whole >= FEWEST else 0.0
    first, last = int(days[0]), int(days[-1])
    inner = days[(until_day > few) & (until_day - facts < whole - few)]
    if len(inner) and 2 * (int(inner[-1]) - int(inner[0]) + 1) < last - first + 1:
        first, last = int(inner[0]), int(inner[-1])
    until = day_of(last)
    since = max(day_of(first), _months_before(until, MOST - 1))
    return divide(since, until)


def day_numbers(moments: Moments, zone: str) -> Ints:
    """The local day of each instant, in days since 1970; at most the last day of the year 9999.

    Raises:
        UsageError: no such zone.
    """
    clock = clock_of(zone, moments)
    days = (moments + clock.offsets[clock.last_change(moments)]) // DAY
    return np.asarray(np.clip(days, day_number(date.min), day_number(date.max)), dtype=np.int64)


def day_number(day: date) -> int:
    """A day in days since 1970."""
    return (day - _EPOCH).days


def day_of(number: int) -> date:
    """The day so many days after the beginning of 1970."""
    return _EPOCH + timedelta(days=number)


def _starts(unit: Unit, since: date, until: date) -> Iterator[date]:
    """The first day of the range, and of each day, week (from Monday) or month that begins in the rest of it."""
    yield since
    if unit is Unit.MONTH:
        for month in range(_month_number(since) + 1, _month_number(until) + 1):
            yield date(month // 12, month % 12 + 1, 1)
        return
    step = 1 if unit is Unit.DAY else 7
    following = day_number(since) + (1 if unit is Unit.DAY else 7 - since.weekday())
    yield from map(day_of, range(following, day_number(until) + 1, step))


def _month_number(day: date) -> int:
    return day.year * 12 + day.month - 1


def _months_before(day: date, months: int) -> date:
    """The first day of the month so many months before."""
    month = max(_month_number(day) - months, 12)
    return date(month // 12, month % 12 + 1, 1)
