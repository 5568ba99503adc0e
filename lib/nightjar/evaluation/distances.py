"""How far two nights are apart: distances between two count vectors of the same `histograms.Bins`.

Both vectors have the layout of that module: nulls first, then the bins. None stands where there is nothing to
compare. A p-value takes rows as independent; rows of one night are not, so judge drift against the same distance
between the reference's own nights and keep the p-value as a description.
"""

import warnings
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import stats

from nightjar.errors import LearningError

Counts: TypeAlias = npt.NDArray[np.float64]

_PSEUDOCOUNT = 0.5
_PAIRS = 10_000_000
"""Pairs of rows of the two sides up to which the exact p-value is a matter of milliseconds."""
_CHANCELESS = 10**9
"""Rows from which on NumPy cannot divide them at random any more, and chance has no part in what is seen."""


@dataclass(frozen=True)
class Test:
    """A test statistic and its p-value; each None where undefined."""

    statistic: float | None
    p_value: float | None


def psi(expected: npt.ArrayLike, actual: npt.ArrayLike, bins: int | None = 10) -> float | None:
    """Population stability index: the sum over groups of (a - e) * ln(a / e), a and e being shares of rows; at least 0.

    Numeric counts are merged to about `bins` groups of equal expected mass; nulls are a group of their own. For
    categorical counts, which have no order to merge by, pass `bins=None`: each level is its own group.
    Zero counts: groups empty on both sides are dropped, then half a row is added to every group on both sides (the
    estimator of Krichevsky and Trofimov, 1981, IEEE Transactions on Information Theory 27(2), 199-207).
    None where either side has no rows.

    Source: Siddiqi (2006), Credit Risk Scorecards, Wiley. It is the symmetric divergence J(1, 2) of Kullback and
    Leibler (1951), On information and sufficiency, Annals of Mathematical Statistics 22(1), 79-86.

    Raises:
        LearningError: vectors of different bins, negative or fractional counts, or fewer than 1 group.
    """
    e, a = _checked(expected, actual)
    if not e.sum() or not a.sum():
        return None
    if bins is not None:
        group = _equal_mass_groups(e, bins)
        e, a = _merged(e, group), _merged(a, group)
    used = (e + a) > 0
    e_share, a_share = _smoothed_shares(e[used]), _smoothed_shares(a[used])
    return float(np.sum((a_share - e_share) * np.log(a_share / e_share)))


def kolmogorov_smirnov(expected: npt.ArrayLike, actual: npt.ArrayLike) -> Test:
    """The greatest gap between two cumulative distributions, of numeric counts; nulls are left out.

    The gap is seen at the edges only, so the statistic is a lower bound of the one on the raw values. The p-value is an
    upper bound of its, and of the one of the counts themselves: the chance that n and m values without ties are so far
    apart. It is exact for that up to 10,000,000 pairs of rows, and 2 * exp(-2 * statistic**2 * n * m / (n + m)) above.
    Both are None where either side has no values.

    Source: Hodges (1958), The significance probability of the Smirnov two-sample test, Arkiv för Matematik 3, 469-486;
    for ties Noether (1963), Note on the Kolmogorov statistic in the discrete case, Metrika 7, 115-116; for the bound
    Wei and Dudley (2012), Two-sample Dvoretzky-Kiefer-Wolfowitz inequalities, Statistics & Probability Letters 82,
    636-644 (proved for equal sides, computed for sides up to 200, and conjectured for the others).

    Raises:
        LearningError: vectors of different bins, negative or fractional counts.
    """
    e, a = (side[1:] for side in _checked(expected, actual))
    n, m = e.sum(), a.sum()
    if not n or not m:
        return Test(None, None)
    statistic = float(np.abs(np.cumsum(e) / n - np.cumsum(a) / m).max())
    bound = min(1.0, 2 * float(np.exp(-2 * statistic**2 * n * m / (n + m))))
    return Test(statistic, bound if n * m > _PAIRS else _exact(e, a, bound))


def _exact(expected: Counts, actual: Counts, bound: float) -> float:
    """The exact p-value; where rounding spoils it, which happens near 1, its upper bound."""
    sides = (np.repeat(np.arange(len(side)), side.astype(np.intp)) for side in (expected, actual))
    with warnings.catch_warnings(action="error", category=RuntimeWarning):
        try:
            return float(stats.ks_2samp(*sides, method="exact").pvalue)
        except RuntimeWarning:
            return bound


def chi_squared(expected: npt.ArrayLike, actual: npt.ArrayLike) -> Test:
    """Pearson's test that both sides draw from the same levels at the same rates, of categorical counts.

    Nulls count as a level; levels empty on both sides are dropped; no continuity correction. Where some level is
    expected in fewer than 5 rows of a side, the p-value is the share of 9,999 random divisions of all rows among the
    sides (and of this one) that are as far apart, the same ones every time. A single level leaves no freedom: statistic
    0, p-value None. Both are None where either side has no rows.

    Source: Cochran (1952), The chi-squared test of goodness of fit, Annals of Mathematical Statistics 23(3), 315-345;
    Phipson and Smyth (2010), Permutation p-values should never be zero, Statistical Applications in Genetics 9(1), 39.

    Raises:
        LearningError: vectors of different bins, negative or fractional counts.
    """
    table = np.vstack(_checked(expected, actual))
    table = table[:, table.sum(axis=0) > 0]
    if not table.sum(axis=1).all():
        return Test(None, None)
    if table.shape[1] < 2:
        return Test(0.0, None)
    result = stats.chi2_contingency(table, correction=False)
    statistic = float(result.statistic)
    if result.expected_freq.min() >= 5 or table.sum() >= _CHANCELESS:
        return Test(statistic, float(result.pvalue))
    divided = _divisions(*table, 9_999)
    apart = (divided - result.expected_freq[1]) ** 2 @ (1 / result.expected_freq).sum(axis=0)
    return Test(statistic, _share_as_far(statistic, apart))


def _divisions(expected: Counts, actual: Counts, count: int) -> Counts:
    """What `actual` would be if all rows of both sides were divided among them at random, so many times."""
    both = (expected + actual).astype(np.int64)
    drawn = np.random.default_rng(0).multivariate_hypergeometric(
        both, int(actual.sum()), size=count, method="marginals"
    )
    return drawn.astype(np.float64)


def _share_as_far(found: float, divided: Counts) -> float:
    """Of random divisions and the one that was found: the share that is as far apart, but for rounding."""
    return float((1 + (divided >= found * (1 - 1e-9)).sum()) / (1 + len(divided)))


def _checked(expected: npt.ArrayLike, actual: npt.ArrayLike) -> tuple[Counts, Counts]:
    e, a = np.asarray(expected), np.asarray(actual)
    if e.ndim != 1 or e.shape != a.shape or len(e) < 2:
        raise LearningError(f"Counts of the shapes {e.shape} and {a.shape} are not counted into the same bins.")
    for name, side in (("expected", e), ("actual", a)):
        if side.dtype.kind not in "iu" or (side < 0).any():
            raise LearningError(f"The {name} counts must be whole numbers from 0 up, rows per bin: {side}.")
    return e.astype(np.float64), a.astype(np.float64)


def _equal_mass_groups(expected: npt.NDArray[np.float64], bins: int) -> npt.NDArray[np.intp]:
    """The group of each bin: 0 for nulls, then 1 to `bins` by the share of expected values below the bin's middle."""
    if bins < 1:
        raise LearningError(f"bins is {bins}: values are merged to at least 1 group.")
    values = expected[1:]
    middle = (np.cumsum(values) - values / 2) / max(values.sum(), 1)
    group = np.minimum(np.floor(middle * bins).astype(np.intp), bins - 1)
    return np.concatenate([np.zeros(1, dtype=np.intp), group + 1])


def _merged(counts: npt.NDArray[np.float64], group: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    return np.bincount(group, weights=counts).astype(np.float64)


def _smoothed_shares(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    smoothed = counts + _PSEUDOCOUNT
    return np.asarray(smoothed / smoothed.sum(), dtype=np.float64)
