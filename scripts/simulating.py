"""How often 95% intervals contain the truth, and how often an equal challenger beats a baseline: see scripts/simulate.

Each run draws entities and nights anew, as another year of another business would have them. The truth is the metric
over all runs' rows together.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from scipy.special import expit

from nightjar.evaluation.clusters import Clusters, blocks_of, blocks_within, overlap
from nightjar.evaluation.criteria import OF_METRICS
from nightjar.evaluation.inference import OF_ROWS
from nightjar.evaluation.intervals import Interval, Scale, interval
from nightjar.settings.task import Metric

FIRST = date(2024, 1, 1)
METRICS = (Metric.ROC_AUC, Metric.AVERAGE_PRECISION, Metric.BRIER)
GRID = 20_000


@dataclass(frozen=True)
class Rows:
    """The rows of a run: their entity, night and outcome, and the scores of two models that are equally good."""

    entity: np.ndarray
    night: np.ndarray
    label: np.ndarray
    scores: tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class World:
    """The process that generates rows.

    Attributes:
        make: draws a run.
        horizon: days that an outcome covers.
        entity_effect, night_effect: standard deviations of the effects of an entity, or a night.
        lasting: correlation of a night's effect with the next night's.
        block_days: as in `search.block_days`; None: as long as the horizon.
    """

    name: str
    make: "Callable[[np.random.Generator, World], Rows]"
    entities: int
    nights: int
    horizon: int
    entity_effect: float = 0
    night_effect: float = 0
    lasting: float = 0
    block_days: int | None = None

    def clusters(self, rows: Rows) -> Clusters:
        """The clusters that a project with this spine and label has."""
        days = np.datetime64(FIRST) + rows.night
        last = FIRST + timedelta(days=self.nights - 1)
        length = self.block_days or self.horizon
        block = blocks_of(days, FIRST, last, length)
        return Clusters(rows.entity, block, overlap(self.nights, length, self.nights))

    def shocks(self, random: np.random.Generator, days: int) -> np.ndarray:
        """The effect of each day."""
        shock = random.normal(size=days)
        for day in range(1, days):
            shock[day] = self.lasting * shock[day - 1] + (1 - self.lasting**2) ** 0.5 * shock[day]
        return self.night_effect * shock

    def __str__(self) -> str:
        effects = [name for name in ("entity", "night") if getattr(self, f"{name}_effect")]
        blocks = blocks_within(self.nights, self.block_days or self.horizon)
        text = f"{self.name}, {self.nights} nights in {blocks} blocks, effects: {' and '.join(effects) or 'none'}"
        return f"{text}, lasting {self.lasting}" if self.lasting else text


def customers(random: np.random.Generator, world: World) -> Rows:
    """Every night a row for each customer who has bought in the last 30 days: will he buy within the horizon?"""
    days = 30 + world.nights + world.horizon
    own = world.entity_effect * random.normal(size=world.entities)
    shock = world.shocks(random, days)
    rate = 0.03 * np.exp(own[:, None] + shock - (world.entity_effect**2 + world.night_effect**2) / 2)
    bought = np.pad(np.cumsum(random.random((world.entities, days)) < -np.expm1(-rate), axis=1), ((0, 0), (1, 0)))
    night = np.arange(30, 30 + world.nights)
    before = bought[:, night] - bought[:, night - 30]
    after = bought[:, night + world.horizon] - bought[:, night]
    entity, at = np.nonzero(before)

    def score() -> np.ndarray:
        prediction = own + 0.6 * random.normal(size=world.entities)
        return expit(prediction[entity] + 0.3 * before[entity, at] + 0.3 * random.normal(size=len(entity)) - 1.2)

    return Rows(entity, at, after[entity, at] > 0, (score(), score()))


def flights(random: np.random.Generator, world: World) -> Rows:
    """On three nights of five a row for each flight: will it be late today? Weather is shared by a night."""
    own = world.entity_effect * random.normal(size=world.entities)
    shock = world.shocks(random, world.nights)
    entity, night = np.nonzero(random.random((world.entities, world.nights)) < 0.6)
    seen = 0.7 * random.normal(size=len(entity)) - 1.5
    label = random.random(len(entity)) < expit(own[entity] + shock[night] + seen)

    def score() -> np.ndarray:
        prediction = own + 0.6 * world.entity_effect * random.normal(size=world.entities)
        forecast = 0.5 * shock + 0.6 * world.night_effect * random.normal(size=world.nights)
        return expit(prediction[entity] + forecast[night] + seen + 0.3 * random.normal(size=len(entity)))

    return Rows(entity, night, label, (score(), score()))


WORLDS = [
    replace(world, entity_effect=entity, night_effect=night)
    for world, effect in (
        (World("customers", customers, 665, 100, 30), (0.8, 0.5)),
        (World("customers", customers, 665, 300, 30), (0.8, 0.5)),
        (World("flights", flights, 1500, 28, 1), (0.5, 0.7)),
        (World("flights", flights, 1500, 5, 1), (0.5, 0.7)),
        (World("machines", flights, 10, 60, 1), (0.5, 0.7)),
    )
    for entity in (effect[0], 0)
    for night in (effect[1], 0)
]
WORLDS += [World("flights", flights, 1500, 28, 1, 0.5, 0.7, lasting=0.5, block_days=days) for days in (1, 4)]


def main() -> None:
    """Print one line for each world and figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--only", default="", help="worlds whose name holds this")
    options = parser.parse_args()
    for world in (world for world in WORLDS if options.only in str(world)):
        started = time.monotonic()
        print(f"{world}: {options.runs} runs", flush=True)
        for line in simulate(world, options.runs):
            print(f"  {line}", flush=True)
        print(f"  {time.monotonic() - started:.0f} s", flush=True)


def simulate(world: World, runs: int) -> Iterator[str]:
    """For each metric: how often its interval contains the truth, and how often one of two equals beats the other."""
    random = np.random.default_rng(20)
    alone: dict[Metric, list[Interval]] = {metric: [] for metric in METRICS}
    apart: dict[Metric, list[Interval]] = {metric: [] for metric in METRICS}
    counts = np.zeros((2, GRID + 1))
    for _ in range(runs):
        rows = world.make(random, world)
        label, clusters = rows.label.astype(np.float64), world.clusters(rows)
        counted = [of_scores(rows.label, score) for score in rows.scores]
        counts += counted[0]
        estimates = [figures(one) for one in counted]
        for metric in METRICS:
            inference, ones = OF_ROWS[OF_METRICS[metric]], np.ones(len(label))
            first, second = (inference.influence(label, score, ones) for score in rows.scores)
            alone[metric].append(interval(estimates[0][metric], first, clusters, inference.scale))
            gap = estimates[0][metric] - estimates[1][metric]
            apart[metric].append(interval(gap, first.minus(second), clusters, Scale.PLAIN))
    for metric, value in figures(counts).items():
        bounded = [one for one in alone[metric] if one.low is not None]
        bounded_gaps = [one for one in apart[metric] if one.low is not None]
        coverage = np.mean([one.low <= value <= one.high for one in bounded])
        zero = np.mean([one.low <= 0 <= one.high for one in bounded_gaps])
        beats = np.mean([(one.low > 0) if metric.greater_is_better else (one.high < 0) for one in bounded_gaps])
        width = np.median([one.high - one.low for one in bounded])
        yield (
            f"{metric.value} {value:.3f}: held {coverage:.1%} (width {width:.3f}), difference of equals {zero:.1%}, "
            f"one beats the other {beats:.1%}; no bounds in {1 - len(bounded) / runs:.1%}"
        )


def of_scores(label: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Rows of each outcome by score, on a grid so fine that rounding hardly joins two scores."""
    places = np.rint(GRID * score).astype(int)
    return np.array([np.bincount(places[label == outcome], minlength=GRID + 1) for outcome in (0, 1)])


def figures(counts: np.ndarray) -> dict[Metric, float]:
    """The metrics, from the counts of each outcome by score: quicker than from the rows."""
    negatives, positives = counts
    below = np.cumsum(negatives) - negatives / 2
    reached, of_them = np.cumsum(counts.sum(axis=0)[::-1]), np.cumsum(positives[::-1])
    grid = np.arange(GRID + 1) / GRID
    return {
        Metric.ROC_AUC: float(positives @ below / positives.sum() / negatives.sum()),
        Metric.AVERAGE_PRECISION: float(positives[::-1] @ (of_them / np.maximum(reached, 1)) / positives.sum()),
        Metric.BRIER: float((negatives @ grid**2 + positives @ (1 - grid) ** 2) / counts.sum()),
    }


if __name__ == "__main__":
    main()
