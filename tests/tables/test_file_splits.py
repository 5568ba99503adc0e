"""Files are shared out so that every row is read once, in shares of about equal size, a million rows at a time."""

from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightjar.tables import file_splits, row_groups, scan
from nightjar.tables.datafiles import ROWS_PER_GROUP
from nightjar.tables.entries import DataFile
from nightjar.tables.file_splits import Stretch, read_stretches, share_out
from tables.things import ids, store, things

GROUP = ROWS_PER_GROUP


def snapshot_of(sizes):
    files = tuple(DataFile(f"{number}", rows, 1, {}, {}, {}) for number, rows in enumerate(sizes))
    return scan.Snapshot("things", "", 0, pa.schema([]), files)


@given(st.lists(st.integers(0, 40 * GROUP), min_size=1, max_size=8), st.integers(1, 9))
def test_every_row_is_in_one_share_and_shares_are_about_equal(sizes, parts):
    shares = share_out(snapshot_of(sizes), parts)
    stretches = [stretch for share in shares for stretch in share]
    for number, rows in enumerate(sizes):
        own = sorted((one for one in stretches if one.file.path == str(number)), key=lambda one: one.start)
        assert [one.start for one in own] == [0, *(one.stop for one in own[:-1])]
        assert own[-1].stop is None
        assert sum(one.rows for one in own) == rows
    assert len(shares) <= parts
    assert all(shares)
    total, most = sum(sizes), max(sum(one.rows for one in share) for share in shares)
    assert most <= total / parts + max(3 * GROUP, total / parts / 2)


def test_a_small_file_is_never_cut():
    [[stretch]] = share_out(snapshot_of([3 * GROUP]), 9)
    assert stretch.is_whole


@pytest.fixture
def of_groups(warehouse, monkeypatch):
    """A table of two files, with row groups of ten rows: 95 and 32 rows."""
    monkeypatch.setattr("nightjar.tables.datafiles.ROWS_PER_GROUP", 10)
    for name, value in {"ROWS_PER_GROUP": 10, "MOST_UNCUT": 20, "ROWS_AT_ONCE": 30}.items():
        monkeypatch.setattr(file_splits, name, value)
    monkeypatch.setattr("nightjar.tables.rows.ROWS_AT_ONCE", 30)
    store(warehouse, things(id=list(range(95)), place=["a"] * 95), things(id=list(range(95, 127)), place=["b"] * 32))
    return warehouse


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_tasks_read_every_row_once_and_few_at_a_time(of_groups, parts):
    files = scan.snapshot(of_groups, "things")
    shares = share_out(files, parts)
    read = read_stretches(files, shares, ["id", "place"])
    tables = [list(read(iter([pa.record_batch({"id": [number]})]))) for number in range(len(shares))]
    assert all(len(table) <= 60 for share in tables for table in share)
    rows = pa.concat_tables(table for share in tables for table in share)
    assert sorted(rows["id"].to_pylist()) == ids(of_groups) == list(range(127))
    assert set(rows["place"].to_pylist()) == {"a", "b"}
    assert len(shares) == parts


def test_a_file_whose_rows_nobody_has_counted_is_read_by_its_row_groups(of_groups):
    files = scan.snapshot(of_groups, "things")
    [uncounted] = [replace(file, rows=0) for file in files.files if file.rows == 95]
    alone = replace(files, files=(uncounted,))
    read = read_stretches(alone, [[Stretch(uncounted)]], ["id"])
    tables = list(read(iter([pa.record_batch({"id": [0]})])))
    assert [len(table) for table in tables] == [30, 30, 30, 5]


def test_a_damaged_file_that_is_read_in_parts_is_named(of_groups):
    files = scan.snapshot(of_groups, "things")
    [file] = [one for one in files.files if one.rows == 95]
    with open(f"{files.folder}/{file.path}", "r+b") as content:  # noqa: PTH123
        content.seek(60)
        content.write(b"\xff" * 8)
    with pytest.raises(Exception, match=f"the data file {file.path} is damaged"):
        list(row_groups.read(replace(files, files=(file,)), ["id"], 0, None, 30))
