"""Learning to rank from pairs of rows of one list."""

from typing import Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import LogisticRegression

from nightjar.errors import LearningError
from nightjar.evaluation.rows import RowNumbers
from nightjar.models.estimators.parameter_checks import check_ranker

Floats = npt.NDArray[np.float64]


class PairwiseRanker(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A linear score, logistic in the difference of two rows of one list: the more relevant row should score higher.

    Each row is compared with at most `opponents` others of its list, all of them if the list is that short. A pair
    weighs the product of its rows' weights.
    Source: Burges et al. (2005), Learning to rank using gradient descent, ICML, with a linear score.

    Attributes:
        C: inverse strength of the L2 penalty, against the sum over all pairs.
        opponents: of each row.
        max_iter, tol: of the solver.
        random_state: of the choice of opponents in long lists.
        coef_: of each input; there is no intercept, because only differences count.
    """

    def __init__(
        self,
        C: float = 1.0,  # noqa: N803 - scikit-learn's name for it
        opponents: int = 5,
        max_iter: int = 1000,
        tol: float = 1e-4,
        random_state: int = 0,
    ) -> None:
        self.C = C
        self.opponents = opponents
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def fit(self, inputs: Floats, y: Floats, query: RowNumbers, sample_weight: Floats | None = None) -> Self:
        """Fit. `inputs` is (rows, inputs); relevance `y`, the number of each row's list and weights are (rows,).

        Raises:
            LearningError: no list has two rows of different relevance.
            ValueError: a parameter is out of range.
        """
        check_ranker({name: getattr(self, name) for name in ("C", "max_iter", "opponents", "tol")})
        first, second = _pairs(query, self.opponents, self.random_state)
        differ = y[first] != y[second]
        first, second = first[differ], second[differ]
        if not len(first):
            raise LearningError(f"No list has two rows of different relevance: {len(y)} rows teach no order.")
        weight = None if sample_weight is None else sample_weight[first] * sample_weight[second]
        first_is_ahead = y[first] > y[second]
        first, second = np.where(first_is_ahead, first, second), np.where(first_is_ahead, second, first)
        # Every other pair is reversed, which gives two classes of one size and, without an intercept, the same fit.
        sign = np.where(np.arange(len(first)) % 2, -1.0, 1.0)
        logistic = LogisticRegression(C=self.C, fit_intercept=False, max_iter=self.max_iter, tol=self.tol)
        logistic.fit(sign[:, None] * (inputs[first] - inputs[second]), sign > 0, weight)
        self.coef_ = logistic.coef_[0]
        return self

    def predict(self, inputs: Floats) -> Floats:
        """A score for each row, higher = earlier, (rows,)."""
        return np.asarray(inputs @ self.coef_, dtype=np.float64)


def _pairs(query: RowNumbers, opponents: int, seed: int) -> tuple[RowNumbers, RowNumbers]:
    """Row numbers of pairs within lists: each row and the rows after it in its list, shuffled into a ring."""
    random = np.random.default_rng(seed)
    shuffled = random.permutation(len(query))
    _, lists, sizes = np.unique(query[shuffled], return_inverse=True, return_counts=True)
    ring = shuffled[np.argsort(lists, kind="stable")]
    size = np.repeat(sizes, sizes)
    start = np.repeat(np.cumsum(sizes) - sizes, sizes)
    place = np.arange(len(query)) - start
    firsts, seconds = [], []
    for distance in range(1, opponents + 1):
        longer = size > distance
        firsts.append(ring[longer])
        seconds.append(ring[(start + (place + distance) % size)[longer]])
    return np.concatenate(firsts), np.concatenate(seconds)
