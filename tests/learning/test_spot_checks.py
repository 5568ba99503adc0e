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


def spot_checks_of(rows, **options):
    return spot_checks(rows, ["machine"], "label", **{"of_each": 3, "seed": 1} | options)


def test_each_label_has_its_rows_with_all_that_is_known_of_them():
    """The key and the label come first; a row is listed as it is."""
    checks = spot_checks_of(ROWS)
    assert checks.column_names == ["machine", "label", "x"]
    assert checks["label"].to_pylist() == [False] * 3 + [True] * 3 + [None] * 3
    row_of_machine = {row["machine"]: row for row in ROWS.to_pylist()}
    assert all(row_of_machine[row["machine"]] == row for row in checks.to_pylist())


def test_the_list_is_the_same_in_every_run_and_another_one_by_another_seed():
    assert spot_checks_of(ROWS.take(pa.array(range(59, -1, -1)))).equals(spot_checks_of(ROWS))
    assert not spot_checks_of(ROWS, seed=2).equals(spot_checks_of(ROWS))


def test_more_rows_of_each_begin_with_those_of_fewer():
    """A longer list does not throw away what was looked at."""
    fewer, more = (spot_checks_of(ROWS, of_each=n).filter(pa.compute.field("label")) for n in (3, 7))
    assert more["machine"].to_pylist()[:3] == fewer["machine"].to_pylist()


def test_a_label_with_fewer_rows_has_all_of_them():
    checks = spot_checks_of(ROWS.slice(0, 5), of_each=10)
    assert sorted(checks["machine"].to_pylist()) == ["m0", "m1", "m2", "m3", "m4"]
    assert spot_checks_of(ROWS.slice(0, 0)).num_rows == 0


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(LearningError, match="Rows to check have no column machine; there are"):
        spot_checks_of(ROWS.drop_columns("machine"))
