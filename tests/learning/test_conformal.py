"""Sets of classes are what p-values say, and lack the true class as often as declared; or they are UNKNOWN."""

import logging

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightjar.evaluation.conformal import ClassLimit, ConformalSets, fewest_rows, nonconformity, read_sets
from nightjar.learning.conformal import fit_sets, walk_forward_rows
from oracles import conformal as oracle

scores = st.lists(st.sampled_from([0.0, 0.05, 0.2, 0.25, 0.5, 0.9, 1.0]), min_size=60, max_size=90)


@given(scores, st.sampled_from([0.05, 0.1, 0.3]), st.integers(0, 2**32 - 1))
def test_a_class_is_in_a_set_exactly_if_its_p_value_is_above_the_error(drawn, error, seed):
    """For rows that are among those of the calibration, lie between them or beyond."""
    score, random = np.array(drawn), np.random.default_rng(seed)
    label = random.permutation(np.arange(len(score)) % 2)
    sets = fit_sets(score, label, (), error)
    new = np.array([0.0, 0.01, 0.05, 0.2, 0.22, 0.5, 0.7, 0.9, 1.0])
    is_in = sets.contain(new)
    for number in (0, 1):
        own = nonconformity(score)[label == number, number]
        expected = [oracle.contains(own, alpha, error) for alpha in nonconformity(new)[:, number]]
        assert is_in[:, number].tolist() == expected


def test_each_class_lacks_its_own_as_often_as_declared_however_rare_it_is():
    """Of 3% true rows a marginal set would lack most."""
    random = np.random.default_rng(1)
    label = random.random(40_000) < 0.03
    score = 1 / (1 + np.exp(3 - 2 * label - random.normal(size=len(label))))
    old, new = np.arange(20_000), np.arange(20_000, 40_000)
    is_in = fit_sets(score[old], label[old], (), 0.1).contain(score[new])
    lacks = [1 - is_in[label[new] == number, number].mean() for number in (0, 1)]
    assert lacks == pytest.approx([0.1, 0.1], abs=0.03)


@pytest.mark.parametrize(("rows", "is_known"), [(8, False), (9, True)])
def test_below_the_rows_that_an_error_needs_nothing_is_known(rows, is_known, caplog):
    score = np.linspace(0, 1, 100)
    label = np.arange(100) >= rows
    with caplog.at_level(logging.WARNING):
        sets = fit_sets(score, label, (), 0.1)
    assert (sets.unknown() is None) == is_known
    assert [one.limit is None for one in sets.classes] == [not is_known, False]
    assert ("UNKNOWN: False has 8 of 9 rows" in caplog.text) != is_known
    assert sets.contain(np.array([0.0, 1.0]))[:, 0].tolist() == [True, not is_known]


@pytest.mark.parametrize(("error", "rows"), [(0.05, 19), (1 / 49, 48), (0.3, 3), (0.07, 14)])
def test_how_many_rows_that_is(error, rows):
    assert fewest_rows(error) == rows
    assert 1 / (rows + 1) <= error + 1e-12 < 1 / rows


def test_several_classes_have_a_limit_each_and_come_back_from_the_manifest():
    random = np.random.default_rng(2)
    label = random.integers(0, 3, 600)
    probabilities = random.dirichlet([1, 1, 1], 600) * 0.5 + 0.5 * np.eye(3)[label]
    sets = fit_sets(probabilities, label, ("early", "late", "usual"), 0.2)
    assert [one.value for one in sets.classes] == ["early", "late", "usual"]
    coverage = [sets.contain(probabilities)[label == one, one].mean() for one in range(3)]
    assert coverage == pytest.approx([0.8] * 3, abs=0.02)
    stored = {"error": 0.1, "classes": [{"value": "True", "rows": 3, "limit": None}]}
    assert read_sets(stored) == ConformalSets(0.1, (ClassLimit("True", 3, None),))
    assert read_sets(None) is None


def test_rows_are_scored_by_fits_that_know_nothing_after_them():
    """Folds that are dealt at random have learned from later rows; the final period has not."""
    score = np.array([np.nan, 0.1, 0.2, 0.3, 0.4])
    assert walk_forward_rows(score, np.array([3, 4]), walks=True).tolist() == [1, 2, 3, 4]
    assert walk_forward_rows(score, np.array([3, 4]), walks=False).tolist() == [3, 4]
