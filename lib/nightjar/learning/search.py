"""The search on Ray Tune: units of one candidate and one fold beside each other, on one copy of the data per node."""

import json
import logging
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.tune.search import Searcher

from nightjar.errors import LearningError
from nightjar.learning import ledger, proposals, race
from nightjar.learning.candidates import Candidate
from nightjar.learning.progress import Progress
from nightjar.learning.race import FoldResult, Unit
from nightjar.learning.units import Problem, fit_and_measure
from nightjar.learning.work import Work
from nightjar.settings.learning import Search
from nightjar.settings.split import SplitKind
from nightjar.settings.task import Metric

log = logging.getLogger("nightjar.train")

LOST_AT_MOST = 3
"""How often a unit is tried again after its process or machine was lost."""


@dataclass(frozen=True)
class Found:
    """What a search has found.

    Attributes:
        results: each candidate's results, in the order of the folds.
        folds: how many a candidate has that was not stopped.
        metric: what decides.
    """

    results: dict[Candidate, list[FoldResult]]
    folds: int
    metric: Metric

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

    def _why_none(self) -> str:
        failed = [result for results in self.results.values() for result in results if result.failure]
        said = [f"{one.candidate} on {one.fold}, seed {one.seed}: {_last_line(one)}" for one in failed]
        reasons = (
            "\n  ".join(said) or f"{self.metric.value} is undefined on a fold, or the time (search.minutes) was up."
        )
        return f"No candidate has a value of {self.metric.value} on all {self.folds} folds:\n  {reasons}"


def run(problem: Problem, settings: Search, folder: Path, code_revision: str) -> Found:
    """Run the search, or what a search that was killed has left of it. Ray must have been started.

    Args:
        problem: rows and folds.
        settings: candidates, proposals, stopping.
        folder: where ledgers of searches lie.
        code_revision: of Nightjar.

    Raises:
        LearningError: the ledger is damaged, or held by another process.
    """
    with ledger.opened(folder, problem.key(code_revision)) as book, Progress(problem, settings) as progress:
        if book.finished:
            log.info("%d folds were finished before: %s", len(book.finished), book.path)
        work = Work(rounds_of(problem, settings), book, problem, progress.told)
        deadline = None if settings.minutes is None else time.monotonic() + 60 * settings.minutes
        _run_units(problem, work, deadline, folder / "tune")
    return found_by(work, problem, settings.metric)


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
    return Found(ordered, len(problem.folds), metric)


def _run_units(problem: Problem, work: Work, deadline: float | None, storage: Path) -> None:
    if not work.left():
        return
    units, shared = _Units(work, deadline), ray.put(problem)

    def trial(config: dict[str, Any]) -> None:
        result = fit_and_measure(ray.get(shared), config["unit"])
        tune.report({"result": json.dumps(asdict(result))})  # Tune would take a mapping apart

    name = f"search-{time.time_ns()}"
    tuner = tune.Tuner(
        tune.with_resources(trial, {"cpu": 1}),
        tune_config=tune.TuneConfig(
            search_alg=units,
            num_samples=-1,
            reuse_actors=True,
            trial_dirname_creator=_folder_of,
            max_concurrent_trials=max(1, int(ray.cluster_resources().get("CPU", 1))),
        ),
        run_config=tune.RunConfig(
            name=name,
            storage_path=str(storage.absolute()),
            verbose=0,
            failure_config=tune.FailureConfig(max_failures=LOST_AT_MOST),
        ),
    )
    try:
        tuner.fit()
    finally:
        shutil.rmtree(storage / name, ignore_errors=True)  # Tune's own state, which nothing is resumed from
    if units.given:
        raise KeyboardInterrupt  # Tune ends early without a word when it is told to stop


def _folder_of(trial: Any) -> str:
    """Tune would name it by all settings of its candidate."""
    return str(trial.trial_id)


class _Units(Searcher):  # type: ignore[misc]
    """Hands a search's units to Tune, and their results back."""

    def __init__(self, work: Work, deadline: float | None) -> None:
        super().__init__()
        self.work = work
        self.deadline = deadline
        self.given: dict[str, Unit] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles a searcher for a restart of its own. There is none: the ledger is the search's state."""
        return {}

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        late = self.deadline is not None and time.monotonic() > self.deadline
        unit = None if late else self.work.take()
        if unit is not None:
            self.given[trial_id] = unit
            return {"unit": unit}
        return None if self.given else Searcher.FINISHED

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:  # noqa: FBT001, FBT002
        unit = self.given.pop(trial_id)
        if error or not result or "result" not in result:
            self.work.lose(unit, f"its process or machine was lost {LOST_AT_MOST + 1} times")
        else:
            self.work.finish(unit, FoldResult(**json.loads(result["result"])))

    def save(self, checkpoint_path: str) -> None:
        """Nothing, see `__getstate__`."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing, see `__getstate__`."""


def _last_line(result: FoldResult) -> str:
    return (result.failure or "").strip().splitlines()[-1]
