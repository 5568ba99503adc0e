"""How good an order within lists is."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def mean_ndcg(relevance: Floats, score: Floats, query: npt.NDArray[np.intp]) -> float | None:
    """Mean over lists of the normalised discounted cumulative gain of each whole list, from 0 to 1 (best).

    A row's gain is its relevance (0 or more), its discount `1 / log2(place + 1)` with places from 1; rows of equal
    score share the mean discount of their places, as in scikit-learn. A list of one row, or without a relevant one,
    has no order to judge and is left out; None if none is left.
    Source: Järvelin and Kekäläinen (2002), ACM Transactions on Information Systems 20(4), 422-446; ties: McSherry and
    Najork (2008), ECIR.

    Args:
        relevance: (rows,).
        score: (rows,), higher = earlier.
        query: the number of the list of each row, (rows,).
    """
    if not len(query):
        return None
    _, lists, sizes = np.unique(query, return_inverse=True, return_counts=True)
    discount = 1 / np.log2(np.arange(len(query)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + 2)
    by_score = np.lexsort((-score, lists))
    ordered_lists, ordered_score = lists[by_score], score[by_score]
    starts = np.r_[True, (np.diff(ordered_lists) != 0) | (np.diff(ordered_score) != 0)]
    tie = np.cumsum(starts) - 1
    shared = (np.bincount(tie, discount) / np.bincount(tie))[tie]
    gain = np.bincount(ordered_lists, relevance[by_score] * shared)
    ideal = np.lexsort((-relevance, lists))
    best = np.bincount(lists[ideal], relevance[ideal] * discount)
    judged = (sizes > 1) & (best > 0)
    return float(np.mean(gain[judged] / best[judged])) if judged.any() else None
