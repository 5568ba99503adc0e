"""Stopping at rungs: rules by example, and how often it keeps the winner of the full search, by simulation."""

import math
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightjar.learning.search.candidates import Candidate
from nightjar.learning.search.halving import survivors
from nightjar.learning.search.race import FoldResult, rounds
from nightjar.settings.learning import Stopping
from nightjar.settings.model import Estimator, Model
from nightjar.settings.task import Metric


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


def raced(scores, stopping):
    """The winner's place and the number of fits, when these scores (candidates, folds) are what each fold gives."""
    candidates = names(len(scores))
    place = {candidate: number for number, candidate in enumerate(candidates)}
    reached = {candidate: {} for candidate in candidates}
    going = rounds((batch for batch in [candidates]), [], range(scores.shape[1]), stopping, Metric.ROC_AUC)
    units = next(going, None)
    while units is not None:
        results = {}
        for unit in units:
            score = scores[place[unit.candidate], unit.fold]
            reached[unit.candidate][unit.fold] = score
            results[unit] = FoldResult(unit.candidate.name, str(unit.fold), 0, {"roc_auc": score}, 0.0)
        try:
            units = going.send(results)
        except StopIteration:
            units = None
    complete = [candidate for candidate in candidates if len(reached[candidate]) == scores.shape[1]]
    winner = max(complete, key=lambda candidate: np.mean(list(reached[candidate].values())))
    return place[winner], sum(len(folds) for folds in reached.values())


@pytest.mark.parametrize(("noise", "least"), [(0.25, 0.98), (0.5, 0.95), (0.75, 0.9)])
def test_stopping_keeps_the_winner_of_the_full_search(noise, least, capsys):
    """500 matrices of 12 candidates x 5 folds: quality ~ N(0, 1), folds differ for all alike by N(0, 1), and each score
    has a noise of its own, N(0, noise). Mean regret in units of the winner's standard error over folds."""
    random = np.random.default_rng(2013)
    kept, regret, error, fits = 0, [], [], 0
    for _ in range(500):
        scores = random.normal(size=(12, 1)) + random.normal(size=(1, 5)) + noise * random.normal(size=(12, 5))
        best = int(np.argmax(scores.mean(axis=1)))
        winner, fitted = raced(scores, Stopping(rungs=[1, 2]))
        kept += winner == best
        regret.append(scores[best].mean() - scores[winner].mean())
        error.append(scores[best].std(ddof=1) / np.sqrt(5))
        fits += fitted
    with capsys.disabled():
        sys.stdout.write(
            f"\nnoise {noise}: kept {kept / 5:.1f}%, mean regret {np.mean(regret):.4f} = "
            f"{np.mean(regret) / np.mean(error):.3f} standard errors, {fits / 500:.0f} of 60 fits\n"
        )
    assert kept / 500 >= least
    assert np.mean(regret) < 0.5 * np.mean(error)


def test_without_rungs_everyone_runs_on_every_fold():
    assert raced(np.random.default_rng(0).random((4, 3)), Stopping())[1] == 12
