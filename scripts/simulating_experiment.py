"""How often tests that are looked at every night raise a false alarm, and find what is there: see scripts/simulate
experiment.

Each test draws its entities, nights and arms anew. The share of the challenger grows in steps, entities come again, the
more they are worth the more often, all rows of a night share a shock, and a few rows are worth more than thousands of
others. The lender is that of scripts/simulate_credit: whom two models of equal quality, or a better one, would approve.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from functools import partial
from typing import Any

import numpy as np
from scipy.special import expit, logit, ndtri

from credit.world import DEFAULTED, draw_applicants, draw_applications
from credit.world import World as Lender
from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.metric_report import Truth, metric_difference
from nightjar.evaluation.sequential import Arm, Evidence, arm, confidence_at, evidence, lower, two_sided
from nightjar.evaluation.sequential_power import Plan, crossing, power
from nightjar.settings.task import Metric, Task
from simulating import World as Pairs
from simulating import flights

STEPS, LASTS, NIGHTS = (0.05, 0.2, 0.5), 14, 56
SHARES = np.repeat([*STEPS, STEPS[-1]], LASTS)
LEVEL = 0.05


@dataclass(frozen=True)
class Rows:
    """Rows of several tests, (rows,), by test, entity and night.

    Attributes:
        test, night, entity: numbers from 0; an entity has one row a night.
        draw: the entity's number in [0, 1), which decides its arm.
        champion, challenger: what the row is worth with the decision of either of two equals.
        better: that with the decision of a better challenger.
    """

    test: np.ndarray
    night: np.ndarray
    entity: np.ndarray
    draw: np.ndarray
    champion: np.ndarray
    challenger: np.ndarray
    better: np.ndarray


@dataclass(frozen=True)
class World:
    """What is simulated: rows of so many tests, the days of exposure, and the age at which an entity counts."""

    name: str
    make: Callable[[np.random.Generator, int, int, float], Rows]
    exposure: int
    age: int
    chunk: int = 50

    @property
    def days(self) -> int:
        """Days with rows: those that entities enter on, and until the last one has its age."""
        return NIGHTS + self.age


def visitors(
    random: np.random.Generator,
    tests: int,
    days: int,
    effect: float,
    spread: Callable[[np.random.Generator, int], np.ndarray],
) -> Rows:
    """Some of 6,000 entities a night, 100 on average; the more one is worth, the more often it comes.

    Without effect a row is worth as much in both arms: what the entity is worth, times what the spread draws, and the
    night's shock, as large as the standard deviation of all else. A better challenger adds the effect once an entity.
    """
    pool, each = 6000, 100
    trait = random.gamma(2.0, 0.5, (tests, pool))
    number = random.poisson(each, (tests, days))
    test = np.repeat(np.arange(tests), number.sum(axis=1))
    night = np.repeat(np.tile(np.arange(days), tests), number.ravel())
    edges = np.cumsum(trait, axis=1)
    place = test + random.random(len(test))
    scaled = (edges / edges[:, -1:] + np.arange(tests)[:, None]).ravel()
    entity = np.minimum(np.searchsorted(scaled, place), tests * pool - 1)
    order = np.unique(entity * days + night)
    entity, night = order // days, order % days
    test = entity // pool
    own = trait.ravel()[entity] * spread(random, len(entity))
    shock = own.std() * random.normal(size=(tests, days))
    value = own + shock[test, night]
    better = value + effect * np.r_[True, entity[1:] != entity[:-1]]
    return Rows(test, night, entity, random.random(tests * pool)[entity], value, value, better)


def pareto(random: np.random.Generator, size: int) -> np.ndarray:
    """No third moment: one row of 10,000 is worth 40 times the mean."""
    return random.pareto(2.5, size)


def sparse(random: np.random.Generator, size: int) -> np.ndarray:
    """Nine rows of ten are worth nothing, others differ a hundredfold."""
    return (random.random(size) < 0.1) * np.exp(1.2 * random.normal(size=size))


def normal(random: np.random.Generator, size: int) -> np.ndarray:
    """The textbook's."""
    return random.normal(size=size)


def loans(random: np.random.Generator, tests: int, days: int, _: float) -> Rows:
    """The lender's applications: each model approves where its estimate of default is below what interest pays for.

    Log-odds of two equals are off by a standard deviation of 2, those of a better challenger by 0.3. Tests that are
    drawn together have different applicants, and nights in common.
    """
    first, parts = date(2025, 1, 1), []
    lender = Lender(first, seed=int(random.integers(2**31)), applications=200 * tests)
    applicants = draw_applicants(lender)
    number = random.random(len(applicants.income))
    for night in range(days):
        drawn = draw_applications(lender, applicants, first + timedelta(days=night))
        gain = np.where(drawn.outcome == DEFAULTED, -0.6, 0.1) * drawn.amount
        risk = logit(drawn.default_probability)
        estimates = [expit(risk + error * random.normal(size=len(risk))) for error in (2.0, 2.0, 0.3)]
        worth = [np.where(one < 0.1 / 0.7, gain, 0.0) for one in estimates]
        who = drawn.applicant
        parts.append((who % tests, np.full(len(who), night), who, number[who], *worth))
    columns = [np.concatenate(one) for one in zip(*parts, strict=True)]
    order = np.lexsort((columns[1], columns[2]))
    return Rows(*(one[order] for one in columns))


def enrol(rows: Rows, shares: np.ndarray, world: World, tests: int) -> tuple[Arm, Arm]:
    """The champion's arm and the challenger's, (tests, nights), as `monitoring.enrolment` finds them.

    Args:
        rows: of the tests.
        shares: of the challenger, (tests, days).
        world: has exposure and age.
        tests: their number.
    """
    is_first = np.r_[True, rows.entity[1:] != rows.entity[:-1]]
    which = np.cumsum(is_first) - 1
    start = np.flatnonzero(is_first)
    entered = rows.night[start]
    since = rows.night - entered[which]
    share = shares[rows.test, rows.night]
    drawn = rows.draw < share
    has_it, young = drawn[start], since < world.age
    size = len(start)
    left = np.bincount(which, young & (drawn != has_it[which]), size) > 0
    worth = np.where(has_it[which], rows.challenger, rows.champion)
    value = np.bincount(which, np.where(since < world.exposure, worth, 0.0), size)
    chance = np.where(has_it[which], share, 1 - share)
    least = np.minimum.reduceat(np.where(young, chance, 1.0), start)
    weight = chance[start] / least
    stays = ~left & (entered < NIGHTS)
    cell = rows.test[start] * NIGHTS + entered
    ones, zeros = np.ones(size), np.zeros(size)
    result = []
    for part in (stays & ~has_it, stays & has_it):
        own = [one[part] for one in (value, weight, ones, zeros)]
        result.append(arm(cell[part], (tests, NIGHTS), *own))
    return result[0], result[1]


def improved(rows: Rows) -> Rows:
    """The same with the better challenger."""
    return replace(rows, challenger=rows.better)


def grow_on_success(rows: Rows, world: World, tests: int) -> np.ndarray:
    """Shares that grow a step only where the challenger looks better by then, and else stay for good."""
    shares = np.full((tests, world.days), STEPS[0])
    for number, share in enumerate(STEPS[1:], 1):
        ended = number * LASTS
        seen = evidence(*enrol(rows, shares, world, tests)).difference[:, ended - world.age]
        grows = (seen > 0) & (shares[:, ended - 1] == STEPS[number - 1])
        shares[grows, ended:] = share
    return shares


def planned(world: World, tests: int) -> np.ndarray:
    """The shares of the plan, (tests, days)."""
    longer = np.r_[SHARES, np.full(world.age, SHARES[-1])]
    return np.tile(longer, (tests, 1))


def plan_of(entities: float, deviation: float) -> Plan:
    """The plan of all worlds."""
    return Plan(list(SHARES), entities, deviation, LEVEL)


@dataclass(frozen=True)
class Alarms:
    """In each of some tests whether something was ever claimed.

    Attributes:
        better, worse: by the two bounds.
        harmed: by a guard's one bound.
        nightly: by an interval of 95% each night.
        independent: by the same two bounds of all entities as if they were of one night, as an mSPRT takes them.
        adaptive: by the two bounds where the share grows only while the challenger looks better.
        missed: whether the bounds have ever missed the mean effect of the entities that were compared.
    """

    better: np.ndarray
    worse: np.ndarray
    harmed: np.ndarray
    nightly: np.ndarray
    independent: np.ndarray
    adaptive: np.ndarray
    missed: np.ndarray


def as_one_night(arms: tuple[Arm, Arm]) -> Evidence:
    """The evidence after each night as if all entities until then were of one night."""
    number, mean, square = [], [], []
    for own in arms:
        entities = np.cumsum(own.entities, axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            middle = np.cumsum(own.entities * own.mean, axis=1) / entities
        squares = np.cumsum(own.second + own.entities * own.mean**2, axis=1)
        number, mean, square = [*number, entities], [*mean, middle], [*square, squares - entities * middle**2]
    weight = number[0] * number[1] / np.maximum(number[0] + number[1], 1)
    variance = weight**2 * sum(one / np.maximum(own, 1) ** 2 for one, own in zip(square, number, strict=True))
    return Evidence(np.stack(number), np.stack(mean), mean[1] - mean[0], weight, np.nan_to_num(variance))


def claims(of: Evidence, plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    """Whether each test has ever shown the challenger to be better, and to be worse."""
    bounds = two_sided(of, LEVEL, plan.tuned())
    return (bounds.low > 0).any(axis=1), (bounds.high < 0).any(axis=1)


def effects(rows: Rows, world: World, tests: int) -> np.ndarray:
    """The true mean effect of the entities that each night has let in so far, nights weighted as the evidence does."""
    start = np.flatnonzero(np.r_[True, rows.entity[1:] != rows.entity[:-1]])
    which = np.repeat(np.arange(len(start)), np.diff([*start, len(rows.entity)]))
    entered = rows.night[start]
    counts = (rows.night - entered[which] < world.exposure) & (entered[which] < NIGHTS)
    cell = (rows.test * NIGHTS + np.minimum(entered[which], NIGHTS - 1))[counts]
    effect = np.bincount(cell, (rows.challenger - rows.champion)[counts], tests * NIGHTS).reshape(tests, NIGHTS)
    first = (rows.test[start] * NIGHTS + entered)[entered < NIGHTS]
    number = np.bincount(first, minlength=tests * NIGHTS).reshape(tests, NIGHTS)
    weight = SHARES * (1 - SHARES)
    return np.cumsum(effect * weight, axis=1) / np.maximum(np.cumsum(number * weight, axis=1), 1e-300)


def look(rows: Rows, world: World, tests: int, plan: Plan) -> Alarms:
    """What is claimed of each test."""
    arms = enrol(rows, planned(world, tests), world, tests)
    of, true = evidence(*arms), effects(rows, world, tests)
    both, guard = two_sided(of, LEVEL, plan.tuned()), lower(of.turned(), LEVEL, plan.tuned(one_sided=True))
    with np.errstate(invalid="ignore", divide="ignore"):
        z = of.difference * of.weight / np.sqrt(of.variance)
    grown = evidence(*enrol(rows, grow_on_success(rows, world, tests), world, tests))
    return Alarms(
        *claims(of, plan),
        harmed=(guard.low > 0).any(axis=1),
        nightly=(of.is_enough & (np.abs(z) > -ndtri(LEVEL / 2))).any(axis=1),
        independent=np.logical_or(*claims(as_one_night(arms), plan)),
        adaptive=np.logical_or(*claims(grown, plan)),
        missed=((both.low > true) | (both.high < true)).any(axis=1),
    )


@dataclass(frozen=True)
class Power:
    """What tests with a better challenger have shown, by test.

    Attributes:
        better, worse: whether it was ever claimed.
        drift: the sum that the true effects make, by night; weight, variance: of the evidence.
    """

    better: np.ndarray
    worse: np.ndarray
    drift: np.ndarray
    weight: np.ndarray
    variance: np.ndarray

    @property
    def effect(self) -> float:
        """The true mean effect."""
        return float(self.drift[:, -1].mean() / self.weight[:, -1].mean())

    def plan(self) -> Plan:
        """The plan with the entities and the deviation that were seen."""
        weight, variance = float(self.weight[:, -1].mean()), float(self.variance[:, -1].mean())
        return plan_of(1 + weight / float((SHARES * (1 - SHARES)).sum()), (variance / weight) ** 0.5)

    def computed(self, plan: Plan) -> float:
        """The power by each night's own entities and deviation, of each test as hard to see as its own evidence."""
        drift, variance = self.drift.mean(axis=0), self.variance.mean(axis=0)
        times, looks = np.linspace(0.2, 3.0, 57), plan.looks()
        powers = [crossing(drift * one, variance, looks, LEVEL, plan.tuned())[-1] for one in times]
        signal = self.effect * self.weight[:, -1] / np.sqrt(self.variance[:, -1])
        return float(np.interp(signal / (drift[-1] / np.sqrt(variance[-1])), times, powers).mean())


def with_better(rows: Rows, world: World, tests: int, plan: Plan) -> Power:
    """What is claimed of each test where the challenger is better."""
    better = improved(rows)
    of = evidence(*enrol(better, planned(world, tests), world, tests))
    return Power(*claims(of, plan), effects(better, world, tests) * of.weight, of.weight, of.variance)


def simulate(world: World, tests: int, plan: Plan, effect: float = 0.0, seed: int = 25) -> tuple[Alarms, Power]:
    """Many tests of a world, each with an equal and with a better challenger."""
    random = np.random.default_rng(seed)
    equals, better = list[Alarms](), list[Power]()
    for begin in range(0, tests, world.chunk):
        number = min(world.chunk, tests - begin)
        rows = world.make(random, number, world.days, effect)
        equals.append(look(rows, world, number, plan))
        better.append(with_better(rows, world, number, plan))
    return Alarms(**_joined(equals)), Power(**_joined(better))


def _joined(parts: Sequence[Any]) -> dict[str, np.ndarray]:
    names = [field.name for field in fields(parts[0])]
    return {name: np.concatenate([getattr(one, name) for one in parts]) for name in names}


def effect_for(plan: Plan, chance: float) -> float:
    """The effect that a plan shows with a chance."""
    low, high = 0.0, plan.deviation
    for _ in range(25):
        middle = (low + high) / 2
        low, high = (low, middle) if power(plan, middle)[-1] >= chance else (middle, high)
    return high


WORLDS = (
    World("normal values", partial(visitors, spread=normal), exposure=1, age=1),
    World("Pareto values, no third moment", partial(visitors, spread=pareto), exposure=7, age=14),
    World("nine of ten worth nothing", partial(visitors, spread=sparse), exposure=7, age=14),
    World("the lender", loans, exposure=1, age=14, chunk=10),
)


def prepare(world: World, tests: int = 50) -> tuple[Plan, float]:
    """A plan by a few tests of the world, and the effect of a row that it shows with a chance of about 80%."""
    _, few = simulate(world, tests, plan_of(50.0, 1.0), effect=1.0, seed=24)
    plan = few.plan()
    return plan, effect_for(plan, 0.8) / few.effect


def tell(world: World, tests: int) -> Iterator[str]:
    """Lines about a world."""
    plan, effect = prepare(world)
    equals, better = simulate(world, tests, plan, effect)
    shares = {name.name: float(np.mean(getattr(equals, name.name))) for name in fields(Alarms)}
    either = float(np.mean(equals.better | equals.worse))
    yield (
        f"{world.name}, {tests} tests of {NIGHTS} nights with {plan.entities:.0f} entities: false alarms "
        f"{either:.2%} +- {_error(either, tests):.2%} (better {shares['better']:.2%}, worse {shares['worse']:.2%})"
    )
    yield (
        f"  the guard rolls back {shares['harmed']:.2%}; where the share grows on success {shares['adaptive']:.2%}; "
        f"the mean effect of those compared is ever missed by {shares['missed']:.2%}"
    )
    yield (
        f"  what is not done: an interval of 95% each night {shares['nightly']:.1%}; all entities as of one night "
        f"{shares['independent']:.1%}"
    )
    shown, computed, fitting = float(np.mean(better.better)), better.computed(plan), better.plan()
    yield (
        f"  better by {better.effect / fitting.deviation:.3f} deviations: shown in {shown:.1%} (to be worse in "
        f"{np.mean(better.worse):.2%}); computed {computed:.1%} +- {_error(computed, tests):.1%}, and "
        f"{power(fitting, better.effect)[-1]:.1%} by one deviation for all nights and tests"
    )


def pairs(tests: int, nights: int = 28, seed: int = 27) -> tuple[np.ndarray, np.ndarray]:
    """Two equal models on the same rows: whether each test has ever told them apart, and by plain intervals of 95%.

    About 180 rows a night, of 300 entities, which share traits, and weather.
    """
    random, result = np.random.default_rng(seed), []
    world = Pairs("flights", flights, 300, nights, 1, 0.5, 0.7)
    for _ in range(tests):
        rows = flights(random, world)
        order = np.argsort(rows.night, kind="stable")
        entity, night, label = rows.entity[order], rows.night[order], rows.label[order]
        scores, ends = [one[order] for one in rows.scores], np.searchsorted(night, np.arange(nights), side="right")
        told = [False, False]
        for number in range(3, nights + 1):
            part = slice(0, ends[number - 1])
            truth = Truth(Task.CLASSIFICATION, label[part], Clusters(entity[part], night[part]))
            for place, confidence in enumerate((confidence_at(number / nights, LEVEL), 1 - LEVEL)):
                gap = metric_difference(Metric.BRIER, truth, *(one[part] for one in scores), confidence)
                told[place] |= gap.low is not None and not gap.low <= 0 <= gap.high
        result.append(told)
    return tuple(np.array(result).T)


def tell_pairs(tests: int) -> Iterator[str]:
    """A line about paired comparisons."""
    together, each = (float(np.mean(one)) for one in pairs(tests))
    yield (
        f"two equal models on the same rows, {tests} tests of 28 nights: told apart by {together:.1%} +- "
        f"{_error(together, tests):.1%}; by an interval of 95% each night {each:.1%}"
    )


def _error(share: float, number: int) -> float:
    return (share * (1 - share) / number) ** 0.5


def main() -> None:
    """Print lines about each world."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tests", type=int, default=2000)
    parser.add_argument("--only", default="", help="worlds whose name holds this")
    parser.add_argument("--pairs", type=int, default=200, help="tests of paired comparisons")
    options = parser.parse_args()
    for world in (one for one in WORLDS if options.only in one.name):
        started = time.monotonic()
        for line in tell(world, options.tests):
            print(line, flush=True)
        print(f"  {time.monotonic() - started:.0f} s", flush=True)
    for line in tell_pairs(options.pairs) if options.pairs else ():
        print(line, flush=True)


if __name__ == "__main__":
    main()
