import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rows import FEATURES, examples
from nightjar.errors import LearningError
from nightjar.evaluation.metrics import measures
from nightjar.models.estimators.pairwise_ranking import PairwiseRanker, _pairs
from nightjar.models.fitting import fit
from nightjar.settings.model import Estimator, Model
from nightjar.settings.task import Task


def lists(count, size, seed=0):
    """The first input drives relevance; the second one is another level for each list, and far greater."""
    random = np.random.default_rng(seed)
    query = np.repeat(np.arange(count), size)
    signal = random.normal(size=count * size)
    inputs = np.column_stack([signal, 100.0 * query])
    return inputs, (signal + random.normal(0, 0.3, len(signal)) > 0.5).astype(float), query


def test_only_the_order_within_lists_is_learned():
    """A regression on relevance would look at levels between lists; pairs do not."""
    inputs, relevance, query = lists(50, 8)
    ranker = PairwiseRanker().fit(inputs, relevance, query)

    assert ranker.coef_[0] > 1
    assert abs(ranker.coef_[1]) < 1e-6


def test_ranking_by_pairs_beats_a_random_order():
    rows, later = examples(Task.RANKING, rows=1200), examples(Task.RANKING, seed=1)
    predictor = fit(Model(Estimator.LOGISTIC), rows, features=FEATURES, task=Task.RANKING, seed=0)

    result = measures(Task.RANKING, later.label, predictor.predict(later.table), later.query)["ndcg"]
    by_chance = measures(Task.RANKING, later.label, np.random.default_rng(0).random(600), later.query)["ndcg"]

    assert result > by_chance + 0.1


@given(
    query=st.lists(st.integers(0, 3), min_size=1, max_size=12), opponents=st.integers(1, 12), seed=st.integers(0, 99)
)
def test_pairs_are_different_rows_of_one_list_and_all_of_them_if_it_is_short(query, opponents, seed):
    query = np.array(query)
    result = list(zip(*_pairs(query, opponents, seed), strict=True))

    assert all(first != second and query[first] == query[second] for first, second in result)
    assert len(set(result)) == len(result)
    for number in set(query.tolist()):
        rows = np.flatnonzero(query == number)
        each = [second for first, second in result if first == rows[0]]
        assert len(each) == min(opponents, len(rows) - 1)


def test_weights_count_pairs_up():
    """Half of the lists say the opposite; those that weigh more win."""
    inputs, relevance, query = lists(40, 6)
    turned = np.where(query % 2, 1 - relevance, relevance)

    first, second = (
        PairwiseRanker().fit(inputs, turned, query, np.where(query % 2 == side, 5.0, 1.0)).coef_[0] for side in (0, 1)
    )

    assert first > 0 > second


def test_lists_without_different_relevances_teach_no_order():
    with pytest.raises(LearningError, match="No list has two rows of different relevance: 4 rows"):
        PairwiseRanker().fit(np.zeros((4, 1)), np.array([0.0, 0, 1, 1]), np.array([0, 0, 1, 1]))


def test_parameters_out_of_range_are_refused():
    inputs, relevance, query = lists(2, 4)
    for parameters in ({"opponents": 0}, {"C": -1.0}, {"opponents": 1.5}):
        with pytest.raises(ValueError, match=next(iter(parameters))):
            PairwiseRanker(**parameters).fit(inputs, relevance, query)
