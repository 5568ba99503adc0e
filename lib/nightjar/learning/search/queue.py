"""The queue of a search: it hands out tasks and records their results, by which further tasks become due."""

from collections import deque
from collections.abc import Callable, Sequence
from math import inf

from nightjar.learning.fitting.candidates import Candidate
from nightjar.learning.search.fold_tasks import FoldResult, FoldTask
from nightjar.learning.search.ledger import Ledger
from nightjar.learning.search.problem import Problem, fold_seed
from nightjar.learning.search.schedule import Results, Schedule

Callback = Callable[[FoldTask, FoldResult], None]
"""Called with each result."""


class TaskQueue:
    """The tasks of a schedule, except those that the ledger has finished.

    Attributes:
        fold_tasks: all that have become due, batch by batch, each in the order of its candidates.
        results: of every task that has ended.
        open: tasks that were handed out and have no result yet.
    """

    def __init__(self, schedule: Schedule, ledger: Ledger, problem: Problem, callbacks: Sequence[Callback]) -> None:
        self.fold_tasks: list[FoldTask] = []
        self.results: dict[FoldTask, FoldResult] = {}
        self.open: set[FoldTask] = set()
        self._schedule, self._ledger, self._problem, self._callbacks = schedule, ledger, problem, callbacks
        self._queue: deque[FoldTask] = deque()
        self._longest: dict[Candidate, float] = {}
        self._advance(self._queue_up(next(schedule, [])))

    def pending(self) -> bool:
        """Whether a task is queued or open."""
        return bool(self._queue or self.open)

    def take(self) -> FoldTask | None:
        """Take the next task to run; None: there is none before open ones have ended, or none at all."""
        if not self._queue:
            return None
        fold_task = self._queue.popleft()
        self.open.add(fold_task)
        return fold_task

    def fold_task_of(self, result: FoldResult) -> FoldTask:
        """The open task that a result belongs to."""
        positions = {fold.name: position for position, fold in enumerate(self._problem.folds)}
        position = positions[result.fold]
        return next(
            fold_task
            for fold_task in self.open
            if (fold_task.candidate.name, fold_task.fold) == (result.candidate, position)
        )

    def fold_of(self, fold_task: FoldTask) -> str:
        """The name of a task's fold."""
        return self._problem.folds[fold_task.fold].name

    def finish(self, fold_task: FoldTask, result: FoldResult) -> None:
        """Take a task's result; it is on disk before any further task becomes due."""
        self._ledger.append(fold_task.candidate.key(), result)
        self._settle(fold_task, result)

    def lose(self, fold_task: FoldTask, reason: str) -> None:
        """Fail a task whose process or machine was lost. It stays out of the ledger: another start tries it again."""
        seed = fold_seed(self._problem, fold_task.fold)
        self._settle(fold_task, FoldResult(fold_task.candidate.name, self.fold_of(fold_task), seed, {}, 0.0, reason))

    def _settle(self, fold_task: FoldTask, result: FoldResult) -> None:
        self.open.remove(fold_task)
        self._note(fold_task, result)
        self._advance({fold_task: result})

    def _note(self, fold_task: FoldTask, result: FoldResult) -> None:
        self.results[fold_task] = result
        self._longest[fold_task.candidate] = max(result.seconds, self._longest.get(fold_task.candidate, 0.0))
        for callback in self._callbacks:
            callback(fold_task, result)

    def _advance(self, ended: Results) -> None:
        """Queue the tasks that become due. Results that the ledger has count as ended, and may make more tasks due."""
        while ended:
            try:
                due = self._schedule.send(ended)
            except StopIteration:
                return
            ended = self._queue_up(due)

    def _queue_up(self, fold_tasks: list[FoldTask]) -> Results:
        """Queue tasks; returns the results of those that the ledger has."""
        self.fold_tasks += fold_tasks
        ended = {}
        for fold_task in fold_tasks:
            result = self._ledger.find(fold_task.candidate.key(), self.fold_of(fold_task), fold_task.candidate.name)
            if result is None:
                self._queue.append(fold_task)
            else:
                self._note(fold_task, result)
                ended[fold_task] = result
        if fold_tasks:
            # Candidates without a result first, then by their longest fit so far: a long fit that begins last keeps all
            # others waiting.
            order = sorted(self._queue, key=lambda fold_task: self._longest.get(fold_task.candidate, inf), reverse=True)
            self._queue = deque(order)
        return ended
