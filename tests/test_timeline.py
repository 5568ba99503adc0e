"""Durations, run dates and cutoffs."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from unittest import mock
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightjar.durations import Duration, duration_of, parse_duration
from nightjar.errors import UsageError
from nightjar.timeline import (
    FIRST_MOMENT,
    LAST_MOMENT,
    cutoff,
    earlier,
    last_midnight,
    later,
    local_date,
    parse_run_date,
    shift,
)
from oracles import timeline as oracle

CHANGES = {
    "America/New_York": datetime(2024, 3, 10, 7, tzinfo=UTC),
    "Australia/Lord_Howe": datetime(2024, 4, 6, 15, tzinfo=UTC),  # by half an hour
    "America/Havana": datetime(2024, 3, 10, 5, tzinfo=UTC),  # at midnight
    "Atlantic/Azores": datetime(2024, 10, 27, 1, tzinfo=UTC),  # back over midnight
    "America/Santiago": datetime(2024, 9, 8, 4, tzinfo=UTC),  # at midnight
    "America/St_Johns": datetime(2006, 4, 2, 3, 31, tzinfo=UTC),  # at a minute past midnight
    "Pacific/Apia": datetime(2011, 12, 30, 10, tzinfo=UTC),  # 30 December was left out
    "Asia/Manila": datetime(1844, 12, 31, 15, 56, 8, tzinfo=UTC),  # 31 December was left out, by the sun's time
    "UTC": datetime(2024, 3, 10, tzinfo=UTC),
}
"""Zones, and an instant at which their clocks change."""


@pytest.mark.parametrize(
    ("text", "days", "seconds"),
    [
        ("2w", 14, 0),
        ("7d", 7, 0),
        ("12h", 0, 43_200),
        ("30m", 0, 1_800),
        ("45s", 0, 45),
        ("0s", 0, 0),
        ("250us", 0, 0.00025),
    ],
)
def test_a_duration_is_a_number_and_a_unit_and_keeps_both(text, days, seconds):
    assert parse_duration(text) == Duration(days, timedelta(seconds=seconds), text)
    assert bool(parse_duration(text)) == (text != "0s")
    assert str(parse_duration(f"00{text}")) == text


@pytest.mark.parametrize(
    "text", ["", "7", "d", "-7d", "+7d", "1.5h", "7 d", "7D", "1d12h", "7d\n", "٧d", "7min", "9" * 5000 + "d"]
)
def test_any_other_duration_is_refused_by_its_value(text):
    with pytest.raises(UsageError) as refused:
        parse_duration(text)
    assert repr(text) in str(refused.value)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(days=1), "24h"),
        (timedelta(hours=36), "36h"),
        (timedelta(minutes=90), "90m"),
        (timedelta(seconds=90), "90s"),
        (timedelta(seconds=0.5), "500000us"),
    ],
)
def test_a_timedelta_is_exact_and_said_in_the_largest_unit_that_divides_it(duration, text):
    assert str(duration_of(duration)) == text


@given(st.timedeltas(min_value=timedelta(0)))
def test_what_is_said_is_read_back(duration):
    assert parse_duration(str(duration_of(duration))) == duration_of(duration) == Duration(0, duration, mock.ANY)


@given(
    st.sampled_from(sorted(CHANGES)),
    st.lists(st.integers(-150, 150), min_size=1, max_size=9),
    st.sampled_from([0, 1, 59_999_999, 1_800_000_000]),
    st.sampled_from(["0d", "1d", "2d", "1w", "100d", "40w", "24h", "36h", "1us"]),
    st.booleans(),
)
def test_an_instant_moved_by_days_shows_the_same_clock_or_the_first_after_a_leap(zone, halves, micros, text, back):
    """The oracle is Arrow's. Steps of half an hour around a change, and the microseconds beside them."""
    moments = [(CHANGES[zone] - oracle.EPOCH) // oracle.MICROSECOND + half * 1_800_000_000 + micros for half in halves]
    slowly = oracle.micros_before if back else oracle.micros_after
    expected = [slowly(moment, text, zone) for moment in moments]
    assert shift(np.array(moments), parse_duration(text), zone, back=back).tolist() == expected


@pytest.mark.parametrize(
    ("zone", "start", "text", "end"),
    [
        ("America/New_York", "2024-03-09T07:30Z", "1d", "2024-03-10T07:00Z"),  # 02:30 is leapt over
        ("America/New_York", "2024-03-09T07:30Z", "24h", "2024-03-10T07:30Z"),
        ("America/New_York", "2024-11-02T05:30Z", "1d", "2024-11-03T05:30Z"),  # of the two 01:30 the first
        ("America/New_York", "2024-11-03T06:30Z", "1d", "2024-11-04T06:30Z"),
        ("Pacific/Apia", "2011-12-29T10:00Z", "1d", "2011-12-30T10:00Z"),  # a day that was left out has no length
        ("Pacific/Apia", "2011-12-29T10:00Z", "2d", "2011-12-30T10:00Z"),
    ],
)
def test_days_are_those_of_the_calendar(zone, start, text, end):
    assert later(datetime.fromisoformat(start), parse_duration(text), zone) == datetime.fromisoformat(end)


@given(
    st.sampled_from([*sorted(CHANGES), "Africa/Casablanca", "Asia/Gaza"]), st.dates(date(2030, 1, 1), date(9990, 1, 1))
)
def test_a_day_after_a_midnight_is_the_next_one_whenever(zone, day):
    """Also where the database has rules, and no changes any more."""
    start, end = cutoff(day, zone), cutoff(day + timedelta(days=1), zone)
    if start.astimezone(ZoneInfo(zone)).time() == time():
        assert later(start, parse_duration("1d"), zone) == end


def test_a_date_can_begin_twice():
    assert last_midnight(date(2006, 10, 29), "America/St_Johns") == datetime(2006, 10, 29, 3, 30, tzinfo=UTC)
    assert last_midnight(date(2024, 3, 10), "America/Havana") == cutoff(date(2024, 3, 10), "America/Havana")


def test_two_instants_can_change_places():
    first, second = (datetime(2024, 11, 3, 5, minute, tzinfo=UTC) for minute in (30, 59))
    third = datetime(2024, 11, 3, 6, 0, tzinfo=UTC)  # shows 01:00 once more
    moved = [later(one, parse_duration("1d"), "America/New_York") for one in (first, second, third)]
    assert sorted(moved) == [moved[2], moved[0], moved[1]]


def test_beyond_all_instants_there_is_the_last_one():
    ends, longest = np.array([FIRST_MOMENT, 0, LAST_MOMENT]), parse_duration(f"{timedelta.max.days}d")
    assert shift(ends, longest, "UTC", back=True).tolist() == [FIRST_MOMENT, -LAST_MOMENT, 0]
    assert shift(ends, longest, "UTC").tolist() == [-1, LAST_MOMENT, LAST_MOMENT]
    with pytest.raises(UsageError, match=r"1d before 0001-01-01T00:00:00.*before year 1"):
        earlier(datetime(1, 1, 1, tzinfo=UTC), parse_duration("1d"), "Europe/Paris")


@pytest.mark.parametrize(
    ("one", "other", "covers"),
    [
        ("7d", "1w", True),
        ("6d", "1w", False),
        ("24h", "24h", True),
        ("24h", "1d", False),
        ("1d", "24h", False),
        ("3d", "24h", True),
        ("60h", "1d", True),
    ],
)
def test_a_duration_covers_another_if_it_does_in_every_zone(one, other, covers):
    assert parse_duration(one).covers(parse_duration(other)) == covers


def test_a_run_date_has_one_form():
    assert parse_run_date("2013-10-05") == date(2013, 10, 5)


@pytest.mark.parametrize("text", ["2013-10-5", "20131005", "2013-W40-6", "05.10.2013", "2013-02-29", "2013-10-05 ", ""])
def test_any_other_run_date_is_refused_with_value_and_form(text):
    with pytest.raises(UsageError) as refused:
        parse_run_date(text)
    assert repr(text) in str(refused.value)
    assert "YYYY-MM-DD" in str(refused.value)


@pytest.mark.parametrize(
    ("day", "zone", "instant"),
    [
        (date(2013, 10, 5), "UTC", datetime(2013, 10, 5, tzinfo=UTC)),
        (date(2013, 10, 5), "America/New_York", datetime(2013, 10, 5, 4, tzinfo=UTC)),
        (date(2013, 12, 5), "America/New_York", datetime(2013, 12, 5, 5, tzinfo=UTC)),
        (date(2013, 10, 5), "Asia/Kolkata", datetime(2013, 10, 4, 18, 30, tzinfo=UTC)),
        # 00:00 leapt to 01:00: the date begins at the leap
        (date(2018, 11, 4), "America/Sao_Paulo", datetime(2018, 11, 4, 3, tzinfo=UTC)),
        # 01:00 fell back to 00:00: the date begins at the first midnight
        (date(2013, 11, 3), "America/Havana", datetime(2013, 11, 3, 4, tzinfo=UTC)),
        (date(1960, 1, 1), "Europe/Berlin", datetime(1959, 12, 31, 23, tzinfo=UTC)),
    ],
)
def test_a_cutoff_is_the_first_instant_of_its_date(day, zone, instant):
    assert cutoff(day, zone) == instant
    assert cutoff(day, zone).tzinfo is UTC
    assert local_date(instant, zone) == day
    assert local_date(instant - timedelta(microseconds=1), zone) == day - timedelta(days=1)


def test_a_local_date_does_not_depend_on_the_offset_the_instant_is_written_in():
    instant = datetime(2013, 10, 5, 2, tzinfo=UTC)
    assert local_date(instant, "America/New_York") == date(2013, 10, 4)
    assert local_date(instant.astimezone(timezone(timedelta(hours=9))), "America/New_York") == date(2013, 10, 4)


def test_an_instant_without_a_zone_has_no_local_date():
    with pytest.raises(UsageError, match="no time zone"):
        local_date(datetime(2013, 10, 5), "UTC")  # noqa: DTZ001 - the mistake under test


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "America", "../etc/passwd"])
def test_an_unknown_zone_is_refused(zone):
    with pytest.raises(UsageError, match="time zone"):
        cutoff(date(2013, 10, 5), zone)


def test_a_cutoff_outside_the_calendar_is_refused():
    with pytest.raises(UsageError, match="year 1"):
        cutoff(date.min, "Asia/Tokyo")
    with pytest.raises(UsageError, match="year 1"):
        local_date(datetime.max.replace(tzinfo=UTC), "Asia/Tokyo")
