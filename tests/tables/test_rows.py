"""Few rows are made in this process, many by tasks, whatever the session was told of them."""

import os

import pyarrow as pa
import pytest
from pyspark.sql.types import LongType, StructField, StructType

from nightjar.tables import arrow, delta, rows, sink
from nightjar.tables.rows import Rows
from tables.things import THINGS, store, things

PROCESS = pa.schema([("id", pa.int64())])


def processes():
    """What makes of each row the process that gets it; Spark's workers cannot import this file."""
    schema = PROCESS

    def make(batches):
        for batch in batches:
            yield pa.table({"id": [os.getpid()] * batch.num_rows}, schema=schema)

    return make


@pytest.mark.parametrize(("limit", "amount"), [("MOST_HERE", 3), ("MOST_VALUES", 8)], ids=["rows", "values"])
def test_more_rows_or_values_than_are_few_stay_with_tasks(few, spark, warehouse, monkeypatch, limit, amount):
    monkeypatch.setattr(rows, limit, amount)
    store(warehouse, things(id=[1, 2, 3, 4], place=list("abcd")))
    for count, is_few in ((2, True), (4, False)):
        frame = spark.range(count).selectExpr("id", "struct(id AS a, id AS b) AS both")
        assert (rows.few_rows(frame) is not None) == is_few
        made = Rows(frame, processes(), PROCESS).frame().collect()
        assert [row.id == os.getpid() for row in made] == [is_few] * count
        into = sink.target(warehouse, THINGS)
        files = sink.collect(frame, processes(), into)
        stored = {row["id"] for file in files for row in sink.read(file, into).to_pylist()}
        assert (os.getpid() in stored) == is_few
    assert sorted(row.id for row in delta.read(spark, warehouse, "things").collect()) == [1, 2, 3, 4]
    assert len(arrow.read(warehouse, "things")) == 4


def test_each_value_within_a_column_counts():
    long = LongType()
    plain = StructType([StructField("a", long)])
    nested = StructType([StructField("a", long), StructField("row", StructType([StructField(n, long) for n in "bcd"]))])
    assert rows.most_here(plain) == rows.MOST_HERE
    assert rows.most_here(StructType([StructField(str(n), nested) for n in range(100)])) == rows.MOST_VALUES // 400
