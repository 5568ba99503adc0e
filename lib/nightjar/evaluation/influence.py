"""The influence of each row on a measure: its derivative by the row's weight, times that weight.

The sum over a cluster's rows is how far the measure moves, to first order, when the cluster counts a little more; the
influences of all rows add up to 0. Cluster sums squared give the variance that a bootstrap over clusters
tends to.

Source: the infinitesimal jackknife of Efron (1982), The jackknife, the bootstrap and other resampling plans, chapter 6.
Of ROC AUC these are the placement values of DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44(3), 837-845, summed
by cluster in Obuchowski (1997), Nonparametric analysis of clustered ROC curve data, Biometrics 53(2), 567-578.
"""

from dataclasses import dataclass

import numpy as np

from nightjar.evaluation.rows import Floats, RowNumbers, greatest


@dataclass(frozen=True, eq=False)
class Distances:
    """The distances of bins that a measure adds up. Chance alone makes them greater than 0, and the measure with them.

    Attributes:
        values: the influence of each row on the distance of its bin, which has a sign.
        bin: the number of each row's bin, from 0.
        share: the part of all weight that each bin has.
        squared: whether the measure adds up their squares, or their absolute values.
        from_mean: whether they are distances from the mean of all bins, which moves with each of them.
    """

    values: Floats
    bin: RowNumbers
    share: Floats
    squared: bool
    from_mean: bool = False


@dataclass(frozen=True, eq=False)
class Influence:
    """The influence of each row on a measure.

    Attributes:
        values: one influence a row.
        parts: row weights of each group that the measure cannot do without: of a mean all rows, of ROC AUC the
            positive ones and the negative ones.
        degree: how many rows the measure compares at once: 1 for a mean, 2 for pairs. A cluster is part of what it is
            compared with, so that it seems nearer to it than a new cluster would.
        distances: of a measure that adds them up; None: of another one, or of a difference, where chance cancels.
    """

    values: Floats
    parts: tuple[Floats, ...]
    degree: int = 1
    distances: Distances | None = None

    def minus(self, other: "Influence") -> "Influence":
        """The influence on the difference of two measures of the same rows."""
        return Influence(self.values - other.values, (*self.parts, *other.parts), self.degree)

    def divided(self, unit: float) -> "Influence":
        """The influence on the measure in another unit."""
        return Influence(self.values / unit, self.parts, self.degree)


def of_mean(values: Floats, weight: Floats | None) -> Influence:
    """The influence on the mean of one value a row."""
    weights = np.ones(len(values)) if weight is None else weight
    return Influence(_of_mean(values, weights), (weights,))


def of_ratio(numerator: Floats, denominator: Floats, weights: Floats) -> Influence:
    """The influence on the ratio of two weighted sums, to which each row adds 0 or more; the second one is above 0."""
    whole = weights @ denominator
    values = weights * (numerator - denominator * (weights @ numerator / whole)) / whole
    return Influence(values, (weights * (denominator > 0),))


def of_rmse(label: Floats, score: Floats, weights: Floats) -> Influence:
    """The influence on `regression.rmse`."""
    unit = greatest(label - score)
    squared = ((label - score) / unit) ** 2
    root = np.sqrt(np.average(squared, weights=weights))
    values = unit * _of_mean(squared, weights) / (2 * root) if root else np.zeros(len(label))
    return Influence(values, (weights,))


def of_r2(label: Floats, score: Floats, weights: Floats) -> Influence:
    """The influence on `regression.r2`."""
    from_mean = label - np.average(label, weights=weights)
    unit = greatest(from_mean)
    squared, about_mean = ((label - score) / unit) ** 2, (from_mean / unit) ** 2
    whole = weights @ about_mean
    unexplained = weights @ squared / whole
    return Influence(-weights * (squared - unexplained * about_mean) / whole, (weights,), degree=2)


def of_roc_auc(label: Floats, score: Floats, weights: Floats) -> Influence:
    """The influence on `binary.roc_auc`.

    It is each positive's share of negatives that it beats, and each negative's of positives that beat it.
    """
    positive = label == 1
    values = np.empty(len(label))
    for own, other in ((positive, ~positive), (~positive, positive)):
        below = _weight_below(score[own], score[other], weights[other]) / weights[other].sum()
        beaten = below if own is positive else 1 - below
        values[own] = _of_mean(beaten, weights[own])
    return Influence(values, (weights * positive, weights * ~positive), degree=2)


def of_gini(label: Floats, score: Floats, weights: Floats) -> Influence:
    """The influence on `binary.gini`."""
    return of_roc_auc(label, score, weights).divided(0.5)


def of_ks(label: Floats, score: Floats, weights: Floats) -> Influence:
    """The influence on `binary.ks`, the threshold of the greatest gap being what it is."""
    positive = label == 1
    order = np.argsort(-score)
    shares = np.where(positive, weights, 0) / weights[positive].sum(), np.where(positive, 0, weights)
    gaps = np.cumsum((shares[0] - shares[1] / weights[~positive].sum())[order])
    gaps[:-1][np.diff(score[order]) == 0] = 0  # no threshold parts rows of one score
    widest = int(np.abs(gaps).argmax())
    above = (score >= score[order][widest]).astype(np.float64)
    values = np.empty(len(label))
    for own, sign in ((positive, 1), (~positive, -1)):
        values[own] = np.sign(gaps[widest]) * sign * _of_mean(above[own], weights[own])
    return Influence(values, (weights * positive, weights * ~positive))


def of_balanced_accuracy(y: Floats, decision: Floats, weights: Floats) -> Influence:
    """The influence on `confusion.balanced_accuracy`."""
    classes = np.unique(y)
    values = np.empty(len(y))
    for number in classes:
        own = y == number
        values[own] = _of_mean((decision == number)[own].astype(np.float64), weights[own]) / len(classes)
    return Influence(values, tuple(weights * (y == number) for number in classes))


def _of_mean(values: Floats, weights: Floats) -> Floats:
    influence: Floats = weights * (values - np.average(values, weights=weights)) / weights.sum()
    return influence


def _weight_below(score: Floats, others: Floats, weight: Floats) -> Floats:
    """The weight of the others that score lower, and half of that of those that score the same."""
    order = np.argsort(others)
    before = np.concatenate([[0.0], np.cumsum(weight[order])])
    lower, not_higher = (np.searchsorted(others[order], score, side=side) for side in ("left", "right"))
    half: Floats = (before[lower] + before[not_higher]) / 2
    return half


def of_average_precision(label: Floats, score: Floats, weights: Floats) -> Influence:
    """The influence on `binary.average_precision`.

    It is a positive's own precision, and the effect of every row on the positives that score no higher than it. Three
    are compared: a positive, the positives above it, and all rows above it.
    """
    order = np.argsort(-score)
    weight, is_positive = weights[order], label[order]
    ranks = np.cumsum(np.diff(score[order], prepend=np.inf) != 0) - 1  # rows of one score share a rank
    cumulative = np.cumsum(np.bincount(ranks, weight))
    positives = np.bincount(ranks, weight * is_positive)
    precision = np.cumsum(positives) / cumulative
    total = positives.sum()
    of_rows, of_precision = (
        np.cumsum(one[::-1])[::-1] for one in (positives / cumulative, positives * precision / cumulative)
    )
    average = positives @ precision / total
    values = np.empty(len(label))
    values[order] = weight / total * (is_positive * (precision[ranks] - average + of_rows[ranks]) - of_precision[ranks])
    return Influence(values, (weights * (label == 1),), degree=3)
