"""How far a measure can be trusted: intervals for rows that share entities and times.

Rows are no evidence of their own: those of one entity share what is its own, those of one night its weather, those of
one month the outcomes of their horizons. Intervals that take rows, or nights, for independent are several times too
narrow then. The variance is that of two-way clusters, V = max(V_entity, V_time, V_entity + V_time - V_both).

Sources: Cameron, Gelbach and Miller (2011), Robust inference with multiway clustering, Journal of Business & Economic
Statistics 29(2), 238-249; cluster sums of influences in place of three bootstraps, see `influence`. Degrees of freedom:
Satterthwaite (1946), Biometrics Bulletin 2(6), 110-114, of as many clusters as would say as much if all had one weight
(Kish 1965, Survey sampling), and at least those of the lesser way. `scripts/simulate` measures how often they hold.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from scipy.special import expit, logit
from scipy.stats import t as student

from nightjar.evaluation.clusters import FEWEST, Clusters, Codes
from nightjar.evaluation.influence import Influence

LEVEL = 0.95
_LEAST_EFFECTIVE = 2.0  # below, one cluster holds nearly everything


@dataclass(frozen=True)
class Interval:
    """A measure with its bounds, in the measure's own unit.

    `estimate` is the measure of all rows, None where undefined. `low` and `high` are None where there is no evidence
    for bounds: no estimate, one at the end of its scale (a ROC AUC of 1), too few entities and blocks, or one class in
    too few of them.
    """

    estimate: float | None
    low: float | None
    high: float | None


class Scale(Enum):
    """Where bounds lie evenly about the estimate, so that they stay within what the measure can be."""

    PLAIN = "plain"
    LOG = "log"
    LOGIT = "logit"


@dataclass(frozen=True)
class _Way:
    """One way of clustering: its variance, and its degrees of freedom."""

    variance: float
    freedom: float


def interval(estimate: float | None, influence: Influence, clusters: Clusters, scale: Scale) -> Interval:
    """The estimate with its central 95%.

    With fewer than three blocks of time only entities count, and the interval is about this period only; with fewer
    than three entities only blocks do.

    Args:
        estimate: the measure of all rows.
        influence: of the same rows, all of which count.
        clusters: theirs.
        scale: where the bounds lie evenly.
    """
    if estimate is None or (scale is not Scale.PLAIN and estimate <= 0) or (scale is Scale.LOGIT and estimate >= 1):
        return Interval(estimate, None, None)
    way = _widest(influence, clusters)
    if way is None:
        return Interval(estimate, None, None)
    reach = float(student.ppf((1 + LEVEL) / 2, way.freedom) * np.sqrt(way.variance))
    if scale is Scale.LOG:
        factor = float(np.exp(reach / estimate))
        return Interval(estimate, estimate / factor, estimate * factor)
    if scale is Scale.LOGIT:
        centre, reach = logit(estimate), reach / (estimate * (1 - estimate))
        return Interval(estimate, float(expit(centre - reach)), float(expit(centre + reach)))
    return Interval(estimate, estimate - reach, estimate + reach)


def _widest(influence: Influence, clusters: Clusters) -> _Way | None:
    """The greatest of the variances; None where a way of clustering that counts has too little of something."""
    ways = []
    if clusters.entities >= FEWEST:
        ways.append(_way(influence, clusters.entity))
    if clusters.blocks >= FEWEST:
        ways.append(_way(influence, clusters.block, clusters.overlap))
    counted = [way for way in ways if way is not None]
    if not counted or len(counted) < len(ways):
        return None
    if len(counted) > 1:
        counted.append(_both(influence, clusters, *counted))
    return max(counted, key=lambda way: way.variance)


def _way(influence: Influence, codes: Codes, overlap: float = 0.0) -> _Way | None:
    """One way by itself; None where too few clusters have a part of what the measure is made of."""
    of_parts = [np.bincount(codes, part) for part in influence.parts]
    effective = min(round(float(sizes.sum() ** 2 / (sizes @ sizes)), 9) for sizes in of_parts)
    if min(np.count_nonzero(sizes) for sizes in of_parts) < FEWEST or effective < _LEAST_EFFECTIVE:
        return None
    return _Way(_squared(influence, codes) * _stretch(effective, overlap, influence.degree), effective - 1)


def _both(influence: Influence, clusters: Clusters, entity: _Way, time: _Way) -> _Way:
    """Both ways, less what they count twice: what is an entity's own within a block."""
    cells = int(clusters.cell.max()) + 1
    seen = (1 - clusters.overlap / clusters.blocks) / (1 - clusters.overlap)
    twice = _squared(influence, clusters.cell) * seen * cells / max(cells - 1, 1)
    variance = entity.variance + time.variance - twice
    terms = entity.variance**2 / entity.freedom + time.variance**2 / time.freedom + twice**2 / max(cells - 1, 1)
    freedom = variance**2 / terms if terms else 0.0
    return _Way(variance, max(freedom, min(entity.freedom, time.freedom)))


def _squared(influence: Influence, codes: Codes) -> float:
    sums = np.bincount(codes, influence.values)
    return float(sums @ sums)


def _stretch(clusters: float, overlap: float, degree: int) -> float:
    """What makes the squared sums of so many clusters, which lie about their own mean, a variance on average.

    G / (G - 1) without overlap; with it, neighbouring sums are alike, and their scatter misses a part. Once more for
    each further row that is compared at once, since one in G of those is of the cluster itself.
    """
    whole = (clusters - overlap) / (clusters * (1 - overlap) - (1 - overlap / clusters))
    stretch: float = whole * (clusters / (clusters - 1)) ** (degree - 1)
    return stretch
