"""What a source brings to a night is judged before anything is written: empty, half and late input."""

import logging
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

import builders
from builders import rows_of
from nightjar.errors import SourceError
from nightjar.settings.arrival import Arrival, Severity
from nightjar.sources import arrivals
from nightjar.sources.arrivals import NIGHTS, every_night
from nightjar.sources.ingest import ingest
from nightjar.sources.storing import CheckedSource, Night
from nightjar.tables import quality
from nightjar.tables.source_definitions import source_table

DAYS = [date(2024, 4, day) for day in range(1, 9)]
HEADER = "machine,at,seen,temperature\n"
CUTOFF = datetime(2024, 3, 31, 22, tzinfo=UTC)
"""Of the first of the days, in Paris."""
STORED = ("machine", "at", "known_at", "ingested_on")
GOES_ON = {"arrival": Arrival(severity=Severity.WARN)}


def file_of(*days):
    """What was known by the midnights of these dates: one fact each, seen at eight in the evening before."""
    return HEADER + "".join(
        f"m1,{day - timedelta(days=1)} 18:00:00,{day - timedelta(days=1)} 18:30:00,20\n" for day in days
    )


def verdicts(warehouse):
    """Date -> (facts that arrived, verdict)."""
    rows = rows_of(warehouse, "quality", "run_date", "check", "rows", "status")
    return {day: (count, status) for day, check, count, status in rows if check == quality.ARRIVED}


@pytest.mark.parametrize(
    ("rows", "went_on", "usual"),
    [
        ({0: 5, 1: 3}, set(), [5, 3]),
        ({0: 5}, set(), []),  # a first load is no habit
        ({}, set(), []),
        ({1: 5, 2: 3, 3: 4}, set(), []),  # the night before was quiet, and nobody minded
        ({1: 5, 2: 3}, {0}, [5, 3]),  # it was quiet, and that was amiss
        ({0: 5, 6: 4, 13: 3}, set(), []),  # once a week
        ({0: 5, 1: 3, NIGHTS: 9}, set(), []),  # nights of long ago had none
        (dict.fromkeys(range(NIGHTS + 1), 7), set(), [7] * NIGHTS),
    ],
)
def test_every_night_had_some_or_a_quiet_one_is_nothing_new(rows, went_on, usual):
    assert every_night(rows, went_on) == usual


def load(stored, newest):
    """A first load that would store so many facts."""
    counts = {"read": 1_000, "stored": stored, "corrected": 0}
    return CheckedSource(
        "readings", source_table("readings", [], pa.schema([])), None, counts, {}, newest, [], has_late=False
    )


@pytest.mark.parametrize(
    ("stored", "newest", "arrival", "amiss"),
    [
        (500, CUTOFF, Arrival(500, "6h"), []),
        (485, CUTOFF, Arrival(500), ["485 new rows (of 1,000 read), expected at least 500 (arrival.min_rows)"]),
        (0, None, Arrival(0), []),
        (0, None, Arrival(), []),
        (9, CUTOFF - timedelta(hours=6), Arrival(max_age="6h"), []),
        (
            9,
            CUTOFF - timedelta(days=1, microseconds=1),
            Arrival(max_age="1d"),
            ["the newest fact is of 2024-03-30 21:59 UTC, 24.0 h before the night, expected one of the last 1d"],
        ),
        (0, None, Arrival(max_age="1d"), ["there is no fact, expected one of the last 1d"]),
    ],
)
def test_a_source_may_declare_how_many_rows_a_night_brings_and_how_old_the_newest_may_be(
    warehouse, stored, newest, arrival, amiss
):
    source = builders.readings("", arrival=arrival)
    night = Night(DAYS[0], CUTOFF, None, "run")
    result = arrivals.check(None, warehouse, load(stored, newest), source, night, "Europe/Paris")
    assert (result.rows, [finding.removesuffix(" (arrival.max_age)") for finding in result.amiss]) == (stored, amiss)


def test_a_night_without_a_new_row_where_every_night_had_some_stops_with_the_tables_whole(night, warehouse, caplog):
    """Whatever the file looks like; and once the file is mended, the night is what it would have been."""
    night(file_of(*DAYS[:2]), DAYS[1])
    before = builders.versions(warehouse)
    for text in (HEADER, file_of(*DAYS[:2])):
        with pytest.raises(SourceError, match="The night of 2024-04-03 stops") as stopped:
            night(text, DAYS[2], previous=DAYS[1])
        assert builders.versions(warehouse) == before
    assert "no new row (of 0 read), where each of the 2 nights before brought some, 1 to 1" in str(stopped.value)
    assert "project.sources.readings.arrival.severity=warn" in str(stopped.value)
    night(file_of(*DAYS[:3]), DAYS[2], previous=DAYS[1])
    assert [(known_at, on) for _, _, known_at, on in rows_of(warehouse, "source_readings", *STORED)] == [
        (CUTOFF + timedelta(hours=-3.5), DAYS[1]),
        (CUTOFF + timedelta(days=1, hours=-3.5), DAYS[1]),
        (CUTOFF + timedelta(days=2, hours=-3.5), DAYS[2]),
    ]
    with pytest.raises(SourceError, match="2024-04-03 stops"):  # a rerun would lose what is stored
        night(HEADER, DAYS[2], previous=DAYS[1])
    assert verdicts(warehouse) == {DAYS[1]: (2, "pass"), DAYS[2]: (1, "pass")}


def test_a_night_that_is_told_to_go_on_is_recorded_and_does_not_make_quiet_nights_usual(night, warehouse, caplog):
    night(file_of(*DAYS[:2]), DAYS[1])
    logger = logging.getLogger("nightjar.ingest")
    logger.addHandler(caplog.handler)
    try:
        night(HEADER, DAYS[2], previous=DAYS[1], **GOES_ON)
    finally:
        logger.removeHandler(caplog.handler)
    message = "no new row (of 0 read), where each of the 2 nights before brought some, 1 to 1"
    assert f"source readings: {message}; the night goes on, and its scores are marked" in caplog.messages
    assert quality.warnings(warehouse, DAYS[2]) == {"readings": message}
    with pytest.raises(SourceError, match=r"2024-04-04 stops.*each of the 2 nights before brought some"):
        night(HEADER, DAYS[3], previous=DAYS[2])
    night(file_of(*DAYS[:4]), DAYS[3], previous=DAYS[2])
    assert verdicts(warehouse) == {DAYS[1]: (2, "pass"), DAYS[2]: (0, "warn"), DAYS[3]: (2, "pass")}
    # What it lacked has become known to the next night: it is still not what this one had.
    night(file_of(*DAYS[:3]), DAYS[2], previous=DAYS[1], **GOES_ON)
    assert quality.warnings(warehouse, DAYS[2]) == {"readings": message}


@pytest.fixture
def _adaptive(spark):
    """Adaptive plans leave out what turns out empty: as users run it, unlike the other tests."""
    before = spark.conf.get("spark.sql.adaptive.enabled")
    spark.conf.set("spark.sql.adaptive.enabled", "true")
    yield
    spark.conf.set("spark.sql.adaptive.enabled", before)


@pytest.mark.usefixtures("_adaptive")
def test_a_quiet_night_is_a_night(night, warehouse):
    """Of a source that is quiet by nature, or says so; a night after the file's end; a backfill of what is stored."""
    night(file_of(DAYS[0], DAYS[2]), DAYS[2])
    night(file_of(DAYS[0], DAYS[2]), DAYS[3], previous=DAYS[2])
    night(HEADER, DAYS[4], previous=DAYS[3], arrival=Arrival(min_rows=0))
    night(file_of(*DAYS[5:8]), DAYS[7], previous=DAYS[4])
    night(HEADER, DAYS[6], previous=DAYS[4])
    assert verdicts(warehouse) == {
        DAYS[2]: (2, "pass"),
        DAYS[3]: (0, "pass"),
        DAYS[4]: (0, "pass"),
        DAYS[6]: (2, "pass"),  # of the three that the night after it has stored
        DAYS[7]: (3, "pass"),
    }


def test_a_run_after_a_date_that_the_zone_has_left_out_covers_no_time(spark, warehouse, project_of, tmp_path):
    """Apia went from 29 to 31 December 2011: the midnights of the 30th and the 31st are one."""
    path, zone = tmp_path / "readings.csv", "Pacific/Apia"
    days = [date(2011, 12, day) for day in (27, 28, 29)]
    path.write_text(HEADER + "".join(f"m1,{day} 18:00:00,{day} 18:30:00,20\n" for day in days))
    project = replace(project_of(builders.readings(path)), zone=zone)
    previous, stored = None, []
    for day in (date(2011, 12, 29), date(2011, 12, 30), date(2011, 12, 31)):
        night = ingest(spark, warehouse, project, day, previous, "run", tmp_path / "raw", builders.unchecked)
        previous = day
        stored.append(night.rows["source_readings"])
    assert stored == [2, 1, 0]
    assert [rows for rows, _ in verdicts(warehouse).values()] == stored


def test_the_newest_fact_may_be_one_that_was_stored_before(night, warehouse):
    """A late correction alone makes nothing fresh; its clock is the one that it states."""
    old = "m2,2024-03-20 18:00:00,2024-03-20 18:30:00,20\n"
    for day, previous, text, age in (
        (DAYS[1], None, file_of(*DAYS[:2]), "4h"),
        (DAYS[2], DAYS[1], file_of(*DAYS[:2]) + old, "28h"),
    ):
        night(text, day, previous, arrival=Arrival(0, age))
    with pytest.raises(SourceError, match=r"the newest fact is of 2024-04-01 18:30 UTC, 27\.5 h before the night"):
        night(file_of(*DAYS[:2]) + old, DAYS[2], DAYS[1], arrival=Arrival(0, "27h"))
