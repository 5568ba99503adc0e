"""The list of rows for a person to check."""

import pyarrow as pa
import pytest

from nightjar.errors import LearningError
from nightjar.learning.labels.spot_checks import spot_checks

ROWS = pa.table({
    "x": [float(n) for n in range(60)],
    "label": [None if n % 10 == 0 else n % 3 == 0 for n in range(60)],
    "machine": [f"m{n}" for n in range(60)],
})  # fmt: skip


def listed(rows, **options):
    return spot_checks(rows, ["machine"], "label", **{"of_each": 3, "seed": 1} | options)


def test_each_label_has_its_rows_with_all_that_is_known_of_them():
    """The key and the label come first; a row is listed as it is."""
    found = listed(ROWS)
    assert found.column_names == ["machine", "label", "x"]
    assert found["label"].to_pylist() == [False] * 3 + [True] * 3 + [None] * 3
    known = {row["machine"]: row for row in ROWS.to_pylist()}
    assert all(known[row["machine"]] == row for row in found.to_pylist())


def test_the_list_is_the_same_in_every_run_and_another_one_by_another_seed():
    assert listed(ROWS.take(pa.array(range(59, -1, -1)))).equals(listed(ROWS))
    assert not listed(ROWS, seed=2).equals(listed(ROWS))


def test_more_rows_of_each_begin_with_those_of_fewer():
    """A longer list does not throw away what was looked at."""
    fewer, more = (listed(ROWS, of_each=n).filter(pa.compute.field("label")) for n in (3, 7))
    assert more["machine"].to_pylist()[:3] == fewer["machine"].to_pylist()


def test_a_label_with_fewer_rows_has_all_of_them():
    found = listed(ROWS.slice(0, 5), of_each=10)
    assert sorted(found["machine"].to_pylist()) == ["m0", "m1", "m2", "m3", "m4"]
    assert listed(ROWS.slice(0, 0)).num_rows == 0


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(LearningError, match="Rows to check have no column machine; there are"):
        listed(ROWS.drop_columns("machine"))
