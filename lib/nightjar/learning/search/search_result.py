"""The result of a search: each candidate's results, the best candidate, and why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nightjar.errors import LearningError
from nightjar.learning.fitting.candidates import Candidate
from nightjar.learning.search import schedule
from nightjar.learning.search.fold_tasks import FoldResult
from nightjar.learning.search.problem import Problem
from nightjar.learning.search.queue import TaskQueue
from nightjar.settings.task import Metric


@dataclass(frozen=True)
class SearchResult:
    """The result of a search.

    Attributes:
        results: each candidate's results, in the order of the folds.
        folds: how many a candidate runs on that is not stopped.
        metric: what decides.
        ledger_path: the ledger's file, from which another start of the search takes finished folds.
        cut_short: whether time was up before all tasks had been run.
    """

    results: dict[Candidate, list[FoldResult]]
    folds: int
    metric: Metric
    ledger_path: Path
    cut_short: bool = False

    def mean(self, candidate: Candidate) -> float | None:
        """The metric's mean over all folds; None unless the candidate has a value on each of them."""
        values = [result.measures.get(self.metric.value) for result in self.results[candidate]]
        return schedule.mean(values) if len(values) == self.folds else None

    def best(self) -> Candidate:
        """The candidate with the best mean that is no baseline; the earlier of equals.

        Raises:
            LearningError: none has a value on every fold.
        """
        sign = 1.0 if self.metric.greater_is_better else -1.0
        means = {one: self.mean(one) for one in self.results if not one.model.baseline}
        rated = {one: sign * value for one, value in means.items() if value is not None}
        if not rated:
            raise LearningError(self._explain_failure())
        return max(rated, key=lambda one: rated[one])

    def require_baselines(self, baselines: Sequence[Candidate]) -> None:
        """Raise if a baseline failed: with fewer baselines to beat, a model would be promoted too easily.

        Raises:
            LearningError: one has failed.
        """
        failed = [one.name for one in baselines if any(result.failure for result in self.results.get(one, []))]
        if failed:
            raise LearningError(
                f"The baseline {failed[0]} failed, and without it models would be promoted too easily. Mend it, or "
                f"take it out of search.candidates:\n  {self._failures()}"
            )

    def _explain_failure(self) -> str:
        timeout = (
            "The time (search.minutes) was up. Start the training again: it goes on after the folds that are "
            "finished. Or give it more minutes, fewer candidates, or stopping (search.stopping.rungs)."
        )
        reasons = [self._failures(), timeout if self.cut_short else ""]
        reason = "\n  ".join(line for line in reasons if line) or f"{self.metric.value} is undefined on a fold."
        return f"No candidate has a value of {self.metric.value} on all {self.folds} folds:\n  {reason}"

    def _failures(self) -> str:
        failed = [result for results in self.results.values() for result in results if result.failure]
        lines = [f"{result.candidate} on {result.fold}, seed {result.seed}: {_last_line(result)}" for result in failed]
        if any((result.failure or "").startswith("Traceback") for result in failed):  # a lost task is tried again
            lines.append(
                f"A failed fit is not tried again; was it the machine's fault, take its line out of {self.ledger_path}"
            )
        return "\n  ".join(lines)


def search_result(queue: TaskQueue, problem: Problem, metric: Metric, ledger_path: Path) -> SearchResult:
    """The results of finished work, by candidate in the order they were proposed."""
    results: dict[Candidate, dict[int, FoldResult]] = {}
    for fold_task in queue.fold_tasks:
        if fold_task in queue.results:
            results.setdefault(fold_task.candidate, {})[fold_task.fold] = queue.results[fold_task]
    ordered = {
        candidate: [of_candidate[fold] for fold in sorted(of_candidate)] for candidate, of_candidate in results.items()
    }
    return SearchResult(ordered, len(problem.folds), metric, ledger_path, cut_short=queue.pending())


def _last_line(result: FoldResult) -> str:
    return (result.failure or "").strip().splitlines()[-1]
