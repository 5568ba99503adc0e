"""How many models a year are promoted that are no better, and how soon one that is: see scripts/simulate promotion.

A year of trainings, each on 60 nights and judged on the 28 after them: neighbouring ones share most of their rows.
Champion and challenger are two recipes, fitted anew to the same rows each time. All rows of a night share its weather:
how often the outcome is true, and how much each recipe's own feature is worth that night.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from scipy import special
from scipy.special import expit
from scipy.stats import t as student

from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.influence import of_mean
from nightjar.evaluation.intervals import Scale, interval
from nightjar.evaluation.metric_report import Truth
from nightjar.registry.attempts import YEAR, Attempt, level_of
from nightjar.settings.task import Task

FIRST = date(2024, 1, 1)
TRAIN, FINAL = 60, 28
PER_YEAR = 0.05
CADENCES = {"each night": 1, "each week": 7, "every 4 weeks": 28}
WIDE, NARROW = 0.95, 0.6
STEPS = np.arange(1, 10_000)
DECAY = np.log(np.maximum(STEPS, 2)) / (STEPS * np.exp(np.sqrt(np.log(STEPS))))
DECAY /= DECAY.sum()
FREEDOM = np.concatenate([np.arange(1, 30, 0.25), np.geomspace(30, 1e5, 300)])
RATIOS = student.ppf((1 + WIDE) / 2, FREEDOM) / student.ppf((1 + NARROW) / 2, FREEDOM)
"""Of the widths of two intervals, by their degrees of freedom."""
NIGHTLY = PER_YEAR / 3 / YEAR
"""The level of a training each night."""
BETTER = 0.6
"""The gain of a model that is better."""


@dataclass(frozen=True)
class World:
    """What makes the rows.

    Attributes:
        nights: of all rows.
        rows: of each night.
        entities: that rows are about.
        gain: how much more the challenger's own feature says of the outcome than the champion's; 0: they are equals.
        shock: how much a night's weather moves all its outcomes, and what the features say of them.
    """

    nights: int
    rows: int = 60
    entities: int = 400
    gain: float = 0.0
    shock: float = 0.4


@dataclass(frozen=True)
class Rows:
    """Rows by night: entity, outcome, and the features of each recipe, with a constant."""

    entity: np.ndarray
    label: np.ndarray
    champion: np.ndarray
    challenger: np.ndarray


def draw(random: np.random.Generator, world: World) -> Rows:
    """Rows of all nights, (nights, rows)."""
    shape = (world.nights, world.rows)
    entity = random.integers(world.entities, size=shape)
    shared, own, other = random.normal(size=(3, *shape))
    trait = 0.5 * random.normal(size=world.entities)
    weather, of_own, of_other = world.shock * random.normal(size=(3, world.nights, 1))
    chance = expit(trait[entity] + weather + shared + (0.5 + of_own) * own + (0.5 + world.gain + of_other) * other - 1)
    ones = np.ones(shape)
    return Rows(
        entity,
        random.random(shape) < chance,
        np.stack([ones, shared, own], axis=-1),
        np.stack([ones, shared, other], axis=-1),
    )


def scores(rows: Rows, features: np.ndarray, last: int) -> np.ndarray:
    """The scores of the final period that ends before a night, by least squares on the nights before it."""
    train, final = slice(last - FINAL - TRAIN, last - FINAL), slice(last - FINAL, last)
    design, label = features[train].reshape(-1, features.shape[-1]), rows.label[train].ravel()
    weights = np.linalg.solve(design.T @ design, design.T @ label)
    return np.clip(features[final].reshape(-1, features.shape[-1]) @ weights, 0.001, 0.999)


def truth(rows: Rows, last: int) -> Truth:
    """The rows of the final period that ends before a night."""
    final = slice(last - FINAL, last)
    night = np.repeat(np.arange(FINAL), rows.label.shape[1])
    return Truth(Task.CLASSIFICATION, rows.label[final].ravel(), Clusters(rows.entity[final].ravel(), night))


def chance_of_equals(rows: Rows, last: int) -> float:
    """The level at which the challenger's interval of the Brier score would just lie below the champion's."""
    judged = truth(rows, last)
    losses = [(scores(rows, features, last) - judged.label) ** 2 for features in (rows.challenger, rows.champion)]
    gap = losses[0] - losses[1]
    wide, narrow = (
        interval(float(gap.mean()), of_mean(gap, None), judged.clusters, Scale.PLAIN, confidence=one)
        for one in (WIDE, NARROW)
    )
    ratio = (wide.high - wide.low) / (narrow.high - narrow.low)
    freedom = float(np.interp(-ratio, -RATIOS, FREEDOM))
    error = (wide.high - wide.low) / 2 / special.stdtrit(freedom, (1 + WIDE) / 2)
    return float(special.stdtr(freedom, wide.estimate / error))


Rule = Callable[[int, list[tuple[int, float, bool]]], float]
"""Night and earlier attempts (night, level, promoted) -> the level of the next one."""


def each_the_same(*_: object) -> float:
    """The interval of 95%, however often it is tried."""
    return 0.025


def half_of_the_rest(night: int, before: list[tuple[int, float, bool]]) -> float:
    """Half of what the attempts of the past year have left."""
    return (PER_YEAR - sum(level for earlier, level, _ in before if night - earlier < YEAR)) / 2


def lord(_: int, before: list[tuple[int, float, bool]]) -> float:
    """LORD++ of Ramdas et al. (2017), Online control of the false discovery rate with decaying memory."""
    wealth, now = PER_YEAR / 2, len(before) + 1
    promotions = [number for number, (_, _, promoted) in enumerate(before, 1) if promoted]
    of_first = (PER_YEAR - wealth) * sum(DECAY[now - first - 1] for first in promotions[:1])
    return float(DECAY[now - 1] * wealth + of_first + PER_YEAR * sum(DECAY[now - one - 1] for one in promotions[1:]))


def refilled(night: int, before: list[tuple[int, float, bool]]) -> float:
    """That of `registry.attempts`."""
    attempts = [Attempt(str(number), FIRST + timedelta(days=one[0]), one[1]) for number, one in enumerate(before)]
    return level_of("", FIRST + timedelta(days=night), attempts, PER_YEAR)


RULES = {"2.5% each": each_the_same, "half of the rest": half_of_the_rest, "LORD++": lord, "refilled": refilled}


def promotions(rule: Rule, chances: dict[int, float], warm: int = 0) -> list[int]:
    """The nights of promotion; after one the other recipe challenges.

    Args:
        rule: of levels.
        chances: night of an attempt -> `chance_of_equals` of the recipe that challenges at first.
        warm: attempts in vain before the first one, as far apart as these.
    """
    nights = sorted(chances)
    gap = nights[1] - nights[0]
    before: list[tuple[int, float, bool]] = []
    for number in range(warm, 0, -1):
        night = nights[0] - number * gap
        before.append((night, rule(night, before), False))
    promoted: list[int] = []
    for night in nights:
        level = rule(night, before)
        chance = chances[night] if len(promoted) % 2 == 0 else 1 - chances[night]
        before.append((night, level, chance < level))
        promoted += [night] if chance < level else []
    return promoted


def simulate_years(
    years: int, gain: float = 0.0, rows: int = 60, every: int = 1, seed: int = 26
) -> list[dict[int, float]]:
    """Of each year its attempts, one every so many nights: night -> `chance_of_equals`."""
    random = np.random.default_rng(seed)
    first = TRAIN + FINAL
    result = []
    for _ in range(years):
        drawn = draw(random, World(first + YEAR, rows, gain=gain))
        result.append({night: chance_of_equals(drawn, night) for night in range(first, first + YEAR, every)})
    return result


def false_promotions(years: list[dict[int, float]], rule: Rule, every: int) -> tuple[float, float]:
    """False promotions a year, and the share of years with any, of equals that are trained every so many nights."""
    counts = [len(promotions(rule, _every(year, every))) for year in years]
    return float(np.mean(counts)), float(np.mean([count > 0 for count in counts]))


def waits(years: list[dict[int, float]], rule: Rule, every: int) -> np.ndarray:
    """In each year the nights until a better challenger is promoted, after 18 months in vain; infinite: it never is."""
    result = []
    for year in years:
        promoted = promotions(rule, _every(year, every), 3 * YEAR // 2 // every)
        result.append(promoted[0] - min(year) if promoted else np.inf)
    return np.array(result)


def _every(year: dict[int, float], nights: int) -> dict[int, float]:
    return {night: chance for night, chance in year.items() if (night - min(year)) % nights == 0}


def tell_years(years: int) -> Iterator[str]:
    """Lines about the rules."""
    equals, better = simulate_years(years), simulate_years(max(1, years // 4), gain=BETTER, seed=27)
    errors = -special.ndtri(np.clip([list(year.values()) for year in better], 1e-15, 1)).mean()
    yield f"a better model is one that is better by {errors:.1f} standard errors of a period's difference"
    exact = np.quantile([min(year.values()) for year in equals], PER_YEAR)
    yield f"one level each night that promotes in {PER_YEAR:.0%} of these years: {exact:.2g}; refilled {NIGHTLY:.2g}"
    for cadence, every in CADENCES.items():
        for name, rule in RULES.items():
            number, share = false_promotions(equals, rule, every)
            waited = waits(better, rule, every)
            yield (
                f"trained {cadence}, {name}: {number:.3f} false promotions a year, any in {share:.1%} of years; "
                f"a better model is promoted within 28 nights in {np.mean(waited < 28):.0%}, within a year in "
                f"{np.mean(np.isfinite(waited)):.0%}"
            )


def main() -> None:
    """Print a line for each rule and cadence."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=int, default=400)
    options = parser.parse_args()
    started = time.monotonic()
    for line in tell_years(options.years):
        print(line, flush=True)
    print(f"  {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
