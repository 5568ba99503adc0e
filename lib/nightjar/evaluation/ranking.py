"""Metrics of an order within lists, each the mean over lists.

`relevance` holds a number of 0 or more for each row, `score` its predicted score (higher = earlier), `query` the number
of its list, all (rows,). Where a measure asks whether a row is relevant, it is if its relevance is above 0. `k` counts
places from the first. `weight` says how many rows each one stands for, see `rows`; a list counts by `weight_of_list`.

Rows of equal score are in no order: each measure is its mean over all orders of them. Lists of one row, or without a
relevant row, say nothing about an order and are left out by every measure, so that all are over the same lists; where
none remains, a measure is undefined.
Source of the means over ties: McSherry and Najork (2008), Computing information retrieval performance measures
efficiently in the presence of tied scores, ECIR.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from nightjar.errors import LearningError
from nightjar.evaluation.rows import NO_ROWS, Floats, RowNumbers, Undefined, Value, check_weight, mean


@dataclass(frozen=True, eq=False)
class Lists:
    """The rows sorted by list and descending score, with the places that their ties take.

    Attributes:
        relevance: of each row.
        number: of the list of each row, from 0 in the order of `query`.
        tie: the number of each row's tie: rows of one list and score.
        place: each row's place in its list, from 0; those of a tie in any order.
        size: the number of rows of each list.
        first: the number of each list's first row, as the caller numbers rows.
    """

    relevance: Floats
    number: RowNumbers
    tie: RowNumbers
    place: RowNumbers
    size: RowNumbers
    first: RowNumbers

    @cached_property
    def is_relevant(self) -> Floats:
        """1 for each relevant row, else 0."""
        return (self.relevance > 0).astype(np.float64)

    @cached_property
    def relevant(self) -> Floats:
        """The number of relevant rows of each list."""
        return self.sums(self.is_relevant)

    @cached_property
    def has_order(self) -> npt.NDArray[np.bool_]:
        """Whether each list has two rows or more, and a relevant one."""
        return (self.size > 1) & (self.relevant > 0)

    def sums(self, values: Floats) -> Floats:
        """The sum over each list's rows."""
        return np.asarray(np.bincount(self.number, values, len(self.size)), np.float64)

    def means_of_ties(self, values: Floats) -> Floats:
        """For each row the mean over the rows of its tie."""
        means: Floats = (np.bincount(self.tie, values) / np.bincount(self.tie))[self.tie]
        return means


OfLists = Callable[[Lists], Floats]
"""A measure of each list that has an order; of the others any number."""


def mean_ndcg(relevance: Floats, score: Floats, query: RowNumbers, weight: npt.ArrayLike | None = None) -> Value:
    """Mean over lists of the normalised discounted cumulative gain of each whole list, from 0 to 1 (best).

    A row's gain is its relevance, its discount `1 / log2(place + 1)` with places from 1.
    Source: Järvelin and Kekäläinen (2002), ACM Transactions on Information Systems 20(4), 422-446.

    Raises:
        LearningError: see `in_lists` and `rows.check_weight`.

    Example:
        Of two lists the first has its relevant row in second place, the other in first place.

        >>> relevance, score = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.9, 0.5, 0.2, 0.7])
        >>> round(mean_ndcg(relevance, score, query=np.array([0, 0, 1, 1])), 4)
        0.8155
    """
    return _mean(ndcg_of_lists, relevance, score, query, weight)


def precision_at(
    relevance: Floats, score: Floats, query: RowNumbers, weight: npt.ArrayLike | None = None, *, k: int
) -> Value:
    """Mean over lists of the share of relevant rows in the first k places; places beyond a short list have none.

    Source: Buckley and Voorhees (2005), Retrieval system evaluation, in: TREC, experiment and evaluation in information
    retrieval, chapter 3; so are `recall_at` and `mean_average_precision`, as in NIST's trec_eval.

    Raises:
        LearningError: see `in_lists` and `rows.check_weight`; also a k below 1.

    Example:
        >>> relevance, score = np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.9, 0.5, 0.4, 0.3])
        >>> precision_at(relevance, score, query=np.zeros(4, int), k=2)
        0.5
    """
    return _mean(partial(precision_of_lists, k=k), relevance, score, query, weight)


def recall_at(
    relevance: Floats, score: Floats, query: RowNumbers, weight: npt.ArrayLike | None = None, *, k: int
) -> Value:
    """Mean over lists of the share of their relevant rows that is in the first k places.

    Raises:
        LearningError: as `precision_at`.

    Example:
        >>> relevance, score = np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.9, 0.5, 0.4, 0.3])
        >>> recall_at(relevance, score, query=np.zeros(4, int), k=3)
        1.0
    """
    return _mean(partial(recall_of_lists, k=k), relevance, score, query, weight)


def mean_average_precision(
    relevance: Floats, score: Floats, query: RowNumbers, weight: npt.ArrayLike | None = None
) -> Value:
    """MAP: the mean over lists of the mean, over their relevant rows, of the precision down to the row's place.

    Raises:
        LearningError: see `in_lists` and `rows.check_weight`.

    Example:
        Relevant are the second and the third: (1/2 + 2/3) / 2.

        >>> relevance, score = np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.9, 0.5, 0.4, 0.3])
        >>> round(mean_average_precision(relevance, score, query=np.zeros(4, int)), 4)
        0.5833
    """
    return _mean(average_precision_of_lists, relevance, score, query, weight)


def mean_reciprocal_rank(
    relevance: Floats, score: Floats, query: RowNumbers, weight: npt.ArrayLike | None = None
) -> Value:
    """MRR: the mean over lists of 1 / the place of the first relevant row, places counted from 1.

    Source: Voorhees (1999), The TREC-8 question answering track report, TREC-8, 77-82.

    Raises:
        LearningError: see `in_lists` and `rows.check_weight`.

    Example:
        >>> relevance, score = np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.9, 0.5, 0.4, 0.3])
        >>> mean_reciprocal_rank(relevance, score, query=np.zeros(4, int))
        0.5
    """
    return _mean(reciprocal_rank_of_lists, relevance, score, query, weight)


def ndcg_of_lists(lists: Lists) -> Floats:
    """The measure of each list that has an order, as in the following functions."""
    gain = lists.sums(lists.relevance * lists.means_of_ties(_discount(lists.place)))
    ideal = np.lexsort((-lists.relevance, lists.number))
    best = lists.sums(lists.relevance[ideal] * _discount(lists.place))
    return np.divide(gain, best, out=gain, where=best > 0)


def precision_of_lists(lists: Lists, *, k: int) -> Floats:
    return _relevant_until(lists, k) / k


def recall_of_lists(lists: Lists, *, k: int) -> Floats:
    return _relevant_until(lists, k) / np.maximum(lists.relevant, 1)


def average_precision_of_lists(lists: Lists) -> Floats:
    """In a tie of c rows, r of them relevant, a place has a relevant row with the chance r / c; each place of the tie
    above it then has one with the chance (r - 1) / (c - 1).
    """
    size, relevant, before, above = _ties(lists)
    within = lists.place - before
    others = np.divide(relevant - 1, size - 1, out=np.zeros(len(size)), where=size > 1)
    precision = (above + 1 + within * others) / (lists.place + 1)
    return lists.sums(relevant / size * precision) / np.maximum(lists.relevant, 1)


def reciprocal_rank_of_lists(lists: Lists) -> Floats:
    """In a tie of c rows, r of them relevant, the first of them is i-th with the chance C(c - i, r - 1) / C(c, r)."""
    size, relevant, before, above = _ties(lists)
    own = lists.place - before + 1
    is_possible = (above == 0) & (relevant > 0) & (own <= size - relevant + 1)
    size, relevant, own = (np.where(is_possible, values, 1.0) for values in (size, relevant, own))
    chance = np.exp(_log_binomial(size - own, relevant - 1) - _log_binomial(size, relevant))
    return lists.sums(is_possible * chance / (lists.place + 1))


def in_lists(relevance: Floats, score: Floats, query: RowNumbers) -> Lists:
    """The rows in their lists.

    Raises:
        LearningError: a relevance below 0, or NaN.
    """
    strange = relevance[~(relevance >= 0)]
    if len(strange):
        raise LearningError(
            f"relevance holds {strange[0]} in {len(strange)} of {len(relevance)} rows: expected 0 or more."
        )
    _, first, number, size = np.unique(query, return_index=True, return_inverse=True, return_counts=True)
    order = np.lexsort((-score, number))
    starts = np.diff(number[order], prepend=-1) != 0
    starts[1:] |= np.diff(score[order]) != 0
    place = np.arange(len(query)) - np.repeat(np.cumsum(size) - size, size)
    return Lists(relevance[order], number[order], np.cumsum(starts) - 1, place, size, first)


def weight_of_list(query: RowNumbers, weight: npt.ArrayLike | None) -> Floats | None:
    """For each row the weight of its list: the mean of its rows', which are alike where lists are sampled whole.

    Raises:
        LearningError: see `rows.check_weight`.
    """
    weights = check_weight(weight, len(query))
    if weights is None:
        return None
    _, lists = np.unique(query, return_inverse=True)
    of_list: Floats = np.bincount(lists, weights) / np.bincount(lists)
    return of_list[lists]


def _mean(measure: OfLists, relevance: Floats, score: Floats, query: RowNumbers, weight: npt.ArrayLike | None) -> Value:
    weight_of_row = weight_of_list(query, weight)
    if not len(query):
        return NO_ROWS
    lists = in_lists(relevance, score, query)
    list_weight = None if weight_of_row is None else weight_of_row[lists.first]
    chosen = lists.has_order if list_weight is None else lists.has_order & (list_weight > 0)
    if not chosen.any():
        return without_order(len(lists.size))
    return mean(measure(lists)[chosen], None if list_weight is None else list_weight[chosen])


def without_order(lists: int) -> Undefined:
    """Why no list can be judged."""
    return Undefined(f"none of the {lists:,} lists has two rows or more and a relevant one among them")


def _discount(place: RowNumbers) -> Floats:
    discount: Floats = 1 / np.log2(place + 2)
    return discount


def _relevant_until(lists: Lists, k: int) -> Floats:
    if k < 1:
        raise LearningError(f"k is {k}: expected a number of places, 1 or more.")
    return lists.sums(lists.is_relevant * lists.means_of_ties((lists.place < k).astype(np.float64)))


def _ties(lists: Lists) -> tuple[Floats, Floats, Floats, Floats]:
    """For each row: the rows of its tie, the relevant ones of them, and both for the ties above in its list."""
    size, relevant = np.bincount(lists.tie), np.bincount(lists.tie, lists.is_relevant)
    first = np.flatnonzero(np.diff(lists.tie, prepend=-1))
    before = lists.place[first]
    list_of_tie = lists.number[first]
    until = np.cumsum(relevant) - relevant
    above = until - until[np.searchsorted(list_of_tie, list_of_tie)]
    return tuple(values[lists.tie].astype(np.float64) for values in (size, relevant, before, above))  # type: ignore[return-value]


def _log_binomial(n: Floats, k: Floats) -> Floats:
    logarithm: Floats = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return logarithm
