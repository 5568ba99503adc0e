"""How often a slice in which a model fails is found, and how often one that is none: see scripts/simulate slices.

60 nights of 2,000 rows, of which 40 are searched and the 20 after them confirm. A fifth of the rows are errors; all
rows of a night share a shock, and one column is the same all night. A planted slice has 3% of the rows, and 30% of
errors.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from scipy.special import expit, logit

from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.slices.comparing import compare_all
from nightjar.evaluation.slices.finding import find_slices

NIGHTS, SEARCHED, ROWS = 60, 40, 2000
ERRORS, PLANTED, SHARE, SHOCK = 0.2, 0.3, 0.03, 0.3
LEAST = 200
LEVELS = {"a": 4, "b": 6, "c": 10, "d": 30}
NUMBERS = 6


@dataclass(frozen=True)
class World:
    """The rows of all nights: their columns, the planted slice's rows (none: no slice) and whether each is an error."""

    columns: pa.Table
    planted: np.ndarray
    error: np.ndarray


def draw(random: np.random.Generator, *, conditions: int) -> World:
    """A world whose planted slice has so many conditions; 0: none is planted."""
    rows = NIGHTS * ROWS
    night = np.repeat(np.arange(NIGHTS), ROWS)
    texts = {
        name: random.choice(number, rows, p=random.dirichlet(np.full(number, 4.0))) for name, number in LEVELS.items()
    }
    numbers = {f"n{one}": random.normal(size=rows) for one in range(NUMBERS)}
    numbers["n1"] = np.round(np.exp(numbers["n1"]), 1)
    numbers["n2"] = 0.6 * numbers["n0"] + 0.8 * numbers["n2"]
    missing = random.random(rows) < 0.1
    columns = {name: np.char.add(name, codes.astype(str)) for name, codes in texts.items()}
    columns |= {name: np.where(missing & (name == "n3"), np.nan, values) for name, values in numbers.items()}
    columns["weather"] = random.normal(size=NIGHTS)[night]
    planted = np.zeros(rows, np.bool_)
    while conditions and abs(planted.mean() - SHARE) > 0.1 * SHARE:
        planted = _plant(random, texts, columns, conditions)
    shock = SHOCK * random.normal(size=NIGHTS)[night]
    chance = expit(logit(np.where(planted, PLANTED, ERRORS)) + shock)
    return World(pa.table(columns), planted, random.random(rows) < chance)


def _plant(random: np.random.Generator, texts: dict, columns: dict, conditions: int) -> np.ndarray:
    """Rows that meet so many conditions, of about the share: levels of texts, ranges of numbers."""
    part = np.ones(NIGHTS * ROWS, np.bool_)
    names = random.choice([*LEVELS, *(f"n{one}" for one in range(NUMBERS))], conditions, replace=False)
    names = sorted(names, key=lambda name: name.startswith("n"))
    for place, name in enumerate(names):
        share = min(1.0, (SHARE / max(part.mean(), SHARE)) ** (1 / (conditions - place)))
        if name in texts:
            counts = np.bincount(texts[name][part]) / part.sum()
            part &= texts[name] == np.abs(counts - share).argmin()
        else:
            start = random.uniform(0, 1 - share)
            low, high = np.nanquantile(columns[name][part], [start, start + share])
            part &= (columns[name] >= low) & (columns[name] < high)
    return part


def look(world: World) -> tuple[int, list[float]]:
    """How many slices were candidates, and of each that was confirmed how much it is the planted one (Jaccard)."""
    night = np.repeat(np.arange(NIGHTS), ROWS)
    searched, loss = night < SEARCHED, world.error.astype(np.float64)
    parts = [
        (world.columns.filter(pa.array(part)), loss[part], _clusters(night[part])) for part in (searched, ~searched)
    ]
    slices = find_slices(*parts[0], least_rows=LEAST)
    compared = compare_all(slices, *parts[1], least_rows=LEAST)
    confirmed = [one.of(world.columns) for one, beside in zip(slices, compared, strict=True) if beside.is_worse]
    return len(slices), [float((one & world.planted).sum() / (one | world.planted).sum()) for one in confirmed]


def _clusters(night: np.ndarray) -> Clusters:
    return Clusters(np.arange(len(night)), night - night[0])


def tell_slices(runs: int, without: int, seed: int = 29) -> Iterator[str]:
    """A line for slices of each number of conditions, and for worlds without one."""
    random = np.random.default_rng(seed)
    planted = []
    for conditions in (1, 2, 3):
        number = runs // 3 + (conditions <= runs % 3)
        planted += [look(draw(random, conditions=conditions))[1] for _ in range(number)]
        yield f"{number} with a slice of {conditions} conditions: {_describe(planted[len(planted) - number :])}"
    yield f"{runs} with a slice: {_describe(planted)}"
    results = [look(draw(random, conditions=0)) for _ in range(without)]
    rate, candidates = np.mean([bool(confirmed) for _, confirmed in results]), np.mean([one for one, _ in results])
    yield f"{without} without one: any confirmed in {rate:.1%}, candidates {candidates:.2f} a run"


def _describe(results: list[list[float]]) -> str:
    best = np.array([max(result, default=0.0) for result in results])
    first = np.array([next(iter(result), 0.0) for result in results])
    alien = np.mean([sum(one < 0.01 for one in result) for result in results])
    return (
        f"Jaccard of 0.7 or more in {np.mean(best >= 0.7):.1%}, by the first confirmed in {np.mean(first >= 0.7):.1%}; "
        f"median {np.median(best):.2f}; confirmed {np.mean([len(one) for one in results]):.2f} a run, of which "
        f"elsewhere {alien:.3f}"
    )


def main() -> None:
    """Print a line for each kind of world."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200, help="with a planted slice")
    parser.add_argument("--without", type=int, default=1000, help="without one")
    options = parser.parse_args()
    started = time.monotonic()
    for line in tell_slices(options.runs, options.without):
        print(line, flush=True)
    print(f"  {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
