"""The search on Ray Tune: units of one candidate and one fold beside each other, on one copy of the data per node."""

import json
import logging
import os
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from nightjar.errors import LearningError
from nightjar.learning.search import ledger, proposals, race
from nightjar.learning.search.candidates import Candidate
from nightjar.learning.search.desk import Desk
from nightjar.learning.search.gpus import gpu_share
from nightjar.learning.search.progress import Progress
from nightjar.learning.search.race import FoldResult, Unit
from nightjar.learning.search.units import Problem, fit_and_measure
from nightjar.learning.search.work import Told, Work
from nightjar.settings.learning import Search
from nightjar.settings.split import SplitKind
from nightjar.settings.task import Metric

log = logging.getLogger("nightjar.train")

LOST_AT_MOST = 3
"""How often a unit is tried again after its process or machine was lost."""
RESTARTS = 100
"""How often a worker may be lost."""


@dataclass(frozen=True)
class Found:
    """What a search has found.

    Attributes:
        results: each candidate's results, in the order of the folds.
        folds: how many a candidate has that was not stopped.
        metric: what decides.
        remembered: the file that remembers every result, so that another start of the search has them.
        cut_short: whether its time was up before all that was due had been run.
    """

    results: dict[Candidate, list[FoldResult]]
    folds: int
    metric: Metric
    remembered: Path
    cut_short: bool = False

    def mean(self, candidate: Candidate) -> float | None:
        """The metric's mean over all folds; None unless the candidate has a value on each of them."""
        values = [result.measures.get(self.metric.value) for result in self.results[candidate]]
        return race.mean(values) if len(values) == self.folds else None

    def best(self) -> Candidate:
        """The candidate with the best mean that is no baseline; the earlier of equals.

        Raises:
            LearningError: none has a value on every fold.
        """
        sign = 1.0 if self.metric.greater_is_better else -1.0
        means = {one: self.mean(one) for one in self.results if not one.model.baseline}
        rated = {one: sign * value for one, value in means.items() if value is not None}
        if not rated:
            raise LearningError(self._why_none())
        return max(rated, key=lambda one: rated[one])

    def require_sound(self, baselines: Sequence[Candidate]) -> None:
        """Refuse to go on without a baseline that failed: with fewer to beat, a model would be promoted too easily.

        Raises:
            LearningError: one has failed.
        """
        failed = [one.name for one in baselines if any(result.failure for result in self.results.get(one, []))]
        if failed:
            raise LearningError(
                f"The baseline {failed[0]} failed, and without it models would be promoted too easily. Mend it, or "
                f"take it out of search.candidates:\n  {self._failures()}"
            )

    def _why_none(self) -> str:
        late = (
            "The time (search.minutes) was up. Start the training again: it goes on after the folds that are "
            "finished. Or give it more minutes, fewer candidates, or stopping (search.stopping.rungs)."
        )
        known = [self._failures(), late if self.cut_short else ""]
        why = "\n  ".join(one for one in known if one) or f"{self.metric.value} is undefined on a fold."
        return f"No candidate has a value of {self.metric.value} on all {self.folds} folds:\n  {why}"

    def _failures(self) -> str:
        failed = [result for results in self.results.values() for result in results if result.failure]
        told = [f"{one.candidate} on {one.fold}, seed {one.seed}: {_last_line(one)}" for one in failed]
        if any((one.failure or "").startswith("Traceback") for one in failed):  # what was lost is tried again
            told.append(
                f"A failed fit is not tried again; was it the machine's fault, take its line out of {self.remembered}"
            )
        return "\n  ".join(told)


def run(problem: Problem, settings: Search, folder: Path, told: Told | None = None) -> Found:
    """Run the search, or what a search that was killed has left of it. Ray must have been started.

    Args:
        problem: rows and folds.
        settings: candidates, proposals, stopping.
        folder: where ledgers of searches lie.
        told: is given each result as it comes, those that were finished before first.

    Raises:
        LearningError: the ledger is damaged, or held by another process, or a GPU is asked for that there is not.
    """
    gpu = gpu_share(settings.candidates.values(), ray.cluster_resources())
    with ledger.opened(folder, problem.key()) as book, Progress(problem, settings) as progress:
        if book.finished:
            log.info("%d folds were finished before: %s", len(book.finished), book.path)
        listeners = [progress.told] if told is None else [progress.told, told]
        work = Work(rounds_of(problem, settings), book, problem, listeners)
        deadline = None if settings.minutes is None else time.monotonic() + 60 * settings.minutes
        _run_units(problem, work, deadline, gpu, folder / "tune")
    found = found_by(work, problem, settings.metric)
    if found.cut_short:
        log.warning("search.minutes=%g were up before all folds were run: those so far decide", settings.minutes)
    return found


def rounds_of(problem: Problem, settings: Search) -> race.Rounds:
    """What is to be run: the newest folds of walk-forward first, baselines on all folds beside the first round."""
    order = list(range(len(problem.folds)))
    if settings.split.kind is SplitKind.WALK_FORWARD:
        order.reverse()
    always = proposals.baselines(settings)
    return race.rounds(proposals.batches(settings), always, order, settings.stopping, settings.metric)


def found_by(work: Work, problem: Problem, metric: Metric) -> Found:
    """The results of finished work, by candidate in the order they were proposed."""
    results: dict[Candidate, dict[int, FoldResult]] = {}
    for unit in work.units:
        if unit in work.results:
            results.setdefault(unit.candidate, {})[unit.fold] = work.results[unit]
    ordered = {candidate: [by[fold] for fold in sorted(by)] for candidate, by in results.items()}
    return Found(ordered, len(problem.folds), metric, work.remembered(), cut_short=work.left())


def _run_units(problem: Problem, work: Work, deadline: float | None, gpu: float, storage: Path) -> None:
    if not work.left():
        return
    os.environ["TUNE_DISABLE_SIGINT_HANDLER"] = "1"  # it takes an interrupt for a wish to end early, with what there is
    seconds = None if deadline is None else deadline - time.monotonic()
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    at_hand = ray.remote(num_cpus=0, scheduling_strategy=here)(Desk)  # other machines may be lost
    desk = at_hand.remote(seconds, [ray.put(problem)])
    hand_out = _HandOut(work, desk)
    hand_out.more()

    def worker(config: dict[str, Any]) -> None:
        (shared,), life = ray.get(desk.begin.remote(config["worker"]))
        while (unit := ray.get(desk.next.remote(config["worker"], life))) is not None:
            result = fit_and_measure(ray.get(shared), unit)
            tune.report({"result": json.dumps(asdict(result))})  # Tune would take a mapping apart

    name = f"search-{time.time_ns()}"
    workers = max(1, int(ray.cluster_resources().get("CPU", 1)))
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
    finally:
        ray.kill(desk)  # whoever still waits there after an interrupt goes home
        shutil.rmtree(storage / name, ignore_errors=True)  # Tune's own state, which nothing is resumed from
    late = deadline is not None and time.monotonic() >= deadline
    if work.left() and not late:
        raise LearningError(f"The search's workers cannot run: {errors[0] if errors else 'Tune was told to stop.'}")


class _HandOut(tune.Callback):  # type: ignore[misc]
    """Puts a search's units on the desk as they become due, and takes their results.

    Each of Tune's trials is a worker that goes from unit to unit, and each of its reports is the result of one. (A
    trial for each unit would wait for a new process whenever a round ends, and reusing Tune's actors drops those that
    are still starting: with folds of a second it is left with one.)
    """

    def __init__(self, work: Work, desk: Any) -> None:
        self.work = work
        self.desk = desk
        self.lost: Counter[Unit] = Counter()

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its callbacks for a restart of its own. There is none: the ledger is the search's state."""
        return {}

    def more(self) -> None:
        """Put on the desk what can be run by now; when nothing is left, close it."""
        due = []
        while (unit := self.work.take()) is not None:
            due.append(unit)
        # Not waited for: where the desk is lost, all who ask there are told. And it is closed when no unit is open, so
        # that nothing can still be on its way there.
        if due:
            self.desk.put.remote(due)
        if not self.work.left():
            self.desk.close.remote()

    def on_trial_result(self, *, result: dict[str, Any], **_: Any) -> None:
        if "result" in result:
            found = FoldResult(**json.loads(result["result"]))
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
            self.work.lose(unit, f"its process or machine was lost {self.lost[unit]} times")
            self.more()


def _last_line(result: FoldResult) -> str:
    return (result.failure or "").strip().splitlines()[-1]
