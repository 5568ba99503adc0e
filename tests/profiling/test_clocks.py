"""When facts happened and were known, told from the columns; where nobody can tell, it is said."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from nightjar.errors import SourceError, UsageError
from nightjar.profiling import clocks
from nightjar.profiling.columns import profile_file
from nightjar.profiling.raw_file import open_raw
from profiling.profiles import write_csv, write_parquet


def decided(path, **options):
    with open_raw(str(path), "facts") as raw:
        decision = clocks.decide(raw, look := profile_file(raw), **options)
        return decision, clocks.sql(decision, {name: name for name in look.columns})


FORMS = {
    "2024-03-31 06:00:00": ("at", 6),
    "2024-03-31T06:00+": None,
    "3/31/2024 6:00": ("try_to_timestamp(`at`, 'M/d/yyyy H:mm')", 6),
    "3/31/2024 6:00:00 PM": ("try_to_timestamp(`at`, 'M/d/yyyy h:mm:ss a')", 18),
    "31.03.2024": (
        "to_utc_timestamp(CAST(to_date(try_to_timestamp(`at`, 'd.M.yyyy')) AS TIMESTAMP) + INTERVAL 12 HOURS, 'UTC')",
        0,
    ),
    "2024/3/31 6:00": ("try_to_timestamp(`at`, 'yyyy/M/d H:mm')", 6),
    "20240331": (
        "to_utc_timestamp(CAST(to_date(CAST(`at` AS STRING), 'yyyyMMdd') AS TIMESTAMP) + INTERVAL 12 HOURS, 'UTC')",
        0,
    ),
    "1711864800": ("timestamp_seconds(`at`)", 6),
    "1711864800000": ("timestamp_millis(`at`)", 6),
    "31 March 2024": None,
    "1711864800000000": None,
}


@pytest.mark.parametrize("text", FORMS)
def test_instants_and_days_are_recognised_in_the_forms_that_files_have(tmp_path, text):
    path = write_csv(tmp_path / "facts.csv", {"at": [text] * 2, "k": ["a", "b"]})
    if FORMS[text] is None:
        with pytest.raises(
            SourceError, match=r"no column says when .* none of at: .*; k: a. Expected instants or days"
        ):
            decided(path)
        return
    decision, (event, _, derived) = decided(path)
    sql, hour = FORMS[text]
    assert derived.get(event, event) == sql
    assert decision.moment.tolist() == [int(datetime(2024, 3, 31, hour, tzinfo=UTC).timestamp()) * 1_000_000] * 2


def test_times_that_are_all_midnights_are_days_which_are_known_when_they_are_over(tmp_path):
    texts = ["2024-03-31 00:00:00", "2024-04-01 00:00:00"]
    decision, (event, known_at, derived) = decided(write_csv(tmp_path / "facts.csv", {"at": texts, "k": ["a", "b"]}))
    assert derived[event] == "to_utc_timestamp(CAST(to_date(`at`) AS TIMESTAMP) + INTERVAL 12 HOURS, 'UTC')"
    assert derived[known_at] == "to_utc_timestamp(CAST(date_add(to_date(`at`), 1) AS TIMESTAMP), 'UTC')"
    assert "every value is at midnight: they are taken for days" in decision.remarks["event_time"].text
    assert decision.remarks["event_time"].is_open
    one_later = write_csv(tmp_path / "times.csv", {"at": [*texts, "2024-04-01 00:01:00"], "k": ["a", "b", "a"]})
    assert decided(one_later)[1] == ("at", "at", {})


def test_a_month_that_may_be_a_day_is_asked_about(tmp_path):
    either = write_csv(tmp_path / "either.csv", {"at": ["3/1/2024", "4/2/2024"], "k": ["a", "b"]})
    decision, _ = decided(either)
    assert "read as M/d/yyyy; they may as well be d/M/yyyy" in decision.remarks["event_time"].text
    assert decision.remarks["event_time"].is_open
    sure = write_csv(tmp_path / "sure.csv", {"at": ["3/1/2024", "14/2/2024"], "k": ["a", "b"]})
    assert decided(sure)[0].event.sql == "to_date(try_to_timestamp(`at`, 'd/M/yyyy'))"


@pytest.mark.parametrize(
    ("texts", "options", "zone", "is_open"),
    [
        (["2024-01-31 06:00:00+01:00", "2024-06-30 06:00:00+02:00"], {}, "Europe/Paris", True),
        (["2024-01-31 06:00:00-05:00", "2024-06-30 06:00:00-04:00"], {}, "America/New_York", True),
        (["2024-01-31 06:00:00+05:30"] * 2, {}, "Asia/Kolkata", True),
        (["2024-01-31 06:00:00Z"] * 2, {}, "UTC", True),
        (["2024-01-31 06:00:00+03:17"] * 2, {}, "UTC", True),
        (["2024-01-31 06:00:00"] * 2, {}, "UTC", True),
        (["2024-01-31 06:00:00"] * 2, {"zone": "Asia/Tokyo"}, "Asia/Tokyo", False),
    ],
)
def test_the_zone_is_the_one_whose_clocks_the_offsets_show(tmp_path, texts, options, zone, is_open):
    decision, _ = decided(write_csv(tmp_path / "facts.csv", {"at": texts, "k": ["a", "b"]}), **options)
    assert (decision.zone, decision.remarks["zone"].is_open) == (zone, is_open)


def test_times_without_an_offset_are_of_the_zone_that_is_given_and_others_are_what_they_are(tmp_path):
    columns = {"plain": ["2024-01-31 01:00:00"] * 2, "aware": ["2024-01-31 01:00:00+00:00"] * 2, "k": ["a", "b"]}
    path = write_csv(tmp_path / "facts.csv", columns)
    plain, (event, _, derived) = decided(path, zone="America/New_York", clock="plain")
    assert derived == {event: "to_utc_timestamp(`plain`, 'America/New_York')"}
    assert plain.moment[0] == datetime(2024, 1, 31, 6, tzinfo=UTC).timestamp() * 1_000_000
    aware, (event, _, derived) = decided(path, zone="America/New_York", clock="aware")
    assert (event, derived) == ("aware", {})
    assert (plain.day[0] - aware.day[0]) == 1  # in New York it is still the 30th


def test_of_several_clocks_the_likeliest_is_taken_and_the_others_are_named(tmp_path):
    at = [datetime(2024, 3, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(3)]
    columns = {
        "k": ["a", "b", "c"],
        "birth_date": ["1980-01-01"] * 3,
        "due": [one.isoformat() for one in at],
        "cancelled_at": [at[0].isoformat(), "", ""],
        "Order Date": [one.isoformat() for one in at],
        "received_at": [(one + timedelta(hours=2)).isoformat() for one in at],
    }
    decision, (event, known, derived) = decided(write_csv(tmp_path / "facts.csv", columns))
    assert (event, known, derived) == ("Order Date", "received_at", {})
    assert decision.remarks["event_time"].text.startswith(
        "of Order Date, the likeliest clock; others: birth_date, due, canc"
    )
    assert (decision.remarks["known_at"].is_open, decision.lateness) == (True, 0)
    late = columns | {"received_at": [(one + timedelta(days=n)).isoformat() for n, one in enumerate(at)]}
    assert decided(write_csv(tmp_path / "late.csv", late))[0].lateness == 2
    early = columns | {"received_at": [at[0].isoformat()] * 3}
    assert (
        decided(write_csv(tmp_path / "early.csv", early))[0].known_at_clock is None
    )  # known before it happened: it is not that


def test_a_clock_that_is_missing_in_many_rows_is_refused_until_it_is_named(tmp_path):
    path = write_csv(tmp_path / "facts.csv", {"at": ["2024-03-01", "", "2024-03-02"], "k": ["a", "b", "c"]})
    with pytest.raises(SourceError, match=r"only at \(1 of 3 rows have none\).*Name one all the same with --clock"):
        decided(path)
    decision, (_, known, derived) = decided(path, clock="at")
    assert derived[known] == "to_utc_timestamp(CAST(date_add(`at`, 1) AS TIMESTAMP), 'UTC')"
    assert "rows without it are no facts (1 of 3)" in decision.remarks["event_time"].text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"clock": "when"}, r"--clock: found 'when', expected one of the columns \['at', 'k'\]"),
        ({"clock": "k"}, r"--clock: the column k holds a, b, which are neither instants nor days \(2024-03-31, "),
        ({"known_at": "k"}, "--known-at: the column k holds a, b"),
        ({"zone": "Paris"}, "--zone: found 'Paris', expected an IANA time zone"),
    ],
)
def test_clocks_that_are_given_and_are_none_are_refused(tmp_path, options, message):
    path = write_csv(tmp_path / "facts.csv", {"at": ["2024-03-01"] * 2, "k": ["a", "b"]})
    with pytest.raises(UsageError, match=message):
        decided(path, **options)


def test_parquet_says_its_zone(tmp_path):
    at = pa.array([datetime(2024, 3, 31, 6, tzinfo=UTC)] * 2, pa.timestamp("us", "Asia/Tokyo"))
    decision, (event, _, derived) = decided(write_parquet(tmp_path / "facts.parquet", {"at": at, "k": ["a", "b"]}))
    assert (decision.zone, event, derived) == ("Asia/Tokyo", "at", {})
