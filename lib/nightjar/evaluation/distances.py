"""Distances between two nights' distributions: count vectors of the same `histograms.Bins`.

Both vectors have the layout of that module: nulls first, then the bins. A distance is None where there is nothing to
compare. A p-value takes rows as independent; rows of one night are not, so judge drift against the same distance
between the reference's own nights (`nulls`) and keep the p-value as a description. Distances without a test stand in
`divergences`.
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
"""Pairs of rows of the two sides up to which the p-value is exact. It then takes up to 0.2 s where no side has more
than a million rows, mostly a tenth of that, and 1.3 s for ten million rows against one: each row is sorted.
"""
_CHANCELESS = 10**9
"""Rows from which on NumPy cannot divide them at random, and chance does not explain any difference."""


@dataclass(frozen=True)
class Test:
    """A test statistic and its p-value; each None where undefined."""

    statistic: float | None
    p_value: float | None


def psi(expected: npt.ArrayLike, actual: npt.ArrayLike, bins: int | None = 10) -> float | None:
    """Population stability index: the sum over groups of (a - e) * ln(a / e), a and e being shares of rows; at least 0.

    Numeric counts are merged to about `bins` groups of equal expected mass; nulls, and what lies below the first edge
    or from the last one on, are groups of their own. For categorical counts, which have no order to merge by, pass
    `bins=None`: each level is its own group.
    Zero counts: groups empty on both sides are dropped, then half a row is added to every group on both sides (the
    estimator of Krichevsky and Trofimov, 1981, IEEE Transactions on Information Theory 27(2), 199-207).
    None where either side has no rows.

    Source: Siddiqi (2006), Credit Risk Scorecards, Wiley. It is the symmetric divergence J(1, 2) of Kullback and
    Leibler (1951), On information and sufficiency, Annals of Mathematical Statistics 22(1), 79-86.

    Raises:
        LearningError: vectors of different bins, negative or fractional counts, or fewer than 1 group.

    Example:
        Counts of nulls, three levels and any other one.

        >>> round(psi([0, 50, 30, 20, 0], [0, 20, 30, 50, 0], bins=None), 3)
        0.533
    """
    e, a = _group(expected, actual, bins)
    return float(_index(e, a)) if e.sum() and a.sum() else None


def psi_p_value(
    expected: npt.ArrayLike, actual: npt.ArrayLike, bins: int | None = 10, *, design_effect: float = 1.0
) -> float | None:
    """The chance that rows without a change have so great an index: PSI of few rows is great by chance.

    The share of 999 random divisions of all rows among the sides (and of this one) whose index is as great, the same
    ones every time. Where many rows are expected in each group that is about the chance that chi-squared with one
    degree of freedom less than there are groups exceeds psi * n * m / (n + m).
    Levels expected once estimate how many rows are of unseen levels, so they count as other levels, too.
    None where either side has no rows, and from 1e9 rows on, where chance does not explain any difference.

    Args:
        expected: as for `psi`.
        actual: as for `psi`.
        bins: as for `psi`.
        design_effect: how many rows of `actual` count as one independent row, see the function of that name.

    Source: Phipson and Smyth (2010), see `chi_squared`; Good (1953), The population frequencies of species and the
    estimation of population parameters, Biometrika 40, 237-264, for levels not seen; for many rows Yurdakul (2018),
    Statistical properties of population stability index, dissertation, Western Michigan University.

    Raises:
        LearningError: as `psi`.
    """
    reference = np.array(expected)
    if bins is None and reference.ndim == 1:
        reference[-1:] += (reference[1:-1] == 1).sum()
    e, a = _group(reference, actual, bins)
    rows = a.sum()
    if not e.sum() or not rows or e.sum() + rows >= _CHANCELESS:
        return None
    independent = max(1, round(rows / design_effect))
    divisions = _divisions(e + a, independent, 999) * (rows / independent)
    return _share_as_far(float(_index(e, a)), _index(np.maximum(e + a - divisions, 0), divisions))


def design_effect(nights: npt.ArrayLike) -> float:
    """How many times more nights vary around their total than as many independent rows would; at least 1.

    The mean over nights of Pearson's statistic against the shares of all rows, over its degrees of freedom. Where all
    rows of a night are alike it is about their number: a night is then worth one row.

    Source: Rao and Scott (1981), The analysis of categorical data from complex sample surveys, Journal of the American
    Statistical Association 76(374), 221-230.

    Args:
        nights: counts of the same bins, a row for each night.
    """
    counts = np.asarray(nights, np.float64)
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    if len(counts) < 2 or counts.shape[1] < 2:
        return 1.0
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    return max(1.0, float(((counts - expected) ** 2 / expected).sum() / ((len(counts) - 1) * (counts.shape[1] - 1))))


def kolmogorov_smirnov(expected: npt.ArrayLike, actual: npt.ArrayLike) -> Test:
    """The greatest gap between two cumulative distributions, of numeric counts; nulls are left out.

    The gap is measured at the edges only, so the statistic is a lower bound of that of the raw values. The p-value is
    the chance that n and m values without ties are so far apart, an upper bound both for the raw values and for the
    counts. It is exact up to 10,000,000 pairs of rows, and 2 * exp(-2 * statistic**2 * n * m / (n + m)) above.
    Both are None where either side has no values.

    Source: Hodges (1958), The significance probability of the Smirnov two-sample test, Arkiv för Matematik 3, 469-486;
    for ties Noether (1963), Note on the Kolmogorov statistic in the discrete case, Metrika 7, 115-116; for the bound
    Wei and Dudley (2012), Two-sample Dvoretzky-Kiefer-Wolfowitz inequalities, Statistics & Probability Letters 82,
    636-644 (proved for equal sides, computed for sides up to 200, and conjectured for the others).

    Raises:
        LearningError: vectors of different bins, negative or fractional counts.

    Example:
        Counts of nulls and of four bins.

        >>> kolmogorov_smirnov([0, 0, 50, 50, 0], [0, 0, 20, 80, 0]).statistic
        0.3
    """
    e, a = (side[1:] for side in check_counts(expected, actual))
    n, m = e.sum(), a.sum()
    if not n or not m:
        return Test(None, None)
    statistic = float(np.abs(np.cumsum(e) / n - np.cumsum(a) / m).max())
    bound = min(1.0, 2 * float(np.exp(-2 * statistic**2 * n * m / (n + m))))
    return Test(statistic, bound if n * m > _PAIRS else _exact_p_value(e, a, bound))


def _exact_p_value(expected: Counts, actual: Counts, bound: float) -> float:
    """The exact p-value; its upper bound where rounding makes it unusable, which happens near 1."""
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

    Example:
        >>> round(chi_squared([0, 50, 30, 20], [0, 20, 30, 50]).statistic, 2)
        25.71
    """
    table = np.vstack(check_counts(expected, actual))
    table = table[:, table.sum(axis=0) > 0]
    if not table.sum(axis=1).all():
        return Test(None, None)
    if table.shape[1] < 2:
        return Test(0.0, None)
    result = stats.chi2_contingency(table, correction=False)
    statistic = float(result.statistic)
    if result.expected_freq.min() >= 5 or table.sum() >= _CHANCELESS:
        return Test(statistic, float(result.pvalue))
    divisions = _divisions(table.sum(axis=0), int(table[1].sum()), 9_999)
    distances = (divisions - result.expected_freq[1]) ** 2 @ (1 / result.expected_freq).sum(axis=0)
    return Test(statistic, _share_as_far(statistic, distances))


def _divisions(both: Counts, rows: int, count: int) -> Counts:
    """Random divisions, (count, bins): counts by bin when `rows` of the rows of both sides are drawn."""
    random = np.random.default_rng(0)
    draws = random.multivariate_hypergeometric(both.astype(np.int64), rows, size=count, method="marginals")
    return draws.astype(np.float64)


def _share_as_far(observed: float, divisions: Counts) -> float:
    """The share of the random divisions and the observed one that are as far apart, up to rounding."""
    return float((1 + (divisions >= observed * (1 - 1e-9)).sum()) / (1 + len(divisions)))


def check_counts(expected: npt.ArrayLike, actual: npt.ArrayLike) -> tuple[Counts, Counts]:
    """Two count vectors of the same bins, as floats.

    Raises:
        LearningError: vectors of different bins, negative or fractional counts.
    """
    e, a = np.asarray(expected), np.asarray(actual)
    if e.ndim != 1 or e.shape != a.shape or len(e) < 2:
        raise LearningError(f"Counts of the shapes {e.shape} and {a.shape} are not counted into the same bins.")
    for name, side in (("expected", e), ("actual", a)):
        if side.dtype.kind not in "iu" or (side < 0).any():
            raise LearningError(f"The {name} counts must be whole numbers from 0 up, rows per bin: {side}.")
    return e.astype(np.float64), a.astype(np.float64)


def _group(expected: npt.ArrayLike, actual: npt.ArrayLike, bins: int | None) -> tuple[Counts, Counts]:
    """The counts by group, without groups that are empty on both sides."""
    e, a = check_counts(expected, actual)
    if bins is not None:
        group = equal_mass_groups(e, bins)
        e, a = (np.bincount(group, weights=side).astype(np.float64) for side in (e, a))
    occupied = (e + a) > 0
    return e[occupied], a[occupied]


def equal_mass_groups(expected: Counts, bins: int) -> npt.NDArray[np.intp]:
    """The group of each bin: nulls, what is below all edges, then `bins` by the share of expected values below the
    bin's middle, and what is above all edges.
    """
    if bins < 1:
        raise LearningError(f"bins is {bins}: values are merged to at least 1 group.")
    values = expected[2:-1]
    middle = (np.cumsum(values) - values / 2) / max(values.sum(), 1)
    group = np.minimum(np.floor(middle * bins).astype(np.intp), bins - 1)
    outer = [0, 1][: len(expected) - 1]
    return np.concatenate([np.array(outer, np.intp), group + 2, np.array([bins + 2], np.intp)])


def _index(expected: Counts, actual: Counts) -> Counts:
    """The index of two count vectors, or of two stacks of them."""
    e, a = _smooth_shares(expected), _smooth_shares(actual)
    return np.asarray(((a - e) * np.log(a / e)).sum(axis=-1), dtype=np.float64)


def _smooth_shares(counts: Counts) -> Counts:
    smoothed = counts + _PSEUDOCOUNT
    return np.asarray(smoothed / smoothed.sum(axis=-1, keepdims=True), dtype=np.float64)
