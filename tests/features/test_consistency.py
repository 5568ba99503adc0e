"""Stored features against their rebuild: equal after honest nights, refused loudly where a value was changed."""

from dataclasses import replace
from datetime import date

import pytest
from deltalake import DeltaTable

from builders import rows_of
from nightjar.errors import TableError
from nightjar.features.consistency import WHOLE_ROW, Difference, check, compare_rows
from nightjar.tables import arrow

D1, D2 = date(2024, 4, 1), date(2024, 4, 2)
NAN = float("nan")


def test_values_differ_unless_they_are_equal_both_null_or_both_nan():
    stored = [{"id": 1, "x": 0.1, "y": NAN, "z": None}, {"id": 2, "x": 1.0, "y": 2.0, "z": "a"}, {"id": 3}]
    assert compare_rows(["id"], stored, stored) == []
    rebuilt = [{"id": 1, "x": 0.1, "y": NAN, "z": None}, {"id": 2, "x": 1.0 + 1e-15, "y": None, "z": NAN}]
    assert compare_rows(["id"], stored, [*rebuilt, {"id": 4}]) == [
        Difference((2,), "x", 1.0, 1.0 + 1e-15),
        Difference((2,), "y", 2.0, None),
        Difference((2,), "z", "a", NAN),
        Difference((3,), WHOLE_ROW, True, False),
        Difference((4,), WHOLE_ROW, False, True),
    ]


def recorded(warehouse):
    rows = rows_of(warehouse, "quality", "source", "run_date", "check", "rows", "of")
    return [row[2:] for row in rows if row[:2] == ("features", D2)]


def test_honest_nights_are_equal_and_a_changed_value_is_refused_with_its_place(copied, spark):
    """Seven nights of five rows; a sample of twelve is of the same rows each time."""

    def checked(run, nights=7, rows=1000, project=copied.project):
        return check(spark, copied.warehouse, project, D2, run, nights, rows).rows

    ingest = len(rows_of(copied.warehouse, "quality"))
    assert checked("one", rows=12) == {"features rebuilt": 12, "features of other definitions": 0}
    assert checked("two") == {"features rebuilt": 35, "features of other definitions": 0}
    assert recorded(copied.warehouse) == [("not rebuilt: other definitions", 0, 35), ("rebuilt", 35, 35)]
    assert len(rows_of(copied.warehouse, "quality")) == ingest + 2

    table = DeltaTable(copied.warehouse.path("features"))
    table.update(updates={"temperature__last": "-1.5"}, predicate="machine = 'm3' AND run_date = DATE '2024-04-02'")
    table.delete("machine = 'm4' AND run_date = DATE '2024-04-01'")
    with pytest.raises(TableError) as refused:
        checked("three", nights=2)
    message = str(refused.value)
    key = "machine=m3, prediction_time=2024-04-01 22:00:00+00:00"
    for part in (
        "Table features is not what its sources give today: of 9 rows of 2024-04-01 to 2024-04-02",
        "temperature__last (1 rows), the whole row (1 rows)",
        f"For instance temperature__last of {key}: stored temperature__last=-1.5, rebuilt temperature__last=2",
    ):
        assert part in message
    assert recorded(copied.warehouse) == [
        ("not rebuilt: other definitions", 0, 9),
        ("rebuild differs: temperature__last", 1, 9),
        ("rebuild differs: the whole row", 1, 9),
        ("rebuilt", 9, 9),
    ]

    group = copied.project.features["temperature"]
    other = replace(copied.project, features={"temperature": replace(group, history="30d")})
    assert checked("four", project=other) == {"features rebuilt": 0, "features of other definitions": 34}


def test_without_features_there_is_nothing_to_check(spark, warehouse, nights):
    assert check(spark, warehouse, nights.project, D2, "run", 7, 10).rows == {}
    assert not arrow.exists(warehouse, "quality")
