"""Thresholds by trying each one: of every score, and above all of them."""

from fractions import Fraction


def choose(rows, tiers):
    """The threshold of each tier, in order; None above all scores.

    Args:
        rows: (label, score, night, weight, missed, false_alarm), in whole numbers and fractions.
        tiers: (kind, limit) each: a floor as a fraction, a capacity, or None for the cheapest.
    """
    chosen, above = [], None
    for number, (kind, limit) in enumerate(tiers):
        options = [None, *sorted({score for _, score, *_ in rows}, reverse=True)]
        options = options[options.index(above) :] if number else options
        above = RULES[kind](rows, options, limit)
        chosen.append(above)
    return chosen


def acted(rows, threshold, above=None):
    """The rows from a threshold on, and below that of the tier before."""
    return [row for row in rows if threshold is not None and row[1] >= threshold and (above is None or row[1] < above)]


def cheapest(rows, options, _):
    """Of equally cheap ones the highest."""

    def cost(threshold):
        return sum(
            weight * (false_alarm * (not label) if threshold is not None and score >= threshold else missed * label)
            for label, score, _, weight, missed, false_alarm in rows
        )

    return min(options, key=cost)


def finding_enough(rows, options, floor):
    """The highest that finds enough, whatever tier finds it."""
    true = sum(row[3] for row in rows if row[0])
    finds = [option for option in options if sum(row[3] for row in acted(rows, option) if row[0]) >= floor * true]
    return finds[0] if true and finds else options[0]


def precise_enough(rows, options, floor):
    """The lowest of those at which enough of the tier's own rows are true; else of the most precise ones."""
    shares = {}
    for option in options[1:]:
        own = acted(rows, option, options[0])
        shares[option] = Fraction(sum(row[3] for row in own if row[0])) / sum(row[3] for row in own)
    if not any(shares.values()):
        return options[0]
    enough = [option for option, share in shares.items() if share >= min(floor, max(shares.values()))]
    return enough[-1]


def within_capacity(rows, options, most):
    """The last before the first at which some night has too many rows of the tier."""
    within = options[0]
    for option in options[1:]:
        own = acted(rows, option, options[0])
        if any(sum(row[3] for row in own if row[2] == night) > most for night in {row[2] for row in rows}):
            return within
        within = option
    return within


RULES = {"cost": cheapest, "recall": finding_enough, "precision": precise_enough, "capacity": within_capacity}
