"""Which stored facts are looked at, and what each period of them holds."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from builders import machines
from nightjar.errors import TableError
from nightjar.profiling.stored.profile import Range, profile_source
from nightjar.profiling.stored.wording import omissions
from oracles import stored_profiles as oracle
from profiling.stored.tables import NOON, day, store


@pytest.fixture
def project(tmp_path):
    return machines(tmp_path)


@pytest.fixture
def look(warehouse, project):
    def of(**limits):
        return profile_source(warehouse, project, "readings", Range(**limits))

    return of


def two_nights(warehouse):
    """Facts of two nights: 100 hours from the first of March on, with a temperature, and 44 that have a site, too."""
    for first, hours in ((0, 100), (4, 44)):
        times = [NOON + timedelta(days=first, hours=first + hour) for hour in range(hours)]
        temperatures = [None if hour % 9 == 0 else float(hour % 24) for hour in range(hours)]
        columns = {"event_time": times, "temperature": (pa.float64(), temperatures)}
        if first:
            columns["site"] = (pa.string(), ["a" if hour % 4 else "b" for hour in range(hours)])
        store(warehouse, columns, run=f"night {first}")


def test_facts_of_several_nights_are_counted_by_the_days_of_the_projects_zone(warehouse, project, look):
    two_nights(warehouse)
    profile = look()
    by_day = {}
    for first, hours in ((0, 100), (4, 44)):
        for hour in range(hours):
            at = NOON + timedelta(days=first, hours=first + hour)
            value = None if hour % 9 == 0 else float(hour % 24)
            by_day.setdefault(oracle.period_of(at, project.zone, "day"), []).append(value)
    columns = {column.name: column for column in profile.columns}

    assert list(columns) == ["known_at", "id", "temperature", "site"]
    assert list(profile.periods.starts) == sorted(by_day)
    assert profile.facts.tolist() == [len(by_day[one]) for one in sorted(by_day)]
    expected = [oracle.of_numbers(by_day[one]) for one in sorted(by_day)]
    temperature = columns["temperature"]
    assert temperature.missing.tolist() == [one["missing"] for one in expected]
    np.testing.assert_allclose(temperature.numbers.mean, [one["mean"] for one in expected])
    assert temperature.numbers.quantiles.tolist() == [one["quantiles"] for one in expected]
    assert columns["site"].missing.sum() == 100  # files of the first night lack the column
    assert dict(zip(columns["site"].levels.names, columns["site"].levels.counts.sum(axis=1), strict=True)) == {
        "a": 33,
        "b": 11,
    }


def test_a_range_and_a_run_date_choose_facts(warehouse, look):
    two_nights(warehouse)
    whole = look()
    some = look(since=day(1), until=day(3))
    assert some.facts.tolist() == whole.facts[1:4].tolist()
    assert (some.periods.since, some.periods.until) == (day(1), day(3))
    assert (some.all_facts, some.oldest, some.newest) == (144, day(0), day(6))
    assert look(since=day(5)).facts.tolist() == whole.facts[5:].tolist()
    assert look(until=day(5)).facts.tolist() == whole.facts[:6].tolist()
    assert look(since=date(1990, 1, 1), until=date(2100, 1, 1)).facts.tolist() == whole.facts.tolist()
    assert look(run_date=day(7)).facts.sum() == 100  # the second night stores its facts on the eighth
    outside, not_stored, not_in_settings = omissions(some)
    assert outside.startswith("72 facts outside of this range are not counted: the source has facts of 2024-03-01 to")
    assert not_stored.startswith("Not in the table yet: machine, at.")
    assert not_in_settings == "In the table, but no longer in the settings: id, site."


def test_days_without_a_fact_are_named(warehouse, look):
    times = [NOON + timedelta(days=one) for one in (0, 1, 5)]
    store(warehouse, {"event_time": times})
    profile = look()
    assert profile.facts.tolist() == [1, 1, 0, 0, 0, 1]
    assert "3 days without a fact: 2024-03-03, 2024-03-04, 2024-03-05." in list(omissions(profile))


def test_where_there_is_nothing_to_look_at_it_says_so(warehouse, look):
    with pytest.raises(TableError, match=r"Source readings has no stored facts yet: there is no table source_readings"):
        look()
    two_nights(warehouse)
    with pytest.raises(
        TableError,
        match=r"no fact happened in the range since=2025-01-01\. Its 144 facts happened from 2024-03-01 to 2024-03-07",
    ):
        look(since=date(2025, 1, 1))
    with pytest.raises(TableError, match=r"there are no facts that nights up to 2024-03-02 have stored"):
        look(run_date=day(1))


def test_a_long_history_is_counted_by_month_and_no_range_is_endless(warehouse, look):
    store(warehouse, {"event_time": [NOON.replace(year=year) for year in (1925, 1975, 2020, 2024)]})
    profile = look()
    assert (profile.periods.unit.value, len(profile.periods), profile.facts.sum()) == ("month", 60, 2)
    assert look(since=date(1975, 1, 1)).facts.sum() == 3
    with pytest.raises(TableError, match=r"are of 1,189 months, expected at most 600"):
        look(since=date(1925, 1, 1))


def test_damage_is_told_with_its_file(warehouse, look):
    two_nights(warehouse)
    file = next(Path(warehouse.path("source_readings")).rglob("*.parquet"))
    content = bytearray(file.read_bytes())
    for place in range(4, len(content) // 2, 50):
        content[place] ^= 1
    file.write_bytes(content)
    with pytest.raises(TableError, match=r"Table source_readings at .* is damaged"):
        look()
