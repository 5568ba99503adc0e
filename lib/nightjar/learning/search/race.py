"""The order of a search, without any engine: rounds of units that may run beside each other, each with its barrier.

A search is a generator: it yields the units of a round and is sent their results. What follows depends on all results
of the round, and on no order among them: one processor and a hundred give the same search.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

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
    """The rounds of a search.

    Args:
        batches: what is proposed.
        always: candidates that run on every fold, such as baselines; beside the first round.
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
    """Run a batch from rung to rung; what each candidate reached on the folds it ran on, in the order of the folds."""
    reached: dict[Candidate, list[float | None]] = {candidate: [] for candidate in batch}
    going = list(batch)
    for start, end in zip([0, *stopping.rungs], [*stopping.rungs, len(order)], strict=True):
        units = [Unit(candidate, fold) for fold in order[start:end] for candidate in going]
        results = yield beside + units
        beside = []
        for unit in units:
            reached[unit.candidate].append(value_of(results[unit], metric))
        if end < len(order):
            means = [mean(reached[candidate]) for candidate in going]
            going = [going[place] for place in survivors(means, stopping.keep)]
        if not going:
            break  # all of them have failed: on to the next batch
    return {candidate: Reached(tuple(values), len(order)) for candidate, values in reached.items()}
