"""Experiments, slow and obvious: entities by dictionaries, night by night, entity by entity; bounds by integrals."""

from dataclasses import dataclass
from datetime import timedelta
from math import exp, pi, sqrt

from scipy.integrate import quad
from scipy.optimize import brentq


@dataclass
class Entity:
    """An entity that counts."""

    night: object
    arm: str
    weight: float
    value: float


def enrol(rows, since, run_date, exposure, age):
    """The entities that count, how many are too young, and how many have left.

    Args:
        rows: dictionaries: entity, night, served, arm, chance, and value, a function of the date at which it counts.
    """
    by_entity = {}
    for row in sorted(rows, key=lambda row: row["night"]):
        drawn = row["served"] and row["arm"] is not None and row["chance"] < 1
        if drawn and since <= row["night"] < run_date:
            by_entity.setdefault(row["entity"], []).append(row)
    counted, waiting, changed = [], 0, 0
    for own in by_entity.values():
        first = own[0]
        counted_on = first["night"] + timedelta(days=age)
        if counted_on > run_date:
            waiting += 1
            continue
        young = [row for row in own if row["night"] < counted_on]
        if any(row["arm"] != first["arm"] for row in young):
            changed += 1
            continue
        exposed = [row for row in young if row["night"] < first["night"] + timedelta(days=exposure)]
        weight = first["chance"] / min(row["chance"] for row in young)
        value = sum(row["value"](counted_on) for row in exposed)
        counted.append(Entity(first["night"], first["arm"], weight, value))
    return counted, waiting, changed


def evidence(entities):
    """After each night: difference, weight and variance of the sum, as `sequential.evidence` says, by entities."""
    nights = sorted({one.night for one in entities})
    results = []
    for number in range(len(nights)):
        parts = [of_night([one for one in entities if one.night == night]) for night in nights[: number + 1]]
        total = sum(weight for weight, _, _ in parts)
        effect = sum(weight * gap for weight, gap, _ in parts) / total if total else 0.0
        results.append((effect if total else None, total, sum(spread(effect) for _, _, spread in parts)))
    return nights, results


def of_night(entities):
    """The weight of a night, its difference, and its variance by the effect that is the same for all."""
    arms = [[one for one in entities if one.arm == arm] for arm in ("challenger", "champion")]
    if not all(arms):
        return 0.0, 0.0, lambda _: 0.0
    sums = [sum(one.weight for one in own) for own in arms]
    sizes = [total**2 / sum(one.weight**2 for one in own) for total, own in zip(sums, arms, strict=True)]
    means = [sum(one.weight * one.value for one in own) / total for total, own in zip(sums, arms, strict=True)]
    weight = sizes[0] * sizes[1] / (sizes[0] + sizes[1])

    def variance(effect):
        centre = (sizes[0] * (means[0] - effect) + sizes[1] * means[1]) / sum(sizes)
        squares = [
            sum((one.weight * (one.value - moved - centre)) ** 2 for one in own) / total**2
            for own, total, moved in zip(arms, sums, (effect, 0.0), strict=True)
        ]
        return weight**2 * sum(squares) * sum(sizes) / (sum(sizes) - 1)

    return weight, means[0] - means[1], variance


def mixture(total, variance, precision, *, one_sided):
    """The wealth of a bet on slopes: normal ones of mean 0 and this precision, of either sign or of one alone."""

    def bet(slope):
        return sqrt(precision / (2 * pi)) * exp(slope * total - slope**2 * (variance + precision) / 2)

    middle = total / (variance + precision)
    width = 12 / sqrt(variance + precision)
    low, high = max(middle - width, 0.0) if one_sided else middle - width, max(middle + width, width)
    return (2 if one_sided else 1) * quad(bet, low, high, limit=200)[0]


def reach(variance, level, precision, *, one_sided):
    """The sum at which the wealth is 1 / level."""

    def short(total):
        return mixture(total, variance, precision, one_sided=one_sided) - 1 / level

    return brentq(short, 0.0, 8 * sqrt(variance + precision))
