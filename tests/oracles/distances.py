"""p-values as their definition reads: every way in which all rows could have been divided among the two sides.

Rows are numbered bins. Of the divisions, each equally likely under no difference, those count that are as far apart as
the given one.
"""

from fractions import Fraction
from itertools import combinations


def permutation_p_value(expected, actual, distance):
    """Of two count vectors; `distance` takes two lists of rows, a row being its bin, and is exact."""
    rows = [bin_ for bin_, (e, a) in enumerate(zip(expected, actual, strict=True)) for _ in range(e + a)]
    found = distance(*([b for b, c in enumerate(side) for _ in range(c)] for side in (expected, actual)))
    far = every = 0
    for chosen in combinations(range(len(rows)), sum(actual)):
        taken = set(chosen)
        sides = [row for n, row in enumerate(rows) if n not in taken], [rows[n] for n in chosen]
        every += 1
        far += distance(*sides) >= found
    return float(Fraction(far, every))


def greatest_gap(expected, actual):
    """Of the two empirical distribution functions, at any row."""
    return max(
        abs(
            Fraction(sum(e <= at for e in expected), len(expected))
            - Fraction(sum(a <= at for a in actual), len(actual))
        )
        for at in [*expected, *actual]
    )


def pearson(expected, actual):
    """The sum over sides and levels of (found - due)**2 / due."""
    sides, total = (expected, actual), len(expected) + len(actual)
    whole = [*expected, *actual]
    due = {(n, level): Fraction(len(sides[n]) * whole.count(level), total) for n in (0, 1) for level in set(whole)}
    return sum((sides[n].count(level) - one) ** 2 / one for (n, level), one in due.items())
