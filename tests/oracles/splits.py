"""Folds as their rules read: plain Python, every row against every other one, every instant looked at.

Instants of the purge are small whole numbers (microseconds), so that a window can be written out as a set.
"""

from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from oracles.timeline import after


def kept(test, times, known, embargo):
    """The rows outside the test rows that share no instant with any of them."""
    outside = [row for row in range(len(times)) if row not in test]
    told = {row: window(times[row], known[row]) | {known[row]} for row in outside}
    asked = [window(times[row], known[row] + embargo) for row in test]
    return [row for row in outside if not any(told[row] & instants for instants in asked)]


def window(since, until):
    """The instants of (since, until]."""
    return set(range(since + 1, until + 1))


def seen(rows, before, zone, horizon):
    """The rows that may be in a fold, and the date before which the last fold ends; a row is (day, time, known)."""
    now = midnight(before, zone)
    earlier = {number: row for number, row in enumerate(rows) if row[0] < before}
    settled = [number for number, (_, at, known) in earlier.items() if after(at, horizon, zone) <= now and known <= now]
    unsettled = [day for day, at, _ in earlier.values() if after(at, horizon, zone) > now]
    return settled, min([*unsettled, before])


def walk_forward(rows, numbers, *, end, folds, test_days, zone, horizon, embargo, train_days):
    """(train, test) row numbers of each fold, oldest first, the last one ending before a date.

    A row is trained on that is settled: its label known, and its horizon passed.
    """
    found = []
    for left in range(folds, 0, -1):
        dates = [end - timedelta(days=test_days * left - day) for day in range(test_days)]
        train, test = [], []
        for number in numbers:
            day, at, known = rows[number]
            recent = train_days is None or (dates[0] - day).days <= train_days
            settled = max(after(at, horizon, zone), known)
            if day < dates[0] and recent and after(settled, embargo, zone) <= midnight(dates[0], zone):
                train.append(number)
            if day in dates:
                test.append(number)
        found.append((train, test))
    return found


@cache
def midnight(day, zone):
    """The first quarter of an hour at which the zone has reached the date."""
    instant = datetime.combine(day - timedelta(days=2), time(), UTC)
    while instant.astimezone(ZoneInfo(zone)).date() < day:
        instant += timedelta(minutes=15)
    return instant
