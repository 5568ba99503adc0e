"""Intervals for two-way clusters, slow and obvious: derivatives by differences, sums by dictionaries, row by row.

The definition of Cameron, Gelbach and Miller (2011) with what `nightjar.evaluation.intervals` says of overlap, degrees
and degrees of freedom.
"""

from collections import defaultdict
from math import exp, log, sqrt

import numpy as np
from scipy.optimize import brentq
from scipy.stats import t as student

STEP = 1e-5


def influences(measure, label, score, weight):
    """How the measure moves with each row's weight, in parts of that weight."""

    def moved(row, by):
        return measure(label, score, np.array([w * (1 + by * (place == row)) for place, w in enumerate(weight)]))

    return [(moved(row, STEP) - moved(row, -STEP)) / (2 * STEP) for row in range(len(label))]


def sums(values, names):
    found = defaultdict(float)
    for value, name in zip(values, names, strict=True):
        found[name] += value
    return found


def squares(values, names):
    return sum(one**2 for one in sums(values, names).values())


def effective(parts, names):
    """As many clusters as would say as much if all had one weight; None: too few have a part of what is measured."""
    least = None
    for part in parts:
        sizes = [size for size in sums(part, names).values() if size > 0]
        number = round(sum(sizes) ** 2 / sum(size**2 for size in sizes), 9) if sizes else 0
        if len(sizes) < 3 or number < 2:
            return None
        least = number if least is None else min(least, number)
    return least


def variance_and_freedom(values, parts, entity, block, *, overlap=0.0, degree=1):
    """The greatest of the variances by entity, by time, and by both; None where there is no evidence."""
    entities, blocks = len(set(entity)), len(set(block))
    ways = []
    for names, number, shared in ((entity, entities, 0.0), (block, blocks, overlap)):
        if number < 3:
            continue
        size = effective(parts, names)
        if size is None:
            return None
        missed = (size - shared) / (size * (1 - shared) - (1 - shared / size))
        again = (size / (size - 1)) ** (degree - 1)
        ways.append((squares(values, names) * missed * again, size - 1))
    if not ways:
        return None
    if len(ways) == 2:
        cells = list(zip(entity, block, strict=True))
        number = len(set(cells))
        twice = squares(values, cells) * (1 - overlap / blocks) / (1 - overlap) * number / (number - 1)
        (of_entity, freedom_entity), (of_time, freedom_time) = ways
        both = of_entity + of_time - twice
        below = of_entity**2 / freedom_entity + of_time**2 / freedom_time + twice**2 / (number - 1)
        ways.append((both, max(both**2 / below if below else 0, min(freedom_entity, freedom_time))))
    return max(ways, key=lambda way: way[0])


def least_effective(parts, entity, block):
    """Of the ways of clustering with three clusters or more, the least effective number of clusters."""
    return min(effective(parts, names) for names in (entity, block) if len(set(names)) >= 3)


def bounds_of_equals(estimate, clusters, least, greatest):
    """All clusters say the same: the means that they have where the greatest share of others says an end instead."""
    share = brentq(lambda share: (1 - share) ** clusters - 0.025, 0, 1, xtol=1e-14)
    return tuple((1 - share) * estimate + share * end for end in (least, greatest))


def bounds(estimate, variance, freedom, scale):
    reach = student.ppf(0.975, freedom) * sqrt(variance)
    if scale == "log":
        return exp(log(estimate) - reach / estimate), exp(log(estimate) + reach / estimate)
    if scale == "correlation":  # Fisher's z
        centre, wide = log((1 + estimate) / (1 - estimate)) / 2, reach / (1 - estimate**2)
        ends = [exp(2 * (centre + side * wide)) for side in (-1, 1)]
        return tuple((end - 1) / (end + 1) for end in ends)
    if scale == "logit":
        centre, wide = log(estimate / (1 - estimate)), reach / (estimate * (1 - estimate))
        return tuple(1 / (1 + exp(-(centre + side * wide))) for side in (-1, 1))
    return estimate - reach, estimate + reach


def bootstrap_variance(measure, label, score, names, resamples, random):
    """Of the measure over resampled clusters, each with all its rows."""
    clusters = [np.flatnonzero(names == name) for name in np.unique(names)]
    values = []
    for _ in range(resamples):
        rows = np.concatenate([clusters[one] for one in random.integers(len(clusters), size=len(clusters))])
        values.append(measure(label[rows], score[rows]))
    return float(np.var(values))
