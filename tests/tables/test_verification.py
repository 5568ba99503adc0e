"""What `maintain` finds wrong with tables before it touches them."""

from datetime import date
from pathlib import Path

import pytest

from nightjar.tables import arrow, scan, verification
from nightjar.tables.table import Table
from tables.damage import data_file, data_place, edited, flip
from tables.things import THINGS, of, store, things

NOTES = Table("notes", "Notes.", ("id",), (), "tests", THINGS.columns[:1])
CITED = {"things": {1}}


@pytest.fixture
def tables(warehouse):
    """Things, of which version 1 is cited and its file replaced, beside notes."""
    store(warehouse, things(id=[1], x=[0.5], place=["p"]))
    store(warehouse, things(id=[2], x=[1.5], place=["p"]), replaces=of("p"))
    arrow.append(warehouse, NOTES, [{"id": 1}], "run")
    return warehouse


def test_every_commit_and_file_that_is_needed_is_looked_at_and_counted(tables, spark):
    verified = verification.verify(spark, tables, ["notes", "things"], CITED)
    assert (verified.looked_at, verified.damages) == ({"notes": 2 + 1, "things": 3 + 2}, [])
    folder, live = Path(tables.path("things")), data_file(tables, "things")
    cited = scan.snapshot(tables, "things", 1).files[0].path
    flip(live, data_place(live, "x"))
    (folder / cited).unlink()
    edited(folder / "_delta_log" / f"{2:020}.json", '"run_id":"run-1"', '"run_id":"run-2"')
    verified = verification.verify(spark, tables, ["notes", "things"], CITED)
    wrong = {(one.table, one.where): (one.what, one.file is not None) for one in verified.damages}
    assert wrong.pop(("things", cited)) == ("it is gone", False)
    log = ("things", f"_delta_log/{2:020}.json")
    assert wrong.pop(log) == ("its entries are not those that were written", False)
    ((where, (what, is_live)),) = wrong.items()
    assert (where, is_live) == (("things", live.relative_to(folder).as_posix()), True)
    assert "CRC" in what
    verification.record(tables, verified, date(2024, 4, 3), "run-9")
    rows = arrow.read(tables, "quality", ["source", "check", "rows", "of"]).to_pylist()
    assert sorted(tuple(row.values()) for row in rows) == [
        ("warehouse", "damaged files and commits", 3, 8),
        ("warehouse", "damaged files and commits: things", 3, 5),
    ]


def test_a_log_that_cannot_be_read_is_damage_of_its_table_alone(tables, spark):
    edited(Path(tables.path("notes")) / "_delta_log" / f"{1:020}.json", '{"add"', '{add"')
    verified = verification.verify(spark, tables, ["notes", "things"], {})
    assert {(one.table, one.where.split("/")[-1]) for one in verified.damages} == {
        ("notes", "_delta_log"),
        ("notes", f"{1:020}.json"),
    }
