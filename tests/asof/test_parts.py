"""The kernel's parts against what they mean, written plainly."""

import itertools
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightjar.asof.blocks import Blocks
from nightjar.asof.composite_keys import SortedIndex, SortKeyEncoder, sort_order
from nightjar.asof.exact import RunningTotals, deviations, digits_of, squares_of, to_floats, to_scaled
from nightjar.asof.keys import by_keys_and_time, row_codes
from nightjar.asof.ranges import Runs, running_total
from nightjar.asof.values import EARLIEST, FOREVER

FLOATS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.floats(-100, 100), st.integers(-9, 9).map(float)
)
INSTANTS = st.one_of(
    st.sampled_from([EARLIEST, EARLIEST + 1, -1, 0, 1, 2, FOREVER - 1, FOREVER]), st.integers(-(10**15), 10**15)
)


def exactly(digits):
    """The numbers that some digits stand for."""
    columns = [[int(d) * Fraction(2) ** (32 * place) for d in digit] for place, digit in digits.items()]
    return [sum(column) for column in zip(*columns, strict=True)]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["b", "a", "", None]), st.sampled_from([True, False]), st.integers(-(2**40), 2**40)),
        max_size=30,
    )
)
def test_rows_are_ordered_by_keys_and_then_by_time_to_one_part_in_65536(rows):
    texts, flags, times = ([row[place] for row in rows] for place in range(3))
    keys = [pa.array(texts, pa.string()), pa.array(flags, pa.bool_())]
    order = by_keys_and_time(keys, np.array(times, np.int64)).tolist()
    assert sorted(order) == list(range(len(rows)))
    keyed = [rows[place] for place in order if rows[place][0] is not None]
    assert [row[:2] for row in keyed] == sorted(row[:2] for row in keyed)
    step = (max(times, default=0) - min(times, default=0)) / 2**15
    for row, following in itertools.pairwise(keyed):
        assert row[:2] != following[:2] or row[2] <= following[2] + step


@settings(deadline=None)
@given(st.lists(FLOATS, max_size=20))
def test_floats_and_their_squares_are_cut_into_digits_exactly(values):
    numbers = np.array(values, np.float64)
    assert exactly(digits_of(numbers)) == [Fraction(v) for v in values]
    assert exactly(squares_of(numbers)) == [Fraction(v) ** 2 for v in values]


@settings(deadline=None)
@given(st.data(), st.sampled_from([np.int8, np.uint16, np.int32, np.uint32, np.int64, np.uint64]))
def test_integers_and_their_squares_are_cut_into_digits_exactly(data, kind):
    limits = np.iinfo(kind)
    edges = st.sampled_from([int(limits.min), int(limits.max)])
    values = data.draw(st.lists(st.integers(int(limits.min), int(limits.max)) | edges | st.integers(0, 9), max_size=9))
    assert exactly(digits_of(np.array(values, kind))) == values
    assert exactly(squares_of(np.array(values, kind))) == [v**2 for v in values]


def test_digits_do_not_depend_on_the_piece_of_a_number(monkeypatch):
    values = np.random.default_rng(1).normal(size=100) * np.exp2(np.arange(100) * 5 - 250)
    whole = exactly(squares_of(values))
    monkeypatch.setattr("nightjar.asof.exact._PIECE", 7)
    assert exactly(squares_of(values)) == whole
    totals, squares = RunningTotals(digits_of(values)), RunningTotals(squares_of(values))
    runs = Runs(np.arange(80), np.arange(80) + 20)
    result = deviations(totals.between(runs), squares.between(runs), np.full(80, 20))
    expected = [np.std(values[n : n + 20], ddof=1) for n in range(80)]
    assert result == pytest.approx(expected, rel=1e-12)
    assert to_floats(to_scaled(totals.between(runs))) == pytest.approx(
        [float(sum(map(Fraction, values[n : n + 20]))) for n in range(80)], rel=1e-15
    )


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), INSTANTS), max_size=12), st.integers(-1, 3), INSTANTS)
def test_sort_keys_order_as_entity_and_instant_do_however_far_apart(facts, entity, moment):
    facts = sorted(facts)
    entities, instants = (np.array([fact[n] for fact in facts], np.int64) for n in (0, 1))
    encoder = SortKeyEncoder(instants, int(entities.max(initial=-1)) + 1)
    sort_keys = encoder.before(entities, instants)
    target = np.array([entity]), np.array([moment])
    earlier = [fact for fact in facts if fact < (entity, moment)]
    through = [fact for fact in facts if fact <= (entity, moment)]
    assert np.all((sort_keys[1:] > sort_keys[:-1]) == [one < other for one, other in itertools.pairwise(facts)])
    assert np.searchsorted(sort_keys, encoder.before(*target)).tolist() == [len(earlier)]
    assert np.searchsorted(sort_keys, encoder.after(*target)).tolist() == [len(through)]
    assert np.searchsorted(sort_keys, encoder.first(target[0])).tolist() == [sum(key < entity for key, _ in facts)]


@settings(deadline=None)
@given(
    st.lists(st.integers(-(2**61), 2**61) | st.integers(-40, 40) | st.integers(2**40, 2**40 + 99), max_size=40),
    st.lists(st.integers(-(2**62), 2**62) | st.integers(-41, 41) | st.integers(2**40, 2**40 + 99)),
)
def test_a_search_in_cells_finds_what_a_binary_search_does(values, targets):
    values, targets = np.sort(np.array(values, np.int64)), np.array([*targets, *values], np.int64)
    assert SortedIndex(values).count_below(targets).tolist() == np.searchsorted(values, targets).tolist()


@pytest.mark.parametrize("crowd", [1, 5, 900])
def test_a_search_in_cells_does_not_mind_a_crowded_one(crowd):
    values = np.sort(np.concatenate([np.arange(0, 10**9, 10**6), np.full(crowd, 123_456_789), 10**8 + np.arange(40)]))
    targets = np.concatenate([values, values + 1, values - 1])
    assert SortedIndex(values).count_below(targets).tolist() == np.searchsorted(values, targets).tolist()


@settings(deadline=None)
@given(st.data(), st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=3), min_size=1, max_size=6))
def test_some_windows_have_the_totals_that_they_have_among_all(data, lengths):
    sizes = np.concatenate(lengths)
    ends = np.cumsum(sizes)
    firsts = running_total(np.array([len(one) for one in lengths]))[:-1]
    running = running_total(np.arange(int(ends[-1])) ** 2)
    which = np.array(data.draw(st.lists(st.integers(0, len(lengths) - 1), unique=True).map(sorted)), np.int64)
    windows = [Runs(ends - sizes, ends, firsts)]
    if len(sizes) == len(lengths):
        windows.append(Runs(ends - sizes, ends))
    for runs in windows:
        assert runs.select(which).total(running).tolist() == runs.total(running)[which].tolist()
        assert runs.select(which).sizes.tolist() == runs.sizes[which].tolist()


@pytest.mark.parametrize("files", [1, 2, 5, 5_000])
def test_sorting_keeps_the_order_of_equal_sort_keys_and_leaves_sorted_ones_alone(files):
    sort_keys = np.concatenate(
        [np.sort(part) for part in np.array_split(np.random.default_rng(2).integers(-(2**61), 2**61, 5_000), files)]
    )
    sort_keys[::7] = sort_keys[3]
    order = sort_order(sort_keys)
    assert order.tolist() == np.argsort(sort_keys, kind="stable").tolist()
    assert sort_order(sort_keys[order]) is None


@settings(deadline=None)
@given(st.data(), st.lists(st.integers(0, 9), max_size=600))
def test_blocks_list_what_is_above_a_limit(data, values):
    edges = st.integers(0, len(values))
    ranges = data.draw(st.lists(st.tuples(edges, edges, st.integers(-1, 9)), max_size=5))
    starts, ends, limits = (np.array([row[n] for row in ranges], np.int64) for n in range(3))
    owner, positions = Blocks(np.array(values, np.int64)).above(
        np.minimum(starts, ends), np.maximum(starts, ends), limits
    )
    expected = [
        (n, p) for n, (a, b, limit) in enumerate(ranges) for p in range(min(a, b), max(a, b)) if values[p] > limit
    ]
    assert list(zip(owner.tolist(), positions.tolist(), strict=True)) == expected


def test_codes_tell_rows_apart_sorted_or_not():
    texts = pa.array(["a", "a", "b", None, None, "a\x1fb", "a"])
    floats = pa.array([0.0, -0.0, float("nan"), 1.0, 2.0, float("nan"), 0.0])
    assert row_codes([texts]).tolist() == [0, 0, 1, -1, -1, 2, 0]
    assert row_codes([floats]).tolist() == [0, 0, 1, 2, 3, 1, 0]
    assert row_codes([texts, floats]).tolist() == [0, 0, 1, -1, -1, 2, 0]
    assert row_codes([texts.dictionary_encode(), pa.nulls(7)]).tolist() == [-1] * 7
