"""Stopping at rungs: rules by example, and how often it keeps the winner of the full search, by simulation."""

import math
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightjar.learning.fitting.candidates import Candidate
from nightjar.learning.search.fold_tasks import FoldResult, FoldTask
from nightjar.learning.search.halving import survivors
from nightjar.learning.search.schedule import halving_schedule
from nightjar.settings.learning import Stopping
from nightjar.settings.model import Estimator, Model
from nightjar.settings.task import Metric
from oracles import halving as oracle


@pytest.mark.parametrize(
    ("means", "keep", "on"),
    [
        ([0.5, 0.9, 0.7, 0.6], 0.5, [1, 2]),
        ([0.5, 0.9, 0.7], 0.5, [1, 2]),  # rounded up
        ([0.7, 0.7, 0.7], 0.34, [0, 1]),  # the earlier of equals
        ([0.5, 0.9, 0.7], 1 / 3, [1]),
        ([None, 0.1, None, 0.2], 0.5, [1, 3]),
        ([None, 0.1, None, None], 0.5, [1]),  # a failed one never takes a place
        ([None, None], 0.5, []),
        ([], 0.5, []),
    ],
)
def test_the_best_share_goes_on(means, keep, on):
    assert survivors(means, keep) == on


@given(st.lists(st.none() | st.floats(0, 1), max_size=20), st.floats(0.05, 0.95))
def test_nobody_who_is_stopped_was_better_than_one_who_goes_on(means, keep):
    on = survivors(means, keep)
    stopped = [mean for place, mean in enumerate(means) if place not in on and mean is not None]
    assert len(on) == min(math.ceil(keep * len(means) - 1e-9), sum(mean is not None for mean in means))
    assert all(means[place] >= mean for place in on for mean in stopped)


def names(count):
    return [Candidate(f"c{number}", Model(Estimator.MAJORITY)) for number in range(count)]


def start_schedule(candidates, folds, stopping):
    return halving_schedule((batch for batch in [candidates]), [], range(folds), stopping, Metric.ROC_AUC)


def result(fold_task, score):
    failure = "it failed" if score is None else None
    return FoldResult(fold_task.candidate.name, str(fold_task.fold), 0, {"roc_auc": score}, 0.0, failure)


def ran(scores, stopping, pick=None):
    """The (candidate's place, fold) that are run, when these scores are what each fold gives.

    All that are open end at once, or one after another as `pick` chooses from so many.
    """
    candidates = names(len(scores))
    place = {candidate: number for number, candidate in enumerate(candidates)}
    generator = start_schedule(candidates, len(scores[0]), stopping)
    open_fold_tasks, results = next(generator), {}
    while open_fold_tasks:
        ended = [open_fold_tasks.pop(pick(len(open_fold_tasks)))] if pick else open_fold_tasks
        new_results = {
            fold_task: result(fold_task, scores[place[fold_task.candidate]][fold_task.fold]) for fold_task in ended
        }
        open_fold_tasks = open_fold_tasks if pick else []
        results |= new_results
        try:
            open_fold_tasks += generator.send(new_results)
        except StopIteration:
            assert not open_fold_tasks
    return {(place[fold_task.candidate], fold_task.fold) for fold_task in results}


@given(
    st.integers(1, 4).flatmap(
        lambda folds: st.lists(
            st.lists(st.none() | st.sampled_from([0.25, 0.5, 0.75]), min_size=folds, max_size=folds), min_size=1
        )
    ),
    st.sets(st.integers(1, 3)),
    st.sampled_from([0.3, 0.5, 0.7]),
    st.randoms(use_true_random=False),
)
def test_in_whichever_order_results_come_the_units_are_those_of_barriers(scores, rungs, keep, random):
    rungs = sorted(rung for rung in rungs if rung < len(scores[0]))
    assert ran(scores, Stopping(rungs, keep), random.randrange) == oracle.ran(scores, rungs, keep)


def test_who_is_sure_to_go_on_does_not_wait_for_the_others():
    """Two of four go on: the best of three is one of them, the second may still lose its place to the fourth."""
    best, second, third, fourth = candidates = names(4)
    generator = start_schedule(candidates, 2, Stopping([1]))
    next(generator)
    assert generator.send({FoldTask(best, 0): result(FoldTask(best, 0), 0.9)}) == []
    assert generator.send({FoldTask(second, 0): result(FoldTask(second, 0), 0.8)}) == []
    assert generator.send({FoldTask(third, 0): result(FoldTask(third, 0), 0.7)}) == [FoldTask(best, 1)]
    assert generator.send({FoldTask(fourth, 0): result(FoldTask(fourth, 0), None)}) == [FoldTask(second, 1)]


def run_schedule(scores, stopping):
    """The winner's place and the number of fits."""
    done = ran(scores, stopping)
    complete = [place for place in range(len(scores)) if all((place, fold) in done for fold in range(scores.shape[1]))]
    return max(complete, key=lambda place: scores[place].mean()), len(done)


@pytest.mark.parametrize(("noise", "least"), [(0.25, 0.98), (0.5, 0.95), (0.75, 0.9)])
def test_stopping_keeps_the_winner_of_the_full_search(noise, least, capsys):
    """500 matrices of 12 candidates x 5 folds: quality ~ N(0, 1), folds differ for all alike by N(0, 1), and each score
    has a noise of its own, N(0, noise). Mean regret in units of the winner's standard error over folds."""
    random = np.random.default_rng(2013)
    hits, regret, error, fits = 0, [], [], 0
    for _ in range(500):
        scores = random.normal(size=(12, 1)) + random.normal(size=(1, 5)) + noise * random.normal(size=(12, 5))
        best = int(np.argmax(scores.mean(axis=1)))
        winner, fitted = run_schedule(scores, Stopping(rungs=[1, 2]))
        hits += winner == best
        regret.append(scores[best].mean() - scores[winner].mean())
        error.append(scores[best].std(ddof=1) / np.sqrt(5))
        fits += fitted
    with capsys.disabled():
        sys.stdout.write(
            f"\nnoise {noise}: kept {hits / 5:.1f}%, mean regret {np.mean(regret):.4f} = "
            f"{np.mean(regret) / np.mean(error):.3f} standard errors, {fits / 500:.0f} of 60 fits\n"
        )
    assert hits / 500 >= least
    assert np.mean(regret) < 0.5 * np.mean(error)


def test_without_rungs_everyone_runs_on_every_fold():
    assert run_schedule(np.random.default_rng(0).random((4, 3)), Stopping())[1] == 12
