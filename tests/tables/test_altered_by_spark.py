"""Tables that others have altered in Spark: ours read and write what Spark then reads, or refuse and say what to do."""

import re
from pathlib import Path

import pytest

from builders import rows_of
from nightjar.errors import TableError
from nightjar.tables import arrow, delta, scan
from tables.things import by_delta, ids, of, store, stored_rows, things


def altered(spark, warehouse, *statements):
    """Things 1 and 2 of p, then what someone does to their table, T."""
    store(warehouse, things(id=[1, 2], x=[1.5, 2.5], place=["p", "p"]))
    run(spark, warehouse, *statements)


def run(spark, warehouse, *statements):
    for statement in statements:
        spark.sql(re.sub(r"\bT\b", f"delta.`{warehouse.path('things')}`", statement, count=1))


def rerun(warehouse):
    return store(warehouse, things(id=[1, 2], place=["p", "p"]), replaces=of("p"), run="rerun")


def remedy_of(refusal, warehouse):
    """What the refusal says is to be run, as statements about T."""
    statements = str(refusal.value).split(": ")[-1].split("; ")
    return [one.replace(f"delta.`{warehouse.path('things')}`", "T") for one in statements]


def is_rerun(spark, warehouse):
    rows = [(row["id"], row["run_id"]) for row in by_delta(spark, warehouse).collect()]
    same = sorted(rows) == stored_rows(warehouse, "id", "run_id") == [(1, "rerun"), (2, "rerun")]
    return same and ids(warehouse) == [1, 2]


def refused(warehouse, words):
    before = arrow.version(warehouse, "things")
    with pytest.raises(TableError, match=rf"Table things at .* has {words}.*Nothing was written") as refusal:
        rerun(warehouse)
    assert arrow.version(warehouse, "things") == before
    return refusal


def test_a_rerun_does_not_double_rows_of_which_a_vector_has_deleted_some(warehouse, spark):
    altered(spark, warehouse, "ALTER TABLE T SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
    run(spark, warehouse, "DELETE FROM T WHERE id = 1")
    refusal = refused(warehouse, "feature deletionVectors")
    with pytest.raises(TableError, match=r"Table things at .* uses deletionVectors, which is read by Spark only"):
        ids(warehouse)
    assert scan.snapshot(warehouse, "things").unreadable == "table things uses deletionVectors"
    assert scan.snapshot(warehouse, "things", 2).unreadable is None
    rows = delta.read(spark, warehouse, "things")
    assert [row["id"] for row in rows.collect()] == [2]
    assert "DeltaFileIndex" in rows._jdf.queryExecution().executedPlan().toString()
    run(spark, warehouse, *remedy_of(refusal, warehouse))
    assert ids(warehouse) == [2]
    rerun(warehouse)
    assert is_rerun(spark, warehouse)


def test_a_renamed_column_is_never_read_as_null_nor_written_so(warehouse, spark):
    altered(spark, warehouse, "ALTER TABLE T SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name')")
    run(spark, warehouse, "ALTER TABLE T RENAME COLUMN x TO y", "ALTER TABLE T DROP COLUMN flag")
    refusal = refused(warehouse, "feature columnMapping")
    with pytest.raises(TableError, match=r"Table things at .* uses columnMapping, which is read by Spark only"):
        arrow.read(warehouse, "things", ["id", "y"])
    read = delta.read(spark, warehouse, "things").select("id", "y").collect()
    assert sorted(map(tuple, read)) == [(1, 1.5), (2, 2.5)]
    run(spark, warehouse, *remedy_of(refusal, warehouse))
    assert rows_of(warehouse, "things", "id", "y") == [(1, 1.5), (2, 2.5)]
    rerun(warehouse)
    assert is_rerun(spark, warehouse)


def test_what_writers_are_asked_for_is_named_and_once_it_is_dropped_rows_are_stored(warehouse, spark):
    clock_and_ids = "'delta.enableInCommitTimestamps' = 'true', 'delta.enableRowTracking' = 'true'"
    altered(spark, warehouse, f"ALTER TABLE T SET TBLPROPERTIES ({clock_and_ids})")
    run(spark, warehouse, "ALTER TABLE T ADD CONSTRAINT pos CHECK (x < 10)")
    run(spark, warehouse, "ALTER TABLE T ADD CONSTRAINT `two of them` CHECK (x < id * 10)")
    features = "feature inCommitTimestamp; feature rowTracking; feature domainMetadata"
    constraints = r"constraint pos CHECK \(x < 10\); constraint two of them CHECK \(x < id \* 10\)"
    refusal = refused(warehouse, f"{features}; {constraints}")
    assert ids(warehouse) == [1, 2]
    run(spark, warehouse, *remedy_of(refusal, warehouse))
    rerun(warehouse)
    assert is_rerun(spark, warehouse)


def test_checkpoints_of_version_2_are_read_alike_by_all_and_written_on(warehouse, spark):
    """The log before the checkpoint is gone: it is all there is."""
    altered(spark, warehouse, "ALTER TABLE T SET TBLPROPERTIES ('delta.checkpointPolicy' = 'v2')")
    path = warehouse.path("things")
    spark._jvm.org.apache.spark.sql.delta.DeltaLog.forTable(spark._jsparkSession, path).checkpoint()
    for commit in (Path(path) / "_delta_log").glob("0*.json"):
        if commit.stem.isdigit() and int(commit.stem) < arrow.version(warehouse, "things"):
            commit.rename(commit.with_suffix(".gone"))
    assert ids(warehouse) == [1, 2]
    assert [row["id"] for row in delta.read(spark, warehouse, "things").collect()] == [1, 2]
    rerun(warehouse)
    assert is_rerun(spark, warehouse)
