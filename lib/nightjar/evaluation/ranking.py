"""Metrics of an order within lists."""

import numpy as np
import numpy.typing as npt

from nightjar.evaluation.rows import Floats, check_weight, mean


def mean_ndcg(
    relevance: Floats, score: Floats, query: npt.NDArray[np.intp], weight: npt.ArrayLike | None = None
) -> float | None:
    """Mean over lists of the normalised discounted cumulative gain of each whole list, from 0 to 1 (best).

    A row's gain is its relevance (0 or more), its discount `1 / log2(place + 1)` with places from 1; rows of equal
    score share the mean discount of their places, as in scikit-learn. Lists of one row, or without a relevant row,
    are left out; None if none remains.
    Source: Järvelin and Kekäläinen (2002), ACM Transactions on Information Systems 20(4), 422-446; ties: McSherry and
    Najork (2008), ECIR.

    Args:
        relevance: (rows,).
        score: (rows,), higher = earlier.
        query: the number of the list of each row, (rows,).
        weight: how many rows each one stands for, (rows,), see `rows`. A list counts by `weight_of_list`.

    Raises:
        LearningError: see `rows.check_weight`.

    Example:
        Of two lists the first has its relevant row in second place, the other in first place.

        >>> relevance, score = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.9, 0.5, 0.2, 0.7])
        >>> round(mean_ndcg(relevance, score, query=np.array([0, 0, 1, 1])), 4)
        0.8155
    """
    weight_of_row = weight_of_list(query, weight)
    if not len(query):
        return None
    _, first, lists, sizes = np.unique(query, return_index=True, return_inverse=True, return_counts=True)
    discount = 1 / np.log2(np.arange(len(query)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + 2)
    by_score = np.lexsort((-score, lists))
    ordered_lists, ordered_score = lists[by_score], score[by_score]
    starts = np.r_[True, (np.diff(ordered_lists) != 0) | (np.diff(ordered_score) != 0)]
    tie = np.cumsum(starts) - 1
    mean_discount = (np.bincount(tie, discount) / np.bincount(tie))[tie]
    gain = np.bincount(ordered_lists, relevance[by_score] * mean_discount)
    ideal = np.lexsort((-relevance, lists))
    best = np.bincount(lists[ideal], relevance[ideal] * discount)
    list_weight = None if weight_of_row is None else weight_of_row[first]
    has_order = (sizes > 1) & (best > 0) & (True if list_weight is None else list_weight > 0)
    return mean(gain[has_order] / best[has_order], None if list_weight is None else list_weight[has_order])


def weight_of_list(query: npt.NDArray[np.intp], weight: npt.ArrayLike | None) -> Floats | None:
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
