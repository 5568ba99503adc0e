"""Confidence sequences: bounds of the difference between two randomised arms that hold at all nights together.

Only the draw of the arms is random here: what an entity would be worth in either arm is what it is, so that a shock
that all entities of a night share, a trend, or heavy tails need no model. Entities are compared within the night on
which they entered, by the chance that each had of its arm. Nights add up, each by what it tells: harmonic weights
n1 n0 / (n1 + n0), about in proportion to share * (1 - share). So a night on which 1% were drawn neither dominates the
sum nor is compared with one on which half were. The sum less the effects is a martingale from night to night, and a
mixture over normal slopes bounds it at all times.

Sources: Ham, Bojinov, Lindon and Tingley (2022), Design-based confidence sequences, arXiv:2210.08639, for differences
weighted by inverse propensity whose randomness is that of the assignment; here of a night's entities together, by the
weights of Li, Morgan and Zaslavsky (2018), Balancing covariates via propensity score weighting, Journal of the American
Statistical Association 113(521), 390-400. Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024), Time-uniform central
limit theory and asymptotic confidence sequences, Annals of Statistics 52(6), 2613-2640, why the variance may be an
estimate. Robbins (1970), Statistical methods related to the law of the iterated logarithm, Annals of Mathematical
Statistics 41(5), 1397-1409, and Howard, Ramdas, McAuliffe and Sekhon (2021), Time-uniform, nonparametric, nonasymptotic
confidence sequences, Annals of Statistics 49(2), 1055-1080, sections 3.2 and 3.3, the mixtures and where they are
tightest.

They are asymptotic in the entities of the smaller arm: nothing is said before both have `FEWEST`. How often they hold
with heavy tails, shocks and a growing share is measured by `scripts/simulate experiment`.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import lambertw, log_ndtr, ndtr

from nightjar.evaluation.rows import Floats, RowNumbers

FEWEST = 50
"""Entities that each arm must have before anything is said."""
_STEPS = 60


@dataclass(frozen=True, eq=False)
class Arm:
    """What the entities of an arm are worth, by the night on which they entered: arrays of the shape (..., nights).

    Attributes:
        entities: how many.
        weight, weight_squared: sums of their weights and of the squares.
        mean: their weighted mean; 0 where there are none.
        first, second: sums of the squared weight times the distance from the mean, and times its square.
    """

    entities: Floats
    weight: Floats
    weight_squared: Floats
    mean: Floats
    first: Floats
    second: Floats


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the nights so far say together, after each of them: arrays of the shape (..., nights).

    Attributes:
        entities: of the champion's arm, and of the challenger's, (2, ..., nights).
        means: of the two arms, weighted alike; NaN before there is anything to compare.
        difference: the challenger's mean minus the champion's; NaN before there is anything to compare.
        weight: of the nights together.
        variance: of the sum of differences times weights.
    """

    entities: Floats
    means: Floats
    difference: Floats
    weight: Floats
    variance: Floats

    def turned(self) -> "Evidence":
        """The same of values with the other sign."""
        return replace(self, means=-self.means, difference=-self.difference)

    @property
    def is_enough(self) -> npt.NDArray[np.bool_]:
        """Whether both arms have entities enough for bounds."""
        enough: npt.NDArray[np.bool_] = (self.entities >= FEWEST).all(axis=0) & (self.weight > 0)
        return enough

    @property
    def deviation(self) -> Floats:
        """The standard deviation of what entities of one night are worth; NaN before there is anything to compare."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.sqrt(self.variance / self.weight)


def arm(
    cell: RowNumbers, shape: tuple[int, ...], value: Floats, weight: Floats, entities: Floats, variance: Floats
) -> Arm:
    """An arm, from groups of entities of one night and one weight; a group may be one entity.

    Args:
        cell: the number of each group's night, of all nights of the shape.
        shape: of the arrays, nights last.
        value: the group's mean.
        weight: of each entity of the group: how many it stands for, itself and those like it that have left.
        entities: of the group.
        variance: the mean square of distances from the group's mean.
    """
    cells = int(np.prod(shape))

    def total(terms: Floats) -> Floats:
        return np.bincount(cell, terms, cells).astype(np.float64)  # of no groups NumPy counts in whole numbers

    weights, number = total(entities * weight), total(entities)
    mean = np.divide(total(entities * weight * value), weights, out=np.zeros(cells), where=weights > 0)
    apart, squared = value - mean[cell], entities * weight**2
    first, second = total(squared * apart), total(squared * (variance + apart**2))
    return Arm(*(one.reshape(shape) for one in (number, weights, total(squared), mean, first, second)))


def evidence(champion: Arm, challenger: Arm) -> Evidence:
    """The difference between two arms after each night, and the variance of its sum.

    With n1 and n0 entities a night weighs a = n1 n0 / (n1 + n0), an arm with unequal weights having
    (sum of weights)^2 / (sum of squares) of them. Its variance is
    a^2 (sum of squares of the challenger's / n1^2 + sum of squares of the champion's / n0^2), squares of distances from
    what the entities of both would be worth on average were the effect the same for all, times N / (N - 1) with
    N = n1 + n0: what the draw of n1 of N is expected to give where the effect is the same, and
    no less than it elsewhere (Neyman 1923, in Statistical Science 5(4), 465-472). One entity in an arm is enough.
    """
    (one, all_1), (other, all_0) = (_effective(of) for of in (challenger, champion))
    total = one + other
    is_compared = (one > 0) & (other > 0)
    size = np.where(is_compared, total, 2.0)
    weight = np.where(is_compared, one * other / size, 0.0)
    gap = np.where(is_compared, challenger.mean - champion.mean, 0.0)
    part, rest = np.where(is_compared, one / size, 0.0), np.where(is_compared, other / size, 0.0)
    # Distances from the common mean are those from the arm's own, moved by rest * x and -part * x, x = gap - effect.
    scale_1, scale_0 = ((weight / all_of) ** 2 * size / (size - 1) for all_of in (all_1, all_0))
    constant = scale_1 * challenger.second + scale_0 * champion.second
    slope = 2 * (scale_1 * rest * challenger.first - scale_0 * part * champion.first)
    square = scale_1 * rest**2 * challenger.weight_squared + scale_0 * part**2 * champion.weight_squared
    summed, so_far = np.cumsum(weight * gap, axis=-1), np.cumsum(weight, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        effect = summed / so_far
        means = np.stack([np.cumsum(weight * of.mean, axis=-1) / so_far for of in (champion, challenger)])
    usual = np.nan_to_num(effect)
    free = np.cumsum(constant + slope * gap + square * gap**2, axis=-1)
    moved = np.cumsum(slope + 2 * square * gap, axis=-1)
    variance = free - moved * usual + np.cumsum(square, axis=-1) * usual**2
    entities = np.stack([np.cumsum(of.entities, axis=-1) for of in (champion, challenger)])
    return Evidence(entities, means, effect, so_far, np.maximum(variance, 0.0))


def tuning(level: float, variance: float, *, one_sided: bool = False) -> float:
    """The parameter of the mixture that makes bounds tightest once the sum has a variance.

    Source: Howard et al. (2021), section 3.2: m / (-1 - W(-level^2 / e)) with the lower branch of Lambert's W.

    Args:
        level: the chance that the bounds are ever wrong.
        variance: at which they are tightest, such as that at the end of the plan.
        one_sided: whether there is one bound, not two.
    """
    share = 2 * level if one_sided else level
    return float(variance / (-1 - lambertw(-(share**2) / np.e, -1).real))


def two_sided_reach(variance: npt.ArrayLike, level: float, tuned: float) -> Floats:
    """How far the sum is ever from its expectation, on either side, but for the level.

    Example:
        >>> tuned = tuning(0.05, 100.0)
        >>> np.round(two_sided_reach([25.0, 100.0, 400.0], 0.05, tuned) / np.array([5.0, 10.0, 20.0]), 2)
        array([3.25, 3.04, 3.13])
    """
    within = np.asarray(variance, np.float64) + tuned
    reach: Floats = np.sqrt(within * (np.log(within / tuned) - 2 * np.log(level)))
    return reach


def one_sided_reach(variance: npt.ArrayLike, level: float, tuned: float) -> Floats:
    """How far the sum is ever above its expectation, but for the level: the mixture over slopes of one sign.

    It is s with 2 sqrt(r / (v + r)) exp(s^2 / (2 (v + r))) Phi(s / sqrt(v + r)) = 1 / level, solved by Newton's method.

    Example:
        >>> tuned = tuning(0.05, 100.0, one_sided=True)
        >>> np.round(one_sided_reach([25.0, 100.0, 400.0], 0.05, tuned) / np.array([5.0, 10.0, 20.0]), 2)
        array([3.  , 2.77, 2.87])
    """
    within = np.asarray(variance, np.float64) + tuned
    target = np.log(within / tuned) / 2 - np.log(2 * level)
    z = np.sqrt(2 * np.maximum(target, 0.5))
    for _ in range(_STEPS):
        logarithm = log_ndtr(z)
        slope = z + np.exp(-(z**2) / 2 - logarithm) / np.sqrt(2 * np.pi)
        z = z - (z**2 / 2 + logarithm - target) / slope
    reach: Floats = z * np.sqrt(within)
    return reach


def confidence_at(progress: float, level: float) -> float:
    """The confidence of each single interval that makes them all hold together, but for the level.

    An interval of this confidence by the normal distribution is as wide as `two_sided_reach`; by Student's it is wider
    where there are few clusters.

    Args:
        progress: the part of the planned evidence that there is; the intervals are tightest at 1.
        level: the chance that any of them is wrong.

    Example:
        >>> [round(confidence_at(progress, 0.05), 4) for progress in (0.25, 1.0, 4.0)]
        [0.9989, 0.9976, 0.9983]
    """
    return float(1 - 2 * ndtr(-two_sided_reach(progress, level, tuning(level, 1.0)) / np.sqrt(progress)))


@dataclass(frozen=True, eq=False)
class Bounds:
    """Where the difference lies after each night; infinite where nothing is said."""

    low: Floats
    high: Floats


def two_sided(of: Evidence, level: float, tuned: float) -> Bounds:
    """Bounds that all hold together, but for the level."""
    reach = _of_difference(of, two_sided_reach(of.variance, level, tuned))
    return _bounds(of, reach, reach)


def lower(of: Evidence, level: float, tuned: float) -> Bounds:
    """Lower bounds that all hold together, but for the level; there is no upper one."""
    reach = _of_difference(of, one_sided_reach(of.variance, level, tuned))
    return _bounds(of, reach, np.full_like(reach, np.inf))


def _of_difference(of: Evidence, reach: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(of.is_enough, reach / of.weight, np.inf)


def _bounds(of: Evidence, below: Floats, above: Floats) -> Bounds:
    middle = np.nan_to_num(of.difference)
    return Bounds(middle - below, middle + above)


def _effective(of: Arm) -> tuple[Floats, Floats]:
    """How many entities of one weight would say as much, and the sum of weights, 1 where there are none."""
    has = of.weight > 0
    number = np.divide(of.weight**2, of.weight_squared, out=np.zeros_like(of.weight), where=has)
    return number, np.where(has, of.weight, 1.0)
