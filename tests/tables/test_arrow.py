"""Tables through delta-rs: created from their definitions, and replaced or appended in one commit."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable

from builders import rows_of, versions
from nightjar.errors import TableError
from nightjar.tables import arrow
from nightjar.tables.definitions import FIXED
from nightjar.tables.table import Column, Table

VISITS = Table(
    "visits",
    "One visit.",
    ("shop", "day"),
    ("day",),
    "tests",
    (Column("shop", pa.string(), "where it was"), Column("day", pa.int64(), "when"), Column("n", pa.int64(), "of all")),
)


def visit(shop, day, n):
    return {"shop": shop, "day": day, "n": n}


def filled(warehouse):
    arrow.append(warehouse, VISITS, [visit("a", 1, 10), visit("b", 1, 20), visit("a", 2, 30)], "run-1")


def test_a_table_explains_itself_in_spark(warehouse, spark):
    """Comments of the table and of its columns are in Delta: DESCRIBE shows them to people with no repository."""
    arrow.ensure(warehouse, VISITS)
    path = warehouse.path("visits")
    comments = {row["col_name"]: row["comment"] for row in spark.sql(f"DESCRIBE TABLE delta.`{path}`").collect()}
    assert comments["shop"] == "where it was"
    detail = spark.sql(f"DESCRIBE DETAIL delta.`{path}`").first()
    assert detail["description"] == "One visit. Key: shop, day. Written by: tests."
    assert detail["partitionColumns"] == ["day"]


@pytest.mark.parametrize("table", FIXED, ids=lambda one: one.name)
def test_every_fixed_table_can_be_created_and_says_what_each_column_means(warehouse, table):
    arrow.ensure(warehouse, table)
    stored = DeltaTable(warehouse.path(table.name)).schema().to_arrow()
    assert pa.schema(stored).names == table.schema().names
    assert all(column.comment for column in table.columns)
    assert {*table.key, *table.partition_by} <= set(table.schema().names)


def test_ensuring_twice_changes_nothing(warehouse):
    arrow.ensure(warehouse, VISITS)
    arrow.ensure(warehouse, VISITS)
    assert arrow.version(warehouse, "visits") == 0


def test_a_new_column_is_added_and_null_in_the_rows_there_are(warehouse):
    filled(warehouse)
    wider = replace(VISITS, columns=(*VISITS.columns, Column("paid", pa.float64(), "in euros")))
    arrow.append(warehouse, wider, [visit("c", 3, 1) | {"paid": 2.5}], "run-2")
    assert rows_of(warehouse, "visits", "shop", "day", "paid") == [
        ("a", 1, None),
        ("a", 2, None),
        ("b", 1, None),
        ("c", 3, 2.5),
    ]


def test_a_column_of_another_type_is_refused_by_its_name_and_both_types(warehouse):
    filled(warehouse)
    changed = replace(VISITS, columns=(*VISITS.columns[:2], Column("n", pa.string(), "of all")))
    with pytest.raises(TableError, match=r"Table visits at .* differs from its definition: n is int64, expected str"):
        arrow.append(warehouse, changed, [], "run-2")
    assert arrow.version(warehouse, "visits") == 1


def test_replace_replaces_exactly_its_partition_in_one_commit(warehouse):
    filled(warehouse)
    arrow.replace(warehouse, VISITS, [visit("c", 1, 99)], {"day": 1}, "run-2")
    assert rows_of(warehouse, "visits") == [("a", 2, 30), ("c", 1, 99)]
    history = DeltaTable(warehouse.path("visits")).history()
    assert [entry["version"] for entry in history] == [2, 1, 0]
    assert (history[0]["run_id"], history[0]["rows"]) == ("run-2", "1")


def test_replacing_by_nothing_empties_the_partition(warehouse):
    filled(warehouse)
    arrow.replace(warehouse, VISITS, [], {"day": 1}, "run-2")
    assert rows_of(warehouse, "visits") == [("a", 2, 30)]


def test_rows_are_replaced_only_if_nobody_committed_since_they_were_read(warehouse):
    """The loser learns it: False, and the winner's rows stay."""
    filled(warehouse)
    seen = arrow.version(warehouse, "visits")
    assert arrow.replace_if_unchanged(warehouse, VISITS, [visit("a", 1, 11), visit("a", 2, 30)], seen, "run-2")
    assert not arrow.replace_if_unchanged(warehouse, VISITS, [visit("a", 1, 12)], seen, "run-2")
    assert rows_of(warehouse, "visits") == [("a", 1, 11), ("a", 2, 30)]


def test_reading_takes_columns_a_condition_and_a_version(warehouse):
    filled(warehouse)
    arrow.replace(warehouse, VISITS, [], {"day": 1}, "run-2")
    assert arrow.read(warehouse, "visits", ["n"], pc.field("day") == 1, at_version=1)["n"].to_pylist() == [10, 20]
    assert arrow.read(warehouse, "visits", ["n"], pc.field("day") == 1).num_rows == 0
    assert versions(warehouse) == {"visits": 2}


def test_a_missing_table_or_column_is_named(warehouse):
    with pytest.raises(TableError, match=r"There is no Delta table visits at .*/machines/visits"):
        arrow.read(warehouse, "visits")
    filled(warehouse)
    with pytest.raises(TableError, match=r"Table visits at .* has no column price, size"):
        arrow.read(warehouse, "visits", ["shop", "price", "size"])
