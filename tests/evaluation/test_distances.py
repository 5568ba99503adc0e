import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from nightjar.errors import LearningError
from nightjar.evaluation import distances
from nightjar.evaluation.distances import chi_squared, design_effect, kolmogorov_smirnov, psi, psi_p_value
from nightjar.evaluation.histograms import count, fit_bins
from oracles import distances as oracle

vectors = st.integers(2, 30).flatmap(
    lambda size: st.tuples(*[st.lists(st.integers(0, 500), min_size=size, max_size=size)] * 2)
)
groups = st.none() | st.integers(1, 12)


def test_psi_of_two_groups():
    """Shares 0.5 and 0.5 become 0.2 and 0.8, but for the half rows added."""
    result = psi([0, 5000, 5000], [0, 2000, 8000])

    assert result == pytest.approx(-0.3 * np.log(0.2 / 0.5) + 0.3 * np.log(0.8 / 0.5), rel=1e-3)


def test_psi_adds_half_a_row_to_every_group_that_is_in_use():
    result = psi([0, 3, 0, 0], [0, 0, 3, 0], bins=None)

    assert result == pytest.approx(2 * (3.5 / 4 - 0.5 / 4) * np.log(3.5 / 0.5))


def test_psi_merges_numeric_bins_to_groups_of_equal_expected_mass():
    """Ten bins in two groups: what moves within a group is not seen, what moves between groups is."""
    even = [0, 0] + [100] * 10 + [0]
    within, between = [0, 0, 500, 0, 0, 0, 0] + [100] * 5 + [0], [0, 0] + [50] * 5 + [150] * 5 + [0]

    assert psi(even, within, bins=2) == 0.0
    assert psi(even, between, bins=2) == pytest.approx(0.25 * np.log(3), rel=1e-2)
    assert psi(even, within, bins=None) > 1


def test_nulls_are_a_group_of_their_own():
    assert psi([0, 100, 100], [100, 50, 50], bins=1) > 1


RANDOM = np.random.default_rng(3)
TRAINED = {
    "normal": RANDOM.normal(size=10_000),
    "mostly zeros": np.where(RANDOM.random(10_000) < 0.95, 0, RANDOM.exponential(size=10_000)),
    "counts": RANDOM.poisson(2, size=10_000),
    "levels": RANDOM.choice([f"level {n}" for n in range(20)], size=10_000, p=np.arange(1, 21) / 210),
}


@pytest.mark.parametrize(
    ("column", "changed"),
    [
        ("normal", lambda x: np.where(np.arange(10_000) % 10 == 0, -999, x)),
        ("normal", lambda x: np.where(np.arange(10_000) % 10 == 0, 1e6, x)),
        ("normal", lambda x: np.where(np.arange(10_000) % 10 == 0, -math.inf, x)),
        ("mostly zeros", lambda x: 1000 * x),
        ("mostly zeros", lambda x: -x),
        ("counts", lambda x: np.where(x == 0, -1, x)),
    ],
)
def test_what_lies_beyond_all_training_values_is_a_group_of_its_own(column, changed):
    trained = TRAINED[column]
    bins = fit_bins(pa.array(trained))
    before, after = (count(bins, pa.array(values)) for values in (trained, changed(trained)))

    assert psi(before, before) == 0
    assert psi(before, after) > 0.2
    assert psi_p_value(before, after) == 0.001


@pytest.mark.parametrize("column", TRAINED)
def test_the_p_value_of_psi_knows_how_many_rows_there_are(column):
    """Of 80 nights of unchanged rows, at most 5% are told from them; 0.2 and more is usual in small ones."""
    values = pa.array(TRAINED[column])
    bins = fit_bins(values)
    groups, expected = (None, 10)[column != "levels"], count(bins, values)
    for rows in (5, 20, 1000):
        nights = [count(bins, values.take(RANDOM.integers(0, 10_000, rows))) for _ in range(80)]
        assert np.mean([psi_p_value(expected, night, groups) <= 0.01 for night in nights]) <= 0.05, rows
    if column != "levels":
        moved = [count(bins, pa.array(RANDOM.permutation(TRAINED[column])[:1000] + 1)) for _ in range(9)]
        assert [psi_p_value(expected, night) <= 0.01 and psi(expected, night) >= 0.1 for night in moved] == [True] * 9


def test_levels_that_few_training_rows_did_not_hold_are_no_change():
    """Of 80 levels 200 rows hold some once: 50 more rows hold some that these lack."""
    levels = RANDOM.choice(80, size=(60, 250), p=1 / np.arange(1, 81) / (1 / np.arange(1, 81)).sum()).astype(str)
    marked = 0
    for rows in levels:
        bins = fit_bins(pa.array(rows[:200]))
        trained, night = (count(bins, pa.array(part)) for part in (rows[:200], rows[200:]))
        marked += psi_p_value(trained, night, None) <= 0.01
        assert psi(trained, night, None) > 0.2
    assert marked <= 3


def test_the_p_value_of_psi_of_many_rows_is_about_that_of_chi_squared():
    expected, actual = [0, 0, *[10_000] * 10, 0], [0, 0, *[1_000] * 5, *[1_060] * 5, 0]
    scaled = psi(expected, actual) * 100_000 * 10_300 / 110_300

    assert psi_p_value(expected, actual) == pytest.approx(stats.chi2.sf(scaled, df=9), abs=0.05)


def test_rows_that_are_alike_within_a_night_count_as_few():
    """270 nights of 100 rows that share one value each, of 30: another such night has not changed, though its PSI is 5.

    A value that no night had is told; nights of independent rows have no effect.
    """
    night = RANDOM.integers(0, 30, 270)
    values = pa.array(np.repeat(night, 100))
    bins = fit_bins(values)
    expected = count(bins, values)
    effect = design_effect([count(bins, values.slice(100 * n, 100)) for n in range(270)])
    assert effect == pytest.approx(100, rel=0.02)
    same, other = (count(bins, pa.array([value] * 100)) for value in (int(night[0]), 99))
    assert psi(expected, same) > 2
    assert psi_p_value(expected, same, design_effect=effect) > 0.05
    assert psi_p_value(expected, other, design_effect=effect) <= 0.01
    shuffled = pa.array(RANDOM.permutation(np.repeat(night, 100)))
    independent = design_effect([count(bins, shuffled.slice(100 * n, 100)) for n in range(270)])
    assert independent == pytest.approx(1, abs=0.1)
    assert design_effect([[0, 5], [0, 3]]) == design_effect([[1, 2]]) == 1.0


def test_a_shift_of_a_constant_is_seen():
    bins = fit_bins(pa.array([5.0] * 1000))
    before, after = (count(bins, pa.array([value] * 1000)) for value in (5.0, 5.1))

    assert psi(before, after) > 10
    assert kolmogorov_smirnov(before, after).statistic == 1.0


@given(vectors, groups)
def test_psi_is_never_negative(pair, bins):
    result = psi(*pair, bins=bins)
    assert result is None or result >= 0
    assert (result is None) == (sum(pair[0]) == 0 or sum(pair[1]) == 0)


@given(vectors, groups)
def test_identical_counts_have_no_distance(pair, bins):
    counts = pair[0]
    assert psi(counts, counts, bins=bins) in (0.0, None)
    assert kolmogorov_smirnov(counts, counts).statistic in (0.0, None)
    assert chi_squared(counts, counts).statistic in (pytest.approx(0.0), None)


@given(vectors)
def test_psi_over_all_bins_is_symmetric(pair):
    assert psi(*pair, bins=None) == pytest.approx(psi(*pair[::-1], bins=None))


def test_kolmogorov_smirnov_of_a_shift():
    """Half of the 100 rows moved up by a bin: nulls are left out, the gap is 0.5."""
    result = kolmogorov_smirnov([7, 100, 0], [900, 50, 50])

    exact = stats.ks_2samp([0.0] * 100, [0.0] * 50 + [1.0] * 50, method="exact")
    assert (result.statistic, result.p_value) == pytest.approx((0.5, exact.pvalue))


@pytest.mark.parametrize(
    ("expected", "actual", "p_value"),
    [
        ([0, 1, 0], [0, 0, 1], 1.0),  # one row each: they always are as far apart
        ([0, 3, 0], [0, 0, 3], 0.1),  # 2 of the 20 ways to choose three of six
        ([0, 1000, 0], [0, 0, 1], 2 / 1001),  # it is the first or the last of them all
        ([0, 5, 5], [0, 5, 5], 1.0),
        ([0, 250_000, 0], [0, 0, 20], 2 / math.comb(250_020, 20)),
    ],
)
def test_the_p_value_of_few_rows_is_exact(expected, actual, p_value):
    assert kolmogorov_smirnov(expected, actual).p_value == pytest.approx(p_value)


def test_the_p_value_of_many_rows_is_a_bound_that_is_close():
    many = kolmogorov_smirnov([0, 50_000, 50_000], [0, 20_600, 19_400])

    asymptotic = stats.kstwobign.sf(many.statistic * np.sqrt(100_000 * 40_000 / 140_000))
    assert asymptotic <= many.p_value <= 1.01 * asymptotic < 0.001


few = (
    st.integers(2, 4)
    .flatmap(lambda size: st.tuples(*[st.lists(st.integers(0, 2), min_size=size, max_size=size)] * 2))
    .filter(lambda pair: all(map(sum, pair)) and sum(map(sum, pair)) <= 10)
)


@settings(max_examples=60)
@given(few)
def test_no_p_value_of_few_rows_is_below_that_of_all_their_divisions(pair):
    """Where each bin holds one row, nothing is lost: it is the very same. Pearson's is drawn, so it is near."""
    expected, actual = pair
    true = oracle.permutation_p_value(expected, actual, oracle.greatest_gap)
    result = kolmogorov_smirnov([0, *expected], [0, *actual]).p_value
    assert result >= true - 1e-9
    if all(e + a <= 1 for e, a in zip(expected, actual, strict=True)):
        assert result == pytest.approx(true)
    drawn = chi_squared(expected, actual).p_value
    if drawn is not None:
        assert drawn == pytest.approx(oracle.permutation_p_value(expected, actual, oracle.pearson), abs=0.025)


values = st.lists(st.integers(-50, 50) | st.floats(-50, 50), min_size=1, max_size=200)


@pytest.mark.filterwarnings("ignore:ks_2samp")  # its own doubts about p-values near 1
@given(values, values, st.integers(1, 60))
def test_the_statistic_from_bins_is_at_most_the_exact_one_and_its_p_value_no_less(reference, night, bin_count):
    bins = fit_bins(pa.array(reference, pa.float64()), bins=bin_count)
    exact = stats.ks_2samp(reference, night, method="exact")

    result = kolmogorov_smirnov(*(count(bins, pa.array(rows, pa.float64())) for rows in (reference, night)))

    assert result.statistic <= exact.statistic + 1e-12
    assert result.p_value >= exact.pvalue - 1e-9
    if len(set(reference)) <= bin_count and set(night) <= set(reference):
        assert result.statistic == pytest.approx(exact.statistic)  # every value has its bin: nothing is lost


def test_chi_squared_of_levels_that_are_expected_in_few_rows():
    """A night of one row cannot differ: its level is as likely as any. 1 of 100 rows is rare, and 1 of 5 here."""
    assert chi_squared([0, 50, 50], [0, 1, 0]).p_value == 1.0
    rare = chi_squared([0, 9_900, 100], [0, 4, 1])
    assert rare.p_value == pytest.approx(1 - (9_904 / 10_005) ** 5, abs=0.01)
    assert stats.chi2.sf(rare.statistic, df=1) < 0.0001
    assert psi_p_value([0, 10**9, 1], [0, 1, 0]) is None
    assert chi_squared([0, 10**9, 1], [0, 1, 0]).p_value > 0.99  # more rows than NumPy divides at random


def test_chi_squared_of_two_levels():
    """By hand: 2 * (10 ** 2) / 40 + 2 * (10 ** 2) / 60 = 8.33 with one degree of freedom; the empty levels drop out."""
    result = chi_squared([0, 50, 50, 0], [0, 30, 70, 0])

    assert result.statistic == pytest.approx(25 / 3)
    assert result.p_value == pytest.approx(stats.chi2.sf(25 / 3, df=1))


@given(vectors)
def test_chi_squared_is_pearsons_sum(pair):
    table = np.array(pair)
    assume(table.sum(axis=1).all())
    table = table[:, table.sum(axis=0) > 0]
    rates = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()

    result = chi_squared(*pair)

    assert result.statistic == pytest.approx(((table - rates) ** 2 / rates).sum())
    assert (result.p_value is None) == (table.shape[1] == 1)


def test_nothing_to_compare_is_none():
    nothing, some = [0, 0, 0], [2, 1, 0]
    for expected, actual in ((nothing, some), (some, nothing), (nothing, nothing)):
        assert psi(expected, actual) is None
        assert psi_p_value(expected, actual) is None
        assert kolmogorov_smirnov(expected, actual) == distances.Test(None, None)
        assert chi_squared(expected, actual) == distances.Test(None, None)
    assert kolmogorov_smirnov([0, 3], [3, 0]) == distances.Test(None, None)  # one side holds nulls only
    assert chi_squared([0, 3], [0, 9]) == distances.Test(0.0, None)  # one level


@pytest.mark.parametrize("distance", [psi, psi_p_value, kolmogorov_smirnov, chi_squared])
@pytest.mark.parametrize(
    ("expected", "actual"),
    [([1, 2], [1, 2, 3]), ([1], [1]), ([[1, 2]], [[1, 2]]), ([1, -2], [1, 2]), ([1, 2], [0.5, 0.5])],
)
def test_vectors_that_are_not_counts_of_the_same_bins_are_refused(distance, expected, actual):
    with pytest.raises(LearningError):
        distance(expected, actual)


def test_psi_needs_a_group():
    with pytest.raises(LearningError, match="bins is 0"):
        psi([0, 1], [0, 1], bins=0)
