"""Slow, obviously right versions of what the preparation computes: row by row, column by column."""

import numpy as np


def mean_label(level, levels, labels, pseudo_count, prior):
    """(sum + k * prior) / (rows + k) of the rows at a level; the prior for a level that has none."""
    own = [label for other, label in zip(levels, labels, strict=True) if other == level]
    return (sum(own) + pseudo_count * prior) / (len(own) + pseudo_count) if own else prior


def cross_fitted(levels, labels, pseudo_count, splits):
    """Each row's mean label from the training part of the split that tests it; None is the level of nulls."""
    means = [sum(labels) / len(labels)] * len(labels)
    for train, test in splits:
        known, outcomes = [levels[row] for row in train], [labels[row] for row in train]
        prior = sum(outcomes) / len(outcomes)
        for row in test:
            means[row] = mean_label(levels[row], known, outcomes, pseudo_count, prior)
    return means


def inflation(inputs, column):
    """1 / (1 - R^2) of the least squares regression of a column on all others and a constant."""
    others = np.column_stack([np.ones(len(inputs)), np.delete(inputs, column, axis=1)])
    wanted = inputs[:, column]
    residual = wanted - others @ np.linalg.lstsq(others, wanted, rcond=None)[0]
    return ((wanted - wanted.mean()) ** 2).sum() / (residual**2).sum()


def without_inflation(inputs, threshold):
    """The columns left when the most inflated one goes until none is above the threshold."""
    left = list(range(inputs.shape[1]))
    while len(left) > 1:
        factors = [inflation(inputs[:, left], place) for place in range(len(left))]
        if max(factors) <= threshold:
            break
        del left[int(np.argmax(factors))]
    return left


def without_correlation(inputs, threshold):
    """The columns that no kept column before them correlates with above the threshold."""
    left: list[int] = []
    for column in range(inputs.shape[1]):
        found = [abs(np.corrcoef(inputs[:, column], inputs[:, kept])[0, 1]) for kept in left]
        if all(one <= threshold for one in found):
            left.append(column)
    return left
