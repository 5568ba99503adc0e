"""Durations, run dates and cutoffs: the one place where a business date becomes an instant.

A day is a day of a zone's calendar, an hour is an hour: `1d` after noon is noon again, `24h` after it is 13:00 where
clocks have been put forward between. Every instant that leaves this module is aware and in UTC, or whole microseconds
since 1970 in UTC; a zone is the name of an entry in the IANA database.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import TZPATH, ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.durations import Duration, microseconds
from nightjar.errors import UsageError

Moments = npt.NDArray[np.int64]
"""Instants as whole microseconds since 1970 in UTC."""
_START = datetime(1970, 1, 1, tzinfo=UTC)
_RUN_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SECOND, _DAY = 1_000_000, 86_400_000_000
YEAR_1, YEAR_10000 = -62_135_596_800, 253_402_300_800  # seconds since 1970; Python knows no others
FIRST_MOMENT, LAST_MOMENT = int(np.iinfo(np.int64).min), int(np.iinfo(np.int64).max)
_BEFORE_ZONES, _RULES, _END = -5_364_662_400_000_000, 2_145_916_800_000_000, 253_402_214_400_000_000
"""The beginnings of 1800, when every place still had the time of its sun, and of 2038, and the end of 9999.

From 2038 on the database has rules for most zones, which Arrow does not follow."""
_PERIODIC, _PERIOD = 4_102_444_800_000_000, 146_097 * _DAY
"""From 2100 on it has nothing but rules, and they give the same changes again after the calendar's own 400 years."""


def shift(moments: Moments, by: Duration, zone: str, *, back: bool = False) -> Moments:
    """Instants moved by a duration, forward or back; beyond the first or last instant there is, that one.

    Days keep what the zone's clocks show: a time that they leap over is the first instant after the leap, one that they
    show twice is the earlier. So of two instants around such a change the earlier one can be moved behind the other.

    Args:
        moments: microseconds since 1970 in UTC.
        by: the duration.
        zone: whose days.
        back: whether to move back.

    Raises:
        UsageError: no such zone.
    """
    if not by.days:
        return _moved(moments, -microseconds(by.exact) if back else microseconds(by.exact))
    return clock_of(zone, moments, by.days).shifted(moments, -by.days if back else by.days)


def later(instant: datetime, by: Duration, zone: str) -> datetime:
    """The instant moved forward by a duration; see `shift`.

    Raises:
        UsageError: no such zone, or that is after the year 9999.

    Example:
        Clocks in Paris were put forward on 31 March 2024, so that day had 23 hours.

        >>> from nightjar.durations import parse_duration
        >>> midnight = cutoff(date(2024, 3, 31), "Europe/Paris")
        >>> (later(midnight, parse_duration("1d"), "Europe/Paris") - midnight) // timedelta(hours=1)
        23
        >>> (later(midnight, parse_duration("24h"), "Europe/Paris") - midnight) // timedelta(hours=1)
        24
    """
    return _shifted(instant, by, zone, back=False)


def earlier(instant: datetime, by: Duration, zone: str) -> datetime:
    """The instant moved back by a duration; see `shift`.

    Raises:
        UsageError: no such zone, or that is before the year 1.

    Example:
        >>> from nightjar.durations import parse_duration
        >>> str(earlier(cutoff(date(2024, 4, 1), "Europe/Paris"), parse_duration("1d"), "Europe/Paris"))
        '2024-03-30 23:00:00+00:00'
    """
    return _shifted(instant, by, zone, back=True)


@dataclass(frozen=True, eq=False)
class Clock:
    """What the clocks of a zone show over some years.

    Attributes:
        changes: the instants at which their offset from UTC changes, ascending; the first one is before all others.
        offsets: from each of these instants on.
        through: the greatest local time that they show before each next change, so far; all in microseconds.
    """

    changes: Moments
    offsets: Moments
    through: Moments

    def shifted(self, moments: Moments, days: int) -> Moments:
        """Instants moved by days of the calendar."""
        if len(self.changes) == 1:
            return _moved(moments, _day_length(days))
        local = _moved(moments, self.offsets[self.last_change(moments)])
        local = _moved(local, _day_length(days))
        place = np.searchsorted(self.through, local, "right")
        return np.maximum(self.changes[place], _moved(local, -self.offsets[place]))

    def last_change(self, moments: Moments) -> npt.NDArray[np.intp]:
        """The number of the last change at or before each instant."""
        return np.searchsorted(self.changes, moments, "right") - 1


def clock_of(zone: str, moments: Moments, days: int = 0) -> Clock:
    """The clock of a zone, up to some instants and so many days after them.

    Raises:
        UsageError: no such zone.
    """
    last = int(moments.max(initial=0)) + days * _DAY
    return _clock(zone, is_far=last > _RULES)


@lru_cache(maxsize=64)
def _clock(zone: str, *, is_far: bool) -> Clock:
    """Found by looking at the clock twice a day, and where it has changed between by halving."""
    require_zone(zone)
    if zone == "UTC":
        return Clock(np.array([FIRST_MOMENT]), np.array([0]), np.array([], np.int64))
    seen = np.arange(_BEFORE_ZONES, _PERIODIC + _PERIOD if is_far else _RULES, _DAY // 2)
    offset = _offsets(seen, zone)
    changed = np.flatnonzero(offset[1:] != offset[:-1])
    before, after = seen[changed] // _SECOND, seen[changed + 1] // _SECOND
    while np.any(after - before > 1):
        middle = (before + after) // 2
        is_before = _offsets(middle * _SECOND, zone) == offset[changed]
        before, after = np.where(is_before, middle, before), np.where(is_before, after, middle)
    changes, offsets = after * _SECOND, offset[changed + 1]
    ruled, again = np.flatnonzero(changes > _PERIODIC), range(1, (_END - _PERIODIC) // _PERIOD + 1)
    changes = np.concatenate([[FIRST_MOMENT], changes, *(changes[ruled] + number * _PERIOD for number in again)])
    offsets = np.concatenate([offset[:1], offsets, *(offsets[ruled] for _ in again)])
    return Clock(changes, offsets, np.maximum.accumulate(changes[1:] + offsets[:-1]))


def _offsets(moments: Moments, zone: str) -> Moments:
    """What clocks of the zone show, less UTC."""
    instants: Any = pa.array(moments).cast(pa.timestamp("us", tz=zone))
    offsets = np.array(pc.local_timestamp(instants).cast(pa.int64()).to_numpy() - moments, np.int64)
    by_rules, clock = np.flatnonzero(moments >= _RULES), _zone(zone)
    seconds = (moments[by_rules] // _SECOND).tolist()
    shown = (datetime.fromtimestamp(second, clock).utcoffset() or timedelta() for second in seconds)
    offsets[by_rules] = [offset // timedelta.resolution for offset in shown]
    return offsets


def _moved(moments: Moments, by: int | Moments) -> Moments:
    """Instants and lengths added up, at most to the last instant there is, at least to the first."""
    return np.clip(moments, FIRST_MOMENT - np.minimum(by, 0), LAST_MOMENT - np.maximum(by, 0)) + by


def _day_length(days: int) -> int:
    return max(min(days * _DAY, LAST_MOMENT), -LAST_MOMENT)


def parse_run_date(text: str) -> date:
    """Read a run date, ``YYYY-MM-DD`` and nothing else.

    Raises:
        UsageError: another form, or a day that is in no calendar.

    Example:
        >>> parse_run_date("2013-10-05")
        datetime.date(2013, 10, 5)
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

    Example:
        >>> str(cutoff(date(2013, 10, 5), "America/New_York"))
        '2013-10-05 04:00:00+00:00'
    """
    midnight = datetime.combine(run_date, time(), tzinfo=_zone(zone))
    try:
        return midnight.astimezone(UTC)
    except OverflowError as error:
        raise UsageError(f"run date {run_date}: its midnight in {zone} is before year 1 or after 9999") from error


def last_midnight(day: date, zone: str) -> datetime:
    """The last instant at which clocks show the beginning of a date: its cutoff, unless they show it twice.

    Raises:
        UsageError: no such zone, or the instant lies outside the years 1 to 9999.

    Example:
        In Havana clocks went back at one o'clock on 3 November 2024, so its midnight came twice.

        >>> last_midnight(date(2024, 11, 3), "America/Havana") - cutoff(date(2024, 11, 3), "America/Havana")
        datetime.timedelta(seconds=3600)
    """
    return max(cutoff(day, zone), datetime.combine(day, time(fold=1), tzinfo=_zone(zone)).astimezone(UTC))


def local_date(instant: datetime, zone: str) -> date:
    """The calendar date in the zone at this instant.

    Raises:
        UsageError: an instant without a time zone, no such zone, or a date outside the years 1 to 9999.

    Example:
        >>> local_date(datetime(2024, 3, 31, 22, 30, tzinfo=UTC), "Europe/Paris")
        datetime.date(2024, 4, 1)
    """
    if instant.utcoffset() is None:
        raise UsageError(f"instant {instant.isoformat()}: has no time zone; give an aware one, like 2013-10-05T04:00Z")
    try:
        return instant.astimezone(_zone(zone)).date()
    except OverflowError as error:
        raise UsageError(f"instant {instant.isoformat()}: its date in {zone} is before year 1 or after 9999") from error


def moment(instant: datetime) -> int:
    """An aware instant as whole microseconds since 1970 in UTC."""
    return (instant - _START) // timedelta.resolution


def instant(microseconds: int) -> datetime:
    """The instant so many microseconds after the beginning of 1970 in UTC, as Spark and Arrow count them."""
    return _START + timedelta(microseconds=microseconds)


def _shifted(start: datetime, by: Duration, zone: str, *, back: bool) -> datetime:
    (moved,) = shift(np.array([moment(start)]), by, zone, back=back).tolist()
    try:
        return instant(moved)
    except OverflowError as error:
        where = "before" if back else "after"
        raise UsageError(f"{by} {where} {start.isoformat()}: that is before year 1 or after 9999") from error


def zone_data() -> str:
    """The version of the IANA database that zones are read from, such as ``2025b``; ``unknown`` if it does not say."""
    for folder in TZPATH:
        file = Path(folder) / "tzdata.zi"
        if file.exists():
            with file.open() as stream:
                return stream.readline().removeprefix("# version").strip()
    return "unknown"


def require_zone(name: str) -> None:
    """Refuse what is no name of a zone.

    Raises:
        UsageError: no such zone.
    """
    _zone(name)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # an unknown name, a path, the name of a folder
        raise UsageError(f"time zone {name!r}: not in the IANA database; expected a name like Europe/Berlin") from error
