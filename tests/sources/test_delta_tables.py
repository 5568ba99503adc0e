"""Delta tables that others write and change in every way that Delta allows: the new rows, or a refusal."""

import shutil
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from deltalake import DeltaTable as Delta
from deltalake import write_deltalake

from nightjar.errors import SourceError
from nightjar.settings.connections import DeltaTable
from nightjar.sources.connectors.delta_tables import DeltaConnector
from nightjar.sources.formats.failures import translate_read_errors
from nightjar.sources.items import Entry, Portion

FEED = {"delta.enableChangeDataFeed": "true"}
MAPPED = "'delta.columnMapping.mode' = 'name', 'delta.minReaderVersion' = '2', 'delta.minWriterVersion' = '5'"


@pytest.fixture
def table(tmp_path):
    """Path of a table of two rows, a and b."""
    path = str(tmp_path / "table")
    write_deltalake(path, rows("a", "b"))
    return path


def rows(*keys, value=1.0):
    return pa.table({"k": list(keys), "v": pa.array([value] * len(keys), pa.float64())})


@pytest.fixture
def night(spark):
    """What a night reads of a table: its rows, sorted; and its entry."""

    def read(path, *entries, columns=("k", "v"), definition="d"):
        connector = DeltaConnector(spark, DeltaTable(path), "things", list(columns), ["k"])
        before = {entry.item.name: entry for entry in entries}
        items = connector.discover(definition, before).new
        with translate_read_errors("things", "/nowhere"):
            read_rows = [row for one in connector.read([Portion(item) for item in items]) for row in one.collect()]
        return sorted(tuple(row)[: len(columns)] for row in read_rows), *(entry_of(item) for item in items)

    return read


def entry_of(item):
    return Entry(item, "d", None, datetime(2024, 4, 1, tzinfo=UTC), 0, "staged", 1, True, "[]", date(2024, 4, 1))


def test_each_night_reads_the_files_that_have_come_since(night, table):
    read, first = night(table)
    assert read == [("a", 1.0), ("b", 1.0)]
    assert first.item.name == f"{table} versions 0 to 0"
    assert night(table, first) == ([],)
    write_deltalake(table, rows("c"), mode="append")
    read, second = night(table, first)
    assert (read, second.item.begins, second.item.size) == ([("c", 1.0)], 1, 2)
    write_deltalake(table, rows("a", "d"), mode="overwrite")
    assert night(table, first, second)[0] == [("a", 1.0), ("d", 1.0)]
    assert night(table, first, definition="other")[0] == [("a", 1.0), ("d", 1.0)]


def test_a_table_made_anew_in_its_place_is_read_whole(night, table, tmp_path):
    _, first = night(table)
    (tmp_path / "table").rename(tmp_path / "gone")
    write_deltalake(table, rows("z"))
    write_deltalake(table, rows("y"), mode="append")
    assert night(table, first)[0] == [("y", 1.0), ("z", 1.0)]


def test_a_table_that_was_put_back_to_an_older_state_stops_the_night(night, table, tmp_path):
    shutil.copytree(tmp_path / "table", tmp_path / "backup")
    for name in "cd":
        write_deltalake(table, rows(name), mode="append")
    _, first = night(table)
    shutil.rmtree(table)
    (tmp_path / "backup").rename(table)
    with pytest.raises(SourceError, match=r"is at version 0, but nights have read it up to version 2"):
        night(table, first)


def test_a_version_whose_log_is_gone_is_no_reason_to_miss_rows(night, table, tmp_path):
    _, first = night(table)
    for name in "cde":
        write_deltalake(table, rows(name), mode="append")
    Delta(table).create_checkpoint()
    for number in range(3):
        (tmp_path / "table" / "_delta_log" / f"{number:020}.json").unlink()
    assert [key for key, _ in night(table, first)[0]] == ["a", "b", "c", "d", "e"]


def test_deleted_and_renamed_as_spark_does_it_the_rows_are_the_table_s(spark, night, table):
    _, first = night(table)
    spark.sql(f"ALTER TABLE delta.`{table}` SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
    spark.sql(f"DELETE FROM delta.`{table}` WHERE k = 'a'")  # noqa: S608
    assert night(table, first)[0] == [("b", 1.0)]
    spark.sql(f"ALTER TABLE delta.`{table}` SET TBLPROPERTIES ({MAPPED})")
    spark.sql(f"ALTER TABLE delta.`{table}` RENAME COLUMN v TO w")
    assert night(table, first, columns=("k", "w"))[0] == [("b", 1.0)]
    with pytest.raises(SourceError, match=r"table lacks the column v; it has k, w\..* - v, \+ w\."):
        night(table, first)


def test_a_change_feed_tells_deletions_but_not_those_of_rows_that_are_written_again(spark, night, tmp_path):
    path, columns = str(tmp_path / "fed"), ("k", "v", "_change_type", "_commit_version")
    write_deltalake(path, rows("a", "b", "c"), configuration=FEED)
    read, first = night(path, columns=columns)
    assert read == [("a", 1.0, "insert", 0), ("b", 1.0, "insert", 0), ("c", 1.0, "insert", 0)]
    Delta(path).update({"v": "2.0"}, predicate="k = 'a'")
    Delta(path).delete("k = 'b'")
    read, second = night(path, first, columns=columns)
    assert read == [("a", 2.0, "update_postimage", 1), ("b", 1.0, "delete", 2)]
    Delta(path).update({"k": "'e'"}, predicate="k = 'c'")
    read, third = night(path, first, second, columns=columns)
    assert read == [("c", 1.0, "delete", 3), ("e", 1.0, "update_postimage", 3)]
    write_deltalake(path, rows("a", "d", value=2.0), mode="overwrite")
    assert night(path, third, columns=columns)[0] == [
        ("a", 2.0, "insert", 4),
        ("d", 2.0, "insert", 4),
        ("e", 1.0, "delete", 4),
    ]
    assert night(path, third, columns=("k", "_commit_version"))[0] == [("a", 4), ("d", 4)]


def test_a_gap_in_a_change_feed_stops_the_night(spark, night, tmp_path):
    path, columns = str(tmp_path / "fed"), ("k", "_change_type")
    write_deltalake(path, rows("a", "b"), configuration=FEED)
    _, first = night(path, columns=columns)
    spark.sql(f"ALTER TABLE delta.`{path}` SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'false')")
    write_deltalake(path, rows("c"), mode="append")
    with pytest.raises(SourceError, match=r"has no change feed, which gives _change_type. Switch it on"):
        night(path, first, columns=columns)
    spark.sql(f"ALTER TABLE delta.`{path}` SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')")
    with pytest.raises(SourceError, match=r"cannot be read from version 1 to 3: .*A change feed has a gap"):
        night(path, first, columns=columns)


def test_changes_that_were_vacuumed_stop_the_night(night, tmp_path):
    path, columns = str(tmp_path / "fed"), ("k", "_change_type")
    write_deltalake(path, rows("a", "b"), configuration=FEED)
    _, first = night(path, columns=columns)
    Delta(path).delete("k = 'b'")
    for file in (tmp_path / "fed" / "_change_data").iterdir():
        file.unlink()
    with pytest.raises(SourceError, match=r"Source things: .*_change_data.* cannot be read"):
        night(path, first, columns=columns)


def test_what_is_no_table_or_of_no_plain_type_is_refused(night, tmp_path, table):
    with pytest.raises(SourceError, match=r"is no Delta table at .*/nothing. Correct project.sources.things.delta"):
        night(str(tmp_path / "nothing"))
    write_deltalake(str(tmp_path / "nested"), pa.table({"k": ["a"], "v": [[1]]}))
    with pytest.raises(SourceError, match=r"column v of .*/nested is ARRAY<BIGINT>, which is not read"):
        night(str(tmp_path / "nested"))
