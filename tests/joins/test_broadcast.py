"""The join on Spark is the kernel's join: partitions and order change nothing."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from nightjar.asof import Facts, Latest, Windowed, join
from nightjar.errors import JoinError
from nightjar.joins.broadcast import StoredFacts, as_of_join
from nightjar.tables import arrow
from nightjar.tables.definitions import Column, Table

INSTANT = pa.timestamp("us", tz="UTC")
START = datetime(2024, 4, 1, tzinfo=UTC)
COLUMNS = {"m": pa.string(), "id": pa.int64(), "event_time": INSTANT, "known_at": INSTANT, "x": pa.float64()}
VISITS = Table("visits", "-", (), (), "tests", tuple(Column(name, kind, "-") for name, kind in COLUMNS.items()))
ASKED = (Latest("x", lookback="12h"), Windowed("x", "mean", "6h"), Windowed("x", "count", "1d"))


@pytest.fixture(scope="module")
def random():
    return np.random.default_rng(3)


def facts_table(random, rows=300):
    """Versions of 200 facts, many with equal clocks, some known late."""
    fact = random.integers(0, 200, rows)
    event = [START + timedelta(hours=int(h)) for h in fact % 48]
    known = [at + timedelta(minutes=n) for n, at in enumerate(event)]
    machine = pa.array([f"m{n % 5}" for n in fact])
    x = pa.array(np.where(random.random(rows) < 0.2, np.nan, random.normal(size=rows)), from_pandas=True)
    return pa.table([machine, fact, pa.array(event, INSTANT), pa.array(known, INSTANT), x], names=list(COLUMNS))


def spine_table(random, rows=120):
    at = [START + timedelta(minutes=int(n)) for n in random.integers(0, 4000, rows)]
    machine = [None if n % 17 == 0 else f"m{n % 7}" for n in range(rows)]
    return pa.table({"row": pa.array(range(rows)), "m": machine, "t": pa.array(at, INSTANT)})


def by_row(table):
    return {row["row"]: row for row in table.to_pylist()}


@pytest.mark.parametrize(("partitions", "shuffled"), [(1, False), (1, True), (7, True)])
def test_the_join_on_spark_is_the_join_of_one_table(spark, warehouse, random, partitions, shuffled):
    """Several facts tables, versions of facts, null keys; more partitions than some have rows."""
    facts, spine = facts_table(random), spine_table(random)
    arrow.append(warehouse, VISITS, facts.to_pylist(), "run")
    expected = join(
        spine,
        [
            Facts("v", facts, ["m"], "event_time", known_at="known_at", fact_id=["id"], features=ASKED),
            Facts("all", facts, ["m"], "event_time", known_at="known_at", fact_id=["id"], features=ASKED[:1]),
        ],
        prediction_time="t",
    )
    order = random.permutation(len(spine)) if shuffled else np.arange(len(spine))
    rows = spark.createDataFrame(spine.take(order)).repartition(partitions)
    stored = [
        StoredFacts("v", "visits", 1, {"m": "m"}, ("id",), ASKED),
        StoredFacts("all", "visits", 1, {"m": "m"}, ("id",), ASKED[:1]),
    ]
    found = as_of_join(rows, warehouse, stored, prediction_time="t").toArrow()
    assert found.column_names == expected.column_names
    assert by_row(found) == by_row(expected)


def test_the_pinned_version_is_read_whatever_is_appended_later(spark, warehouse):
    fact = {"m": "m1", "id": 1, "event_time": START, "known_at": START, "x": 1.0}
    arrow.append(warehouse, VISITS, [fact], "run")
    arrow.append(warehouse, VISITS, [fact | {"id": 2, "event_time": START + timedelta(hours=1)}], "run")
    spine = spark.createDataFrame(pa.table({"m": ["m1"], "t": pa.array([START + timedelta(hours=2)], INSTANT)}))
    count = (Windowed("x", "count", "1d", name="n"),)
    for version, expected in ((1, 1), (2, 2)):
        stored = [StoredFacts("v", "visits", version, {"m": "m"}, ("id",), count)]
        assert as_of_join(spine, warehouse, stored, prediction_time="t").toArrow()["v__n"].to_pylist() == [expected]


def test_known_by_is_a_later_bound_on_what_was_known(spark, warehouse):
    late = {"m": "m1", "id": 1, "event_time": START, "known_at": START + timedelta(hours=9), "x": 1.0}
    arrow.append(warehouse, VISITS, [late], "run")
    instants = pa.array([START + timedelta(hours=1)], INSTANT), pa.array([START + timedelta(hours=9)], INSTANT)
    spine = spark.createDataFrame(pa.table({"m": ["m1"], "t": instants[0], "by": instants[1]}))
    stored = [StoredFacts("v", "visits", 1, {"m": "m"}, ("id",), (Latest("x"),))]
    assert as_of_join(spine, warehouse, stored, prediction_time="t").toArrow()["v__x"].to_pylist() == [None]
    bound = as_of_join(spine, warehouse, stored, prediction_time="t", known_by="by")
    assert bound.toArrow()["v__x"].to_pylist() == [1.0]


def test_a_feature_that_does_not_fit_is_refused_before_any_task_runs(spark, warehouse):
    arrow.ensure(warehouse, VISITS)
    spine = spark.createDataFrame(pa.table({"m": ["m1"], "t": pa.array([START], INSTANT)}))
    stored = [StoredFacts("v", "visits", 0, {"m": "m"}, ("id",), (Windowed("m", "mean", "1d"),))]
    with pytest.raises(JoinError):
        as_of_join(spine, warehouse, stored, prediction_time="t")
