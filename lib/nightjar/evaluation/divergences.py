"""More distances between count vectors of the same `histograms.Bins`, each with its formula, its base and empty bins.

With e and a for the shares of rows in each bin, nulls being a bin like any other. They say how great a change is, not
whether it is one: for that see `nulls`. PSI, Kolmogorov-Smirnov and chi-squared stand in `distances`.
What ends in `_of` takes shares, or stacks of them along the last axis; the others take counts, and are None where a
side has no rows.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from scipy.special import xlogy

from nightjar.errors import LearningError
from nightjar.evaluation.distances import check_counts
from nightjar.evaluation.histograms import Bins
from nightjar.evaluation.rows import Floats

_PSEUDOCOUNT = 0.5


def jensen_shannon(expected: npt.ArrayLike, actual: npt.ArrayLike) -> float | None:
    """The Jensen-Shannon distance, 0 to 1: the root of the divergence in bits, sum(e log2(e/m) + a log2(a/m)) / 2 with
    m = (e + a) / 2.

    A bin that is empty on one side adds half of the other's share; one empty on both adds nothing. No smoothing. For
    small changes it is about the root of sum((a - e)**2 / m) / (8 ln 2), in proportion to the size of the change.

    Source: Lin (1991), Divergence measures based on the Shannon entropy, IEEE Transactions on Information Theory 37(1),
    145-151; Endres and Schindelin (2003), A new metric for probability distributions, ibid. 49(7), 1858-1860, that its
    root is a distance. `scipy.spatial.distance.jensenshannon(e, a, base=2)` is the same.

    Raises:
        LearningError: vectors of different bins, negative or fractional counts.

    Example:
        Nothing in common, and half of the rows moved to a new level.

        >>> jensen_shannon([0, 10, 0], [0, 0, 10]), round(jensen_shannon([0, 10, 0], [0, 5, 5]), 3)
        (1.0, 0.558)
    """
    return _compare(jensen_shannon_of, expected, actual)


def jensen_shannon_of(expected: Floats, actual: Floats) -> Floats:
    """See `jensen_shannon`."""
    middle = (expected + actual) / 2
    # Of entropies: terms of e log(e / m) cancel badly where both shares are nearly alike, so that it is clipped at 0.
    bits = (xlogy(expected, expected) + xlogy(actual, actual)).sum(axis=-1) / 2 - xlogy(middle, middle).sum(axis=-1)
    return np.asarray(np.sqrt(np.clip(bits / np.log(2), 0, 1)), np.float64)


def kullback_leibler(expected: npt.ArrayLike, actual: npt.ArrayLike) -> float | None:
    """How surprised somebody is by the actual rows who expects the others: sum(a ln(a / e)), in nats, at least 0.

    Bins empty on both sides are dropped, then half a row is added to each bin on both sides, as for `distances.psi`:
    it is finite, and for a bin that is expected empty depends on how many rows are expected in all. It is half of PSI,
    about, where changes are small.

    Source: Kullback and Leibler (1951), On information and sufficiency, Annals of Mathematical Statistics 22(1), 79-86;
    `scipy.stats.entropy(a, e)` of the shares after smoothing.

    Raises:
        LearningError: vectors of different bins, negative or fractional counts.

    Example:
        >>> round(kullback_leibler([0, 5000, 5000], [0, 2000, 8000]), 3)
        0.193
    """
    e, a = check_counts(expected, actual)
    if not e.sum() or not a.sum():
        return None
    in_use = (e + a) > 0
    e, a = (side[in_use] + _PSEUDOCOUNT for side in (e, a))
    return float(max(0.0, (a / a.sum() * np.log(a / a.sum() / (e / e.sum()))).sum()))


def hellinger(expected: npt.ArrayLike, actual: npt.ArrayLike) -> float | None:
    """The Hellinger distance, 0 to 1: the root of sum((sqrt(a) - sqrt(e))**2) / 2. Empty bins need nothing.

    Source: Le Cam and Yang (2000), Asymptotics in Statistics, 2nd ed., Springer, section 3.1, whose affinity is one
    minus its square.

    Raises:
        LearningError: vectors of different bins, negative or fractional counts.

    Example:
        >>> round(hellinger([0, 10, 0], [0, 5, 5]), 3)
        0.541
    """
    return _compare(hellinger_of, expected, actual)


def hellinger_of(expected: Floats, actual: Floats) -> Floats:
    """See `hellinger`."""
    squared = ((np.sqrt(actual) - np.sqrt(expected)) ** 2).sum(axis=-1) / 2
    return np.asarray(np.sqrt(np.clip(squared, 0, 1)), np.float64)


def total_variation(expected: npt.ArrayLike, actual: npt.ArrayLike) -> float | None:
    """The share of rows that would have to move to another bin: sum(abs(a - e)) / 2, 0 to 1. Empty bins need nothing.

    Source: Levin and Peres (2017), Markov Chains and Mixing Times, 2nd ed., proposition 4.2.

    Raises:
        LearningError: vectors of different bins, negative or fractional counts.

    Example:
        >>> total_variation([0, 10, 0], [0, 5, 5])
        0.5
    """
    return _compare(total_variation_of, expected, actual)


def total_variation_of(expected: Floats, actual: Floats) -> Floats:
    """See `total_variation`."""
    return np.asarray(np.abs(actual - expected).sum(axis=-1) / 2, np.float64)


def l_infinity(expected: npt.ArrayLike, actual: npt.ArrayLike) -> float | None:
    """The greatest change of a single bin's share: max(abs(a - e)), 0 to 1. Empty bins need nothing.

    Raises:
        LearningError: vectors of different bins, negative or fractional counts.

    Example:
        >>> l_infinity([0, 10, 0, 0], [0, 6, 3, 1])
        0.4
    """
    return _compare(lambda e, a: np.abs(a - e).max(axis=-1), expected, actual)


def wasserstein(bins: Bins, expected: npt.ArrayLike, actual: npt.ArrayLike) -> float | None:
    """How far values moved on average, in standard deviations of what is expected: the area between both cumulative
    distributions, over that deviation. Numeric bins only; nulls are left out.

    Values lie evenly within their bin; those below all edges at the first edge, those above all at the last: what moves
    out there counts up to the edge, so it is a lower bound then. Empty bins need nothing. None where a side has no
    values, or the expected ones lie at a single edge.

    Source: Vallender (1974), Calculation of the Wasserstein distance between probability distributions on the line,
    Theory of Probability and its Applications 18(4), 784-786: the distance of order 1 is that area.

    Raises:
        LearningError: vectors of other bins, negative or fractional counts, or bins of levels.

    Example:
        All values move by one of four bins; evenly over four bins of width 1 they deviate by sqrt(16 / 12).

        >>> bins = Bins("numeric", edges=(0.0, 1.0, 2.0, 3.0, 4.0, 5.0))
        >>> round(wasserstein(bins, [0, 0, 5, 5, 5, 5, 0, 0], [0, 0, 0, 5, 5, 5, 5, 0]), 4), round((12 / 16) ** 0.5, 4)
        (0.866, 0.866)
    """
    e, a = (side[1:] for side in check_counts(expected, actual))
    if bins.kind != "numeric" or len(e) != bins.size - 1:
        raise LearningError(
            f"Counts of {len(e) + 1} bins are not of {bins.size} {bins.kind} bins: expected numeric ones."
        )
    if not e.sum() or not a.sum() or not bins.edges:
        return None
    e, a = e / e.sum(), a / a.sum()
    spread = _deviation(bins, e)
    return _area_between(bins, e, a) / spread if spread else None


def _deviation(bins: Bins, share: Floats) -> float:
    edges = np.array(bins.edges)
    low, high = np.append(edges[:1], edges), np.append(edges, edges[-1:])
    mean = float(share @ (low + high) / 2)
    return float(np.sqrt(share @ (((low + high) / 2 - mean) ** 2 + (high - low) ** 2 / 12)))


def _area_between(bins: Bins, expected: Floats, actual: Floats) -> float:
    """The area between two lines, bin by bin: a trapezium, or two triangles where they cross."""
    gap = np.cumsum(actual - expected)[:-1]
    first, second = np.abs(gap[:-1]), np.abs(gap[1:])
    crosses = (gap[:-1] * gap[1:]) < 0
    total = np.where(first + second > 0, first + second, 1.0)
    height = np.where(crosses, (first**2 + second**2) / total, first + second) / 2
    return float(height @ np.diff(bins.edges))


def _compare(
    of_shares: Callable[[Floats, Floats], Floats], expected: npt.ArrayLike, actual: npt.ArrayLike
) -> float | None:
    e, a = check_counts(expected, actual)
    return float(of_shares(e / e.sum(), a / a.sum())) if e.sum() and a.sum() else None


OF_SHARES: Mapping[str, Callable[[Floats, Floats], Floats]] = MappingProxyType(
    {"jensen_shannon": jensen_shannon_of, "hellinger": hellinger_of, "total_variation": total_variation_of}
)
"""The distances that `nulls` can take, by name: between shares, linear in small changes, defined for empty bins."""
