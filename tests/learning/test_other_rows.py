"""Rows that no fit takes as they are."""

from datetime import date

import numpy as np
import pyarrow as pa

from nightjar.learning.data.other_rows import acted_rows, without_label

DAY = date(2024, 4, 1)
FEATURES = pa.table({"machine": ["a", "b", "c", "d", "e"], "load": [1.0, 2.0, 3.0, 4.0, 5.0], "run_date": [DAY] * 5})
LABELS = pa.table(
    {"machine": ["a", "b", "c", "d"], "label": [True, None, True, None], "acted": [False, False, True, True]}
)


def test_rows_acted_on_are_read_with_or_without_an_outcome():
    rows = acted_rows(FEATURES, LABELS, ["machine"], ["load"])
    assert sorted(rows.table["load"].to_pylist()) == [3, 4]
    assert (rows.table.column_names, rows.weight.tolist()) == (["load"], [1, 1])
    assert rows.day.tolist() == [DAY, DAY]
    sampled = FEATURES.append_column("sampling_weight", pa.array([1.0, 1.0, 4.0, 4.0, 1.0]))
    assert acted_rows(sampled, LABELS, ["machine"], ["load"]).weight.tolist() == [4, 4]
    assert acted_rows(FEATURES, LABELS.drop_columns(["acted"]), ["machine"], ["load"]) is None
    assert np.issubdtype(rows.day.dtype, np.datetime64)


def test_self_training_gets_no_row_that_somebody_has_acted_on():
    """The row without an outcome and the one without any label; not those acted on."""
    assert sorted(without_label(FEATURES, LABELS, ["machine"])["machine"].to_pylist()) == ["b", "e"]
