"""Counts by groups: those of each group's rows alone, and numbers that are none."""

import math

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given
from hypothesis import strategies as st

from nightjar.evaluation import group_counts
from nightjar.evaluation.histograms import count, fit_bins

NUMBERS = st.lists(st.none() | st.floats(allow_nan=True, allow_infinity=True, width=16), max_size=40)
TEXTS = st.lists(st.none() | st.sampled_from(["a", "b", "ü", ""]), max_size=40)


@given(values=NUMBERS | TEXTS, data=st.data())
def test_counts_of_groups_are_those_of_their_rows_alone(values, data):
    kind = pa.string() if any(isinstance(value, str) for value in values) else pa.float64()
    column = pa.chunked_array([pa.array(values[:7], kind), pa.array(values[7:], kind)])
    bins = fit_bins(column.slice(0, 20), bins=4)
    group = np.array([data.draw(st.integers(-1, 3)) for _ in values], np.intp)
    counts = group_counts.count_by_group(bins, column, group, 3)
    expected = [count(bins, column.filter(pa.array(group == number))).tolist() for number in range(3)]
    assert counts.tolist() == expected


def test_numbers_that_are_none_are_counted_beside_nulls():
    column = pa.chunked_array([[math.nan, None], [-math.inf, math.inf, math.inf, 0.0]])
    assert group_counts.special_numbers(column).tolist() == [1, 1, 2]
    assert group_counts.special_numbers(pa.array([1, None])) is None


def test_lengths_of_texts_are_characters_whatever_type_stores_them():
    texts = pa.array(["für", None, ""])
    for kind in (pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())):
        assert group_counts.text_lengths(texts.cast(kind)).to_pylist() == [3, None, 0]
    assert pc.sum(group_counts.text_lengths(pa.chunked_array([texts, texts]))).as_py() == 6
