"""Confidence intervals of measures for rows that share entities and times.

Rows are not independent: those of one entity share its traits, those of one night what happened that night, those of
one month the outcomes of their horizons. Intervals that take rows, or nights, for independent are then several times
too narrow.
The variance is that of two-way clusters, V = max(V_entity, V_time, V_entity + V_time - V_both).

Sources: Cameron, Gelbach and Miller (2011), Robust inference with multiway clustering, Journal of Business & Economic
Statistics 29(2), 238-249; cluster sums of influences in place of three bootstraps, see `influence`. Degrees of freedom:
Satterthwaite (1946), Biometrics Bulletin 2(6), 110-114, with the effective number of clusters (Kish 1965, Survey
sampling), and at least those of the way with fewer. `scripts/simulate` measures how often they hold.

Where all clusters say the same (a ROC AUC of 1, equal differences) that variance is 0, which is no evidence: another
cluster may say the contrary. The share of clusters that do is at most 1 - 0.025 ** (1 / G), or G clusters without one
would be too rare; bounds let that share lie at either end of the scale, and a scale without an end has none. Sources:
Clopper and Pearson (1934), The use of confidence or fiducial limits, Biometrika 26(4), 404-413, for G of G; Hanley and
Lippman-Hand (1983), If nothing goes wrong, is everything all right?, JAMA 249(13), 1743-1745; with effective clusters
for rows Korn and Graubard (1998), Confidence intervals for proportions with small expected number of positive counts
estimated from survey data, Survey Methodology 24(2), 193-201.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from scipy.special import expit, logit
from scipy.stats import t as student

from nightjar.evaluation.clusters import FEWEST, Clusters, Codes
from nightjar.evaluation.influence import Distances, Influence
from nightjar.evaluation.rows import Undefined, Value, greatest

LEVEL = 0.95
_LEAST_EFFECTIVE = 2.0  # below, one cluster holds nearly everything
_ROUNDING = 1e-9  # of the measure and its influences: a smaller standard error is 0, but for rounding


@dataclass(frozen=True)
class Interval:
    """A measure with its bounds, in the measure's own unit.

    Attributes:
        estimate: the measure of all rows, None where undefined.
        low, high: None where there is no evidence for bounds: no estimate, too few entities and blocks, what is
            measured (a class, say) in too few of them, or, of a measure that may be any amount, the same in all.
        rows: how many rows, of a ranking lists, the measure is over: of a precision those decided for the class.
        reason: why there is no estimate, or why there are no bounds, as a clause; None where there are all three.
    """

    estimate: float | None
    low: float | None
    high: float | None
    rows: int
    reason: str | None = None


class Scale(Enum):
    """The scale on which bounds are symmetric about the estimate, so that they stay between its ends."""

    PLAIN = "plain"
    LOG = "log"
    LOGIT = "logit"
    CORRELATION = "correlation"  # Fisher's z
    SIGNED_SHARE = "signed share"  # plain, for the difference of two shares


_ENDS = {
    Scale.PLAIN: (-np.inf, np.inf),
    Scale.LOG: (0.0, np.inf),
    Scale.LOGIT: (0.0, 1.0),
    Scale.CORRELATION: (-1.0, 1.0),
    Scale.SIGNED_SHARE: (-1.0, 1.0),
}
"""The least and the greatest value of a measure on each scale."""


@dataclass(frozen=True)
class _Way:
    """One way of clustering: its variance, and its degrees of freedom."""

    variance: float
    freedom: float


def interval(
    estimate: Value,
    influence: Influence,
    clusters: Clusters,
    scale: Scale,
    *,
    size: float = 0.0,
    most: float = np.inf,
    confidence: float = LEVEL,
) -> Interval:
    """The estimate with its central interval, of 95% unless another confidence is given.

    With fewer than three blocks of time only entities count, and the interval is about this period only; with fewer
    than three entities only blocks do. The lower bound of a sum of distances leaves out what chance adds to them, so
    that honest probabilities are not told to be off, and may be 0, where no logarithm reaches.

    Args:
        estimate: the measure of all rows.
        influence: of the same rows, all of which have weight.
        clusters: of these rows.
        scale: the scale on which the bounds are symmetric.
        size: of a difference: that of the measures, beside which it may be a rounding error.
        most: the greatest value of the measure: where the scale reaches beyond, the upper bound is cut off there.
        confidence: how often such an interval has the true value; each end misses it half as often as both.
    """
    rows = int(np.count_nonzero(np.sum(influence.parts, axis=0))) if influence.parts else 0
    if isinstance(estimate, Undefined):
        return Interval(None, None, None, rows, estimate.reason)
    unit = greatest(influence.values)
    ways = _ways(influence.divided(unit), clusters)
    if isinstance(ways, Undefined):
        return Interval(estimate, None, None, rows, ways.reason)
    widest = max(ways, key=lambda way: way.variance)
    error = unit * float(np.sqrt(widest.variance))
    is_zero = error <= _ROUNDING * (max(abs(estimate), size) + np.abs(influence.values).sum())
    if is_zero or estimate in _ENDS[scale]:
        return _of_equals(estimate, 1 + min(way.freedom for way in ways), scale, rows, confidence)
    reach = float(student.ppf((1 + confidence) / 2, widest.freedom) * error)
    low, high = _bounds(estimate, reach, scale)
    if influence.distances is not None:
        low = max(0.0, estimate - _chance(influence.distances, clusters) - reach)
    return Interval(estimate, low, max(estimate, min(high, most)), rows)


def _chance(distances: Distances, clusters: Clusters) -> float:
    """What chance adds to a sum of distances, at most, and exactly to squared ones: the variance of each of them.

    Of distances from the mean of all bins that is the variance of the bins less that of their mean. To an absolute one
    it adds at most what its mean is where the true one is 0. Source: Bröcker (2012), Estimating reliability and
    resolution of probability forecasts through decomposition of the empirical score, Climate Dynamics 39(3), 655-667;
    here with the variance of clusters.
    """
    bins = len(distances.share)
    result = 0.0
    for number, codes in ((clusters.entities, clusters.entity), (clusters.blocks, clusters.block)):
        if number < FEWEST:
            continue
        pair, pairs = np.unique(codes * bins + distances.bin, return_inverse=True)
        variance = np.bincount(pair % bins, np.bincount(pairs, distances.values) ** 2, bins) * number / (number - 1)
        added = variance if distances.squared else np.sqrt(2 / np.pi * variance)
        if distances.from_mean:
            of_mean = np.bincount(codes, distances.values * distances.share[distances.bin])
            added -= of_mean @ of_mean * number / (number - 1)
        result = max(result, float(distances.share @ added))
    return result


def _bounds(estimate: float, reach: float, scale: Scale) -> tuple[float, float]:
    """The bounds that are symmetric on the scale, where the interval reaches so far to first order."""
    if scale is Scale.LOG:
        with np.errstate(over="ignore"):
            factor = float(np.exp(reach / estimate))
        return estimate / factor, estimate * factor
    if scale is Scale.LOGIT:
        centre, reach = logit(estimate), reach / (estimate * (1 - estimate))
        return float(expit(centre - reach)), float(expit(centre + reach))
    if scale is Scale.CORRELATION:
        centre, reach = np.arctanh(estimate), reach / (1 - estimate**2)
        return float(np.tanh(centre - reach)), float(np.tanh(centre + reach))
    return estimate - reach, estimate + reach


def _of_equals(estimate: float, clusters: float, scale: Scale, rows: int, confidence: float) -> Interval:
    """The interval where all of so many clusters say the same: a share of others may say what lies at an end."""
    share = 1 - ((1 - confidence) / 2) ** (1 / clusters)
    low, high = (estimate + share * (end - estimate) for end in _ENDS[scale])
    if np.isfinite([low, high]).all():
        return Interval(estimate, low, high, rows)
    reason = "it is the same in all entities and blocks, which sets no bounds for others"
    return Interval(estimate, None, None, rows, reason)


def _ways(influence: Influence, clusters: Clusters) -> list[_Way] | Undefined:
    """By entity, by block, and by both; undefined where a way of clustering has too few clusters of some part."""
    numbers = {"entities": clusters.entities, "blocks": clusters.blocks}
    codes = {"entities": (clusters.entity, 0.0), "blocks": (clusters.block, clusters.overlap)}
    usable = {name: _way(influence, *codes[name]) for name, number in numbers.items() if number >= FEWEST}
    if not usable:
        entities, blocks = f"entities ({clusters.entities:,})", f"blocks of time ({clusters.blocks:,})"
        return Undefined(f"there are too few {entities} and {blocks}: bounds need {FEWEST} of either")
    ways = []
    for name, way in usable.items():
        if way is None:
            return Undefined(f"what it measures is in too few of the {numbers[name]:,} {name}, or nearly all in one")
        ways.append(way)
    return [*ways, _both(influence, clusters, *ways)] if len(ways) > 1 else ways


def _way(influence: Influence, codes: Codes, overlap: float = 0.0) -> _Way | None:
    """One way of clustering by itself; None where too few clusters have rows of some part of the measure."""
    of_parts = [np.bincount(codes, part) for part in influence.parts]
    effective = min(round(float(sizes.sum() ** 2 / (sizes @ sizes)), 9) for sizes in of_parts)
    if min(np.count_nonzero(sizes) for sizes in of_parts) < FEWEST or effective < _LEAST_EFFECTIVE:
        return None
    return _Way(_sum_of_squares(influence, codes) * _stretch(effective, overlap, influence.degree), effective - 1)


def _both(influence: Influence, clusters: Clusters, entity: _Way, time: _Way) -> _Way:
    """Both ways of clustering, minus the variance that they count twice, that of entities within a block."""
    cells = int(clusters.cell.max()) + 1
    visible = (1 - clusters.overlap / clusters.blocks) / (1 - clusters.overlap)
    twice = _sum_of_squares(influence, clusters.cell) * visible * cells / max(cells - 1, 1)
    variance = entity.variance + time.variance - twice
    terms = entity.variance**2 / entity.freedom + time.variance**2 / time.freedom + twice**2 / max(cells - 1, 1)
    freedom = variance**2 / terms if terms else 0.0
    return _Way(variance, max(freedom, min(entity.freedom, time.freedom)))


def _sum_of_squares(influence: Influence, codes: Codes) -> float:
    sums = np.bincount(codes, influence.values)
    return float(sums @ sums)


def _stretch(clusters: float, overlap: float, degree: int) -> float:
    """The factor that makes the squared cluster sums, taken about their own mean, an unbiased variance.

    G / (G - 1) without overlap; with it, neighbouring sums are correlated, and their variance misses a part. Once more
    for each further row that is compared at once, since one in G of those is of the cluster itself.
    """
    whole = (clusters - overlap) / (clusters * (1 - overlap) - (1 - overlap / clusters))
    stretch: float = whole * (clusters / (clusters - 1)) ** (degree - 1)
    return stretch
