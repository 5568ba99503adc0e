"""Thresholds: the cheapest of all, by trying each one; classes: the cheapest of all, in fractions."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightjar.errors import LearningError
from nightjar.evaluation.decisions import cheapest_threshold, choose_classes, row_costs

ROWS = st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.9, 1.0])), min_size=1, max_size=12)


def costs(label, score, threshold, *, missed, false_alarm):
    return row_costs(label, np.array(score) >= threshold, [[0, false_alarm], [missed, 0]])


def test_rows_from_the_threshold_on_are_acted_on():
    """Missing a true row costs 5, acting on a false one 1: from 0.2 on, one of each is acted on wrongly or missed."""
    label, score = [True, False, True, False], [0.9, 0.4, 0.2, 0.1]
    assert cheapest_threshold(label, score, missed=5, false_alarm=1) == 0.2
    assert costs(label, score, 0.2, missed=5, false_alarm=1).tolist() == [0, 1, 0, 0]
    assert costs(label, score, 0.3, missed=5, false_alarm=1).tolist() == [0, 1, 5, 0]
    assert cheapest_threshold(label, score, missed=1, false_alarm=5) == 0.9


def test_where_nothing_is_worth_an_alarm_the_threshold_is_above_every_score():
    threshold = cheapest_threshold([False, True, False], [0.7, 0.6, 0.7], missed=1, false_alarm=9)
    assert threshold == np.nextafter(1, 2)
    assert costs([True], [1.0], threshold, missed=1, false_alarm=9).tolist() == [1]


@given(rows=ROWS, missed=st.integers(1, 9), false_alarm=st.integers(1, 9))
def test_no_threshold_is_cheaper_and_none_as_cheap_is_greater(rows, missed, false_alarm):
    """The oracle: every threshold that parts the rows in another way, in whole numbers."""
    label, score = [one for one, _ in rows], [value for _, value in rows]
    options = [*sorted(set(score)), np.nextafter(1, 2)]
    sums = {
        option: sum((not y) * false_alarm if value >= option else y * missed for y, value in rows) for option in options
    }
    result = cheapest_threshold(label, score, missed=missed, false_alarm=false_alarm)
    assert result == max(option for option in options if sums[option] == min(sums.values()))
    assert costs(label, score, result, missed=missed, false_alarm=false_alarm).sum() == sums[result]


def test_a_row_counts_for_as_many_as_it_stands_for():
    """The false one stands for nine: its alarms would cost more than the true one that is missed."""
    label, score = [True, False, True], [0.9, 0.5, 0.4]
    assert cheapest_threshold(label, score, missed=5, false_alarm=1) == 0.4
    assert cheapest_threshold(label, score, missed=5, false_alarm=1, weight=np.array([1.0, 9.0, 1.0])) == 0.9


@pytest.mark.parametrize(("label", "score"), [([True], [np.nan]), ([True, False], [0.5])])
def test_rows_that_cannot_be_judged_are_refused(label, score):
    with pytest.raises(LearningError):
        cheapest_threshold(label, score, missed=1, false_alarm=1)


def test_no_rows_have_no_threshold():
    with pytest.raises(LearningError, match="no rows"):
        cheapest_threshold([], [], missed=1, false_alarm=1)


def test_a_cost_may_be_an_amount_of_the_row_or_a_gain_and_there_may_be_several_classes():
    """Of three classes: taking the last one for the first costs what the row is worth, keeping it earns a tenth."""
    worth = [10.0, 20.0, 30.0, 40.0]
    matrix = [[0, 1, 2], [1, 0, 1], [worth, 3, [-one / 10 for one in worth]]]
    assert row_costs([0, 1, 2, 2], [1, 1, 0, 2], matrix).tolist() == [1, 0, 30, -4]


@pytest.mark.parametrize(
    ("matrix", "says"),
    [
        ([[0, 1]], r"costs has 1 rows of 2 costs: expected a square, costs\[class\]\[decision\], of 2 classes"),
        ([[0, 1], [5]], "costs has 2 rows of 2, 1 costs"),
        ([[0]], "of 2 classes or more"),
        ([[0, 1], [[5, 6, 7], 0]], r"costs\[1\]\[0\] has 3 amounts beside 2 rows"),
        ([[0, 1], [[5, np.nan], 0]], r"costs\[1\]\[0\] holds nan in 1 of 2 rows: a cost is a finite number"),
        ([[0, "much"], [5, 0]], r"costs\[0\]\[1\] must be numbers"),
    ],
)
def test_a_matrix_of_costs_of_the_wrong_shape_is_refused(matrix, says):
    with pytest.raises(LearningError, match=says):
        row_costs([True, False], [False, True], matrix)


@given(data=st.data(), classes=st.integers(2, 5))
def test_the_class_of_the_least_expected_cost_is_chosen_and_of_equals_the_first(data, classes):
    """The oracle: expected costs in fractions, so that equal ones are equal."""
    parts = st.lists(st.integers(0, 4), min_size=classes, max_size=classes).filter(any)
    rows = data.draw(st.lists(parts, min_size=1, max_size=6))
    costs = [
        [0 if actual == one else data.draw(st.integers(0, 9)) for one in range(classes)] for actual in range(classes)
    ]
    probabilities = np.array([np.array(row) / sum(row) for row in rows])
    for row, chosen in zip(rows, choose_classes(probabilities, costs), strict=True):
        expected = [
            sum(Fraction(part, sum(row)) * costs[k][one] for k, part in enumerate(row)) for one in range(classes)
        ]
        assert chosen == expected.index(min(expected))


def test_without_costs_of_its_own_the_most_probable_class_is_chosen():
    assert choose_classes(np.array([[0.2, 0.5, 0.3], [0.4, 0.2, 0.4]]), [[0, 1, 1], [1, 0, 1], [1, 1, 0]]).tolist() == [
        1,
        0,
    ]
    assert choose_classes(np.empty((0, 3)), [[0, 1, 1], [1, 0, 1], [1, 1, 0]]).tolist() == []


@pytest.mark.parametrize("costs", [[[0, 1], [1, 0]], [[0, 1, 1], [1, 0, 1]], [[0, 1, 1], [1, 0], [1, 1, 0]]])
def test_costs_of_other_classes_are_refused(costs):
    with pytest.raises(LearningError, match="expected finite numbers, 3 by 3"):
        choose_classes(np.ones((1, 3)) / 3, costs)
