import numpy as np
import pytest

from nightjar.models.estimators.rate import ColumnRate


def test_rates_are_shrunk_toward_the_overall_rate():
    values = np.array([[1.0], [1.0], [1.0], [2.0], [np.nan], [np.nan]])
    late = np.array([True, True, True, False, False, False])  # overall 1/2

    rate = ColumnRate(pseudo_count=2).fit(values, late)

    expected = {1.0: (3 + 1) / (3 + 2), 2.0: (0 + 1) / (1 + 2), 3.0: 0.5, 0.5: 0.5, np.nan: 0.5}
    assert rate.predict(np.array([list(expected)]).T).tolist() == list(expected.values())


def test_without_any_value_everyone_gets_the_overall_rate():
    rate = ColumnRate().fit(np.full((4, 1), np.nan), np.array([True, False, False, False]))

    assert rate.predict(np.array([[1.0], [np.nan]])).tolist() == [0.25, 0.25]


def test_amounts_have_means_and_a_weight_is_so_many_rows():
    values, amounts = np.array([[1.0], [1.0], [2.0]]), np.array([10.0, 20.0, 0.0])

    rate = ColumnRate(pseudo_count=1).fit(values, amounts, np.array([1.0, 2.0, 2.0]))  # overall 50 / 5

    assert rate.predict(values).tolist() == [(50 + 10) / 4, (50 + 10) / 4, (0 + 10) / 3]


def test_rows_without_weight_leave_the_overall_rate():
    rate = ColumnRate(pseudo_count=0).fit(np.array([[1.0], [2.0]]), np.array([True, False]), np.array([1.0, 0.0]))

    assert rate.predict(np.array([[1.0], [2.0]])).tolist() == [1.0, 1.0]


def test_only_one_column_and_no_negative_pseudo_count():
    with pytest.raises(ValueError, match=r"shape \(2, 2\)"):
        ColumnRate().fit(np.zeros((2, 2)), np.array([True, False]))
    with pytest.raises(ValueError, match="pseudo_count is -1"):
        ColumnRate(pseudo_count=-1).fit(np.zeros((2, 1)), np.array([True, False]))
