import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nightjar.errors import ModelError
from nightjar.models.input_requirements import InputRequirement
from nightjar.models.preprocessing.numbers import number_steps
from nightjar.settings.columns import Bins, Missing, Number, Scale, Shape

NAN = np.nan


def prepare(settings, train, new=None, requirement=InputRequirement.ORDERED):
    steps = number_steps(settings, requirement, seed=0).fit(frame_of(train))
    return steps.transform(frame_of(train if new is None else new))


def frame_of(columns):
    return pd.DataFrame({name: np.array(values, dtype=float) for name, values in columns.items()})


def skew(one):
    return np.mean(((one - one.mean()) / one.std()) ** 3)


def flat(array):
    return np.asarray(array, dtype=float).ravel().tolist()


@pytest.mark.parametrize(
    ("missing", "filled"),
    [
        (Missing.MEAN, 4.0),
        (Missing.MEDIAN, 2.0),
        (Missing.MODE, 1.0),
        (Missing.CONSTANT, 7.0),
    ],
)
def test_a_null_becomes_one_value_of_its_training_column_and_is_marked(missing, filled):
    """1, 1, 2, 3, 13 and a null, which was there in training too; the mark is 1 where one was replaced."""
    settings = Number(missing=missing, constant=7.0)

    assert flat(prepare(settings, {"a": [1, 1, 2, 3, 13, NAN]}, {"a": [NAN, 5]})) == [filled, 1, 5, 0]


def test_a_mark_is_left_out_where_it_is_not_wanted_or_training_had_no_null():
    unmarked = Number(missing=Missing.MEDIAN, indicator=False)

    assert flat(prepare(unmarked, {"a": [1, 3, NAN]}, {"a": [NAN]})) == [2]
    assert flat(prepare(Number(missing=Missing.MEDIAN), {"a": [1, 3]}, {"a": [NAN]})) == [2]


def test_neighbours_and_regressions_fill_a_null_from_the_other_columns():
    """b is 10 a: the two nearest rows by a hold 10 and 20, a regression finds 15. A column a thousand times larger
    that says nothing does not decide who is near, because columns are scaled first."""
    train = {"a": [1, 2, 8, 9, 1.5], "b": [10, 20, 80, 90, NAN], "noise": [0, 1000, 0, 1000, 500]}
    scale_back = frame_of(train)["b"].std(ddof=0), frame_of(train)["b"].mean()

    for missing in (Missing.KNN, Missing.ITERATIVE):
        filled = prepare(Number(missing=missing, neighbours=2), train)[-1, 1]
        assert filled * scale_back[0] + scale_back[1] == pytest.approx(15, abs=0.5)


def test_more_neighbours_than_rows_are_all_rows():
    settings = Number(missing=Missing.KNN, neighbours=50, scale=Scale.NONE, indicator=False)

    assert flat(prepare(settings, {"a": [1, 2, NAN], "b": [0, 0, 0]})[:, 0]) == [1, 2, 1.5]


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        (Scale.STANDARD, [-1.5, -0.5, 0.5, 1.5]),
        (Scale.MIN_MAX, [0, 1 / 3, 2 / 3, 1]),
        (Scale.ROBUST, [-1, -1 / 3, 1 / 3, 1]),
        (Scale.NONE, [0, 2, 4, 6]),
    ],
)
def test_scales(scale, expected):
    """0, 2, 4, 6: mean and median 3, standard deviation sqrt(5), range 6, interquartile range 3."""
    by = np.sqrt(5) / 2 if scale is Scale.STANDARD else 1

    actual = (
        np.array(flat(prepare(Number(scale=scale), {"a": [0, 2, 4, 6]}, requirement=InputRequirement.COMPLETE))) * by
    )

    np.testing.assert_allclose(actual, expected)


def test_logarithms_keep_sign_zero_and_null():
    log = prepare(Number(shape=Shape.LOG), {"a": [0, np.e - 1, NAN]})
    signed = prepare(Number(shape=Shape.SIGNED_LOG), {"a": [0, 1 - np.e, np.e**2 - 1, NAN]})

    np.testing.assert_allclose(flat(log), [0, 1, NAN])
    np.testing.assert_allclose(flat(signed), [0, -1, 2, NAN])


def test_power_takes_the_skew_away():
    values = np.exp(np.random.default_rng(0).normal(size=400))

    powered = np.array(flat(prepare(Number(shape=Shape.POWER), {"a": values})))

    assert skew(values) > 2
    assert abs(skew(powered)) < 0.2


POWER = Number(shape=Shape.POWER)


@pytest.mark.parametrize(
    "values",
    [
        [1_000_000, 1_000_001, 1_000_002, 1_000_005],
        [-1e15, -1e15 + 1, -1e15 + 2, -1e15 + 5],
        [1e-300, 2e-300, 3e-300, 9e-300],
        [1, 2, 3, 4, 5, 6, 1e38],
        [-1e38, *range(20)],
        [0] * 95 + [1e-9, 2e-9, 5e-9],
        [0, 0, 0, 5e-324],
        [7],
        [1e6] * 3,
        [NAN, 3, 3, NAN],
    ],
    ids=str,
)
def test_power_keeps_different_values_apart_and_in_order(values):
    """Offsets that are large beside the spread, tiny units, outliers, spikes, constants."""
    powered = np.array(flat(prepare(POWER, {"a": values})))
    numbers = np.array(values, dtype=float)

    assert np.isnan(powered).tolist() == np.isnan(numbers).tolist()
    has_value = ~np.isnan(numbers)
    assert np.isfinite(powered[has_value]).all()
    _, place = np.unique(numbers[has_value], return_inverse=True)
    _, after = np.unique(powered[has_value], return_inverse=True)
    assert after.tolist() == place.tolist()


@settings(max_examples=25)
@given(
    values=st.lists(st.floats(-1e38, 1e38), min_size=1, max_size=30),
    by=st.sampled_from([1.0, 1e-30]),
    offset=st.sampled_from([0.0, 1e9]),
)
@example(values=[0.0, 0.0, 0.0, -1.0, -9.146410919615098e-103], by=1.0, offset=0.0)  # -1 would become -7e59
def test_power_never_turns_values_around_or_makes_one_of_two(values, by, offset):
    numbers = np.array(values) * by + offset

    powered = np.array(flat(prepare(POWER, {"a": numbers})))

    assert np.array_equal(np.unique(numbers, return_inverse=True)[1], np.unique(powered, return_inverse=True)[1])


def test_power_takes_the_skew_away_wherever_the_values_lie():
    values = np.exp(np.random.default_rng(0).normal(size=400))
    for offset, unit in ((1e6, 1), (-1e3, 1), (0, 1e-12), (1e3, 1e-3)):
        powered = np.array(flat(prepare(POWER, {"a": offset + unit * values})))
        assert abs(skew(powered)) < 0.35


def test_a_column_that_no_power_keeps_apart_is_named(caplog):
    """Centred above 5, the two tiny ones would be the same."""
    assert flat(prepare(POWER, {"a": [1e-300, 2e-300, 5, 5.5, 6, 6.5]})) == [1e-300, 2e-300, 5, 5.5, 6, 6.5]
    assert "a stays as it is: no power" in caplog.text


def test_a_power_that_takes_a_value_out_of_all_bounds_says_that_it_is_its_doing():
    """1e30 is none that models refuse; the power of a column with a tail to the left makes 9e67 of it."""
    tail = 1e6 - np.random.default_rng(0).exponential(size=100)
    message = r"The column a holds \S+e\+\d+ in 1 of 2 rows, .* 3\.403e\+38 in size \(after the column's shape, if it"
    with pytest.raises(ModelError, match=message):
        prepare(POWER, {"a": tail}, {"a": [1e30, 1e6]})


@pytest.mark.parametrize("unit", [1.0, 1e-20, 1e-300, 1e30])
@pytest.mark.parametrize("scale", [Scale.STANDARD, Scale.MIN_MAX, Scale.ROBUST])
def test_scales_do_not_depend_on_the_unit(scale, unit):
    """A column of any unit is scaled alike: scikit-learn takes what is tiny for a constant."""
    values = np.array([0, 2, 4, 6, NAN, 17])
    result = prepare(Number(scale=scale), {"a": unit * values}, requirement=InputRequirement.COMPLETE)

    np.testing.assert_allclose(
        result, prepare(Number(scale=scale), {"a": values}, requirement=InputRequirement.COMPLETE)
    )


@pytest.mark.parametrize("shape", [None, *Shape])
def test_every_shape_keeps_values_with_a_large_offset_apart(shape):
    for values in ([1e6, 1e6 + 1, 1e6 + 2, 1e6 + 5], [1e12, 1e12 + 1], [5.0, 5.0]):
        result = flat(prepare(Number(shape=shape), {"a": values}, requirement=InputRequirement.COMPLETE))
        assert np.array_equal(np.unique(values, return_inverse=True)[1], np.unique(result, return_inverse=True)[1])


def test_winsorising_moves_both_ends_to_quantiles_of_the_training_rows():
    """0 to 100: the quantiles at 0.05 are 5 and 95; the median is of the winsorised values."""
    settings = Number(winsorise=0.05)

    assert flat(prepare(settings, {"a": range(101)}, {"a": [-1e9, 4, 50, 96, 1e9, NAN]}))[:5] == [5, 5, 50, 95, 95]


@pytest.mark.parametrize(
    ("settings", "places"),
    [
        (Number(bins=Bins.QUANTILE, bin_count=4), [0, 0, 1, 2, 3, 3]),
        (Number(bins=Bins.UNIFORM, bin_count=4), [0, 0, 0, 0, 0, 3]),
        (Number(bins=Bins.EDGES, edges=[2.0, 50.0]), [0, 0, 1, 1, 1, 2]),
    ],
)
def test_bins(settings, places):
    """1, 2, 3, 4, 100: quartiles 2, 3 and 4, quarters of the range 25.75 and so on; an edge opens its upper bin."""
    new = [-5, 1, 2, 3, 4, 1e9]

    result = prepare(settings, {"a": [1, 2, 3, 4, 100]}, {"a": [*new, NAN]})

    assert flat(result)[:-1] == places
    assert np.isnan(result[-1, 0])


def test_equal_quantiles_are_one_edge():
    assert flat(prepare(Number(bins=Bins.QUANTILE), {"a": [0] * 99 + [5]})) == [1] * 100
    assert flat(prepare(Number(bins=Bins.UNIFORM), {"a": [3, 3]})) == [1, 1]
    assert flat(prepare(Number(bins=Bins.UNIFORM, bin_count=2), {"a": [-1.7e308, 1.7e308]})) == [0, 1]


def test_bins_are_a_column_each_where_numbers_must_be_complete_and_null_is_one_of_them():
    settings = Number(bins=Bins.EDGES, edges=[2.0])

    result = prepare(settings, {"a": [1, 2, NAN]}, {"a": [0, 9, NAN]}, requirement=InputRequirement.COMPLETE)

    assert result.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
