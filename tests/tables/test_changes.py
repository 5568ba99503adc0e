"""What has changed in a table since a run saw it, told by the files that matter."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from nightjar.tables import arrow, changes, scan, transaction
from nightjar.tables.table import INSTANT, RUN_DATE, RUN_ID, Column, Table
from nightjar.tables.transaction import Change, Note

D1, D2 = date(2024, 4, 1), date(2024, 4, 2)
FACTS = Table(
    "facts",
    "Facts.",
    ("id",),
    ("run_date",),
    "ingest",
    (Column("id", pa.int64(), "names it"), Column("known_at", INSTANT, "when it was known"), RUN_DATE, RUN_ID),
)


def instant(day):
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def store(warehouse, day, run_id, known_at=None):
    rows = [{"id": 1, "known_at": known_at or instant(day), "run_date": day, "run_id": run_id}]
    return arrow.replace(warehouse, FACTS, rows, {"run_date": day}, run_id)


def of_first(file):
    return file.partition["run_date"] == D1


def known_by_first(file):
    return file.may_hold("known_at", until=instant(D1))


@pytest.fixture
def begun(warehouse):
    """The version after both dates have been stored."""
    store(warehouse, D1, "a")
    return store(warehouse, D2, "b")


def test_rows_of_another_date_or_known_later_are_no_change(warehouse, begun):
    store(warehouse, D2, "c")
    assert changes.describe(warehouse, "facts", begun, of_first, "x") is None
    assert changes.describe(warehouse, "facts", begun, known_by_first, "x") is None
    told = changes.describe(warehouse, "facts", begun, lambda _: True, "x")
    assert told == f"table facts has changed since version {begun}: 1 file added, 1 removed"


def test_a_later_night_that_brings_what_was_known_before_is_a_change(warehouse, begun):
    store(warehouse, D2, "c", known_at=instant(D1) - timedelta(hours=1))
    assert changes.describe(warehouse, "facts", begun, of_first, "x") is None
    assert "1 file added" in changes.describe(warehouse, "facts", begun, known_by_first, "x")


def test_what_a_run_has_stored_itself_and_what_upkeep_has_moved_are_no_change(warehouse, begun):
    """But what another one stores between the two is."""
    store(warehouse, D1, "own")
    assert changes.describe(warehouse, "facts", begun, of_first, "own") is None
    assert changes.describe(warehouse, "facts", begun, of_first, "x") is not None
    before = arrow.version(warehouse, "facts")
    files = scan.snapshot(warehouse, "facts").where(of_first).files
    (again,) = arrow._write_files(warehouse, FACTS, arrow.read(warehouse, "facts", where=None).slice(0, 1).to_pylist())
    transaction.commit(warehouse, "facts", lambda _: Change([again], files, rearranged=True), Note("upkeep"))
    assert changes.describe(warehouse, "facts", before, lambda _: True, "x") is None
    store(warehouse, D1, "c")
    assert changes.describe(warehouse, "facts", before, of_first, "x").endswith("1 file added, 1 removed")


def test_a_table_that_is_gone_or_older_or_whose_log_does_not_reach_back_has_changed(warehouse, begun):
    assert changes.describe(warehouse, "nothing", 3, of_first, "x") == "table nothing is gone"
    assert "before version 99" in changes.describe(warehouse, "facts", 99, of_first, "x")
    store(warehouse, D2, "c")
    folder = Path(warehouse.path("facts"))
    DeltaTable(folder).create_checkpoint()
    for version in range(begun + 1):
        (folder / "_delta_log" / f"{version:020}.json").unlink()
    told = changes.describe(warehouse, "facts", begun, of_first, "x")
    assert told == f"the log of table facts no longer tells what has changed since version {begun}"
