"""Metrics of lists: published examples, scikit-learn, and over every order of rows that tie."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from nightjar.errors import LearningError
from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.metric_report import Truth, figure
from nightjar.evaluation.ranking import (
    mean_average_precision,
    mean_ndcg,
    mean_reciprocal_rank,
    precision_at,
    recall_at,
)
from nightjar.evaluation.rows import NO_ROWS, Undefined
from nightjar.settings.task import Task
from oracles.metrics import of_list

ROWS = st.tuples(st.integers(0, 3), st.sampled_from([-1.0, 0.0, 0.5, 2.0]), st.integers(-2, 4))
FEW = st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 1))
WITHOUT_ORDER = "none of the {} lists has two rows or more and a relevant one among them"


def columns(rows):
    relevance, score, query = (np.array(column) for column in zip(*rows, strict=True))
    lists = [query == number for number in np.unique(query)]
    return relevance.astype(float), score, query, [one for one in lists if one.sum() > 1 and relevance[one].any()]


@given(st.lists(ROWS, min_size=1, max_size=25))
def test_ndcg_is_the_mean_over_lists_of_what_scikit_learn_gives_ties_included(rows):
    relevance, score, query, judged = columns(rows)
    result = mean_ndcg(relevance, score, query)
    if not judged:
        assert result == Undefined(WITHOUT_ORDER.format(len(set(query))))
        return
    assert result == pytest.approx(np.mean([ndcg_score([relevance[one]], [score[one]]) for one in judged]))


@settings(deadline=None)
@given(st.lists(FEW, min_size=1, max_size=9), st.integers(1, 4))
def test_ties_count_as_the_mean_over_every_order_of_them(rows, k):
    relevance, score, query, judged = columns(rows)
    figures = (
        precision_at(relevance, score, query, k=k),
        recall_at(relevance, score, query, k=k),
        mean_average_precision(relevance, score, query),
        mean_reciprocal_rank(relevance, score, query),
    )
    if not judged:
        assert set(figures) == {Undefined(WITHOUT_ORDER.format(len(set(query))))}
        return
    expected = np.mean([of_list(relevance[one], score[one], k) for one in judged], axis=0)
    assert figures == pytest.approx(tuple(expected))


def test_the_two_queries_of_croft_metzler_and_strohman():
    """Search engines (2010), section 8.4.2: relevant at places 1, 3, 6, 9, 10 and at 2, 5, 7 of 10; MAP is 0.53."""
    place, query = np.tile(np.arange(10), 2), np.repeat([0, 1], 10)
    relevance = np.r_[np.isin(np.arange(10), [0, 2, 5, 8, 9]), np.isin(np.arange(10), [1, 4, 6])].astype(float)
    assert mean_average_precision(relevance, -place, query) == pytest.approx(0.53, abs=5e-3)
    assert precision_at(relevance, -place, query, k=5) == 0.4
    assert recall_at(relevance, -place, query, k=5) == pytest.approx((2 / 5 + 2 / 3) / 2)
    assert mean_reciprocal_rank(relevance, -place, query) == 0.75


def test_graded_relevance_counts_only_where_it_is_a_gain():
    """Grades 3, 2, 3, 0, 1, 2 in the order of Järvelin and Kekäläinen's measure: 6.861 of 7.141."""
    relevance, score, query = np.array([3.0, 2, 3, 0, 1, 2]), -np.arange(6.0), np.zeros(6, int)
    assert mean_ndcg(relevance, score, query) == pytest.approx(6.861 / 7.141, abs=1e-3)
    assert mean_average_precision(relevance, score, query) == pytest.approx((3 + 4 / 5 + 5 / 6) / 5)


def test_a_long_tie_is_counted_in_one_go():
    """Of 3000 rows that tie one is relevant: it is anywhere, and its reciprocal place is the mean of all."""
    relevance, query = (np.arange(3000) == 7).astype(float), np.zeros(3000, int)
    expected = np.mean(1 / np.arange(1, 3001))
    for measure in (mean_reciprocal_rank, mean_average_precision):
        assert measure(relevance, np.ones(3000), query) == pytest.approx(expected)


def test_lists_of_one_row_or_without_a_relevant_one_say_nothing_about_order():
    relevance, score = np.array([1.0, 0, 0, 2, 0]), np.array([1.0, 2, 1, 1, 0])

    assert mean_ndcg(relevance, score, np.array([0, 1, 1, 2, 2])) == 1.0
    assert mean_ndcg(relevance[:3], score[:3], np.array([0, 1, 1])) == Undefined(WITHOUT_ORDER.format(2))
    assert precision_at(relevance[:0], score[:0], np.array([], int), k=1) == NO_ROWS


def test_a_figure_is_over_lists():
    truth = Truth(
        Task.RANKING, np.tile([0.0, 1, 0], 6), Clusters(np.arange(18), np.arange(18) // 3), np.arange(18) // 3
    )
    score = np.tile([0.9, 0.5, 0.1, 0.1, 0.9, 0.5], 3)
    result = figure(recall_at, truth, score, k=1)
    assert (result.estimate, result.rows) == (0.5, 6)
    assert 0 < result.low < 0.5 < result.high < 1


@pytest.mark.parametrize("strange", [-1.0, np.nan])
def test_a_relevance_that_is_none_is_refused(strange):
    for measure in (mean_ndcg, mean_average_precision, mean_reciprocal_rank):
        with pytest.raises(LearningError, match=rf"relevance holds {strange} in 1 of 2 rows: expected 0 or more"):
            measure(np.array([1.0, strange]), np.array([1.0, 2]), np.zeros(2, int))


def test_no_places_are_refused():
    for measure in (precision_at, recall_at):
        with pytest.raises(LearningError, match="k is 0: expected a number of places, 1 or more"):
            measure(np.array([1.0, 0]), np.array([1.0, 2]), np.zeros(2, int), k=0)
