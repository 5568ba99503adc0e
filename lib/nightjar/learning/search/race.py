"""The order of a search, without any engine: which units may run by the results there are.

A search is a generator: it yields units that have become due and is sent the results so far, after each of them. Which
units a search has in the end depends on no order among their results: one processor and a hundred give the same search.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from nightjar.learning.search.candidates import Candidate
from nightjar.learning.search.halving import survivors
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
Rounds = Generator[list[Unit], Results, None]


def rounds(
    batches: Batches, always: Sequence[Candidate], order: Sequence[int], stopping: Stopping, metric: Metric
) -> Rounds:
    """The rounds of a search: each yields what has become due, which may be nothing before more results are there.

    Args:
        batches: what is proposed.
        always: candidates that run on every fold, such as baselines; due from the start.
        order: places of the folds, in the order they are used.
        stopping: the rungs.
        metric: what decides.
    """
    beside = [Unit(candidate, fold) for candidate in always for fold in order]
    results: Results = {}
    reached: Mapping[Candidate, Reached] = {}
    while True:
        try:
            batch = batches.send(reached) if reached else next(batches)
        except StopIteration:
            break
        due, handed_out = due_units(batch, order, stopping, metric, results), set[Unit]()
        while not all(unit in results for unit in due):
            new = [unit for unit in due if unit not in handed_out]
            handed_out.update(new)
            results = yield beside + new
            beside = []
            due = due_units(batch, order, stopping, metric, results)
        reached = _reached(due, results, len(order), metric)
    if beside:
        yield beside


def due_units(
    batch: Sequence[Candidate], order: Sequence[int], stopping: Stopping, metric: Metric, results: Results
) -> list[Unit]:
    """All units of a batch that may run by these results, with those that have ended; more results only add to them.

    Who goes on at a rung is decided by all scores up to there. Who is among them whatever the open ones will be does
    not wait for those.
    """
    due: list[Unit] = []
    going, decided = list(batch), True
    for start, end in zip([0, *stopping.rungs], [*stopping.rungs, len(order)], strict=True):
        due += [Unit(candidate, fold) for fold in order[start:end] for candidate in going]
        if not decided or end == len(order):
            break
        means = [_best_mean(candidate, order[:end], metric, results) for candidate in going]
        decided = inf not in means
        going = [going[place] for place in survivors(means, stopping.keep) if means[place] != inf]
    return due


def value_of(result: FoldResult, metric: Metric) -> float | None:
    """The metric with its sign such that greater is better; None where the candidate failed or it is undefined."""
    value = result.measures.get(metric.value)
    return None if value is None else (value if metric.greater_is_better else -value)


def mean(values: Sequence[float | None]) -> float | None:
    """The mean over folds, or None if one of them has no value: a mean is never taken over fewer folds."""
    return float(np.mean([value for value in values if value is not None])) if None not in values else None


def _best_mean(candidate: Candidate, folds: Sequence[int], metric: Metric, results: Results) -> float | None:
    """The mean of these folds, or the best that it may become: infinite, or None where one has no value already."""
    units = [Unit(candidate, fold) for fold in folds]
    values = [value_of(results[unit], metric) if unit in results else inf for unit in units]
    return mean(values)


def _reached(units: Sequence[Unit], results: Results, folds: int, metric: Metric) -> dict[Candidate, Reached]:
    """What each candidate reached on the folds it ran on, in the order of the units."""
    values: dict[Candidate, list[float | None]] = {}
    for unit in units:
        values.setdefault(unit.candidate, []).append(value_of(results[unit], metric))
    return {candidate: Reached(tuple(found), folds) for candidate, found in values.items()}
