"""The bucket of a row is the one Spark gives it, whatever the types of its keys."""

from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import functions as F  # noqa: N812

from nightjar.tables import layouts
from nightjar.tables.hashing import buckets_of, xxhash64

BUCKETS = 7
TEXTS = ["", "a", "abcd", "abcdefg", "abcdefgh", "abcdefghijklm", "é€😀", "x" * 31, "y" * 32, "z" * 33, "w" * 75, None]
EDGES = [sign * (2 ** (8 * size - 1)) + step for size in (1, 2, 8, 9, 15) for sign in (1, -1) for step in (-1, 0)]
BIG = [Decimal(value) for value in (0, -1, *EDGES, 2**64, 10**20, -(10**20), 10**38 - 1, 1 - 10**38)]
"""Where one byte more is needed, and the longest ones."""
MOMENT = datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
COLUMNS = {
    "bool": pa.array([True, False, None]),
    "byte": pa.array([0, -1, 127, -128, None], pa.int8()),
    "short": pa.array([0, -1, 32767, None], pa.int16()),
    "int": pa.array([0, -1, 2**31 - 1, -(2**31), None], pa.int32()),
    "long": pa.array([0, -1, 2**63 - 1, -(2**63), 12345678901, None], pa.int64()),
    "float": pa.array([0.0, -0.0, 1.5, float("nan"), float("inf"), -2.25, None], pa.float32()),
    "double": pa.array([0.0, -0.0, 1.5, float("nan"), -float("inf"), 1e300, None], pa.float64()),
    "text": pa.array(TEXTS),
    "bytes": pa.array([None if text is None else text.encode() for text in TEXTS]),
    "date": pa.array([date(1969, 12, 31), date(2024, 2, 29), None]),
    "instant": pa.array([MOMENT, datetime(9999, 1, 1, tzinfo=UTC), None], pa.timestamp("us", "UTC")),
    "plain time": pa.array([MOMENT.replace(tzinfo=None), None], pa.timestamp("us")),
    "decimal": pa.array([Decimal("0.00"), Decimal("-1.05"), Decimal("9999999.99"), None], pa.decimal128(9, 2)),
    "long decimal": pa.array([*BIG, None], pa.decimal128(38, 0)),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_a_hash_is_the_one_spark_computes(spark, kind):
    column = COLUMNS[kind]
    rows = spark.createDataFrame(pa.table({"place": np.arange(len(column)), "key": column}))
    expected = [row[0] for row in rows.orderBy("place").select(F.xxhash64("key")).collect()]
    assert xxhash64([column]).view(np.int64).tolist() == expected
    assert xxhash64([column.slice(1)]).view(np.int64).tolist() == expected[1:]


def test_several_keys_are_hashed_one_after_the_other_and_a_row_that_lacks_one_is_in_bucket_0(spark):
    random = np.random.default_rng(7)
    keys = {
        name: column.take(pa.array(random.integers(0, len(column), 300)))
        for name, column in COLUMNS.items()
        if name in ("text", "int", "long decimal")
    }
    rows = spark.createDataFrame(pa.table({"place": np.arange(300), **keys}))
    types = {name: dict(rows.dtypes)[name] for name in keys}
    bucket = F.coalesce(layouts.bucket({f"`{name}`": kind for name, kind in types.items()}, BUCKETS), F.lit(0))
    expected = [row[0] for row in rows.orderBy("place").select(bucket).collect()]
    assert buckets_of(list(keys.values()), BUCKETS).tolist() == expected
    assert len(set(expected)) == BUCKETS
