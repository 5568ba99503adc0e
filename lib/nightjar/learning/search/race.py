"""The order of a search, without any engine: which units may run by the results there are.

A race is a generator: it yields units that have become due, and is sent what has ended since. Which units there are in
the end depends on no order among their results: one processor and a hundred give the same search.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

import numpy as np

from nightjar.learning.search.candidates import Candidate
from nightjar.learning.search.halving import places, survivors
from nightjar.learning.search.proposals import Batches, Reached
from nightjar.settings.learning import Stopping
from nightjar.settings.task import Metric


@dataclass(frozen=True)
class Unit:
    """One candidate on one fold, by the fold's place."""

    candidate: Candidate
    fold: int


@dataclass(frozen=True)
class FoldResult:
    """What one candidate reached on one fold.

    Attributes:
        candidate: its name.
        fold: the fold's name.
        seed: of the fit.
        measures: of the fold's test rows; empty where it failed.
        seconds: of fit and measures.
        failure: the traceback of what went wrong, or None.
    """

    candidate: str
    fold: str
    seed: int
    measures: Mapping[str, float | None]
    seconds: float
    failure: str | None = None


Results = Mapping[Unit, FoldResult]
Race = Generator[list[Unit], Results, None]


def race(
    batches: Batches, always: Sequence[Candidate], order: Sequence[int], stopping: Stopping, metric: Metric
) -> Race:
    """The units of a search as they become due; none, where more results are waited for.

    Args:
        batches: what is proposed.
        always: candidates that run on every fold, such as baselines; due from the start.
        order: places of the folds, in the order they are used.
        stopping: the rungs.
        metric: what decides.
    """
    beside = [Unit(candidate, fold) for candidate in always for fold in order]
    reached: Mapping[Candidate, Reached] = {}
    while True:
        try:
            batch = batches.send(reached) if reached else next(batches)
        except StopIteration:
            break
        reached = yield from _batch(batch, beside, order, stopping, metric)
        beside = []
    if beside:
        yield beside


def value_of(result: FoldResult, metric: Metric) -> float | None:
    """The metric with its sign such that greater is better; None where the candidate failed or it is undefined."""
    value = result.measures.get(metric.value)
    return None if value is None else (value if metric.greater_is_better else -value)


def mean(values: Sequence[float | None]) -> float | None:
    """The mean over folds, or None if one of them has no value: a mean is never taken over fewer folds."""
    return float(np.mean([value for value in values if value is not None])) if None not in values else None


def _batch(
    batch: Sequence[Candidate], beside: list[Unit], order: Sequence[int], stopping: Stopping, metric: Metric
) -> Generator[list[Unit], Results, Mapping[Candidate, Reached]]:
    """Run a batch from rung to rung; what each candidate reached on the folds it ran on, in the order of the folds.

    Who goes on at a rung is decided by all scores up to there. Who is among them, whatever those that are still open
    will be, does not wait for them.
    """
    results: dict[Unit, FoldResult] = {}
    going = list(batch)
    bounds = [*stopping.rungs, len(order)]
    asked = [Unit(candidate, fold) for fold in order[: bounds[0]] for candidate in going]
    due = [*beside, *asked]
    for end, following in pairwise(bounds):
        ahead: set[Candidate] = set()
        means = {one: _best_mean(one, order[:end], metric, results) for one in going}
        waiting = {one for one in going if means[one] == inf}
        while True:
            if places(len(going), stopping.keep) - len(waiting) > len(ahead):
                best = [going[place] for place in survivors(list(means.values()), stopping.keep)]
                sure = [one for one in best if one not in waiting and one not in ahead]
                new = [Unit(one, fold) for fold in order[end:following] for one in sure]
                due += new
                asked += new
                ahead.update(sure)
            if not waiting:
                break
            ended = yield due
            due = []
            results.update(ended)
            for one in {unit.candidate for unit in ended} & waiting:
                means[one] = _best_mean(one, order[:end], metric, results)
                if means[one] != inf:
                    waiting.remove(one)
        going = [one for one in going if one in ahead]
    left = {unit for unit in asked if unit not in results}
    while due or left:
        ended = yield due
        due = []
        results.update(ended)
        left.difference_update(ended)
    return _reached(asked, results, len(order), metric)


def _best_mean(candidate: Candidate, folds: Sequence[int], metric: Metric, results: Results) -> float | None:
    """The mean of these folds, or the best that it may become: infinite, or None where one has no value already."""
    found = [results.get(Unit(candidate, fold)) for fold in folds]
    values = [value_of(result, metric) for result in found if result is not None]
    return inf if None not in values and len(values) < len(found) else mean(values)


def _reached(units: Sequence[Unit], results: Results, folds: int, metric: Metric) -> dict[Candidate, Reached]:
    """What each candidate reached on the folds it ran on, in the order of the units."""
    values: dict[Candidate, list[float | None]] = {}
    for unit in units:
        values.setdefault(unit.candidate, []).append(value_of(results[unit], metric))
    return {candidate: Reached(tuple(found), folds) for candidate, found in values.items()}
