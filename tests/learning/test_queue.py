"""Tasks of a search: what follows from their results depends on no order among them, and a lost one is tried again."""

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
from nightjar.learning.search.fold_tasks import FoldResult
from nightjar.learning.search.queue import TaskQueue
from nightjar.learning.search.queue_actor import QueueActor
from nightjar.learning.search.search_result import search_result
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


def result_of(fold_task):
    """A result that is the task's own, with many ties."""
    score = (
        (len(fold_task.candidate.name) * 7 + fold_task.fold * 5 + len(str(fold_task.candidate.model.parameters)))
        % 4
        / 4
    )
    return FoldResult(
        fold_task.candidate.name, PROBLEM.folds[fold_task.fold].name, fold_task.fold, {"roc_auc": score}, 0.1
    )


def open_ledger(folder):
    return ledger.open_ledger(Path(folder), "s")


def queue_of(book, search_settings=SETTINGS):
    return TaskQueue(tune.schedule_of(PROBLEM, search_settings), book, PROBLEM, ())


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
                    queue, open_fold_tasks = queue_of(book, search_settings), []
                    while (pending := queue.pending()) and not (disturbed and random.randrange(10) == 0):
                        while (len(open_fold_tasks) < 3 or not disturbed) and (fold_task := queue.take()) is not None:
                            open_fold_tasks.append(fold_task)
                        fold_task = open_fold_tasks.pop(random.randrange(len(open_fold_tasks)) if disturbed else 0)
                        queue.finish(fold_task, result_of(fold_task))
                        finished.append(fold_task)
                    result = search_result(queue, PROBLEM, search_settings.metric, book.path)
        assert len(finished) == len(set(finished))
        outcomes.append((set(finished), set(queue.fold_tasks), result.results, list(result.results), result.best()))
    assert outcomes[0] == outcomes[1]


def test_who_took_longest_begins_first_on_the_next_folds(tmp_path):
    """By the longest of its fits so far. A long one that begins last would keep all other processors waiting."""
    with open_ledger(tmp_path) as book:
        queue = queue_of(book)
        first = []
        while (fold_task := queue.take()) is not None:
            first.append(fold_task)
        names = sorted({fold_task.candidate.name for fold_task in first})
        for fold_task in first:
            queue.finish(fold_task, replace(result_of(fold_task), seconds=10.0 + names.index(fold_task.candidate.name)))
        following = []
        while (fold_task := queue.take()) is not None:
            following.append(names.index(fold_task.candidate.name))
    assert len(set(following)) > 1
    assert following == sorted(following, reverse=True)


def test_a_lost_unit_fails_this_search_and_is_tried_by_the_next(tmp_path):
    with open_ledger(tmp_path) as book:
        queue = queue_of(book)
        lost = queue.take()
        queue.lose(lost, LOST)
        assert queue.results[lost].failure == LOST
        assert not book.finished
    with open_ledger(tmp_path) as book:
        assert queue_of(book).take() == lost


def test_a_unit_that_is_lost_with_every_machine_is_given_up_and_the_others_go_on(ray_started, tmp_path):
    """A fit that takes its machine with it each time ends as its candidate's failure, and not in an endless loop."""
    actor = ray.remote(num_cpus=0)(QueueActor).remote(None, [])
    worker = SimpleNamespace(config={"worker": 0})
    handed_out = []
    with open_ledger(tmp_path) as book:
        queue = queue_of(book)
        dispatcher = tune._Dispatcher(queue, actor, 1)
        dispatcher.hand_out()
        while (
            fold_task := ray.get(actor.next.remote(0, dispatcher.lost.total()), timeout=PATIENCE)
        ) is not None:  # each loss begins a life
            handed_out.append(fold_task)
            assert len(queue.open) <= 2
            assert handed_out.count(fold_task) <= tune.LOST_AT_MOST + 1
            if fold_task.candidate.name == "boosting":
                dispatcher.on_trial_recover(trial=worker)
            else:
                dispatcher.on_trial_result(result={"result": json.dumps(asdict(result_of(fold_task)))})
        ray.kill(actor)
    (lost,) = (fold_task for fold_task in queue.fold_tasks if fold_task.candidate.name == "boosting")
    assert queue.results[lost].failure == LOST
    assert handed_out.count(lost) == tune.LOST_AT_MOST + 1
    others = [fold_task for fold_task in handed_out if fold_task != lost]
    assert len(others) == len(set(others)) == len(book.finished) == len(queue.fold_tasks) - 1
    assert (lost.candidate.key(), PROBLEM.folds[lost.fold].name) not in book.finished
    assert not queue.pending()
