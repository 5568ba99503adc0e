"""The search on Ray Tune: units of one candidate and one fold beside each other, on one copy of the data per node."""

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
from nightjar.learning.search import proposals, race
from nightjar.learning.search.desk import Desk
from nightjar.learning.search.found import Found, found_by
from nightjar.learning.search.gpus import gpu_share
from nightjar.learning.search.ledger import Ledger
from nightjar.learning.search.progress import Progress
from nightjar.learning.search.race import FoldResult, Unit
from nightjar.learning.search.units import Problem, fit_and_measure
from nightjar.learning.search.work import Told, Work
from nightjar.settings.learning import Search
from nightjar.settings.split import SplitKind

log = logging.getLogger("nightjar.train")

LOST_AT_MOST = 3
"""How often a unit is tried again after its process or machine was lost."""
RESTARTS = 100
"""How often a worker may be lost."""


def run(problem: Problem, settings: Search, book: Ledger, told: Told | None = None) -> Found:
    """Run the search, or what a search that was killed has left of it. Ray must have been started.

    Args:
        problem: rows and folds.
        settings: candidates, proposals, stopping.
        book: the ledger of the problem's key, open.
        told: is given each result as it comes, those that were finished before first. What it raises ends the search.

    Raises:
        LearningError: a result cannot be remembered, a GPU is asked for that there is not, or no worker can run.
    """
    gpu = gpu_share(settings.candidates.values(), ray.cluster_resources())
    with Progress(problem, settings) as progress:
        if book.finished:
            log.info("%d folds were finished before: %s", len(book.finished), book.path)
        listeners = [progress.told] if told is None else [progress.told, told]
        work = Work(race_of(problem, settings), book, problem, listeners)
        deadline = None if settings.minutes is None else time.monotonic() + 60 * settings.minutes
        _run_units(problem, work, deadline, gpu, book.folder / "tune")
    found = found_by(work, problem, settings.metric, book.path)
    if found.cut_short:
        log.warning("search.minutes=%g were up before all folds were run: those so far decide", settings.minutes)
    return found


def race_of(problem: Problem, settings: Search) -> race.Race:
    """What is to be run: the newest folds of walk-forward first, baselines on all folds from the start."""
    order = list(range(len(problem.folds)))
    if settings.split.kind is SplitKind.WALK_FORWARD:
        order.reverse()
    always = proposals.baselines(settings)
    return race.race(proposals.batches(settings), always, order, settings.stopping, settings.metric)


def _run_units(problem: Problem, work: Work, deadline: float | None, gpu: float, storage: Path) -> None:
    if not work.left():
        return
    os.environ["TUNE_DISABLE_SIGINT_HANDLER"] = "1"  # it takes an interrupt for a wish to end early, with what there is
    seconds = None if deadline is None else deadline - time.monotonic()
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    at_hand = ray.remote(num_cpus=0, scheduling_strategy=here)(Desk)  # other machines may be lost
    desk = at_hand.remote(seconds, [ray.put(problem)])
    workers = max(1, int(ray.cluster_resources().get("CPU", 1)))
    hand_out = _HandOut(work, desk, workers)
    hand_out.more()

    def worker(config: dict[str, Any]) -> None:
        (shared,), life = ray.get(desk.begin.remote(config["worker"]))
        while (unit := ray.get(desk.next.remote(config["worker"], life))) is not None:
            result = fit_and_measure(ray.get(shared), unit)
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
            callbacks=[hand_out],
        ),
    )
    try:
        errors = tuner.fit().errors
    except TuneError:
        if hand_out.failure is None:
            raise
        raise hand_out.failure from None
    finally:
        ray.kill(desk)  # whoever still waits there after an interrupt goes home
        shutil.rmtree(storage / name, ignore_errors=True)  # Tune's own state, which nothing is resumed from
    late = deadline is not None and time.monotonic() >= deadline
    if work.left() and not late:
        raise LearningError(f"The search's workers cannot run: {errors[0] if errors else 'Tune was told to stop.'}")


class _HandOut(tune.Callback):  # type: ignore[misc]
    """Puts a search's units on the desk as they become due, and takes their results.

    Each of Tune's trials is a worker that goes from unit to unit, and each of its reports is the result of one. (A
    trial for each unit would wait for a new process each time, and reusing Tune's actors drops those that are still
    starting: with folds of a second it is left with one.)
    """

    def __init__(self, work: Work, desk: Any, workers: int) -> None:
        self.work = work
        self.desk = desk
        self.at_most = 2 * workers
        self.lost: Counter[Unit] = Counter()
        self.failure: Exception | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its callbacks for a restart of its own. There is none: the ledger is the search's state."""
        return {}

    def more(self) -> None:
        """Put on the desk one unit for each worker beside what it is at; when nothing is left, close it.

        No more: what becomes due in the meantime may have to begin before what is due by now.
        """
        due = []
        while len(self.work.open) < self.at_most and (unit := self.work.take()) is not None:
            due.append(unit)
        # Not waited for: where the desk is lost, all who ask there are told. And it is closed when no unit is open, so
        # that nothing can still be on its way there.
        if due:
            self.desk.put.remote(due)
        if not self.work.left():
            self.desk.close.remote()

    def on_trial_result(self, *, result: dict[str, Any], **_: Any) -> None:
        if "result" not in result:
            return
        found = FoldResult(**json.loads(result["result"]))
        with self._failure_kept():
            self.work.finish(self.work.unit_of(found), found)
        self.more()

    def on_trial_recover(self, *, trial: Any, **_: Any) -> None:
        """A worker's process or machine was lost: what it was at is for others."""
        self._give_back(trial)

    def on_trial_error(self, *, trial: Any, **_: Any) -> None:
        """The same, and this worker does not come back."""
        self._give_back(trial)

    def _give_back(self, trial: Any) -> None:
        unit = ray.get(self.desk.held_by.remote(trial.config["worker"]))
        if unit is None or unit not in self.work.open:
            return
        self.lost[unit] += 1
        fold = self.work.fold_of(unit)
        log.warning("%s on %s was lost with its process or machine (%d)", unit.candidate.name, fold, self.lost[unit])
        if self.lost[unit] <= LOST_AT_MOST:
            ray.get(self.desk.put.remote([unit]))
        else:
            with self._failure_kept():
                self.work.lose(unit, f"its process or machine was lost {self.lost[unit]} times")
            self.more()

    @contextmanager
    def _failure_kept(self) -> Iterator[None]:
        """Of what a callback raises Tune passes on a text."""
        try:
            yield
        except Exception as error:
            self.failure = error
            raise
