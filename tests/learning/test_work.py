"""Units of a search: what follows from their results depends on no order among them, and a lost one is tried again."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import pytest
import ray
from hypothesis import given, settings
from hypothesis import strategies as st

from learning import problems
from nightjar.learning.search import ledger, tune
from nightjar.learning.search.desk import Desk
from nightjar.learning.search.found import search_result
from nightjar.learning.search.race import FoldResult
from nightjar.learning.search.work import Work
from nightjar.settings.learning import ProposalKind, Proposals, Stopping
from nightjar.settings.model import Estimator, Model
from waiting import PATIENCE

PROBLEM = problems.problem()
SETTINGS = problems.search(stopping=Stopping(rungs=[1, 2]))
BATCHES = replace(
    SETTINGS,
    candidates={
        "majority": problems.MAJORITY,
        "logistic": Model(Estimator.LOGISTIC, space={"C": {"low": 1e-4, "high": 10.0, "log": True}}),
    },
    proposals=Proposals(ProposalKind.TPE, trials=6, batch=3),
)
LOST = "its process or machine was lost 4 times"


def result_of(unit):
    """A result that is the unit's own, with many ties."""
    score = (len(unit.candidate.name) * 7 + unit.fold * 5 + len(str(unit.candidate.model.parameters))) % 4 / 4
    return FoldResult(unit.candidate.name, PROBLEM.folds[unit.fold].name, unit.fold, {"roc_auc": score}, 0.1)


def open_ledger(folder):
    return ledger.open_ledger(Path(folder), "s")


def work_of(book, search_settings=SETTINGS):
    return Work(tune.race_of(PROBLEM, search_settings), book, PROBLEM, ())


@pytest.mark.slow
@pytest.mark.parametrize("search_settings", [SETTINGS, BATCHES], ids=["grid", "batches"])
@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32))
def test_results_may_arrive_in_any_order_and_the_search_be_killed_and_started_again(search_settings, seed):
    """Whatever is open may end next, also before others have begun; nothing that has ended is run again."""
    random, outcomes = Random(seed), []  # noqa: S311  (an order, not a secret)
    for disturbed in (False, True):
        finished, pending = [], True
        with TemporaryDirectory() as folder:
            while pending:
                with open_ledger(folder) as book:
                    work, open_units = work_of(book, search_settings), []
                    while (pending := work.pending()) and not (disturbed and random.randrange(10) == 0):
                        while (len(open_units) < 3 or not disturbed) and (unit := work.take()) is not None:
                            open_units.append(unit)
                        unit = open_units.pop(random.randrange(len(open_units)) if disturbed else 0)
                        work.finish(unit, result_of(unit))
                        finished.append(unit)
                    result = search_result(work, PROBLEM, search_settings.metric, book.path)
        assert len(finished) == len(set(finished))
        outcomes.append((set(finished), set(work.units), result.results, list(result.results), result.best()))
    assert outcomes[0] == outcomes[1]


def test_who_took_longest_begins_first_on_the_next_folds(tmp_path):
    """By the longest of its fits so far. A long one that begins last would keep all other processors waiting."""
    with open_ledger(tmp_path) as book:
        work = work_of(book)
        first = []
        while (unit := work.take()) is not None:
            first.append(unit)
        names = sorted({unit.candidate.name for unit in first})
        for unit in first:
            work.finish(unit, replace(result_of(unit), seconds=10.0 + names.index(unit.candidate.name)))
        following = []
        while (unit := work.take()) is not None:
            following.append(names.index(unit.candidate.name))
    assert len(set(following)) > 1
    assert following == sorted(following, reverse=True)


def test_a_lost_unit_fails_this_search_and_is_tried_by_the_next(tmp_path):
    with open_ledger(tmp_path) as book:
        work = work_of(book)
        lost = work.take()
        work.lose(lost, LOST)
        assert work.results[lost].failure == LOST
        assert not book.finished
    with open_ledger(tmp_path) as book:
        assert work_of(book).take() == lost


def test_a_unit_that_is_lost_with_every_machine_is_given_up_and_the_others_go_on(ray_started, tmp_path):
    """A fit that takes its machine with it each time ends as its candidate's failure, and not in an endless loop."""
    desk = ray.remote(num_cpus=0)(Desk).remote(None, [])
    worker = SimpleNamespace(config={"worker": 0})
    handed_out = []
    with open_ledger(tmp_path) as book:
        work = work_of(book)
        hand_out = tune._HandOut(work, desk, 1)
        hand_out.more()
        while (
            unit := ray.get(desk.next.remote(0, hand_out.lost.total()), timeout=PATIENCE)
        ) is not None:  # each loss begins a life
            handed_out.append(unit)
            assert len(work.open) <= 2
            assert handed_out.count(unit) <= tune.LOST_AT_MOST + 1
            if unit.candidate.name == "boosting":
                hand_out.on_trial_recover(trial=worker)
            else:
                hand_out.on_trial_result(result={"result": json.dumps(asdict(result_of(unit)))})
        ray.kill(desk)
    (lost,) = (unit for unit in work.units if unit.candidate.name == "boosting")
    assert work.results[lost].failure == LOST
    assert handed_out.count(lost) == tune.LOST_AT_MOST + 1
    others = [unit for unit in handed_out if unit != lost]
    assert len(others) == len(set(others)) == len(book.finished) == len(work.units) - 1
    assert (lost.candidate.key(), PROBLEM.folds[lost.fold].name) not in book.finished
    assert not work.pending()
