"""The search on Ray Tune: tasks of one candidate and one fold in parallel, on one copy of the data per node."""

import json
import logging
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.tune import TuneError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from nightjar.errors import LearningError
from nightjar.learning.search import proposals
from nightjar.learning.search.batches import batches
from nightjar.learning.search.fold_tasks import FoldResult, FoldTask
from nightjar.learning.search.gpus import gpu_share
from nightjar.learning.search.ledger import Ledger
from nightjar.learning.search.problem import Problem, fit_and_measure
from nightjar.learning.search.progress import Progress
from nightjar.learning.search.queue import Callback, TaskQueue
from nightjar.learning.search.queue_actor import QueueActor
from nightjar.learning.search.schedule import Schedule, halving_schedule
from nightjar.learning.search.search_result import SearchResult, search_result
from nightjar.settings.learning import Search
from nightjar.settings.split import SplitKind

log = logging.getLogger("nightjar.train")

LOST_AT_MOST = 3
"""How often a task is tried again after its process or machine was lost."""
RESTARTS = 100
"""How often a worker may be lost."""


def run(problem: Problem, settings: Search, ledger: Ledger, callback: Callback | None = None) -> SearchResult:
    """Run the search, without the folds that its ledger has finished. Ray must have been started.

    Args:
        problem: rows and folds.
        settings: candidates, proposals, stopping.
        ledger: of the problem's key, open.
        callback: called with each result as it comes, first with those finished before. An error in it ends the search.

    Raises:
        LearningError: a result cannot be stored, a candidate needs a GPU and there is none, or no worker can run.
    """
    gpu = gpu_share(settings.candidates.values(), ray.cluster_resources())
    with Progress(problem, settings) as progress:
        if ledger.finished:
            log.info("%d folds were finished before: %s", len(ledger.finished), ledger.path)
        listeners = [progress.show] if callback is None else [progress.show, callback]
        queue = TaskQueue(schedule_of(problem, settings), ledger, problem, listeners)
        deadline = None if settings.minutes is None else time.monotonic() + 60 * settings.minutes
        _run_fold_tasks(problem, queue, deadline, gpu, ledger.folder / "tune")
    result = search_result(queue, problem, settings.metric, ledger.path)
    if result.cut_short:
        log.warning("search.minutes=%g were up before all folds were run: those so far decide", settings.minutes)
    return result


def schedule_of(problem: Problem, settings: Search) -> Schedule:
    """The schedule of a search: walk-forward's newest folds first, baselines on all folds from the start."""
    order = list(range(len(problem.folds)))
    if settings.split.kind is SplitKind.WALK_FORWARD:
        order.reverse()
    always = proposals.baselines(settings)
    tried = proposals.mitigated(batches(settings), problem.mitigation)
    return halving_schedule(tried, always, order, settings.stopping, settings.metric)


def _run_fold_tasks(problem: Problem, queue: TaskQueue, deadline: float | None, gpu: float, storage: Path) -> None:
    if not queue.pending():
        return
    os.environ["TUNE_DISABLE_SIGINT_HANDLER"] = "1"  # it would end the search early at an interrupt, as if done
    seconds = None if deadline is None else deadline - time.monotonic()
    on_this_node = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    actor_class = ray.remote(num_cpus=0, scheduling_strategy=on_this_node)(QueueActor)  # other machines may be lost
    actor = actor_class.remote(seconds, [ray.put(problem)])
    workers = max(1, int(ray.cluster_resources().get("CPU", 1)))
    dispatcher = _Dispatcher(queue, actor, workers)
    dispatcher.hand_out()

    def worker(config: dict[str, Any]) -> None:
        (shared,), life = ray.get(actor.begin.remote(config["worker"]))
        while (fold_task := ray.get(actor.next.remote(config["worker"], life))) is not None:
            result = fit_and_measure(ray.get(shared), fold_task)
            tune.report({"result": json.dumps(asdict(result))})  # Tune would take a mapping apart

    name = f"search-{time.time_ns()}"
    tuner = tune.Tuner(
        tune.with_resources(worker, {"cpu": 1, "gpu": gpu}),
        param_space={"worker": tune.grid_search(list(range(workers)))},
        run_config=tune.RunConfig(
            name=name,
            storage_path=str(storage.absolute()),
            verbose=0,
            failure_config=tune.FailureConfig(max_failures=RESTARTS),
            callbacks=[dispatcher],
        ),
    )
    try:
        errors = tuner.fit().errors
    except TuneError:
        if dispatcher.failure is None:
            raise
        raise dispatcher.failure from None
    finally:
        ray.kill(actor)  # ends workers that still wait there after an interrupt
        shutil.rmtree(storage / name, ignore_errors=True)  # Tune's own state, from which nothing is resumed
    out_of_time = deadline is not None and time.monotonic() >= deadline
    if queue.pending() and not out_of_time:
        raise LearningError(f"The search's workers cannot run: {errors[0] if errors else 'Tune was told to stop.'}")


class _Dispatcher(tune.Callback):  # type: ignore[misc]
    """Puts a search's tasks into the actor's queue as they become due, and takes their results.

    Each of Tune's trials is a worker that runs one task after another, and each of its reports is a task's result. (A
    trial for each task would wait for a new process each time, and reusing Tune's actors drops those that are still
    starting: with folds of a second one is left.)
    """

    def __init__(self, queue: TaskQueue, actor: Any, workers: int) -> None:
        self.queue = queue
        self.actor = actor
        self.at_most = 2 * workers
        self.lost: Counter[FoldTask] = Counter()
        self.failure: Exception | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its callbacks for its own restarts, which are not used: the ledger is the search's state."""
        return {}

    def hand_out(self) -> None:
        """Put one task for each worker beside its open one into the actor's queue; when none are pending, close it.

        Only so few, because tasks that become due in the meantime may have to begin before those that are due by now.
        """
        due = []
        while len(self.queue.open) < self.at_most and (fold_task := self.queue.take()) is not None:
            due.append(fold_task)
        # Not waited for: where the actor is lost, its callers get an error. And it is closed when no task is open, so
        # that no call to `put` can still be on its way.
        if due:
            self.actor.put.remote(due)
        if not self.queue.pending():
            self.actor.close.remote()

    def on_trial_result(self, *, result: dict[str, Any], **_: Any) -> None:
        if "result" not in result:
            return
        fold_result = FoldResult(**json.loads(result["result"]))
        with self._record_failure():
            self.queue.finish(self.queue.fold_task_of(fold_result), fold_result)
        self.hand_out()

    def on_trial_recover(self, *, trial: Any, **_: Any) -> None:
        """A worker's process or machine was lost: its task goes to others."""
        self._give_back(trial)

    def on_trial_error(self, *, trial: Any, **_: Any) -> None:
        """The same, and this worker does not come back."""
        self._give_back(trial)

    def _give_back(self, trial: Any) -> None:
        fold_task = ray.get(self.actor.release.remote(trial.config["worker"]))
        if fold_task is None or fold_task not in self.queue.open:
            return
        self.lost[fold_task] += 1
        fold = self.queue.fold_of(fold_task)
        log.warning(
            "%s on %s was lost with its process or machine (%d)", fold_task.candidate.name, fold, self.lost[fold_task]
        )
        if self.lost[fold_task] <= LOST_AT_MOST:
            ray.get(self.actor.put.remote([fold_task]))
        else:
            with self._record_failure():
                self.queue.lose(fold_task, f"its process or machine was lost {self.lost[fold_task]} times")
            self.hand_out()

    @contextmanager
    def _record_failure(self) -> Iterator[None]:
        """Store the error that a callback raises: Tune passes on its text only."""
        try:
            yield
        except Exception as error:
            self.failure = error
            raise
