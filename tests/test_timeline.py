"""Durations, run dates and cutoffs."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightjar.errors import UsageError
from nightjar.timeline import cutoff, format_duration, local_date, parse_duration, parse_run_date, shift


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7d", 604_800), ("12h", 43_200), ("30m", 1_800), ("45s", 45), ("0s", 0), ("250us", 0.00025)],
)
def test_a_duration_is_a_number_and_a_unit(text, seconds):
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "7", "d", "-7d", "+7d", "1.5h", "7 d", "7D", "1d12h", "7d\n", "٧d", "9" * 5000 + "d"]
)
def test_any_other_duration_is_refused_by_its_value(text):
    with pytest.raises(UsageError) as refused:
        parse_duration(text)
    assert repr(text) in str(refused.value)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(hours=24), "1d"),
        (timedelta(hours=36), "36h"),
        (timedelta(minutes=90), "90m"),
        (timedelta(seconds=90), "90s"),
        (timedelta(seconds=0.5), "500000us"),
    ],
)
def test_a_duration_is_written_in_the_largest_unit_that_divides_it(duration, text):
    assert format_duration(duration) == text


@given(st.timedeltas(min_value=timedelta(0)))
def test_what_is_written_is_read_back(duration):
    assert parse_duration(format_duration(duration)) == duration


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


def test_an_instant_is_shifted_by_a_duration():
    assert shift(datetime(2024, 4, 1, 12, tzinfo=timezone(timedelta(hours=2))), "36h", "UTC") == datetime(
        2024, 4, 2, 22, tzinfo=UTC
    )
    with pytest.raises(UsageError, match="9d later is after 9999"):
        shift(datetime(9999, 12, 31, tzinfo=UTC), "9d", "UTC")
    with pytest.raises(UsageError, match="Nowhere"):
        shift(datetime(2024, 4, 1, tzinfo=UTC), "1d", "Nowhere")
