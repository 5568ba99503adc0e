import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightjar.errors import LearningError
from nightjar.evaluation.histograms import Bins, count, fit_bins

NAN, INF = float("nan"), float("inf")


def test_numbers_fall_into_bins_that_hold_their_lower_edge():
    bins = Bins("numeric", edges=(0.0, 10.0))
    #                         null                below     [0, 10)       from 10
    column = pa.array([None, NAN, None, -INF, -0.1, 0.0, 5.0, 9.9, 10.0, INF])

    assert count(bins, column).tolist() == [3, 2, 3, 2]


def test_levels_unseen_at_fitting_are_counted_as_other():
    bins = fit_bins(pa.array(["b", "a", "c", "a", "b", None]))

    assert bins == Bins("categorical", levels=("a", "b", "c"))  # most frequent first, then code point order
    assert count(bins, pa.array(["c", None, "z", "a", "y", "a"])).tolist() == [1, 2, 0, 1, 2]


@pytest.mark.parametrize(
    ("values", "edges"),
    [
        ([3, 1, 2, 4], (1, 2, 3, 4, 4 + 2**-50)),  # few values: a bin each, what is beyond them apart
        ([True, False, True], (0, 1, 1 + 2**-52)),
        ([7.5, 7.5, None], (7.5, 7.5 + 2**-50)),  # a constant: higher, lower and equal stay apart
        ([None, NAN, INF, 2.0], (2, 2 + 2**-51)),
        (range(1000), (0, 250, 500, 750, 999 + 2**-43)),  # many values: four equal shares
        ([0] * 900 + list(range(1, 101)), (0, 1, 100 + 2**-46)),  # the spike at 0 fills its bin alone
    ],
)
def test_edges_of_four_bins(values, edges):
    assert fit_bins(pa.array(values), bins=4) == Bins("numeric", edges=edges)


def test_many_values_are_cut_to_equal_shares():
    column = pa.array(np.random.default_rng(1).lognormal(size=10_000))

    nulls, below, *shares, above = count(fit_bins(column), column).tolist()

    assert (nulls, below, above) == (0, 0, 0)
    assert shares == [200] * 50


def test_only_the_hundred_most_frequent_levels_have_their_own_bin():
    rare_last = [f"level {n:03}" for n in range(150) for _ in range(200 - n)]

    bins = fit_bins(pa.array(rare_last[::-1]))

    assert bins.levels == tuple(f"level {n:03}" for n in range(100))
    assert count(bins, pa.array(["level 099", "level 100"]))[-2:].tolist() == [1, 1]


def test_every_way_arrow_stores_strings_counts_alike():
    plain = pa.array(["a", None, "b", "a", "z"])
    bins = fit_bins(plain.slice(0, 4))
    for kind in (pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())):
        column = pa.chunked_array([plain.cast(kind), plain.slice(2).cast(kind)])
        assert count(bins, column).tolist() == [1, 3, 2, 2]
        assert fit_bins(plain.cast(kind)) == fit_bins(plain)


def test_columns_without_values_are_counted_as_nulls():
    for kind in (pa.float64(), pa.bool_(), pa.string()):
        bins = fit_bins(pa.array([], type=kind))
        assert count(bins, pa.array([], type=kind)).tolist() == [0, 0]
        assert count(bins, pa.nulls(3, kind)).tolist() == [3, 0]
        assert count(bins, pa.nulls(3)).tolist() == [3, 0]  # Arrow infers the type null for them


numbers = st.one_of(
    st.lists(st.none() | st.floats(width=64)),
    st.lists(st.none() | st.integers(-3, 3)),
    st.lists(st.none() | st.integers(-(2**63), 2**63 - 1)),
    st.lists(st.none() | st.booleans()),
).map(lambda values: pa.array(values) if any(value is not None for value in values) else pa.array(values, pa.float64()))
texts = st.lists(st.none() | st.text(max_size=2)).map(lambda values: pa.array(values, pa.string()))
columns = numbers | texts


@pytest.mark.slow
@given(columns, st.integers(1, 60), st.data())
def test_counts_of_parts_add_up_to_the_counts_of_the_whole(column, bin_count, data):
    bins = fit_bins(column.slice(0, data.draw(st.integers(0, len(column)))), bins=bin_count)
    cut = data.draw(st.integers(0, len(column)))
    head, tail = column.slice(0, cut), column.slice(cut)

    whole = count(bins, column)

    assert whole.dtype == np.int64
    assert len(whole) == bins.size
    assert whole.sum() == len(column)
    assert (whole == count(bins, head) + count(bins, tail)).all()
    assert (whole == count(bins, pa.chunked_array([head, tail]))).all()


@given(columns, st.integers(1, 60), st.randoms(use_true_random=False))
def test_bins_depend_on_the_values_not_on_their_order(column, bin_count, random):
    order = list(range(len(column)))
    random.shuffle(order)

    assert fit_bins(column.take(pa.array(order, pa.int64())), bins=bin_count) == fit_bins(column, bins=bin_count)


@given(st.lists(st.integers(-1000, 1000), min_size=1), st.integers(1, 60))
def test_no_bin_of_several_values_holds_more_than_twice_its_share(values, bin_count):
    """A value can tip a bin over its share, but a bin never swallows a value that would fill one alone."""
    bins = fit_bins(pa.array(values), bins=bin_count)
    _, below, *inner, above = count(bins, pa.array(values)).tolist()

    assert below == above == 0
    assert len(inner) <= bin_count
    for lower, upper, rows in zip(bins.edges, bins.edges[1:], inner, strict=False):
        distinct = {value for value in values if lower <= value < upper}
        assert len(distinct) == 1 or rows < 2 * len(values) / bin_count


@given(columns)
def test_json_brings_the_same_bins_back(column):
    bins = fit_bins(column)
    assert Bins.from_json(bins.to_json()) == bins


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"kind": "x", "edges": [], "levels": []}', '{"kind": "numeric", "edges": 1, "levels": []}'],
)
def test_other_json_is_refused(text):
    with pytest.raises(LearningError):
        Bins.from_json(text)


def test_stored_bins_can_be_read_by_people():
    stored = json.loads(Bins("categorical", levels=("Zürich", "EWR")).to_json())
    assert stored == {"kind": "categorical", "edges": [], "levels": ["Zürich", "EWR"]}


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "numeric", "edges": (1.0, 1.0)},
        {"kind": "numeric", "edges": (2.0, 1.0)},
        {"kind": "numeric", "edges": (1.0, NAN)},
        {"kind": "numeric", "levels": ("a",)},
        {"kind": "categorical", "edges": (1.0,)},
        {"kind": "categorical", "levels": ("a", "a")},
        {"kind": "ordinal"},
    ],
)
def test_bins_that_cannot_be_are_refused(wrong):
    with pytest.raises(LearningError):
        Bins(**wrong)


def test_columns_that_do_not_fit_are_refused():
    days = pa.array([0, 1], pa.date32())
    with pytest.raises(LearningError, match="date32"):
        fit_bins(days)
    with pytest.raises(LearningError, match="string cannot be counted into numeric bins"):
        count(Bins("numeric"), pa.array(["a"]))
    with pytest.raises(LearningError, match="double cannot be counted into categorical bins"):
        count(Bins("categorical"), pa.array([1.0]))
    with pytest.raises(LearningError, match="bins is 0"):
        fit_bins(pa.array([1.0]), bins=0)
