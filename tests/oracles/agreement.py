"""Agreement as its definitions read: every pair of answers looked at by itself, in exact fractions."""

from fractions import Fraction
from itertools import combinations, permutations


def cohen(first, second):
    """Kappa of two lists of answers about the same items; None where it is 0 / 0."""
    items = len(first)
    if not items:
        return None
    observed = Fraction(sum(one == other for one, other in zip(first, second, strict=True)), items)
    expected = Fraction(sum(one == other for one in first for other in second), items * items)
    return None if expected == 1 else float((observed - expected) / (1 - expected))


def fleiss(items):
    """Kappa of lists of answers, one list an item; None where it is 0 / 0."""
    items = [answers for answers in items if len(answers) >= 2]
    pool = [answer for answers in items for answer in answers]
    if len(set(pool)) < 2:
        return None
    observed = sum((len(answers) - 1) * _share_of_agreeing_pairs(answers) for answers in items)
    observed /= sum(len(answers) - 1 for answers in items)
    expected = sum(Fraction(pool.count(answer), len(pool)) ** 2 for answer in set(pool))
    return float((observed - expected) / (1 - expected))


def pairs(said):
    """(first, second) -> (items, agreed, kappa), of {(item, annotator): answer}."""
    found = {}
    for first, second in combinations(sorted({annotator for _, annotator in said}), 2):
        common = sorted(item for item, annotator in said if annotator == first and (item, second) in said)
        one, other = [said[item, first] for item in common], [said[item, second] for item in common]
        if common:
            agreed = sum(a == b for a, b in zip(one, other, strict=True))
            found[first, second] = (len(common), agreed, cohen(one, other))
    return found


def against_the_others(said):
    """Annotator -> (items on which the others have a majority, those on which it is the annotator's answer)."""
    found = {annotator: [0, 0] for _, annotator in said}
    for (item, annotator), answer in said.items():
        others = [said[one] for one in said if one[0] == item and one[1] != annotator]
        majority = most(others)
        if majority is not None:
            found[annotator][0] += 1
            found[annotator][1] += answer == majority
    return {annotator: tuple(counts) for annotator, counts in found.items()}


def most(answers):
    """What is answered more often than anything else; None where answers tie for that, or there are none."""
    times = {one: answers.count(one) for one in answers}
    first = [one for one in times if times[one] == max(times.values())]
    return first[0] if len(first) == 1 else None


def _share_of_agreeing_pairs(answers):
    ordered = list(permutations(answers, 2))
    return Fraction(sum(one == other for one, other in ordered), len(ordered))
