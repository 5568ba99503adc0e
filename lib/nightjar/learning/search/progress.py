"""The progress of a search: a live table on a terminal, otherwise a log line for each finished fold."""

import logging
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from nightjar.learning.search.fold_tasks import FoldResult, FoldTask, value_of
from nightjar.learning.search.problem import Problem
from nightjar.settings.learning import Search

log = logging.getLogger("nightjar.train")

MOST_ROWS = 20
"""Candidates in the live table at most: the best."""


class Progress:
    """Shows results as they come, while the block runs."""

    def __init__(self, problem: Problem, settings: Search, console: Console | None = None) -> None:
        self.folds = [fold.name for fold in problem.folds]
        self.metric = settings.metric
        self.results: dict[str, dict[str, FoldResult]] = {}
        self.console = console or Console(stderr=True)
        self.live = Live(get_renderable=self.table, console=self.console, refresh_per_second=4)

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self.live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.console.is_terminal:
            self.live.stop()

    def show(self, fold_task: FoldTask, result: FoldResult) -> None:
        """Show a result."""
        self.results.setdefault(fold_task.candidate.name, {})[result.fold] = result
        if self.console.is_terminal:
            return
        value = result.measures.get(self.metric.value)
        measure = f"{self.metric.value} {'undefined' if value is None else f'{value:.4f}'}"
        outcome = measure if result.failure is None else f"failed: {result.failure.strip().splitlines()[-1]}"
        log.info("%s on %s: %s, %.1f s", result.candidate, result.fold, outcome, result.seconds)

    def table(self) -> Table:
        """The best candidates so far: those with most folds first, among them by mean."""
        done = sum(len(by_fold) for by_fold in list(self.results.values()))  # results come while this is drawn
        table = Table(title=f"{done} folds of {len(self.results)} candidates", title_justify="left")
        for column in ("candidate", "folds", f"mean {self.metric.value}", "seconds"):
            table.add_column(column, justify="left" if column in ("candidate", "folds") else "right", no_wrap=True)
        ranked = sorted(self.results, key=self._rank_key, reverse=True)
        for name in ranked[:MOST_ROWS]:
            mean, seconds = self._mean(name), sum(result.seconds for result in self.results[name].values())
            table.add_row(name, self._marks(name), "-" if mean is None else f"{mean:.4f}", f"{seconds:.1f}")
        if len(ranked) > MOST_ROWS:
            table.add_row(f"and {len(ranked) - MOST_ROWS} more", "", "", "")
        return table

    def _rank_key(self, name: str) -> tuple[bool, int, float]:
        mean = self._mean(name)
        signed = 0.0 if mean is None else (mean if self.metric.greater_is_better else -mean)
        return mean is not None, len(self.results[name]), signed

    def _mean(self, name: str) -> float | None:
        values = [result.measures.get(self.metric.value) for result in self.results[name].values()]
        defined = [value for value in values if value is not None]
        return sum(defined) / len(defined) if defined and len(defined) == len(values) else None

    def _marks(self, name: str) -> Text:
        marks = Text()
        for fold in self.folds:
            result = self.results[name].get(fold)
            if result is None:
                marks.append("·", "dim")
            else:
                marks.append(
                    "●" if value_of(result, self.metric) is not None else "✗", "red" if result.failure else "green"
                )
        return marks
