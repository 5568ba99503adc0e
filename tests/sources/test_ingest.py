"""From raw rows to facts: what is stored, what waits, what is refused, and what a later run may still change."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

import builders
from builders import rows_of
from nightjar.errors import SourceError
from nightjar.settings.files import File
from nightjar.settings.sources import Column, ColumnType, Lookup
from nightjar.tables import arrow

D1, D2, D3 = date(2024, 4, 1), date(2024, 4, 2), date(2024, 4, 3)
HEADER = "machine,at,seen,temperature"
STORED = ("machine", "at", "temperature", "known_at", "stated_known_at", "ingested_on")


def utc(day, hour, month=4):
    return datetime(2024, month, day, hour, tzinfo=UTC)


def cutoff_of(day):
    """Midnight in Paris, summer time."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=2)


def counts(warehouse, day=D1):
    return {check: rows for check, rows, on in rows_of(warehouse, "quality", "check", "rows", "run_date") if on == day}


def refusals(warehouse):
    return {json.loads(row)["machine"]: reasons for row, reasons in rows_of(warehouse, "quarantine", "row", "reasons")}


def test_a_row_that_does_not_fit_is_refused_with_every_reason_and_its_raw_content(night, warehouse):
    """Type, required, minimum, maximum, levels, a derived key that is null, a check; one row may have several."""
    columns = builders.readings("").columns | {"state": Column(ColumnType.STRING, levels=["on", "off"])}
    night(
        """machine,at,seen,temperature,state
good,2024-03-31 06:00:00,2024-03-31 07:00:00,20.5,on
empty,2024-03-31 06:00:00,2024-03-31 07:00:00,,NA
,2024-03-31 06:00:00,2024-03-31 07:00:00,20.5,on
type,2024-03-31 06:00:00,2024-03-31 07:00:00,warm,on
cold,2024-03-31 06:00:00,2024-03-31 07:00:00,-41,on
hot,2024-03-31 06:00:00,2024-03-31 07:00:00,90.5,on
state,2024-03-31 06:00:00,2024-03-31 07:00:00,20.5,broken
ghost,2024-03-31 06:00:00,2024-03-31 07:00:00,20.5,on
early,2024-03-31 06:00:00,2024-03-31 05:00:00,20.5,on
both,yesterday,2024-03-31 07:00:00,91,on
""",
        columns=columns,
        derived={"moment": "CASE WHEN machine <> 'ghost' THEN at END"},
        key=["machine", "moment"],
        checks={"seen_after": "seen >= at"},
        keep=["temperature", "state"],
    )
    assert refusals(warehouse) == {
        None: ["machine: missing"],
        "type": ["temperature: not a double"],
        "cold": ["temperature: below -40"],
        "hot": ["temperature: above 90"],
        "state": ["state: not one of on, off"],
        "ghost": ["moment: missing"],
        "early": ["check seen_after"],
        "both": ["at: not a timestamp", "temperature: above 90"],
    }
    rows = [json.loads(row) for (row,) in rows_of(warehouse, "quarantine", "row")]
    both = {"machine": "both", "at": "yesterday", "seen": "2024-03-31 07:00:00", "temperature": "91", "state": "on"}
    assert both in rows
    assert rows_of(warehouse, "source_readings", "machine", "temperature", "state") == [
        ("empty", None, None),
        ("good", 20.5, "on"),
    ]
    counted = counts(warehouse)
    assert {name: counted[name] for name in ("read", "stored", "refused")} == {"read": 10, "stored": 2, "refused": 8}
    assert (counted["machine: missing"], counted["temperature: above 90"], counted["check seen_after"]) == (1, 2, 1)


def test_exact_duplicates_collapse_and_conflicting_ones_are_refused(night, warehouse):
    """Of facts with one key and known_at that say different things, nobody can tell the true one."""
    night(f"""{HEADER}
m1,2024-03-31 06:00:00,2024-03-31 07:00:00,20
m1,2024-03-31 06:00:00,2024-03-31 07:00:00,20
m2,2024-03-31 06:00:00,2024-03-31 07:00:00,20
m2,2024-03-31 06:00:00,2024-03-31 07:00:00,21
m3,2024-03-31 06:00:00,2024-03-31 07:00:00,20
m3,2024-03-31 06:00:00,2024-03-31 08:00:00,21
""")
    stored = rows_of(warehouse, "source_readings", "machine", "temperature")
    assert stored == [("m1", 20.0), ("m3", 20.0), ("m3", 21.0)]
    conflict = "several versions with one key and known_at"
    assert rows_of(warehouse, "quarantine", "reasons") == [([conflict],), ([conflict],)]
    counted = counts(warehouse)
    assert (counted["stored"], counted["repeated"], counted["refused"]) == (3, 1, 2)


LSN = {
    "columns": builders.readings("").columns | {"lsn": Column(ColumnType.LONG)},
    "sequence": ["lsn"],
}


def test_versions_of_one_instant_are_ordered_by_their_sequence_and_conflict_only_within_it(night, warehouse):
    """Also those without a number, of which there can be one; a second night finds them all stored."""
    text = f"""{HEADER},lsn
m1,2024-03-31 06:00:00,2024-03-31 07:00:00,20,1
m1,2024-03-31 06:00:00,2024-03-31 07:00:00,21,2
m1,2024-03-31 06:00:00,2024-03-31 07:00:00,22,NA
m2,2024-03-31 06:00:00,2024-03-31 07:00:00,20,1
m2,2024-03-31 06:00:00,2024-03-31 07:00:00,21,1
"""
    night(text, **LSN)
    stored = rows_of(warehouse, "source_readings", "machine", "temperature", "lsn")
    assert stored == [("m1", 20.0, 1), ("m1", 21.0, 2), ("m1", 22.0, None)]
    conflict = "several versions with one key, known_at and sequence"
    assert rows_of(warehouse, "quarantine", "reasons") == [([conflict],), ([conflict],)]
    night(text, D2, previous=D1, **LSN)
    assert rows_of(warehouse, "source_readings", "machine", "temperature", "lsn") == stored
    assert counts(warehouse, D2)["stored"] == counts(warehouse, D2)["refused"] == 0


MICROSECOND = timedelta(microseconds=1)


@pytest.mark.parametrize("in_time", [True, False])
def test_versions_that_arrive_late_together_stay_in_the_order_they_state(night, warehouse, in_time):
    """They may come with one that is in time: it is the newest, though they have become known this night."""
    night(f"{HEADER},lsn\n", **LSN)
    last = "m1,2024-03-30 06:00:00,2024-04-01 07:00:00,23,1\n" if in_time else ""
    night(
        f"""{HEADER},lsn
m1,2024-03-30 06:00:00,2024-03-30 07:00:00,20,1
m1,2024-03-30 06:00:00,2024-03-30 08:00:00,22,2
m1,2024-03-30 06:00:00,2024-03-30 08:00:00,21,1
m2,2024-03-30 06:00:00,2024-03-30 08:00:00,30,1
{last}""",
        D2,
        previous=D1,
        **LSN,
    )
    newest = [(utc(1, 7), 23.0)] if in_time else []
    end = utc(1, 7) if in_time else cutoff_of(D2) + MICROSECOND
    m1 = [(end - 3 * MICROSECOND, 20.0), (end - 2 * MICROSECOND, 21.0), (end - MICROSECOND, 22.0), *newest]
    versions = sorted(rows_of(warehouse, "source_readings", "machine", "known_at", "temperature"))
    assert versions == [*(("m1", *row) for row in m1), ("m2", cutoff_of(D2), 30.0)]


def test_a_row_that_is_no_fact_is_counted_and_neither_stored_nor_refused(night, warehouse):
    text = f"{HEADER}\nm1,2024-03-31 06:00:00,2024-03-31 07:00:00,20\nm2,2024-03-31 06:00:00,NA,NA\n"
    night(text, where="temperature IS NOT NULL")
    assert rows_of(warehouse, "source_readings", "machine") == [("m1",)]
    assert rows_of(warehouse, "quarantine") == []
    assert counts(warehouse)["not_a_fact"] == 1


def test_what_is_not_known_by_the_nights_midnight_waits(night, warehouse):
    """Midnight of 1 April in Paris is 22:00 UTC; what is known at that instant is known."""
    text = f"""{HEADER}
m1,2024-03-31 06:00:00,2024-03-31 22:00:00,20
m2,2024-03-31 06:00:00,2024-03-31 22:00:00.000001,20
m3,2024-03-31 06:00:00,2024-04-01 08:00:00,-99
"""
    night(text)
    assert rows_of(warehouse, "source_readings", "machine") == [("m1",)]
    assert counts(warehouse)["not_yet_known"] == 2
    night(text, D2, previous=D1)
    assert rows_of(warehouse, "source_readings", "machine", "ingested_on") == [("m1", D1), ("m2", D2)]
    assert rows_of(warehouse, "quarantine", "reasons", "run_date") == [(["temperature: below -40"], D2)]
    assert (counts(warehouse, D2)["read"], counts(warehouse, D2)["already_stored"]) == (2, 0)


def test_known_at_is_never_before_a_fact_was_first_seen(night, warehouse):
    """The first load is trusted. Later, a fact that states it was known to the run before, and was not there, has been
    known since this run; what it stated is kept."""
    first = f"{HEADER}\nm1,2024-03-20 06:00:00,2024-03-20 07:00:00,20\n"
    night(first)
    second = f"{first}m2,2024-03-20 06:00:00,2024-03-20 07:00:00,20\nm3,2024-04-01 06:00:00,2024-04-01 07:00:00,20\n"
    night(second, D2, previous=D1)
    versions = rows_of(warehouse, "source_readings", "machine", "known_at", "stated_known_at")
    assert versions == [
        ("m1", utc(20, 7, month=3), utc(20, 7, month=3)),
        ("m2", cutoff_of(D2), utc(20, 7, month=3)),
        ("m3", utc(1, 7), utc(1, 7)),
    ]


def test_a_changed_fact_is_a_new_version_known_since_the_run_that_saw_it(night, warehouse):
    night(f"{HEADER}\nm1,2024-03-31 06:00:00,2024-03-31 07:00:00,20\n")
    night(f"{HEADER}\nm1,2024-03-31 06:00:00,2024-03-31 07:00:00,25\n", D2, previous=D1)
    stated = utc(31, 7, month=3)
    assert rows_of(warehouse, "source_readings", *STORED) == [
        ("m1", utc(31, 6, month=3), 20.0, stated, stated, D1),
        ("m1", utc(31, 6, month=3), 25.0, cutoff_of(D2), stated, D2),
    ]


def test_a_fact_that_changes_back_is_a_new_version_again(night, warehouse):
    """What counts is the latest version, not whether this content was ever seen."""
    for day, previous, value in ((D1, None, 20), (D2, D1, 25), (D3, D2, 20)):
        night(f"{HEADER}\nm1,2024-03-31 06:00:00,2024-03-31 07:00:00,{value}\n", day, previous)
    versions = sorted(rows_of(warehouse, "source_readings", "known_at", "temperature"))
    assert [value for _, value in versions] == [20.0, 25.0, 20.0]


def test_a_rerun_replaces_its_own_partition_by_the_same_rows(night, warehouse):
    text = f"""{HEADER}
m1,2024-03-31 06:00:00,2024-03-31 07:00:00,20
m2,2024-03-31 06:00:00,2024-03-31 07:00:00,99
m3,2024-04-01 06:00:00,2024-04-01 07:00:00,20
m4,2024-04-01 06:00:00,2024-04-01 07:00:00,99
"""
    night(text)
    night(text, D2, previous=D1)
    tables = ("source_readings", "quarantine", "quality")
    before = {table: rows_of(warehouse, table) for table in tables}
    for day, previous in ((D2, D1), (D1, None)):
        night(text, day, previous, run_id="again")
        assert {table: rows_of(warehouse, table) for table in tables} == before
    assert {run_id for (run_id,) in rows_of(warehouse, "source_readings", "run_id")} == {"again"}


def test_an_old_date_is_filled_in_although_a_newer_one_exists(night, warehouse):
    """The backfill stores what no other run has, and leaves the newer partition alone."""
    night(f"{HEADER}\nm1,2024-03-31 06:00:00,2024-03-31 07:00:00,20\n", D3)
    late = "m2,2024-03-31 06:00:00,2024-03-31 07:00:00,21"
    night(f"{HEADER}\nm1,2024-03-31 06:00:00,2024-03-31 07:00:00,20\n{late}\n", D2)
    assert rows_of(warehouse, "source_readings", "machine", "ingested_on") == [("m1", D3), ("m2", D2)]


def test_a_refused_conflict_is_refused_once_and_not_every_night(night, warehouse):
    """Otherwise a few old conflicts would outweigh the few new rows of a night, and stop it."""
    many = "".join(f"m{n},2024-03-31 06:00:00,2024-03-31 07:00:00,20\n" for n in range(100))
    conflict = "m0,2024-03-31 06:00:00,2024-03-31 07:00:00,21\n"
    night(f"{HEADER}\n{many}{conflict}", refuse_above=0.05)
    new = "m1,2024-04-01 06:00:00,2024-04-01 07:00:00,20\n"
    night(f"{HEADER}\n{many}{conflict}{new}", D2, previous=D1, refuse_above=0.05)
    assert counts(warehouse, D2)["stored"] == 1
    assert {on for (on,) in rows_of(warehouse, "quarantine", "run_date")} == {D1}


def test_too_many_refused_rows_refuse_the_source_with_the_commonest_reason_and_an_example(night, warehouse):
    text = f"""{HEADER}
m1,2024-03-31 06:00:00,2024-03-31 07:00:00,20
m2,2024-03-31 06:00:00,2024-03-31 07:00:00,warm
m3,2024-03-31 06:00:00,2024-03-31 07:00:00,mild
m4,2024-03-31 06:00:00,2024-03-31 07:00:00,-99
"""
    with pytest.raises(SourceError, match=r"Source readings: 3 of 4 new rows are refused.*temperature: not a double"):
        night(text, refuse_above=0.5)
    assert builders.versions(warehouse) == {}


def test_a_value_out_of_range_does_not_reach_the_expressions(night, warehouse):
    """A month of 13 is a refused row, not an error of make_date that stops the night."""
    night(
        "machine,month,seen,temperature\nm1,3,2024-03-31 07:00:00,20\nm2,13,2024-03-31 07:00:00,20\n",
        columns={
            "machine": Column(ColumnType.STRING),
            "month": Column(ColumnType.LONG, minimum=1, maximum=12),
            "seen": Column(ColumnType.TIMESTAMP),
            "temperature": Column(ColumnType.DOUBLE),
        },
        derived={"at": "CAST(make_date(2024, CAST(month AS INT), 1) AS TIMESTAMP)"},
    )
    assert rows_of(warehouse, "source_readings", "machine") == [("m1",)]
    assert rows_of(warehouse, "quarantine", "reasons") == [(["month: above 12"],)]


def with_model(folder, text, **options):
    (folder / "models.csv").write_text(text)
    lookup = Lookup(
        **{
            "file": File(str(folder / "models.csv")),
            "key": "machine",
            "file_key": "name",
            "types": {"built": ColumnType.LONG},
            "columns": {"built": "year"},
        }
        | options
    )
    return {"lookups": {"models": lookup}, "keep": ["temperature", "built"]}


THREE = f"{HEADER}\n" + "".join(f"m{n},2024-03-31 06:00:00,2024-03-31 07:00:00,20\n" for n in (1, 2, 3))


def test_a_lookup_brings_columns_by_key_and_the_project_fills_in_what_the_file_lacks(night, warehouse, tmp_path):
    """The file comes first: a declared key counts only where the file has none. Unknown keys get null."""
    missing = {"m1": {"built": "1900"}, "m2": {"built": "2002"}}
    night(THREE, **with_model(tmp_path, "name,year,other\nm1,2001,x\n", missing=missing))
    assert rows_of(warehouse, "source_readings", "machine", "built") == [("m1", 2001), ("m2", 2002), ("m3", None)]


def test_a_lookup_s_key_has_the_type_of_the_source_s_column(night, warehouse, tmp_path):
    """Else one key, written in two ways, would double rows; and so in what the project fills in."""
    rows = "".join(f"{n},2024-03-31 06:00:00,2024-03-31 07:00:00,20\n" for n in ("07", "8", "9"))
    columns = builders.readings("").columns | {"machine": Column(ColumnType.LONG, required=True)}
    options = with_model(tmp_path, "name,year\n007,2001\n", missing={"7": {"built": "1"}, "+8": {"built": " 2002 "}})
    night(f"{HEADER}\n{rows}", columns=columns, **options)
    assert rows_of(warehouse, "source_readings", "machine", "built") == [(7, 2001), (8, 2002), (9, None)]
    before = builders.versions(warehouse)
    for text, message in (
        ("007,2001\n7,2001\n", "name 7 of .*models.csv has 2 rows, expected one"),
        ("7,2001\n8.0,2002\n", "in .*models.csv, name 8.0 is not a bigint"),
    ):
        with pytest.raises(SourceError, match=f"readings.lookups.models: .*{message}"):
            night(f"{HEADER}\n{rows}", columns=columns, **with_model(tmp_path, f"name,year\n{text}"))
    assert builders.versions(warehouse) == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "name,year\nm1,2001\nm1,2002\n",
            r"readings.lookups.models: name 'm1' of .* has 2 rows, expected one",
        ),
        ("name,year\nm1,2001\nm2,MMII\n", r"readings.lookups.models: at name 'm2' in .*, year MMII is not a bigint"),
        ("name\nm1\n", r"readings.lookups.models: .*models.csv lacks the column year; it has name"),
        ("name,year\nm1,2001\nm2", r"readings.lookups.models: 1 rows of .*models.csv do not have as many fields"),
        ("name,year\n", r"readings.lookups.models: .*models.csv holds no row, so every machine would go without built"),
    ],
    ids=["twice", "type", "column", "truncated", "empty"],
)
def test_a_lookup_that_is_not_as_declared_is_refused(night, warehouse, tmp_path, text, message):
    with pytest.raises(SourceError, match=message):
        night(THREE, **with_model(tmp_path, text))
    assert builders.versions(warehouse) == {}


def test_every_row_says_which_run_wrote_it(night, warehouse):
    outcome = night(THREE + "m4,2024-03-31 06:00:00,2024-03-31 07:00:00,99\n", run_id="run-7")
    for table in ("source_readings", "quarantine", "quality"):
        assert set(arrow.read(warehouse, table)["run_id"].to_pylist()) == {"run-7"}
    assert outcome.rows == {"source_readings": 3, "quarantine": 1}
    assert outcome.outputs == builders.versions(warehouse)
