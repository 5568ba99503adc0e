import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from nightjar.evaluation.ranking import mean_ndcg

ROWS = st.tuples(st.integers(0, 3), st.sampled_from([-1.0, 0.0, 0.5, 2.0]), st.integers(-2, 4))


@given(st.lists(ROWS, min_size=1, max_size=25))
def test_it_is_the_mean_over_lists_of_what_scikit_learn_gives_ties_included(rows):
    relevance, score, query = (np.array(column) for column in zip(*rows, strict=True))
    lists = [query == number for number in np.unique(query)]
    judged = [one for one in lists if one.sum() > 1 and relevance[one].any()]

    expected = np.mean([ndcg_score([relevance[one]], [score[one]]) for one in judged]) if judged else None

    assert mean_ndcg(relevance.astype(float), score, query) == (None if expected is None else pytest.approx(expected))


def test_lists_of_one_row_or_without_a_relevant_one_say_nothing_about_order():
    relevance, score = np.array([1.0, 0, 0, 2, 0]), np.array([1.0, 2, 1, 1, 0])

    assert mean_ndcg(relevance, score, np.array([0, 1, 1, 2, 2])) == 1.0
    assert mean_ndcg(relevance[:3], score[:3], np.array([0, 1, 1])) is None
