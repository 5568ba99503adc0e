"""The search for slices, slowly: every box of every set of up to three columns, row by row."""

from itertools import combinations, product
from math import inf, sqrt


def best_boxes(coarse, ranges, excess, deviation, least_rows):
    """Set of columns -> the greatest z of its boxes; -inf where none is large enough.

    Args:
        coarse: of each column the bin of each row.
        ranges: of each column the ranges of bins that a condition may be made of.
        excess: of each row.
        deviation: of the excess.
        least_rows: of a box.
    """
    total = len(excess)
    result = {}
    for size in (1, 2, 3):
        for columns in combinations(range(len(coarse)), size):
            best = -inf
            for box in product(*(ranges[column] for column in columns)):
                inside = [
                    row
                    for row in range(total)
                    if all(a <= coarse[column][row] < b for column, (a, b) in zip(columns, box, strict=True))
                ]
                if least_rows <= len(inside) <= total / 2:
                    spread = deviation * sqrt(len(inside) * (1 - len(inside) / total))
                    best = max(best, sum(excess[row] for row in inside) / spread)
            result[columns] = best
    return result


def difference_to_rest(inside, loss, weight):
    """The weighted mean loss of the rows inside minus that of the others."""
    means = []
    for side in (True, False):
        rows = [row for row in range(len(loss)) if inside[row] is side]
        means.append(sum(loss[row] * weight[row] for row in rows) / sum(weight[row] for row in rows))
    return means[0] - means[1]
