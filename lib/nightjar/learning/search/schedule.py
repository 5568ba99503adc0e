"""The schedule of a search, by successive halving and without any engine: which tasks may run given the results.

A schedule is a generator: it yields tasks that have become due, and is sent the results since. The set of all tasks
does not depend on the order of results: one processor and a hundred give the same search.
"""

from collections.abc import Generator, Mapping, Sequence
from itertools import pairwise
from math import inf

import numpy as np

from nightjar.learning.fitting.candidates import Candidate
from nightjar.learning.search.fold_tasks import FoldResult, FoldTask, FoldValues, value_of
from nightjar.learning.search.halving import survivor_count, survivors
from nightjar.learning.search.proposals import Batches
from nightjar.settings.learning import Stopping
from nightjar.settings.task import Metric

Results = Mapping[FoldTask, FoldResult]
Schedule = Generator[list[FoldTask], Results, None]


def halving_schedule(
    batches: Batches, never_stopped: Sequence[Candidate], order: Sequence[int], stopping: Stopping, metric: Metric
) -> Schedule:
    """Yield the tasks of a search as they become due; an empty list while it waits for more results.

    Args:
        batches: what is proposed.
        never_stopped: candidates that run on every fold, such as baselines; due from the start.
        order: positions of the folds, in the order they are used.
        stopping: the rungs.
        metric: what decides.
    """
    extra_fold_tasks = [FoldTask(candidate, fold) for candidate in never_stopped for fold in order]
    fold_values: Mapping[Candidate, FoldValues] = {}
    while True:
        try:
            batch = batches.send(fold_values) if fold_values else next(batches)
        except StopIteration:
            break
        fold_values = yield from _batch(batch, extra_fold_tasks, order, stopping, metric)
        extra_fold_tasks = []
    if extra_fold_tasks:
        yield extra_fold_tasks


def mean(values: Sequence[float | None]) -> float | None:
    """The mean over folds; None if one of them has no value."""
    return float(np.mean([value for value in values if value is not None])) if None not in values else None


def _batch(
    batch: Sequence[Candidate],
    extra_fold_tasks: list[FoldTask],
    order: Sequence[int],
    stopping: Stopping,
    metric: Metric,
) -> Generator[list[FoldTask], Results, Mapping[Candidate, FoldValues]]:
    """Run a batch from rung to rung; returns each candidate's values on the folds it ran on, in the order of the folds.

    All scores up to a rung decide which candidates go on. A candidate that is certain to, whatever the open results
    will be, goes on before they are there.
    """
    results: dict[FoldTask, FoldResult] = {}
    active = list(batch)
    bounds = [*stopping.rungs, len(order)]
    scheduled = [FoldTask(candidate, fold) for fold in order[: bounds[0]] for candidate in active]
    due = [*extra_fold_tasks, *scheduled]
    for end, next_end in pairwise(bounds):
        promoted: set[Candidate] = set()
        means = {candidate: _best_mean(candidate, order[:end], metric, results) for candidate in active}
        undecided = {candidate for candidate in active if means[candidate] == inf}
        while True:
            if survivor_count(len(active), stopping.keep) - len(undecided) > len(promoted):
                best = [active[place] for place in survivors(list(means.values()), stopping.keep)]
                certain = [candidate for candidate in best if candidate not in undecided and candidate not in promoted]
                further = [FoldTask(candidate, fold) for fold in order[end:next_end] for candidate in certain]
                due += further
                scheduled += further
                promoted.update(certain)
            if not undecided:
                break
            ended = yield due
            due = []
            results.update(ended)
            for candidate in {fold_task.candidate for fold_task in ended} & undecided:
                means[candidate] = _best_mean(candidate, order[:end], metric, results)
                if means[candidate] != inf:
                    undecided.remove(candidate)
        active = [candidate for candidate in active if candidate in promoted]
    outstanding = {fold_task for fold_task in scheduled if fold_task not in results}
    while due or outstanding:
        ended = yield due
        due = []
        results.update(ended)
        outstanding.difference_update(ended)
    return _fold_values(scheduled, results, len(order), metric)


def _best_mean(candidate: Candidate, folds: Sequence[int], metric: Metric, results: Results) -> float | None:
    """The mean of these folds, or its bound while some are open: infinite, or None where a fold has no value."""
    fold_results = [results.get(FoldTask(candidate, fold)) for fold in folds]
    values = [value_of(result, metric) for result in fold_results if result is not None]
    return inf if None not in values and len(values) < len(fold_results) else mean(values)


def _fold_values(
    fold_tasks: Sequence[FoldTask], results: Results, folds: int, metric: Metric
) -> dict[Candidate, FoldValues]:
    """Each candidate's values on the folds it ran on, in the order of the tasks."""
    values: dict[Candidate, list[float | None]] = {}
    for fold_task in fold_tasks:
        values.setdefault(fold_task.candidate, []).append(value_of(results[fold_task], metric))
    return {candidate: FoldValues(tuple(of_candidate), folds) for candidate, of_candidate in values.items()}
