"""Rows that tasks have stored are seen after one commit, and only then; who changes the same rows is told."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from nightjar.errors import JoinError, TableError
from nightjar.tables import arrow, delta, opening, scan, sink
from nightjar.tables.rows import number_tasks, task_numbers
from nightjar.tables.table import Column
from tables.things import THINGS, ids, of, store, stored_rows, things

VACUUM = {
    "spark.databricks.delta.retentionDurationCheck.enabled": "false",
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "2",  # or 10,000 tasks look for three files
}


def files_of(warehouse) -> set[str]:
    return {str(file) for file in Path(warehouse.path("things")).rglob("*.parquet")}


def test_a_stored_row_has_its_values_the_stamps_and_null_for_the_rest(warehouse):
    assert store(warehouse, things(id=[1], place=["a"])) == 1
    assert arrow.read(warehouse, "things").to_pylist() == [
        dict.fromkeys(THINGS.schema().names) | {"id": 1, "place": "a", "run_id": "run-1"}
    ]


def test_nothing_is_seen_before_the_commit_nor_is_there_a_table(warehouse):
    into = sink.target(warehouse, THINGS)
    written = sink.write(things(id=[1], place=["a"]), into)
    assert files_of(warehouse)
    assert not arrow.exists(warehouse, "things")
    sink.commit(warehouse, into, written, of("a"), "run-1")
    assert ids(warehouse) == [1]


def test_a_commit_replaces_what_it_says_and_nothing_else(warehouse):
    store(warehouse, things(id=[1, 2, 3], place=["a", "b", None]))
    store(warehouse, things(id=[4, 5], place=["a", None]), replaces=of("a", None), run="run-2")
    assert stored_rows(warehouse, "id", "place", "run_id") == [(2, "b", "run-1"), (4, "a", "run-2"), (5, None, "run-2")]


def test_a_commit_of_no_files_empties_what_it_replaces(warehouse):
    store(warehouse, things(id=[1, 2], place=["a", "b"]))
    store(warehouse, replaces=of("a"))
    assert ids(warehouse) == [2]


def test_a_table_without_partitions_is_stored_too(warehouse):
    flat = replace(THINGS, partition_by=())
    store(warehouse, things(id=[1]), things(id=[2]), table=flat)
    assert ids(warehouse) == [1, 2]
    store(warehouse, things(id=[3]), replaces=lambda _: True, table=flat)
    assert ids(warehouse) == [3]


def test_of_two_runs_that_replace_the_same_rows_the_second_is_told(warehouse):
    """Both began at the same version: the second's rows were made from rows that are gone."""
    store(warehouse, things(id=[1], place=["a"]))
    first, second = (sink.target(warehouse, THINGS) for _ in range(2))
    files = [sink.write(things(id=[number], place=["a"]), into) for number, into in ((2, first), (3, second))]
    sink.commit(warehouse, first, files[0], of("a"), "run-2")
    message = (
        r"Table things at .*/things: another run has changed the same rows since version 1, .* this run run-3 began"
    )
    with pytest.raises(TableError, match=message):
        sink.commit(warehouse, second, files[1], of("a"), "run-3")
    assert (ids(warehouse), arrow.version(warehouse, "things")) == ([2], 2)


@pytest.mark.parametrize("exists", [False, True], ids=["no table", "no rows"])
def test_of_two_runs_that_fill_an_empty_partition_the_second_is_told(warehouse, exists):
    if exists:
        arrow.ensure(warehouse, THINGS)
    first, second = (sink.target(warehouse, THINGS) for _ in range(2))
    sink.commit(warehouse, first, sink.write(things(id=[1], place=["a"]), first), of("a"), "run-1")
    with pytest.raises(TableError, match="another run has changed the same rows"):
        sink.commit(warehouse, second, sink.write(things(id=[2], place=["a"]), second), of("a"), "run-2")
    sink.commit(warehouse, second, sink.write(things(id=[3], place=["b"]), second), of("b"), "run-3")
    assert ids(warehouse) == [1, 3]


def test_a_commit_is_put_on_top_of_changes_elsewhere_by_anybody(warehouse, spark):
    store(warehouse, things(id=[1, 2, 3], place=["a", "b", "c"]))
    into = sink.target(warehouse, THINGS)
    written = sink.write(things(id=[10], place=["a"]), into)
    store(warehouse, things(id=[20], place=["b"]), replaces=of("b"))
    rows = spark.createDataFrame([(30, "c")], "id bigint, place string")
    rows.write.format("delta").mode("append").save(warehouse.path("things"))
    assert sink.commit(warehouse, into, written, of("a"), "run-2") == 4
    assert ids(warehouse) == [3, 10, 20, 30]
    into = sink.target(warehouse, THINGS)
    spark.sql(f"DELETE FROM delta.`{warehouse.path('things')}` WHERE id = 10")  # noqa: S608
    with pytest.raises(TableError, match="another run has changed the same rows since version 4"):
        sink.commit(warehouse, into, sink.write(things(id=[11], place=["a"]), into), of("a"), "run-3")


COUNTING = """
import sys
from nightjar.errors import TableError
from nightjar.tables import arrow, scan, sink
from nightjar.tables.warehouse import Warehouse
from tables.things import THINGS, of, things

root, own, times = sys.argv[1:]
warehouse = Warehouse(root, "machines")
stored = 0
print("ready", flush=True)
sys.stdin.readline()
for turn in range(int(times)):
    for place in ("shared", own):
        into = sink.target(warehouse, THINGS)
        before = 0 if into.version is None else scan.snapshot(warehouse, "things", into.version).where(of(place)).rows
        written = sink.write(things(id=[*range(before + 1)], place=[place] * (before + 1)), into)
        try:
            sink.commit(warehouse, into, written, of(place), f"{own}-{turn}")
        except TableError as refused:
            assert place == "shared" and "has changed the same rows" in str(refused), refused
        else:
            stored += place == "shared"
print(stored, flush=True)
"""


@pytest.mark.slow
def test_two_processes_at_once_lose_no_commit(warehouse):
    """Each adds one row to its own partition, always, and to a shared one, if nobody has since it looked."""
    command = [sys.executable, "-c", COUNTING, warehouse.root]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    running = [
        subprocess.Popen([*command, own, "8"], **pipes, env={"PYTHONPATH": ":".join(sys.path)})
        for own in ("one", "two")
    ]
    assert [process.stdout.readline() for process in running] == ["ready\n"] * 2
    counted = [int(process.communicate("go\n")[0]) for process in running]
    snapshot = scan.snapshot(warehouse, "things")
    assert snapshot.where(of("shared")).rows == sum(counted) > 0
    assert [snapshot.where(of(own)).rows for own in ("one", "two")] == [8, 8]


def test_history_tells_run_rows_and_inputs(warehouse, spark):
    into = sink.target(warehouse, THINGS)
    written = sink.write(things(id=[1, 2], place=["a", "b"]), into)
    sink.commit(warehouse, into, written, of("a"), "run-7", inputs={"source_x": 3}, marks={"nightjar.seen": 5})
    metadata = spark.sql(f"DESCRIBE HISTORY delta.`{warehouse.path('things')}`").first()["userMetadata"]
    assert json.loads(metadata) == {"run_id": "run-7", "rows": 2, "inputs": {"source_x": 3}}
    assert [sink.mark(opening.open_table(warehouse, "things", version), "nightjar.seen") for version in (1, 0)] == [
        5,
        None,
    ]


def test_spark_changes_what_the_sink_wrote_and_the_sink_what_spark_wrote(warehouse, spark):
    store(warehouse, things(id=[1, 2], place=["a", "a b/c"]), things(id=[3, 4], place=["a", "a b/c"]))
    path = warehouse.path("things")
    spark.createDataFrame([(5, "a b/c")], "id bigint, place string").write.format("delta").mode("append").save(path)
    spark.sql(f"DELETE FROM delta.`{path}` WHERE id = 1")  # noqa: S608
    spark.sql(f"OPTIMIZE delta.`{path}`")
    assert stored_rows(warehouse, "id", "place") == [(2, "a b/c"), (3, "a"), (4, "a b/c"), (5, "a b/c")]
    store(warehouse, things(id=[6], place=["a b/c"]), replaces=of("a b/c"))
    for name, value in VACUUM.items():
        spark.conf.set(name, value)
    spark.sql(f"VACUUM delta.`{path}` RETAIN 0 HOURS")
    for name in VACUUM:
        spark.conf.unset(name)
    assert len(files_of(warehouse)) == 2
    assert stored_rows(warehouse, "id", "place") == [(3, "a"), (6, "a b/c")]
    assert sorted(row["id"] for row in delta.read(spark, warehouse, "things").collect()) == [3, 6]


def test_a_file_that_delta_rs_could_not_remove_is_refused(warehouse):
    """As Spark's log has it: letters beyond ASCII are not quoted, the rest is."""
    arrow.ensure(warehouse, THINGS)
    folder = Path(warehouse.path("things"))
    (folder / "place=é").mkdir()
    file = folder / "place=é" / "a.parquet"
    pq.write_table(pa.table({"id": [1]}), file)
    named = {"path": "place=é/a.parquet", "partitionValues": {"place": "é"}}
    add = named | {"size": file.stat().st_size, "modificationTime": 0}
    line = json.dumps({"add": add | {"dataChange": True, "stats": '{"numRecords": 1}'}}, ensure_ascii=False)
    (folder / "_delta_log" / "00000000000000000001.json").write_text(line)
    assert stored_rows(warehouse, "id", "place") == [(1, "é")]
    with pytest.raises(TableError, match=r"place=é/a\.parquet was written by Spark .* Nothing was written"):
        store(warehouse, things(id=[2], place=["é"]), replaces=of("é"))
    store(warehouse, things(id=[2], place=["é"]))
    assert ids(warehouse) == [1, 2]


def test_a_table_gains_the_columns_of_its_definition_with_the_commit(warehouse, spark):
    store(warehouse, things(id=[1], place=["a"]))
    wider = replace(THINGS, columns=(*THINGS.columns, Column("n", pa.int32(), "new")))
    into = sink.target(warehouse, wider)
    written = sink.write(things(id=[2], place=["b"]).append_column("n", pa.array([7], pa.int32())), into)
    assert "n" not in arrow.schema(warehouse, "things").names
    sink.commit(warehouse, into, written, of("b"), "run-2")
    assert stored_rows(warehouse, "id", "n") == [(1, None), (2, 7)]
    assert sorted((row["id"], row["n"]) for row in delta.read(spark, warehouse, "things").collect()) == [
        (1, None),
        (2, 7),
    ]
    store(warehouse, things(id=[3], place=["c"]))  # an older definition: what it does not know is null
    assert stored_rows(warehouse, "id", "n") == [(1, None), (2, 7), (3, None)]


def test_a_column_of_another_type_is_refused_before_any_work(warehouse):
    store(warehouse, things(id=[1], place=["a"]))
    changed = replace(THINGS, columns=(Column("id", pa.string(), "changed"), *THINGS.columns[1:]))
    before = files_of(warehouse)
    with pytest.raises(TableError, match=r"things at .* differs from its definition: id is int64, expected string"):
        sink.target(warehouse, changed)
    assert (arrow.version(warehouse, "things"), files_of(warehouse)) == (1, before)


def test_a_failing_task_leaves_no_table_and_its_own_words(warehouse, spark):
    """What a task states reaches the user as it was said, not as a Java stack trace."""

    def fail(batches):
        yield from sink.in_one_piece(batches)
        raise JoinError("facts 'x': two rows tie. Give a sequence.")

    into = sink.target(warehouse, THINGS)
    with pytest.raises(JoinError, match=r"^facts 'x': two rows tie. Give a sequence.$"):
        sink.collect(spark.range(3), fail, into)
    assert not arrow.exists(warehouse, "things")


def test_rows_that_tasks_leave_to_the_driver_are_stored_with_the_others_in_one_commit(warehouse, spark):
    """Each of three tasks stores a row, and leaves one to the driver, which says where it belongs."""

    def make(batches):
        for number in task_numbers(batches):
            yield pa.table({"id": [number], "place": ["a"]})
            tags = pa.array([["x", None] if number else None], pa.list_(pa.string()))
            yield sink.Unfinished(pa.table({"id": [10 + number], "tags": tags}))

    into = sink.target(warehouse, THINGS)
    files, unfinished = sink.collect_parts(number_tasks(spark, 3), make, into)
    assert sorted(row["id"] for rows in unfinished for row in rows.to_pylist()) == [10, 11, 12]
    files += sink.write(pa.concat_tables(unfinished).append_column("place", pa.array(["b"] * 3)), into)
    assert sink.commit(warehouse, into, files, of("a"), "run-1") == 1
    assert stored_rows(warehouse, "id", "place", "tags") == [
        *((number, "a", None) for number in range(3)),
        *((10 + number, "b", ["x", None] if number else None) for number in range(3)),
    ]


def test_vacuum_removes_what_no_commit_has_shown_and_nothing_else(warehouse):
    store(warehouse, things(id=[1, 2], place=["a", None]))
    live = files_of(warehouse)
    sink.write(things(id=[3, 4], place=["a", "c"]), sink.target(warehouse, THINGS))
    assert len(files_of(warehouse)) == 4
    table = DeltaTable(warehouse.path("things"))
    table.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False, full=True)
    assert files_of(warehouse) == live
    assert ids(warehouse) == [1, 2]


def test_every_tenth_commit_leaves_a_checkpoint_that_tells_all_that_the_log_did(warehouse, spark):
    """Files with their bounds, marks and the schema, to us and to Spark."""
    into = sink.target(warehouse, THINGS)
    for number in range(12):
        written = sink.write(things(id=[number], place=["a"]), into)
        sink.commit(warehouse, into, written, lambda _: False, "run-1", marks={"seen": number})
    log = Path(warehouse.path("things")) / "_delta_log"
    (checkpoint,) = log.glob("*.checkpoint.parquet")
    before = int(checkpoint.name[:20])
    for commit in log.glob("*.json"):
        if int(commit.stem) <= before:
            commit.rename(commit.with_suffix(".gone"))
    assert sink.mark(opening.open_table(warehouse, "things"), "seen") == 11
    assert sorted(file.least["id"] for file in scan.snapshot(warehouse, "things").files) == list(range(12))
    assert ids(warehouse) == list(range(12))
    assert sorted(row["id"] for row in delta.read(spark, warehouse, "things").collect()) == list(range(12))
