"""Upkeep: no row changes, layouts stay sorted and in use, and whoever reads an older version can go on."""

import json
import os
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from builders import rows_of
from nightjar.errors import TableError
from nightjar.settings.files import File
from nightjar.settings.sources import Column as RawColumn
from nightjar.settings.sources import ColumnType, Layout, Source
from nightjar.sources import layouts as of_source
from nightjar.sources.storing import Night
from nightjar.tables import arrow, layouts, maintenance, scan, sink
from nightjar.tables.definitions import LEASES, RUNS
from nightjar.tables.entries import DataFile
from nightjar.tables.source_definitions import source_table
from nightjar.tables.table import Column, Table

NIGHTS = [date(2024, 4, day) for day in range(1, 8)]
STORED = pa.schema({"id": pa.int64(), "machine": pa.string(), "x": pa.float64()})
VISITS, LAID_OUT = source_table("visits", ["id"], STORED), "source_visits__by_machine"
ORDER = ("machine", "event_time", "known_at")
SOURCE = Source(
    File("visits.csv"),
    columns={name: RawColumn(ColumnType.STRING) for name in STORED.names} | {"at": RawColumn(ColumnType.TIMESTAMP)},
    key=["id"],
    event_time="at",
    keep=STORED.names,
    layouts={"by_machine": Layout(["machine"], buckets=1)},
)
NIGHT_START = datetime(2024, 4, 1, tzinfo=UTC)
NOTES = Table("notes", "", ("x",), (), "tests", (Column("x", pa.int64(), "a number"),))


def visit(number, machine, x, night, at=None):
    midnight = datetime.combine(night, datetime.min.time(), UTC)
    return {
        "id": number, "machine": machine, "x": x, "event_time": at or midnight, "known_at": midnight,
        "stated_known_at": midnight, "ingested_on": night, "run_id": "run",
    }  # fmt: skip


def plain_night(night):
    return [visit(10 * night.day, "b", 1.5, night), visit(10 * night.day + 1, "a", float("nan"), night)]


def ingested(spark, warehouse, night, rows):
    """What ingest does with the facts of a night: the source's table first, then its layout."""
    into = sink.target(warehouse, VISITS)
    written = sink.write(pa.Table.from_pylist(rows, into.schema), into)
    after = sink.commit(warehouse, into, written, lambda file: file.partition["ingested_on"] == night, "run")
    of_source.store(spark, warehouse, SOURCE, VISITS, Night(night, NIGHT_START, None, "run"), into.version, after)


def texts(warehouse, table):
    """Its rows as texts, in which a NaN is like another."""
    return sorted(map(repr, rows_of(warehouse, table, without=())))


def files_of(warehouse, table):
    return {file.path for file in scan.snapshot(warehouse, table).files}


def last_actions(warehouse, table):
    """The file actions of the last commit."""
    log = Path(warehouse.path(table)) / "_delta_log" / f"{arrow.version(warehouse, table):020}.json"
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    return [action for entry in entries for kind, action in entry.items() if kind in ("add", "remove")]


def laid_out_by_hand(warehouse):
    """The layout that the source's rows must have: the facts, and a retraction for the visit that moved."""
    facts = [(*row, False) for row in rows_of(warehouse, "source_visits", "id", "machine", "known_at")]
    first, last = sorted(fact for fact in facts if fact[0] == 10)
    return sorted([*facts, (10, first[1], last[2], True)], key=repr)


def test_a_layout_is_merged_sorted_and_goes_on_as_if_nothing_had_been(spark, warehouse, monkeypatch):
    """Visit 10 moves from b to c in the second night. The last night is left out: it may be run again."""
    monkeypatch.setattr(maintenance, "FEW", 1)
    first, second, third = NIGHTS[:3]
    ingested(spark, warehouse, first, plain_night(first))
    ingested(spark, warehouse, second, [*plain_night(second), visit(10, "c", 9.0, second)])
    ingested(spark, warehouse, third, plain_night(third))
    before, files = texts(warehouse, LAID_OUT), files_of(warehouse, LAID_OUT)
    pinned, reflected = scan.snapshot(warehouse, LAID_OUT), layouts.find(warehouse, "source_visits", ["machine"])

    assert maintenance.compact(spark, warehouse, LAID_OUT, ORDER, third, "upkeep") == (2, 1)
    assert texts(warehouse, LAID_OUT) == before
    assert {action["dataChange"] for action in last_actions(warehouse, LAID_OUT)} == {False}
    (new,) = files_of(warehouse, LAID_OUT) - files
    rows = pq.ParquetFile(Path(warehouse.path(LAID_OUT)) / new).read(list(ORDER))
    assert rows.equals(rows.sort_by([(name, "ascending") for name in ORDER]))
    assert len(scan.read(pinned, ["id"])) == len(before)
    layout = layouts.find(warehouse, "source_visits", ["machine"])
    assert (layout.buckets, layout.source_version) == (1, reflected.source_version)

    ingested(spark, warehouse, third, [visit(60, "a", 2.0, third)])
    assert new in files_of(warehouse, LAID_OUT)
    assert rows_of(warehouse, LAID_OUT, "id", "machine", "known_at", "retraction") == laid_out_by_hand(warehouse)

    ingested(spark, warehouse, second, [*plain_night(second), visit(10, "d", 9.0, second)])
    assert new not in files_of(warehouse, LAID_OUT)
    assert rows_of(warehouse, LAID_OUT, "id", "machine", "known_at", "retraction") == laid_out_by_hand(warehouse)


def test_a_source_that_was_only_rearranged_is_still_the_one_that_its_layout_reflects(spark, warehouse):
    for night in NIGHTS[:2]:
        ingested(spark, warehouse, night, plain_night(night))
    reflected = layouts.find(warehouse, "source_visits", ["machine"])
    for run in ("merged", "merged again"):
        into = sink.target(warehouse, VISITS)
        snapshot = scan.snapshot(warehouse, "source_visits")
        again = sink.write(scan.read(snapshot, snapshot.schema.names), into)
        sink.commit(warehouse, into, again, lambda _: True, run, rearranged=True)
    assert maintenance.vacuum(warehouse, "source_visits", (), timedelta(0)) == 4
    now = arrow.version(warehouse, "source_visits")
    assert now == reflected.source_version + 4
    assert layouts.reflects(warehouse, "source_visits", reflected, now)
    files = files_of(warehouse, LAID_OUT)
    ingested(spark, warehouse, NIGHTS[2], plain_night(NIGHTS[2]))
    assert files < files_of(warehouse, LAID_OUT)
    assert not layouts.reflects(warehouse, "source_visits", reflected, arrow.version(warehouse, "source_visits"))


def test_small_appends_are_merged_but_those_of_the_night(spark, warehouse):
    """Maps, instants and nulls survive, and what is merged is not merged again."""
    at = datetime(2024, 4, 1, 2, 30, 0, 123456, UTC)
    for number, night in enumerate(NIGHTS[:6]):
        row = {"run_id": str(number), "run_date": night, "inputs": [("t", number)], "started_at": at, "seconds": 0.5}
        arrow.append(warehouse, RUNS, [row], "run")
    before = rows_of(warehouse, "runs", without=())
    assert maintenance.compact(spark, warehouse, "runs", (), NIGHTS[5], "upkeep") == (5, 1)
    assert rows_of(warehouse, "runs", without=()) == before
    version = arrow.version(warehouse, "runs")
    assert maintenance.compact(spark, warehouse, "runs", (), NIGHTS[6], "upkeep") == (0, 0)
    assert arrow.version(warehouse, "runs") == version


def test_files_are_merged_within_their_partition_in_order_of_time_and_up_to_a_size():
    def file(path, size, hour, bucket=0):
        return DataFile(path, 1, size, {"bucket": bucket}, {"event_time": NIGHT_START + timedelta(hours=hour)}, {})

    half, large = maintenance.MERGED // 2 - 1, maintenance.SMALL
    files = [file(f"{hour}", half, hour) for hour in (5, 3, 1, 4, 2)]
    others = [file("large", large, 0), *(file(f"other {hour}", 1, hour, bucket=1) for hour in range(4))]
    snapshot = scan.Snapshot("t", "folder", 1, pa.schema({}), tuple(files + others))
    shares = maintenance._shares(snapshot, NIGHTS[0])
    assert [[one.path for one in share.files] for share in shares] == [["1", "2"], ["3", "4"]]


def noted(warehouse, *numbers):
    """One version for each number, which replaces the one before."""
    for number in numbers:
        arrow.replace(warehouse, NOTES, [{"x": number}], {}, "run")


def test_a_vacuum_keeps_what_pinned_readers_and_models_still_need(warehouse):
    """Versions are 1, 2, 3. By the stated retention nothing goes so soon, not even what a dead run has left."""
    noted(warehouse, 1, 2, 3)
    orphan = Path(warehouse.path("notes")) / "part-dead.parquet"
    orphan.write_bytes(b"half a file")
    assert maintenance.vacuum(warehouse, "notes", ()) == 0
    assert [arrow.read(warehouse, "notes", at_version=n)["x"].to_pylist() for n in (1, 2, 3)] == [[1], [2], [3]]
    assert maintenance.vacuum(warehouse, "notes", {1}, timedelta(0)) == 2
    assert not orphan.exists()
    assert [arrow.read(warehouse, "notes", at_version=n)["x"].to_pylist() for n in (1, 3)] == [[1], [3]]
    with pytest.raises(TableError, match=r"version 2: the data file .* is gone"):
        arrow.read(warehouse, "notes", at_version=2)


def aged(warehouse, table, days):
    """The table's log as it looks after some days."""
    log = Path(warehouse.path(table)) / "_delta_log"
    then = time.time() - days * 86_400
    for file in log.glob("*.json"):
        entries = [json.loads(line) for line in file.read_text().splitlines()]
        for entry in entries:
            if "commitInfo" in entry:
                entry["commitInfo"]["timestamp"] = int(then * 1000)
        file.write_text("\n".join(map(json.dumps, entries)))
    for file in log.iterdir():
        os.utime(file, (then, then))


def test_the_log_goes_with_its_retention_but_not_while_a_model_cites_a_version_of_it(warehouse):
    noted(warehouse, 1, 2)
    DeltaTable(warehouse.path("notes")).create_checkpoint()
    aged(warehouse, "notes", 100)
    noted(warehouse, 3)
    maintenance.vacuum(warehouse, "notes", {1})
    assert arrow.read(warehouse, "notes", at_version=1)["x"].to_pylist() == [1]
    maintenance.vacuum(warehouse, "notes", ())
    assert arrow.read(warehouse, "notes")["x"].to_pylist() == [3]
    with pytest.raises(TableError, match=r"notes at .* has no version 1 any more"):
        maintenance.vacuum(warehouse, "notes", {1})


def test_tables_are_created_with_the_stated_retention_and_a_log_that_only_upkeep_cleans(warehouse):
    arrow.ensure(warehouse, LEASES)
    assert DeltaTable(warehouse.path("leases")).metadata().configuration == {
        "delta.deletedFileRetentionDuration": "interval 90 days",
        "delta.logRetentionDuration": "interval 90 days",
        "delta.enableExpiredLogCleanup": "false",
        "delta.setTransactionRetentionDuration": "interval 90 days",
        "delta.checkpointInterval": "10",
    }
