"""Days, weeks and months: each day of a range lies in one, and they are those of the project's calendar."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightjar.profiling.stored.periods import day_number, day_numbers, divide, latest
from nightjar.timeline import instant, local_date, moment
from oracles.stored_profiles import period_of

YEAR = 31_556_952_000_000  # microseconds
DAYS = st.dates(date(1900, 1, 1), date(2200, 1, 1))


@given(DAYS, st.one_of(st.integers(0, 65), st.integers(400, 430), st.integers(0, 3000)))
def test_every_day_lies_in_the_period_of_its_calendar(since, length):
    until = since + timedelta(days=length)
    periods = divide(since, until)
    days = [since + timedelta(days=n) for n in range(length + 1)]
    starts = {}
    for day in days:
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        starts.setdefault(period_of(noon, "UTC", periods.unit.value), []).append(day)
    expected = [number for number, members in enumerate(starts.values()) for _ in members]
    assert periods.numbers(np.array([day_number(day) for day in days])).tolist() == expected
    assert list(periods.starts) == [members[0] for members in starts.values()]
    outside = np.array([day_number(since) - 1, day_number(until) + 1])
    assert periods.numbers(outside).tolist() == [-1, len(periods)]
    following = until + timedelta(days=1)
    assert periods.is_last_whole == (
        period_of(datetime(following.year, following.month, following.day, tzinfo=UTC), "UTC", periods.unit.value)
        == following
    )


@pytest.mark.parametrize("since", [date(9999, 12, 1), date(9999, 1, 1), date(9000, 1, 1)])
def test_the_calendar_ends_with_the_year_9999(since):
    periods = divide(since, date.max)
    assert periods.is_last_whole
    assert periods.numbers(np.array([day_number(date.max)])).tolist() == [len(periods) - 1]


@pytest.mark.parametrize(
    ("days", "unit", "number"), [(60, "day", 60), (61, "week", 9), (420, "week", 60), (421, "month", 14)]
)
def test_a_range_is_counted_by_the_shortest_periods_that_are_not_too_many(days, unit, number):
    monday = date(2024, 1, 1)
    periods = divide(monday, monday + timedelta(days=days - 1))
    assert (periods.unit.value, len(periods)) == (unit, number)


@given(
    st.lists(st.integers(-80 * YEAR, 120 * YEAR).map(instant), min_size=1, max_size=20),
    st.sampled_from(["UTC", "America/New_York", "Pacific/Apia", "Asia/Kathmandu", "Europe/Dublin"]),
)
def test_a_day_is_the_date_that_clocks_of_the_zone_show(instants, zone):
    numbers = day_numbers(np.array([moment(one) for one in instants]), zone)
    assert numbers.tolist() == [day_number(local_date(one, zone)) for one in instants]


def test_by_default_all_facts_are_looked_at_but_a_handful_far_from_them_and_sixty_months_at_most():
    spring = np.arange(day_number(date(2024, 3, 1)), day_number(date(2024, 3, 31)) + 1)
    lone = day_number(date(1900, 1, 1))
    far = latest(np.append(lone, spring), np.append(3, np.full(31, 500)))
    assert (far.unit.value, far.since, far.until) == ("day", date(2024, 3, 1), date(2024, 3, 31))
    several = latest(np.append(lone, spring), np.append(300, np.full(31, 500)))
    assert (several.unit.value, several.since, len(several)) == ("month", date(2019, 4, 1), 60)
    future = latest(np.append(spring, day_number(date(2099, 1, 1))), np.append(np.full(31, 5), 1))
    assert (future.unit.value, future.until) == ("day", date(2024, 3, 31))
    assert latest(np.append(spring[:3], spring[-1]), np.ones(4, int)).until == date(2024, 3, 31)
    near = latest(np.append(spring[0] - 20, spring), np.append(3, np.full(31, 500)))
    assert near.since == date(2024, 2, 10)
