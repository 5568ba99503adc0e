"""Rows in parts: whatever was added is in one of them, once, in its order, and all rows of one value in the same."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightjar.tables.hashed_parts import HashedParts

VALUES = {pa.int64(): st.integers(-3, 3), pa.string(): st.sampled_from(["", "a", "bb", "a" * 40])}


@pytest.mark.parametrize("kind", VALUES, ids=str)
@given(data=st.data(), count=st.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_parts_have_all_rows_once_and_in_order_and_a_value_in_one_part(kind, data, count):
    tables = data.draw(st.lists(st.lists(st.none() | VALUES[kind], max_size=12), max_size=4))
    schema = pa.schema([("value", kind), ("number", pa.int64())])
    with TemporaryDirectory() as folder:
        parts = HashedParts(count, "value", schema, Path(folder) / "parts")
        added = []
        for values in tables:
            numbers = range(len(added), len(added) + len(values))
            parts.add(pa.table([pa.array(values, kind), pa.array(numbers, pa.int64())], schema=schema))
            added += zip(values, numbers, strict=True)
        rows = [[tuple(row.values()) for row in parts.part(number).to_pylist()] for number in range(count)]
        assert len(parts) == len(added)
        assert parts.sizes == [*map(len, rows)]
        for own in rows:
            values = {value for value, _ in own}
            assert own == [row for row in added if row[0] in values]
        assert sorted(number for own in rows for _, number in own) == [*range(len(added))]
        largest = parts.sizes.index(max(parts.sizes))
        before = parts.part(largest)
        parts.put(largest, before.slice(1))
        assert parts.part(largest).equals(before.slice(1))
        parts.add(before.slice(0, 1))
        assert sorted(parts.part(largest)["number"].to_pylist()) == sorted(before["number"].to_pylist())
