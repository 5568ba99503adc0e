"""The influence of each row on a measure: its derivative by the row's weight, times that weight.

The sum over a cluster's rows is how far the measure moves, to first order, when the cluster counts a little more; the
influences of all rows add up to 0. Cluster sums squared give the variance that a bootstrap over clusters
tends to.

Source: the infinitesimal jackknife of Efron (1982), The jackknife, the bootstrap and other resampling plans, chapter 6.
Of ROC AUC these are the placement values of DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44(3), 837-845, summed
by cluster in Obuchowski (1997), Nonparametric analysis of clustered ROC curve data, Biometrics 53(2), 567-578.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from nightjar.evaluation.rows import Floats, greatest
from nightjar.settings.task import Metric


@dataclass(frozen=True, eq=False)
class Influence:
    """The influence of each row on a measure.

    Attributes:
        values: one influence a row.
        parts: row weights of each group that the measure cannot do without: of a mean all rows, of ROC AUC the
            positive ones and the negative ones.
        degree: how many rows the measure compares at once: 1 for a mean, 2 for pairs. A cluster is part of what it is
            compared with, so that it seems nearer to it than a new cluster would.
    """

    values: Floats
    parts: tuple[Floats, ...]
    degree: int = 1

    def minus(self, other: "Influence") -> "Influence":
        """The influence on the difference of two measures of the same rows."""
        return Influence(self.values - other.values, self.parts, self.degree)

    def divided(self, unit: float) -> "Influence":
        """The influence on the measure in another unit."""
        return Influence(self.values / unit, self.parts, self.degree)


def of_mean(values: Floats, weight: Floats | None) -> Influence:
    """The influence on the mean of one value a row."""
    weights = np.ones(len(values)) if weight is None else weight
    return Influence(_of_ratio(values, weights), (weights,))


def of_metric(metric: Metric, label: Floats, score: Floats, weight: Floats | None) -> Influence:
    """The influence on a metric that is defined on these rows, with weights above 0; for NDCG, `of_mean` of lists."""
    weights = np.ones(len(label)) if weight is None else weight
    return _INFLUENCE[metric](label, score, weights)


def _of_ratio(values: Floats, weights: Floats) -> Floats:
    influence: Floats = weights * (values - np.average(values, weights=weights)) / weights.sum()
    return influence


def _of_loss(loss: Callable[[Floats, Floats], Floats]) -> Callable[[Floats, Floats, Floats], Influence]:
    return lambda label, score, weights: of_mean(loss(label, score), weights)


def _log_loss(label: Floats, score: Floats) -> Floats:
    tiny = np.finfo(np.float64).eps
    chance = np.clip(np.where(label == 1, score, 1 - score), tiny, 1 - tiny)
    loss: Floats = -np.log(chance)
    return loss


def _rmse(label: Floats, score: Floats, weights: Floats) -> Influence:
    unit = greatest(label - score)
    squared = ((label - score) / unit) ** 2
    root = np.sqrt(np.average(squared, weights=weights))
    values = unit * _of_ratio(squared, weights) / (2 * root) if root else np.zeros(len(label))
    return Influence(values, (weights,))


def _r2(label: Floats, score: Floats, weights: Floats) -> Influence:
    from_mean = label - np.average(label, weights=weights)
    unit = greatest(from_mean)
    squared, about_mean = ((label - score) / unit) ** 2, (from_mean / unit) ** 2
    whole = weights @ about_mean
    unexplained = weights @ squared / whole
    return Influence(-weights * (squared - unexplained * about_mean) / whole, (weights,), degree=2)


def _roc_auc(label: Floats, score: Floats, weights: Floats) -> Influence:
    """Each positive's share of negatives that it beats, and each negative's of positives that beat it."""
    positive = label == 1
    values = np.empty(len(label))
    for own, other in ((positive, ~positive), (~positive, positive)):
        below = _weight_below(score[own], score[other], weights[other]) / weights[other].sum()
        beaten = below if own is positive else 1 - below
        values[own] = _of_ratio(beaten, weights[own])
    return Influence(values, (weights * positive, weights * ~positive), degree=2)


def _weight_below(score: Floats, others: Floats, weight: Floats) -> Floats:
    """The weight of the others that score lower, and half of that of those that score the same."""
    order = np.argsort(others)
    before = np.concatenate([[0.0], np.cumsum(weight[order])])
    lower, not_higher = (np.searchsorted(others[order], score, side=side) for side in ("left", "right"))
    half: Floats = (before[lower] + before[not_higher]) / 2
    return half


def _average_precision(label: Floats, score: Floats, weights: Floats) -> Influence:
    """A positive's own precision, and the effect of every row on the positives that score no higher than it.

    Three are compared: a positive, the positives above it, and all rows above it.
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


_INFLUENCE: Mapping[Metric, Callable[[Floats, Floats, Floats], Influence]] = {
    Metric.ROC_AUC: _roc_auc,
    Metric.AVERAGE_PRECISION: _average_precision,
    Metric.LOG_LOSS: _of_loss(_log_loss),
    Metric.BRIER: _of_loss(lambda label, score: (label - score) ** 2),
    Metric.RMSE: _rmse,
    Metric.MAE: _of_loss(lambda label, score: np.abs(label - score)),
    Metric.R2: _r2,
}
