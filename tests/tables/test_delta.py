"""Tables as Spark DataFrames: by the files of a version where their folders tell all, by Spark's Delta where not."""

from pathlib import Path

import pytest

from nightjar.errors import TableError
from nightjar.tables import arrow, delta, scan
from nightjar.tables.warehouse import Warehouse
from tables.things import of, store, things, utc


def rows_of(rows):
    return sorted((row["id"], row["place"]) for row in rows.select("id", "place").collect())


def is_by_delta(rows) -> bool:
    return "DeltaFileIndex" in rows._jdf.queryExecution().executedPlan().toString()


@pytest.mark.parametrize(
    ("places", "by_delta"),
    [(["a", "2024-01-01"], False), (["a", None], True), (["a b/c=d%"], True), (["é"], True), (["None"], False)],
    ids=repr,
)
def test_partition_values_are_the_log_s_whatever_the_folders_are_called(warehouse, spark, places, by_delta):
    store(warehouse, things(id=[*range(len(places))], place=places))
    rows = delta.read(spark, warehouse, "things")
    assert rows_of(rows) == sorted(enumerate(places))
    assert is_by_delta(rows) is by_delta


@pytest.mark.parametrize("name", ["plain", "a [b] {c}*?", "a b#c"])
def test_a_folder_of_any_name_is_read(tmp_path, spark, name):
    warehouse = Warehouse(str(tmp_path / name), "machines")
    store(warehouse, things(id=[1], place=["a"]))
    assert rows_of(delta.read(spark, warehouse, "things")) == [(1, "a")]


def test_a_version_is_read_as_it_was_and_types_are_the_table_s(warehouse, spark):
    moment = utc("2024-03-31T01:00:00.123457")
    store(warehouse, things(id=[1], place=["a"], at=[moment]))
    store(warehouse, things(id=[2], place=["b"]), replaces=of("a"))
    rows = delta.read(spark, warehouse, "things", 1)
    assert rows_of(rows) == [(1, "a")]
    assert rows.toArrow()["at"].to_pylist() == [moment]
    assert rows.columns == arrow.schema(warehouse, "things").names
    assert rows_of(delta.read(spark, warehouse, "things")) == [(2, "b")]
    store(warehouse, replaces=of("b"))
    emptied = delta.read(spark, warehouse, "things")
    assert (emptied.count(), emptied.dtypes) == (0, rows.dtypes)


def test_files_without_rows_of_interest_are_left_out(warehouse, spark):
    store(warehouse, things(id=[1, 2], place=["a", "a"]), things(id=[8, 9], place=["a", "a"]))
    rows = delta.read(spark, warehouse, "things", keep=lambda file: file.may_hold("id", 2, 3))
    assert rows_of(rows) == [(1, "a"), (2, "a")]
    assert delta.read(spark, warehouse, "things", keep=lambda _: False).count() == 0


def test_a_file_that_is_gone_is_named_before_anything_is_read(warehouse, spark):
    store(warehouse, things(id=[1, 2], place=["a", "b"]))
    gone = scan.snapshot(warehouse, "things").where(of("b")).files[0].path
    (Path(warehouse.path("things")) / gone).unlink()
    with pytest.raises(TableError, match=rf"^Table things at .*, version 1: the data file {gone} is gone: "):
        delta.read(spark, warehouse, "things")
