"""Whatever bit of a table is flipped, what is read is what was written, or it is said which file is damaged."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from nightjar.errors import TableError
from nightjar.tables import arrow, delta, failures, scan, sink
from nightjar.tables.file_splits import read_by_tasks
from nightjar.tables.table import Column, Table
from tables.damage import data_file, data_place, edited, flip, newest_commit, strata
from tables.things import THINGS, of, store, things, utc

ROWS = 3_000
WIDE = pa.table(
    {
        "id": np.arange(ROWS),
        "noise": np.random.default_rng(3).random(ROWS),
        "few": pa.array([None if number % 7 == 0 else number % 5 for number in range(ROWS)], pa.int32()),
        "place": [f"gate {number % 40}" for number in range(ROWS)],
        "at": pa.array(np.arange(ROWS) * 1_000_000, pa.timestamp("us", "UTC")),
        "tags": pa.array([["a"] * (number % 3) for number in range(ROWS)], pa.list_(pa.string())),
        "is_late": pa.array([number % 3 == 0 for number in range(ROWS)]),
    }
)
WIDE_THINGS = Table(
    "wide", "One thing.", ("id",), (), "tests", tuple(Column(one.name, one.type, one.name) for one in WIDE.schema)
)
FLIPS = 24
"""Of each stratum."""


def by_arrow(warehouse):
    return arrow.read(warehouse, "wide")


def by_scan(warehouse):
    return scan.read(scan.snapshot(warehouse, "wide"), WIDE.column_names)


@pytest.fixture
def wide(warehouse, monkeypatch):
    monkeypatch.setattr("nightjar.tables.datafiles.ROWS_PER_GROUP", 1_000)
    into = sink.target(warehouse, WIDE_THINGS)
    sink.commit(warehouse, into, sink.write(WIDE, into), lambda _: True, "run-1")
    return warehouse


def result(read, warehouse):
    """What is read, or what is said instead."""
    try:
        return read(warehouse)
    except TableError as error:
        return str(error)


@pytest.mark.parametrize(
    ("stratum", "least"), [("page header", FLIPS), ("dictionary", 36), ("data", 36), ("footer", 2 * FLIPS)]
)
def test_no_flipped_bit_of_a_data_file_changes_what_is_read(wide, stratum, least):
    """Some bits of a page's header are of no account: those of its bounds, which nobody uses, and of its checksum."""
    file, chance = data_file(wide, "wide"), np.random.default_rng(4)
    whole, errors = file.read_bytes(), 0
    named = f"Table wide at {wide.path('wide')}, version 1: the data file {file.name} is damaged: "
    for place in chance.choice(strata(file)[stratum], FLIPS, replace=False):
        flip(file, place, chance.integers(8))
        for outcome in (result(read, wide) for read in (by_arrow, by_scan)):
            errors += isinstance(outcome, str)
            assert outcome.startswith(named) if isinstance(outcome, str) else outcome.equals(WIDE)
        file.write_bytes(whole)
    assert errors >= least


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda file: file.write_bytes(file.read_bytes()[:-100]), "it has [0-9,]+ bytes, [0-9,]+ were written"),
        (lambda file: file.write_bytes(b""), "it has 0 bytes"),
        (lambda file: file.write_bytes(file.read_bytes()[:-4] + b"none"), "it does not end with a footer of Parquet"),
        (Path.unlink, "is gone"),
    ],
    ids=["truncated", "empty", "not Parquet", "gone"],
)
def test_a_file_that_is_not_whole_is_named(wide, damage, message):
    file = data_file(wide, "wide")
    damage(file)
    for read in (by_arrow, by_scan):
        with pytest.raises(TableError, match=rf"Table wide at .*, version 1: the data file {file.name} .*{message}"):
            read(wide)


@pytest.fixture
def rewritten(warehouse):
    """Things of two places; those of p were replaced once."""
    store(warehouse, things(id=[1, 2], place=["p", "p"], at=[utc("2024-01-01"), utc("2024-01-02")]))
    store(warehouse, things(id=[3], place=["q"]))
    store(warehouse, things(id=[5, 6], place=["p", "p"], at=[utc("2024-01-03"), None]), replaces=of("p"))
    return warehouse


def all_and_some(warehouse):
    """All rows, those of a partition, and those of the files that may hold an id."""
    everything = arrow.read(warehouse, "things").sort_by("id").to_pylist()
    of_place = arrow.read(warehouse, "things", ["id"], pc.field("place") == "p")["id"].to_pylist()
    candidates = scan.snapshot(warehouse, "things").where(lambda file: file.may_hold("id", 5, 5))
    return everything, of_place, 5 in scan.read(candidates, ["id"])["id"].to_pylist()


@pytest.mark.slow
@pytest.mark.parametrize("version", range(4))
def test_no_flipped_bit_of_a_log_changes_what_is_read(rewritten, version):
    """Version 0 has the table's schema, version 3 what was hidden and what came."""
    right, chance = all_and_some(rewritten), np.random.default_rng(version)
    commit = Path(rewritten.path("things")) / "_delta_log" / f"{version:020}.json"
    whole, errors = commit.read_bytes(), 0
    for place in chance.choice(len(whole), 40, replace=False):
        flip(commit, place, chance.integers(8))
        outcome = result(all_and_some, rewritten)
        errors += isinstance(outcome, str)
        assert f"able things at {rewritten.path('things')}" in outcome if isinstance(outcome, str) else outcome == right
        commit.write_bytes(whole)
    assert errors


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"partitionValues":{"place":"p"},"size"', '"partitionValues":{"place":"q"},"size"'),
        ('numRecords\\": 2', 'numRecords\\": 3'),
    ],
    ids=["partition", "rows"],
)
def test_an_entry_that_says_something_else_than_its_file_s_name_is_refused(rewritten, old, new):
    edited(newest_commit(rewritten, "things"), old, new)
    with pytest.raises(TableError, match=r"the log's entry of the data file place=p/part-.* is not what was written"):
        scan.snapshot(rewritten, "things")


def test_bounds_that_are_not_what_was_written_are_not_used(rewritten):
    edited(newest_commit(rewritten, "things"), 'minValues\\": {\\"id\\": 5', 'minValues\\": {\\"id\\": 7')
    (file,) = scan.snapshot(rewritten, "things").where(of("p")).files
    assert (file.least, file.greatest, file.may_hold("id", 5, 5)) == ({}, {}, True)


@pytest.mark.parametrize("kind", ["remove", "add"])
def test_an_entry_that_is_lost_is_noticed(rewritten, kind):
    """Else rows would be twice there, or not at all."""
    commit = newest_commit(rewritten, "things")
    lines = [line for line in commit.read_text().splitlines() if kind not in json.loads(line)]
    commit.write_text("\n".join(lines))
    for read in (lambda: arrow.read(rewritten, "things"), lambda: store(rewritten, things(id=[7], place=["r"]))):
        with pytest.raises(
            TableError, match=r"things at .*, version 3: the log does not give what the last commit has left"
        ):
            read()


def test_who_replaces_a_damaged_file_need_not_read_it(rewritten):
    file = data_file(rewritten, "things", 0)
    file.write_bytes(b"")
    place = file.parent.name.removeprefix("place=")
    store(rewritten, things(id=[8], place=[place]), replaces=of(place))
    assert 8 in arrow.read(rewritten, "things")["id"].to_pylist()


@pytest.mark.parametrize("stratum", ["data", "footer"])
def test_spark_and_its_tasks_read_no_flipped_bit(warehouse, spark, stratum):
    rows = WIDE.select(["id", "place"]).append_column("x", WIDE["noise"])
    store(warehouse, rows, table=THINGS)
    file = data_file(warehouse, "things")
    place = data_place(file, "x") if stratum == "data" else file.stat().st_size - 20
    named = rf"{file.name} (of a table )?is damaged: .*{'CRC' if stratum == 'data' else 'footer'}"
    for read in (
        lambda: delta.read(spark, warehouse, "things").toArrow(),
        lambda: read_by_tasks(spark, scan.snapshot(warehouse, "things"), ["id", "x"]).frame().toArrow(),
    ):
        assert len(read()) == ROWS
        flip(file, place)
        with pytest.raises(TableError, match=named), failures.translate_errors():
            read()
        flip(file, place)


def test_spark_takes_no_damaged_page_header_for_another(warehouse, spark):
    store(warehouse, WIDE.select(["id", "place"]), table=THINGS)
    file, chance, errors = data_file(warehouse, "things"), np.random.default_rng(5), 0
    right = arrow.read(warehouse, "things", ["id", "place"]).sort_by("id").to_pylist()
    for place in chance.choice(strata(file)["page header"], 6, replace=False):
        flip(file, place, bit := chance.integers(8))
        try:
            with failures.translate_errors():
                rows = delta.read(spark, warehouse, "things").select("id", "place").toArrow()
                assert rows.sort_by("id").to_pylist() == right
        except TableError:
            errors += 1
        flip(file, place, bit)
    assert errors
