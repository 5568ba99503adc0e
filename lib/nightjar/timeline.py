"""Durations, run dates and cutoffs: the one place where a business date becomes an instant.

Every instant that leaves this module is aware and in UTC; a zone is the name of an entry in the IANA database.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from nightjar.errors import UsageError

_UNITS = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "us": timedelta(microseconds=1),
}
_START = datetime(1970, 1, 1, tzinfo=UTC)
_DURATION = re.compile(r"([0-9]+)(d|h|m|s|us)")
_RUN_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def parse_duration(text: str) -> timedelta:
    """Read a duration: a whole number and one unit, ``7d``, ``12h``, ``30m``, ``45s`` or ``250us``.

    A day is 24 hours, whatever the clocks of a zone do.

    Raises:
        UsageError: anything else, a sign included, or more than ``timedelta`` holds.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise UsageError(f"duration {text!r}: expected a whole number and a unit, like 7d, 12h, 30m or 45s")
    try:
        return int(found[1]) * _UNITS[found[2]]
    except (OverflowError, ValueError) as error:
        raise UsageError(f"duration {text!r}: longer than {timedelta.max.days} days") from error


def format_duration(duration: timedelta) -> str:
    """Write a duration of at least zero in the largest unit that divides it: 24 hours are ``1d``, 90 minutes ``90m``.

    One duration has one text, and ``parse_duration`` reads it back.
    """
    unit = next(unit for unit, length in _UNITS.items() if duration % length == timedelta(0))
    return f"{duration // _UNITS[unit]}{unit}"


def shift(instant: datetime, duration: str, zone: str) -> datetime:
    """The instant so much later than another one, in UTC.

    A day is 24 hours here too, so the zone only has to exist.

    Raises:
        UsageError: no duration, no such zone, or an instant after the year 9999.
    """
    _zone(zone)
    try:
        return instant.astimezone(UTC) + parse_duration(duration)
    except OverflowError as error:
        raise UsageError(f"instant {instant.isoformat()}: {duration} later is after 9999") from error


def parse_run_date(text: str) -> date:
    """Read a run date, ``YYYY-MM-DD`` and nothing else.

    Raises:
        UsageError: another form, or a day that is in no calendar.
    """
    problem = "expected the form YYYY-MM-DD, like 2013-10-05"
    if _RUN_DATE.fullmatch(text) is None:
        raise UsageError(f"run date {text!r}: {problem}")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"run date {text!r}: {error}; {problem}") from error


def cutoff(run_date: date, zone: str) -> datetime:
    """The instant that a run of this date knows up to: the first instant of the date in the zone, in UTC.

    Where clocks leap over midnight that is the leap itself; where midnight comes twice it is the first one.

    Raises:
        UsageError: no such zone, or the instant lies outside the years 1 to 9999.
    """
    midnight = datetime.combine(run_date, time(), tzinfo=_zone(zone))
    try:
        return midnight.astimezone(UTC)
    except OverflowError as error:
        raise UsageError(f"run date {run_date}: its midnight in {zone} is before year 1 or after 9999") from error


def local_date(instant: datetime, zone: str) -> date:
    """The calendar date in the zone at this instant.

    Raises:
        UsageError: an instant without a time zone, no such zone, or a date outside the years 1 to 9999.
    """
    if instant.utcoffset() is None:
        raise UsageError(f"instant {instant.isoformat()}: has no time zone; give an aware one, like 2013-10-05T04:00Z")
    try:
        return instant.astimezone(_zone(zone)).date()
    except OverflowError as error:
        raise UsageError(f"instant {instant.isoformat()}: its date in {zone} is before year 1 or after 9999") from error


def instant(microseconds: int) -> datetime:
    """The instant so many microseconds after the beginning of 1970 in UTC, as Spark and Arrow count them."""
    return _START + timedelta(microseconds=microseconds)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # an unknown name, a path, the name of a folder
        raise UsageError(f"time zone {name!r}: not in the IANA database; expected a name like Europe/Berlin") from error
