"""Metrics, slow and obvious: row by row, over every order of what ties, and by repeating rows."""

from itertools import groupby, permutations, product

import numpy as np


def gap(label, score, weight):
    """Every gap between the shares of positive and negative rows at or above a score."""
    totals = [sum(w for y, w in zip(label, weight, strict=True) if y == kind) for kind in (0, 1)]
    gaps = []
    for threshold in sorted(set(score)):
        reached = [0.0, 0.0]
        for y, s, w in zip(label, score, weight, strict=True):
            reached[int(y)] += w * (s >= threshold)
        gaps.append(reached[1] / totals[1] - reached[0] / totals[0])
    return gaps


def expected_gain(label, score, share):
    """The mean over every order of what ties of the positives among the first rows; of the row at the border a part."""
    chosen = share * len(label)
    gains = []
    for order in orders(score):
        parts = [min(max(chosen - place, 0), 1) for place in range(len(order))]
        gains.append(sum(part * label[row] for part, row in zip(parts, order, strict=True)))
    return np.mean(gains) / sum(label)


def orders(score):
    """Every order of the rows by descending score."""
    ranked = sorted(range(len(score)), key=lambda row: -score[row])
    ties = [list(rows) for _, rows in groupby(ranked, key=lambda row: score[row])]
    for parts in product(*(permutations(tie) for tie in ties)):
        yield [row for part in parts for row in part]


def brier_parts(label, score, bin_of_row):
    """Stephenson, Coelho and Jolliffe (2008), equations as they stand there."""
    rows, rate = len(label), sum(label) / len(label)
    result = np.zeros(5)
    result[2] = rate * (1 - rate)
    for number in set(bin_of_row):
        own = [row for row in range(rows) if bin_of_row[row] == number]
        mean, observed = (sum(values[row] for row in own) / len(own) for values in (score, label))
        result[0] += len(own) / rows * (mean - observed) ** 2
        result[1] += len(own) / rows * (observed - rate) ** 2
        result[3] += sum((score[row] - mean) ** 2 for row in own) / rows
        result[4] += 2 / rows * sum((label[row] - observed) * (score[row] - mean) for row in own)
    return result


def of_order(relevant, k):
    """Precision and recall at k, average precision and reciprocal rank of rows in their order."""
    places = [place for place, one in enumerate(relevant, start=1) if one]
    precisions = [sum(relevant[:place]) / place for place in places]
    return sum(relevant[:k]) / k, sum(relevant[:k]) / len(places), np.mean(precisions), 1 / places[0]


def of_list(relevance, score, k):
    """The mean of `of_order` over every order of what ties."""
    relevant = [one > 0 for one in relevance]
    return np.mean([of_order([relevant[row] for row in order], k) for order in orders(score)], axis=0)


def resampled(measure, label, score, block, times, weight):
    """The measure of the rows, each as often as its block is drawn, in each resample."""
    values = []
    for drawn in times:
        rows = np.repeat(np.arange(len(label)), drawn[block].astype(int))
        values.append(measure(label[rows], score[rows], weight[rows]) if len(rows) and weight[rows].any() else None)
    return values
