"""The clocks of facts are instants: what names none is refused for all sources before the first of them is written."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

import builders
from builders import rows_of
from nightjar.errors import SourceError, UsageError
from nightjar.settings.sources import Column, ColumnType
from nightjar.sources.ingest import ingest
from nightjar.sources.storing import Night, with_known_at

pytestmark = pytest.mark.usefixtures("few")

D1 = date(2024, 4, 1)
UTC_7 = datetime(2024, 3, 30, 7, tzinfo=UTC)


@pytest.fixture
def night(spark, warehouse, tmp_path):
    """Ingest all three sources, the readings last, with a definition and lines of their own."""

    def run(*lines, **options):
        builders.write_files(tmp_path)
        if lines:
            (tmp_path / "readings.csv").write_text("\n".join(["machine,at,seen,temperature", *lines, ""]))
        project = builders.machines(tmp_path)
        source = builders.readings(tmp_path / "readings.csv", **options)
        project = replace(project, sources=project.sources | {"readings": source})
        return ingest(spark, warehouse, project, D1, None, "run", tmp_path / "raw", builders.unchecked)

    return run


@pytest.mark.parametrize("clock", ["event_time", "known_at"])
@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("CAST(at AS TIMESTAMP_NTZ)", "TIMESTAMP_NTZ"),
        ("CAST(at AS DATE)", "DATE"),
        ("CAST(at AS STRING)", "STRING"),
        ("unix_seconds(at)", "BIGINT"),
    ],
)
def test_a_clock_that_names_no_instant_is_refused_and_no_source_is_written(night, warehouse, clock, sql, kind):
    with pytest.raises(SourceError) as refused:
        night(derived={"local": sql}, **{clock: "local"})
    assert str(refused.value) == (
        f"Source readings: its {clock}, column local, is a {kind}, which names no instant; expected TIMESTAMP. Derive "
        "one: if its times are of Europe/Paris, to_utc_timestamp(CAST(local AS TIMESTAMP), 'Europe/Paris'). Nothing "
        "was written."
    )
    assert builders.versions(warehouse) == {}


def test_what_is_advised_reads_a_plain_time_in_the_project_s_zone(night, warehouse):
    night(
        "m1,2024-03-30 08:00:00,NA,20",
        derived={
            "local": "CAST(at AS TIMESTAMP_NTZ)",
            "happened": "to_utc_timestamp(CAST(local AS TIMESTAMP), 'Europe/Paris')",
        },
        event_time="happened",
    )
    assert rows_of(warehouse, "source_readings", "event_time") == [(UTC_7,)]


def test_a_null_known_at_is_the_event_time(night, warehouse):
    """What cannot be read is no null: it is refused. A time without its day would be read as one of today."""
    night(
        "null,2024-03-30 07:00:00,NA,20",
        "stated,2024-03-30 06:00:00,2024-03-30 07:00:00,20",
        "unread,2024-03-30 06:00:00,seven,20",
        "no day,2024-03-30 06:00:00,07:00:00,20",
        refuse_above=1.0,
    )
    names = ("machine", "known_at", "stated_known_at")
    assert rows_of(warehouse, "source_readings", *names) == [("null", UTC_7, UTC_7), ("stated", UTC_7, UTC_7)]
    assert rows_of(warehouse, "quarantine", "reasons") == [(["seen: not a timestamp"],)] * 2


def test_a_text_without_an_offset_is_read_as_utc(night, warehouse):
    night("offset,2024-03-30 09:00:00+02:00,NA,20", "none,2024-03-30 07:00:00,NA,20")
    assert rows_of(warehouse, "source_readings", "event_time") == [(UTC_7,), (UTC_7,)]


def test_deleted_is_a_boolean(night, warehouse):
    columns = builders.readings("").columns | {"temperature": Column(ColumnType.STRING)}
    with pytest.raises(
        SourceError, match=r"its deleted, column temperature, is a STRING, expected BOOLEAN. Derive one"
    ):
        night(columns=columns, deleted="temperature")
    assert builders.versions(warehouse) == {}


def test_an_expression_that_does_not_fit_the_last_source_leaves_the_first_unwritten(night, warehouse):
    with pytest.raises(
        UsageError, match=r"sources.readings.derived.warm: the expression 'temprature > 20' does not fit"
    ):
        night(derived={"warm": "temprature > 20"})
    assert builders.versions(warehouse) == {}


def test_late_and_corrected_versions_are_known_from_the_night_on_in_the_order_that_they_state(spark):
    """A corrected one may state a later time than one that comes in time."""
    night = Night(D1, datetime(2024, 3, 31, 22, tzinfo=UTC), datetime(2024, 3, 30, 23, tzinfo=UTC), "run")
    stated = {
        "late": ("a", "file", 30, 7),
        "later": ("a", "file", 30, 8),
        "in time": ("a", "file", 31, 10),
        "corrected": ("a", "corrections:1", 31, 15),
        "alone": ("b", "corrections:1", 31, 9),
        "before": ("c", "corrections:1", 31, 9),
        "after": ("c", "file", 31, 11),
    }
    rows = [
        (key, datetime(2024, 3, day, hour, tzinfo=UTC), intake, n) for n, (key, intake, day, hour) in stated.items()
    ]
    schema = "machine string, stated_known_at timestamp, intake string, name string"
    source = builders.readings("", key=["machine"])
    dated = with_known_at(spark.createDataFrame(rows, schema), source, night, has_late=True)
    known = {row["name"]: row["known_at"] for row in dated.toArrow().to_pylist()}
    cutoff, microsecond = night.cutoff, timedelta(microseconds=1)
    in_time = datetime(2024, 3, 31, 10, tzinfo=UTC)
    assert known == {
        "late": in_time - 2 * microsecond,
        "later": in_time - microsecond,
        "in time": in_time,
        "corrected": cutoff,
        "alone": cutoff,
        "before": datetime(2024, 3, 31, 11, tzinfo=UTC) - microsecond,
        "after": datetime(2024, 3, 31, 11, tzinfo=UTC),
    }
