"""Durations as settings say them: days of a zone's calendar, or exact lengths."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from nightjar.errors import UsageError

_DAYS = {"w": 7, "d": 1}
_EXACT = {
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "us": timedelta(microseconds=1),
}
_DURATION = re.compile(r"([0-9]+)(w|d|h|m|s|us)")
_LAST = 2**63 - 1
SLACK = timedelta(hours=26)
"""No day of any zone differs by more from 24 hours: offsets from UTC lie at most so far apart, as on two sides of the
date line."""


@dataclass(frozen=True)
class Duration:
    """A length of time as somebody has said it.

    Attributes:
        days: days of a zone's calendar, if it was said in days or weeks; else 0.
        exact: an exact length, if it was said in hours or less; else nothing.
        text: as it was said, such as `7d`, `12h`, `30m`, `45s` or `250us`.
    """

    days: int
    exact: timedelta
    text: str

    def __bool__(self) -> bool:
        """Whether it is longer than nothing."""
        return bool(self.days or self.exact)

    def __str__(self) -> str:
        """As it was said."""
        return self.text

    def at_most(self) -> timedelta:
        """How long it can be, in any zone and at any time."""
        if not self.days:
            return self.exact
        whole = min(self.days, timedelta.max.days - 2)
        return timedelta(days=whole) + SLACK

    def covers(self, other: "Duration") -> bool:
        """Whether it is as long as another one, or longer, in any zone and at any time.

        Example:
            >>> parse_duration("2d").covers(parse_duration("1d"))
            True
            >>> parse_duration("1d").covers(parse_duration("24h"))  # a day may have 23 hours
            False
        """
        if self.days and other.days:
            return self.days >= other.days
        least = max(timedelta(days=self.days) - SLACK, timedelta()) if self.days else self.exact
        return least >= other.at_most()


Length: TypeAlias = Duration | timedelta | str
"""How a duration may be given."""


def parse_duration(text: str) -> Duration:
    """Read a duration: a whole number and one unit, ``2w``, ``7d``, ``12h``, ``30m``, ``45s`` or ``250us``.

    Weeks and days are days of a zone's calendar; the others are exact.

    Raises:
        UsageError: anything else, a sign included, or more than ``timedelta`` holds.

    Example:
        >>> parse_duration("2w").days
        14
        >>> parse_duration("36h").exact
        datetime.timedelta(days=1, seconds=43200)
        >>> parse_duration("1.5d")
        Traceback (most recent call last):
        nightjar.errors.UsageError: duration '1.5d': expected a whole number and a unit, like 2w, 7d, 12h, 30m or 45s
    """
    parsed = _DURATION.fullmatch(text)
    if parsed is None:
        raise UsageError(f"duration {text!r}: expected a whole number and a unit, like 2w, 7d, 12h, 30m or 45s")
    try:
        number, unit = int(parsed[1]), parsed[2]
        days = timedelta(days=number * _DAYS.get(unit, 0)).days
        return Duration(days, number * _EXACT.get(unit, timedelta()), f"{number}{unit}")
    except (OverflowError, ValueError) as error:
        raise UsageError(f"duration {text!r}: longer than {timedelta.max.days} days") from error


def duration_of(length: Length) -> Duration:
    """A duration given as such, as text, or as a ``timedelta``, which is exact.

    Its text is then in the largest unit that divides it, of hours and less.

    Raises:
        UsageError: the text is no duration, or the ``timedelta`` is less than zero.

    Example:
        >>> str(duration_of(timedelta(minutes=90)))
        '90m'
        >>> duration_of("1d") == duration_of("24h")
        False
    """
    if isinstance(length, Duration):
        return length
    if isinstance(length, str):
        return parse_duration(length)
    if length < timedelta():
        raise UsageError(f"duration {length}: expected at least zero")
    unit = next(unit for unit, one in _EXACT.items() if length % one == timedelta())
    return Duration(0, length, f"{length // _EXACT[unit]}{unit}")


def microseconds(length: timedelta) -> int:
    """A length of at least zero, at most all of time."""
    return min(length // timedelta.resolution, _LAST)
