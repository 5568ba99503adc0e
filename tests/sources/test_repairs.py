"""Repairs: what is read in place of raw values, what is kept of that, and facts that are the same but for writing."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import builders
from builders import rows_of
from nightjar.errors import SourceError
from nightjar.settings.arrival import Arrival
from nightjar.settings.files import Dialect, File
from nightjar.settings.gates import Gate, GateCheck, GateSeverity
from nightjar.settings.repairs import LetterCase, Numbers, Repair, Winsorising
from nightjar.settings.sources import Column, ColumnType
from nightjar.sources import facts, near_duplicates
from oracles import repairs as oracle
from sources.forms import utc

D1, D2, D3 = date(2024, 4, 1), date(2024, 4, 2), date(2024, 4, 3)
COUNTRIES = {"United States": ["USA", "U.S."], "C\u00f4te d'Ivoire": ["Ivory Coast"]}
DOUBLE, LONG, STRING, TIMESTAMP = ColumnType.DOUBLE, ColumnType.LONG, ColumnType.STRING, ColumnType.TIMESTAMP
REPAIRED = {
    "trimmed": Column(STRING, repair=Repair(trim=True)),
    "lower": Column(STRING, repair=Repair(case=LetterCase.LOWER)),
    "country": Column(STRING, repair=Repair(trim=True, case=LetterCase.UPPER, synonyms=COUNTRIES)),
    "exact": Column(STRING, repair=Repair(synonyms=COUNTRIES)),
    "english": Column(DOUBLE, repair=Repair(numbers=Numbers(thousands=","), synonyms={"0": ["none", "1,5"]})),
    "german": Column(DOUBLE, repair=Repair(numbers=Numbers(",", "."), winsorise=Winsorising(-10, 1000.5))),
    "whole": Column(LONG, repair=Repair(numbers=Numbers(thousands=" "), winsorise=Winsorising(maximum=2**62 + 1))),
    "paris": Column(TIMESTAMP, repair=Repair(zone="Europe/Paris", synonyms={"2024-01-01": ["new year"]})),
    "york": Column(TIMESTAMP, repair=Repair(zone="America/New_York")),
    "howe": Column(TIMESTAMP, repair=Repair(zone="Australia/Lord_Howe")),
    "paulo": Column(TIMESTAMP, repair=Repair(zone="America/Sao_Paulo")),
}
WORDS = [word for value, texts in COUNTRIES.items() for word in (value, *texts)]
SPACED = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", " ", "\u00a0", "\t\u3000"]),
    st.sampled_from(
        [*WORDS, *map(str.lower, WORDS), *map(str.upper, WORDS), "", "NA", "\u0130stanbul \u00df", "\u03a3\u03b1\u03c2"]
    ),
    st.sampled_from(["", " ", "\u2009", "\r\n"]),
)
NUMBERS = st.one_of(
    st.from_regex(r"[+-]?[0-9]{1,4}([,. ][0-9]{3}){0,3}([,.][0-9]{0,2})?", fullmatch=True),
    st.sampled_from(
        ["none", " none", "1,5", " 12 ", " 1 234", "inf", "NaN", "1e3", "4 611 686 018 427 387 906", "9" * 19]
    ),
)
CHANGES_OF_CLOCKS = [
    utc(2024, 3, 31, 1), utc(2024, 10, 27, 1), utc(2024, 3, 10, 7), utc(2024, 11, 3, 6), utc(2024, 4, 6, 15),
    utc(2024, 10, 5, 15, 30), utc(2018, 2, 18, 2), utc(2018, 11, 4, 3), utc(1975, 1, 1),
]  # fmt: skip
TIMES = st.builds(
    "{}{}".format,
    st.builds(
        lambda change, minutes: str((change + timedelta(minutes=minutes)).replace(tzinfo=None)),
        st.sampled_from(CHANGES_OF_CLOCKS),
        st.integers(-900, 900),
    ),
    st.sampled_from(["", "", "", "", "Z", "+02:00", " x"]),
)
TEXTS = st.one_of(SPACED, NUMBERS, TIMES, st.sampled_from(["2024-03-31", "new year", " new year"]))


@given(st.lists(TEXTS, min_size=300, max_size=300))
@settings(max_examples=2, phases=[Phase.generate])  # to shrink would take a Spark job for each step
def test_texts_are_read_as_a_plain_loop_reads_them(spark, tmp_path_factory, texts):
    """Every column reads every text, which few are made for; what is no value refuses its row."""
    columns = {"id": Column(LONG), "at": Column(TIMESTAMP), **REPAIRED}
    source = builders.readings("x.csv", columns=columns, key=["id"], known_at=None, keep=[])
    moment = "2024-03-31 06:00:00"
    raw = [
        (str(place), moment, *(None if text in ("", "NA") else text for _ in REPAIRED), None, "x.csv")
        for place, text in enumerate(texts)
    ]
    names = [*columns, "_malformed", "_file"]
    frame = spark.createDataFrame(raw, ", ".join(f"{name} string" for name in names)).coalesce(1)
    read = facts.candidates(frame, "readings", source, tmp_path_factory.mktemp("cache"), "UTC")
    shown = read.select("id", *REPAIRED, "_repairs", "_reasons", "_row").toArrow().to_pylist()
    assert len(shown) == len(texts)
    for row in shown:
        text = texts[row["id"]]
        changes = {one["column"]: one for one in row["_repairs"] or []}
        refused = {reason.partition(":")[0] for reason in row["_reasons"] or []}
        for name, column in REPAIRED.items():
            value, made = oracle.read(text, column)
            assert (name, text, str(row[name])) == (name, text, str(value))
            assert (name, text, changes.get(name, {}).get("repairs", [])) == (name, text, made)
            assert (name in refused) == (value is None and "trim" not in made and text not in ("", "NA"))
        if changes or refused:
            assert set(row["_row"].values()) == {str(row["id"]), moment, text}


def test_patterns_say_which_times_are_of_a_clock(spark, tmp_path):
    """Those without an offset; what is no time is a value of no zone, and what leads out of the years neither."""
    formats = ["dd.MM.yyyy HH:mm", "dd.MM.yyyy HH:mmXXX", "yyyy-MM-dd"]
    source = builders.readings("x.csv", file=File("x.csv", dialect=Dialect(timestamp_formats=formats)))
    column = Column(TIMESTAMP, repair=Repair(zone="America/New_York"))
    source = replace(source, columns={"machine": Column(STRING), "at": column}, known_at=None, keep=[])
    expected = {
        "31.03.2024 06:00": (utc(2024, 3, 31, 10), None),
        "31.03.2024 06:00+02:00": (utc(2024, 3, 31, 4), None),
        "2024-03-31": (utc(2024, 3, 31, 4), None),
        "10.03.2024 02:30": (None, ["at: no time that clocks of America/New_York show"]),
        "31.12.9999 23:00": (None, ["at: not a timestamp"]),
        "2024-03-31 06:00:00": (None, ["at: not a timestamp"]),
    }
    raw = [("m1", text, None, "x.csv") for text in expected]
    frame = spark.createDataFrame(raw, "machine string, at string, _malformed string, _file string").coalesce(1)
    read = facts.candidates(frame, "readings", source, tmp_path, "UTC").select("at", "_reasons").toArrow().to_pylist()
    assert dict(zip(expected, [(row["at"], row["_reasons"]) for row in read], strict=True)) == expected


COLUMNS = {
    "machine": Column(STRING, required=True, repair=Repair(trim=True)),
    "at": Column(TIMESTAMP, required=True, repair=Repair(zone="Europe/Paris")),
    "seen": Column(TIMESTAMP),
    "country": Column(
        STRING, levels=["United States", "FRANCE"], repair=Repair(True, LetterCase.UPPER, {"United States": ["USA"]})
    ),
    "temperature": Column(
        DOUBLE, minimum=-50, repair=Repair(numbers=Numbers(thousands=","), winsorise=Winsorising(0, 1e4))
    ),
}
KEEP = ["country", "temperature"]
HEADER = "machine,at,seen,country,temperature"


def row(machine, country="FRANCE", temperature="1", at="2024-03-31 06:00:00Z", seen="2024-03-31 07:00:00"):
    return f'\n{machine},{at},{seen},{country},"{temperature}"'


def counts(warehouse, day=D1):
    """Column and repair -> changed rows, as `quality` counts them."""
    rows = rows_of(warehouse, "quality", "check", "rows", "run_date")
    return {check.removeprefix("repair "): n for check, n, on in rows if on == day and check.startswith("repair ")}


def changed(warehouse):
    """Machine and column -> repairs, before and after."""
    rows = rows_of(warehouse, "repairs", "key", "column", "repairs", "before", "after")
    return {(json.loads(key)["machine"], column): tuple(rest) for key, column, *rest in rows}


def hash_of(*texts):
    names = ["machine", "at", "seen", "country", "temperature"]
    raw = json.dumps(dict(zip(names, texts, strict=True)), separators=(",", ":"))
    return hashlib.sha256(raw.encode()).hexdigest()


def test_a_night_stores_repaired_values_and_keeps_what_they_were(night, warehouse):
    """Refused rows, by whatever they are refused, are kept as they came; a value has one row for all its repairs."""
    text = (
        HEADER
        + row("m1 ", "usa", "10,000")
        + row("m2", "France ", "2,000,000.5", at="2024-03-31 06:00:00")
        + row("m3", "Spain", "-10")
        + row("m4", temperature="-60")
        + row("m5", at="2024-03-31 02:30:00")
        + row("m6", "usa", "7")
        + row("m6", "United States", "7")
        + row("m7", "usa", "7")
        + row("m7", "usa", "8")
        + row("m8", "usa", "99", seen="2024-03-31 05:00:00")
        + row("m9", "usa", "5")
        + row("m0", "usa", "5", seen="2024-04-01 05:00:00")
    )
    gates = {"not_five": Gate(GateCheck.EXPRESSION, GateSeverity.REFUSE, expression="temperature <> 5")}
    options = {"columns": COLUMNS, "keep": KEEP, "checks": {"in_order": "seen >= at"}, "gates": gates}
    night(text, **options)
    assert rows_of(warehouse, "source_readings", "machine", "country", "temperature") == [
        ("m1", "United States", 1e4),
        ("m2", "FRANCE", 1e4),
        ("m6", "United States", 7.0),
    ]
    at = dict(rows_of(warehouse, "source_readings", "machine", "at"))
    assert (at["m1"], at["m2"]) == (utc(2024, 3, 31, 6), utc(2024, 3, 31, 4))
    as_before = ("2024-03-31 06:00:00Z", "2024-03-31 07:00:00")
    quarantine = rows_of(warehouse, "quarantine", "row", "reasons", "row_hash")
    refused = {tuple(json.loads(text).values()): (reasons, key) for text, reasons, key in quarantine}
    conflict = ["several versions with one key and known_at"]
    expected = {
        ("m3", *as_before, "Spain", "-10"): ["country: not one of United States, FRANCE"],
        ("m4", *as_before, "FRANCE", "-60"): ["temperature: below -50"],
        ("m5", "2024-03-31 02:30:00", "2024-03-31 07:00:00", "FRANCE", "1"): [
            "at: no time that clocks of Europe/Paris show"
        ],
        ("m7", *as_before, "usa", "7"): conflict,
        ("m7", *as_before, "usa", "8"): conflict,
        ("m8", as_before[0], "2024-03-31 05:00:00", "usa", "99"): ["check in_order"],
        ("m9", *as_before, "usa", "5"): ["gate not_five: not temperature <> 5"],
    }
    assert refused == {texts: (reasons, hash_of(*texts)) for texts, reasons in expected.items()}
    usa = (["case", "synonyms"], "usa", "United States")
    assert changed(warehouse) == {
        ("m1", "country"): usa,
        ("m1", "temperature"): (["numbers"], "10,000", "10000.0"),
        ("m2", "country"): (["trim", "case"], "France ", "FRANCE"),
        ("m2", "temperature"): (["numbers", "winsorise"], "2,000,000.5", "10000.0"),
        ("m2", "at"): (["zone"], "2024-03-31 06:00:00", "2024-03-31 04:00:00Z"),
        ("m3", "country"): (["case"], "Spain", "SPAIN"),
        ("m3", "temperature"): (["winsorise"], "-10", "0.0"),
        ("m7", "country"): usa,
        ("m8", "country"): usa,
        ("m9", "country"): usa,
    }
    hashes = dict(rows_of(warehouse, "repairs", "key", "row_hash"))
    assert hashes['{"machine":"m1","at":"2024-03-31T06:00:00.000Z"}'] == hash_of("m1 ", *as_before, "usa", "10,000")
    assert counts(warehouse) == {
        "machine: trim": 1,
        "at: zone": 1,
        "country: trim": 1,
        "country: case": 7,
        "country: synonyms": 5,
        "temperature: numbers": 2,
        "temperature: winsorise": 2,
    }


def test_repairs_are_of_the_night_that_stores_the_row_and_a_rerun_replaces_them(night, warehouse):
    """Rows that are stored already have none, whatever is read again; a backfill has its own."""
    options = {"columns": COLUMNS, "keep": KEEP, "arrival": Arrival(0)}
    first = HEADER + row("m1", "usa") + row("m2", "usa", seen="2024-04-01 07:00:00")
    night(first, D1, **options)
    night(first, D3, D1, run_id="b", **options)
    machines = [("m1", D1), ("m2", D3)]
    assert [
        (json.loads(key)["machine"], day) for key, day in rows_of(warehouse, "repairs", "key", "run_date")
    ] == machines
    assert (counts(warehouse, D3)["country: synonyms"], counts(warehouse, D3)["machine: trim"]) == (1, 0)
    before = rows_of(warehouse, "repairs")
    for day, previous in ((D3, D1), (D1, None)):
        night(first, day, previous, run_id="c", **options)
        assert rows_of(warehouse, "repairs") == before
    assert {run_id for (run_id,) in rows_of(warehouse, "repairs", "run_id")} == {"c"}
    late = row("m3", "usa", seen="2024-04-01 06:00:00")
    night(first + late, D2, D1, run_id="d", **options)
    of_nights = rows_of(warehouse, "repairs", "key", "run_date")
    assert [(json.loads(key)["machine"], day) for key, day in of_nights] == [*machines, ("m3", D2)]
    night(HEADER + row("m1", "usa"), D3, D2, run_id="e", **options)
    of_nights = rows_of(warehouse, "repairs", "key", "run_date")
    assert [(json.loads(key)["machine"], day) for key, day in of_nights] == [("m1", D1), ("m3", D2)]


def test_without_repairs_nothing_is_written(night, warehouse):
    columns = {name: Column(one.type) for name, one in COLUMNS.items()} | {"country": COLUMNS["country"]}
    night(HEADER + row("m1"), columns=columns, keep=KEEP)
    assert "repairs" not in builders.versions(warehouse)
    assert counts(warehouse) == {"country: trim": 0, "country: case": 0, "country: synonyms": 0}
    night(HEADER + row("m1") + row("m2", "usa"), D2, D1, columns=columns, keep=KEEP)
    version = builders.versions(warehouse)["repairs"]
    night(HEADER + row("m1") + row("m2", "usa"), D3, D2, columns=columns, keep=KEEP, arrival=Arrival(0))
    assert builders.versions(warehouse)["repairs"] == version


def test_times_of_a_clock_are_repaired_in_parquet_too_and_instants_and_numbers_are_not(night, warehouse):
    moments = [utc(2024, 3, 31, 6).replace(tzinfo=None), utc(2024, 3, 31, 2, 30).replace(tzinfo=None)]
    zone = Column(TIMESTAMP, repair=Repair(zone="Europe/Paris"))
    columns = builders.readings("").columns | dict.fromkeys(["us", "ms", "ns", "day"], zone)
    table = pa.table(
        {
            "machine": ["m1", "m2"],
            "at": pa.array([datetime(2024, 3, 31, 6, tzinfo=UTC)] * 2, pa.timestamp("us", "UTC")),
            "seen": pa.array([None, None], pa.timestamp("us", "UTC")),
            "temperature": [20.0, 20.0],
            **{unit: pa.array(moments, pa.timestamp(unit)) for unit in ("us", "ms", "ns")},
            "day": pa.array([date(2024, 3, 31)] * 2),
        }
    )
    options = {"columns": columns, "keep": ["temperature", "us", "ms", "ns", "day"]}
    night(table, **options)
    utc_there = utc(2024, 3, 31, 4)
    stored = rows_of(warehouse, "source_readings", "machine", "us", "ms", "ns", "day")
    assert stored == [("m1", utc_there, utc_there, utc_there, utc(2024, 3, 30, 23))]
    reasons = [f"{unit}: no time that clocks of Europe/Paris show" for unit in ("us", "ms", "ns")]
    assert rows_of(warehouse, "quarantine", "reasons") == [(reasons,)]
    assert {(machine, name): after for (machine, name), (_, _, after) in changed(warehouse).items()} == {
        **{("m1", unit): "2024-03-31 04:00:00Z" for unit in ("us", "ms", "ns")},
        **{(machine, "day"): "2024-03-30 23:00:00Z" for machine in ("m1", "m2")},
    }
    for name, repair in (("at", Repair(zone="Europe/Paris")), ("temperature", Repair(numbers=Numbers(",")))):
        with pytest.raises(SourceError, match=f"the column {name} of .* but {repair.names()[0]} in columns.{name}"):
            night(table, **options | {"columns": columns | {name: Column(columns[name].type, repair=repair)}})


CUSTOMERS = {
    "columns": {
        "machine": Column(LONG),
        "at": Column(TIMESTAMP),
        "name": Column(STRING, repair=Repair(trim=True)),
        "town": Column(STRING),
        "gone": Column(ColumnType.BOOLEAN),
        "temperature": Column(DOUBLE),
    },
    "key": ["machine"],
    "known_at": None,
    "deleted": "gone",
    "keep": ["name", "town", "temperature"],
    "near_duplicates": ["name", "town"],
    "arrival": Arrival(0),
}


def customer(number, name, town="Linz", day="03-30", gone="f"):
    return f'\n{number},2024-{day} 06:00:00,"{name}",{town},{gone},20'


def test_of_facts_that_are_the_same_but_for_writing_the_first_is_stored(night, landing, warehouse, monkeypatch):
    """Within a night the one known first, then the least key; a stored one before all others, while there is one.

    Reruns compare with all stored facts, as a night does that brings many.
    """
    options = CUSTOMERS | {"file": File(str(landing))}

    def run(day, previous, *lines, run_id="run"):
        if lines:
            (landing / f"{day}.csv").write_text("machine,at,name,town,gone,temperature" + "".join(lines))
        night("", day, previous, run_id=run_id, **options)

    def kept(on):
        rows = rows_of(warehouse, "repairs", "before", "after", "run_date")
        return {json.loads(one)["machine"]: json.loads(other)["machine"] for one, other, day in rows if day == on}

    def stored(on):
        rows = rows_of(warehouse, "source_readings", "machine", "ingested_on")
        return sorted(number for number, day in rows if day == on)

    run(
        D1, None,
        customer(5, "J. Smith & Sons ", day="03-29"),
        customer(3, "j smith  sons", "LINZ"),
        customer(3, "j smith, sons", "LINZ", "03-31"),
        customer(4, "J. Smith & Sons", "Graz"),
        customer(6, "Jones"), customer(7, "JONES."),
        customer(8, "-"), customer(9, "!"),
        customer(10, "Gone", day="03-28"), customer(10, "Gone", day="03-29", gone="t"), customer(11, "gone"),
        customer(12, "Moved"), customer(12, "jones", day="03-31"),
    )  # fmt: skip
    assert (stored(D1), kept(D1)) == ([4, 5, 6, 8, 9, 10, 10, 11], {3: 5, 7: 6, 12: 6})
    reason = ["near-duplicate of another fact by name, town"]
    refused = rows_of(warehouse, "quarantine", "row", "reasons", "row_hash")
    assert [reasons for _, reasons, _ in refused] == [reason] * 5
    assert [key for _, _, key in refused] == [hashlib.sha256(text.encode()).hexdigest() for text, _, _ in refused]
    assert counts(warehouse) == {"name: trim": 1, "name, town: near_duplicates": 5}
    run(
        D2, D1,
        customer(1, "Smith Sons J"),
        customer(2, "JONES!", day="04-01"),
        customer(5, "jones", day="04-01"),
        customer(11, "gone", day="04-01", gone="t"), customer(13, "Gone", day="04-01"),
    )  # fmt: skip
    assert (stored(D2), kept(D2)) == ([1, 5, 11, 13], {2: 5})
    run(D3, D2, customer(14, "J Smith & Sons", day="04-02"), customer(15, "Jones", day="04-02"))
    assert (stored(D3), kept(D3)) == ([14], {15: 5})
    tables = ("source_readings", "quarantine", "repairs", "quality")
    before = {table: rows_of(warehouse, table) for table in tables}
    monkeypatch.setattr(near_duplicates, "MOST_HASHES", 0)
    for day, previous in ((D3, D2), (D1, None)):
        run(day, previous, run_id="again")
        assert {table: rows_of(warehouse, table) for table in tables} == before
