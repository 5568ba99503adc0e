"""Kappa and what is counted for it: by hand, by definition, and as scikit-learn has it."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from nightjar.errors import LearningError
from nightjar.evaluation.agreement import (
    AgainstOthers,
    Answers,
    Pair,
    against_the_others,
    ahead,
    cohen_kappa,
    counts_by_answer,
    fleiss_kappa,
    pairs,
)
from oracles import agreement as oracle

Y, N = True, False


def answers(by_item_and_annotator):
    """Of {(item, annotator): answer}."""
    keys = np.array(list(by_item_and_annotator), dtype=np.intp).reshape(-1, 2)
    return Answers(keys[:, 0], keys[:, 1], np.array(list(by_item_and_annotator.values()), dtype=np.intp))


def test_cohen_by_hand():
    """Both say yes 20 times and no 15, they differ 5 and 10 times: observed 0.7, expected 0.5, as in the textbooks."""
    first = [Y] * 25 + [N] * 25
    second = [Y] * 20 + [N] * 5 + [Y] * 10 + [N] * 15
    assert cohen_kappa(first, second) == pytest.approx((0.7 - 0.5) / (1 - 0.5))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([Y, N, Y, N], [Y, N, Y, N], 1.0),
        ([Y, N, Y, N], [N, Y, N, Y], -1.0),
        ([Y, Y, N, N], [Y, N, Y, N], 0.0),
        ([Y, Y, Y], [Y, Y, N], 0.0),
        (["a", "b", "c"], ["a", "b", "c"], 1.0),
        ([Y, Y, Y], [Y, Y, Y], None),
        ([], [], None),
    ],
)
def test_cohen_at_its_ends(first, second, expected):
    """Chance is 0, and so is an annotator who always says the same; where both do, it is not defined."""
    assert cohen_kappa(first, second) == expected


def test_cohen_refuses_answers_about_other_items():
    with pytest.raises(LearningError, match=r"Answers of the shapes \(2,\) and \(1,\) are not about the same items"):
        cohen_kappa([Y, N], [Y])


def test_fleiss_of_his_own_example():
    """10 subjects, 14 raters, 5 categories; Fleiss, Levin and Paik print 0.378 observed, 0.213 expected, 0.210."""
    counts = [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
    assert fleiss_kappa(counts) == pytest.approx(0.210, abs=5e-4)


def test_fleiss_of_unequal_numbers_by_hand():
    """One item with 2 answers that agree (weight 1), one with 3, a third of its pairs agreeing (weight 2); 3 of 5 yes.

    Fleiss and Cuzick, for two answers: 1 - sum(x (n - x) / n) / (N (mean n - 1) p q) = 1 - (2 / 3) / (3 * 0.6 * 0.4).
    """
    observed, expected = (1 * 1 + 2 / 3) / 3, 0.6**2 + 0.4**2
    assert fleiss_kappa([[0, 2], [2, 1]]) == pytest.approx((observed - expected) / (1 - expected))
    assert fleiss_kappa([[0, 2], [2, 1]]) == pytest.approx(1 - (2 / 3) / (3 * 0.6 * 0.4))


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([[0, 3], [3, 0]], 1.0),
        ([[0, 2], [2, 0], [1, 0], [0, 0]], 1.0),
        ([[1, 1], [1, 1]], -1.0),
        ([[0, 3], [0, 3]], None),
        ([[1, 0], [0, 1]], None),
        (np.zeros((0, 2), dtype=int), None),
    ],
)
def test_fleiss_at_its_ends(counts, expected):
    """A single answer about an item plays no part; one annotator, or one answer to everything, gives no kappa."""
    assert fleiss_kappa(counts) == expected


@pytest.mark.parametrize("counts", [[1, 2], [[0.5, 1.5]], [[-1, 3]]])
def test_fleiss_refuses_what_is_no_counts(counts):
    with pytest.raises(LearningError, match="Counts of answers are whole numbers from 0 up"):
        fleiss_kappa(counts)


def test_each_two_and_each_against_the_others():
    """Of the last item 0 and 1 are each other's others; annotator 3 answered alone and is compared with nobody."""
    panel = answers({
        (0, 0): Y, (0, 1): Y, (0, 2): Y,
        (1, 0): N, (1, 1): N, (1, 2): Y,
        (2, 0): N, (2, 1): Y,
        (3, 3): Y,
    })  # fmt: skip
    assert ahead(counts_by_answer(panel)).tolist() == [1, 0, -1, 1]
    assert counts_by_answer(panel).tolist() == [[0, 3], [2, 1], [1, 1], [0, 1]]
    assert pairs(panel) == [
        Pair(0, 1, 3, 2, pytest.approx(0.4)), Pair(0, 2, 2, 1, 0.0), Pair(1, 2, 2, 1, 0.0)
    ]  # fmt: skip
    assert against_the_others(panel) == [
        AgainstOthers(0, items=2, agreed=1),
        AgainstOthers(1, items=2, agreed=1),
        AgainstOthers(2, items=2, agreed=1),
        AgainstOthers(3, items=0, agreed=0),
    ]


def test_no_answers_give_no_pairs():
    assert pairs(answers({})) == against_the_others(answers({})) == []


def test_two_answers_of_one_annotator_about_an_item_are_refused():
    with pytest.raises(LearningError, match="Annotator 7 has several answers about item 4: keep the last one"):
        Answers(np.array([4, 4]), np.array([7, 7]), np.array([Y, N]))


def test_answers_of_unequal_lengths_are_refused():
    with pytest.raises(LearningError, match=r"Items, annotators and answers are \[2, 1, 1\] rows"):
        Answers(np.array([4, 5]), np.array([7]), np.array([Y]))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), max_size=12))
def test_cohen_is_the_oracle_s_and_scikit_learn_s(both):
    first, second = [one for one, _ in both], [other for _, other in both]
    actual, expected = cohen_kappa(first, second), oracle.cohen(first, second)
    assert actual == (None if expected is None else pytest.approx(expected, abs=1e-12))
    if expected is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert actual == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)


@given(st.lists(st.lists(st.integers(0, 2), max_size=6), max_size=8))
def test_fleiss_is_the_oracle_s(items):
    counts = np.array([[answers.count(kind) for kind in range(3)] for answers in items], dtype=int).reshape(-1, 3)
    expected = oracle.fleiss(items)
    assert fleiss_kappa(counts) == (None if expected is None else pytest.approx(expected, abs=1e-12))


PANELS = st.dictionaries(st.tuples(st.integers(0, 5), st.integers(0, 4)), st.integers(0, 3), max_size=25)


@settings(max_examples=60)
@given(PANELS)
def test_pairs_and_others_are_the_oracle_s(panel):
    """Whatever the holes in who answered what."""
    actual = answers(panel)
    expected = oracle.pairs(panel)
    assert {(one.first, one.second): (one.items, one.agreed) for one in pairs(actual)} == {
        pair: (items, agreed) for pair, (items, agreed, _) in expected.items()
    }
    for one in pairs(actual):
        kappa = expected[one.first, one.second][2]
        assert one.kappa == (None if kappa is None else pytest.approx(kappa, abs=1e-12))
    assert {one.annotator: (one.items, one.agreed) for one in against_the_others(actual)} == oracle.against_the_others(
        panel
    )
