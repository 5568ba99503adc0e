"""The search for slices beside the oracle; binning; what is too small, constant or missing."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightjar.evaluation.slices import search as searching
from nightjar.evaluation.slices.binning import COARSE, LEVELS, bin_columns
from nightjar.evaluation.slices.search import losses_of, search
from oracles.slices import best_boxes

NUMBERS = st.one_of(st.none(), st.integers(0, 3).map(float), st.just(float("nan")))
TEXTS = st.sampled_from([None, "a", "b", "c"])


@st.composite
def cases(draw):
    rows = draw(st.integers(4, 12))
    columns = {}
    for number in range(draw(st.integers(1, 3))):
        values = draw(st.sampled_from([NUMBERS, TEXTS, st.one_of(st.none(), st.booleans())]))
        columns[f"c{number}"] = pa.array(
            draw(st.lists(values, min_size=rows, max_size=rows)),
            pa.float64() if values is NUMBERS else pa.string() if values is TEXTS else pa.bool_(),
        )
    loss = draw(st.lists(st.integers(0, 4), min_size=rows, max_size=rows))
    weight = draw(st.one_of(st.none(), st.lists(st.integers(1, 3), min_size=rows, max_size=rows)))
    least = draw(st.integers(1, 4))
    return pa.table(columns), np.array(loss, float), None if weight is None else np.array(weight, float), least


@given(cases())
def test_the_best_box_of_every_set_of_columns_is_that_of_the_oracle(case):
    rows, loss, weight, least = case
    losses = losses_of(loss, weight, least)
    columns = bin_columns(rows, losses.excess, 1)
    best = {}
    for box in search(columns, losses):
        best.setdefault(box.columns, box.z)
    best = {columns: z for columns, z in best.items() if z > 1e-9}
    if not losses.deviation:
        assert best == {}
        return
    coarse, ranges = [column.coarse.tolist() for column in columns], [column.ranges for column in columns]
    expected = best_boxes(coarse, ranges, losses.excess.tolist(), losses.deviation, least)
    assert best == pytest.approx({columns: z for columns, z in expected.items() if z > 1e-9}, abs=1e-9)


@given(cases())
def test_the_condition_of_a_bin_has_its_rows(case):
    """Also where bins are merged: what is told of a slice is what was counted."""
    rows, loss, *_ = case
    for column in bin_columns(rows, loss, 1):
        for one in column.ranges:
            first, end = column.fine_range(one)
            inside = (column.fine >= first) & (column.fine < end)
            assert column.condition(first, end).of(rows).tolist() == inside.tolist()
            assert inside.tolist() == ((column.coarse >= one[0]) & (column.coarse < one[1])).tolist()


def test_bins_have_about_equal_shares_and_round_edges():
    random = np.random.default_rng(0)
    mostly_zero = np.where(random.random(10_000) < 0.7, 0.0, random.normal(size=10_000))
    rows = pa.table({"normal": random.normal(size=10_000), "zero": mostly_zero})
    normal, zero = bin_columns(rows, np.zeros(10_000), 100)
    shares = np.bincount(normal.coarse) / 10_000
    assert len(shares) == COARSE
    assert shares == pytest.approx(1 / COARSE, abs=0.02)
    assert all(len(f"{abs(edge):.15g}") <= 6 for edge in normal.edges)
    assert np.bincount(zero.fine).max() == pytest.approx((mostly_zero == 0).sum(), abs=20)


def test_columns_that_tell_nothing_apart_have_no_conditions():
    """Constant, all null, NaN, a number for each row as a text, and types that no model takes."""
    rows = pa.table(
        {
            "constant": np.ones(100),
            "null": pa.nulls(100),
            "nulls": pa.nulls(100, pa.float64()),
            "nan": np.full(100, np.nan),
            "same": ["x"] * 100,
            "identity": [str(number) for number in range(100)],
            "when": pa.array([0] * 100, pa.timestamp("us")),
        }
    )
    assert [column.name for column in bin_columns(rows, np.zeros(100), 10)] == []
    assert (
        bin_columns(pa.table({"x": pa.array([], pa.float64()), "y": pa.array([], pa.string())}), np.empty(0), 1) == []
    )


def test_levels_of_the_greatest_excess_have_bins_of_their_own():
    level = ["a"] * 50 + ["b"] * 30 + ["c"] * 5 + ["d"] * 5 + [None] * 10
    (column,) = bin_columns(pa.table({"level": level}), np.repeat([0.0, 1.0], 50), 10)
    assert [str(column.condition(*column.fine_range(one))) for one in column.ranges] == [
        "level is b",
        "level is a",
        "level is none of b, a",
        "level is missing",
    ]
    number = np.arange(4000) % 40
    (many,) = bin_columns(pa.table({"level": number.astype(str)}), (number == 39).astype(float), 10)
    assert many.levels[0] == "39"
    assert (len(many.levels), many.bins) == (40, LEVELS + 2)
    assert str(many.condition(20, 21)) == f"level is {many.levels[20]}"


def test_of_many_columns_the_promising_ones_are_searched_in_pairs_and_triples(monkeypatch):
    monkeypatch.setattr(searching, "COLUMNS_OF_PAIRS", 20)
    monkeypatch.setattr(searching, "COLUMNS_OF_TRIPLES", 6)
    random = np.random.default_rng(0)
    values = random.integers(0, 4, (4000, 60))
    bad = (values[:, 7] == 1) & (values[:, 50] == 2)
    losses = losses_of((random.random(4000) < np.where(bad, 0.9, 0.2)).astype(float), None, 40)
    rows = pa.table({f"c{number}": values[:, number] for number in range(60)})
    boxes = search(bin_columns(rows, losses.excess, 40), losses)
    assert max(boxes, key=lambda box: box.z * (len(box.columns) == 2)).columns == (7, 50)
    columns = [{number for box in boxes if len(box.columns) == size for number in box.columns} for size in (1, 2, 3)]
    assert [len(one) for one in columns] == [60, 20, 6]
