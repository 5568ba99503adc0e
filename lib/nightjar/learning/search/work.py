"""The queue of a search: hands out units, takes and records their results, and so comes to further units."""

from collections import deque
from collections.abc import Callable, Sequence
from math import inf

from nightjar.learning.search.candidates import Candidate
from nightjar.learning.search.ledger import Ledger
from nightjar.learning.search.race import FoldResult, Race, Results, Unit
from nightjar.learning.search.units import Problem, fold_seed

Callback = Callable[[Unit, FoldResult], None]
"""Called with each result."""


class Work:
    """The units of a race, except those that the ledger has finished.

    Attributes:
        units: all that have become due, batch by batch, each in the order of its candidates.
        results: of every unit that has ended.
        open: units that were handed out and have no result yet.
    """

    def __init__(self, race: Race, ledger: Ledger, problem: Problem, callbacks: Sequence[Callback]) -> None:
        self.units: list[Unit] = []
        self.results: dict[Unit, FoldResult] = {}
        self.open: set[Unit] = set()
        self._race, self._ledger, self._problem, self._callbacks = race, ledger, problem, callbacks
        self._queue: deque[Unit] = deque()
        self._longest: dict[Candidate, float] = {}
        self._advance(self._queue_up(next(race, [])))

    def pending(self) -> bool:
        """Whether a unit is queued or open."""
        return bool(self._queue or self.open)

    def take(self) -> Unit | None:
        """Take the next unit to run; None: there is none before open ones have ended, or none at all."""
        if not self._queue:
            return None
        unit = self._queue.popleft()
        self.open.add(unit)
        return unit

    def unit_of(self, result: FoldResult) -> Unit:
        """The open unit that a result belongs to."""
        positions = {fold.name: position for position, fold in enumerate(self._problem.folds)}
        position = positions[result.fold]
        return next(unit for unit in self.open if (unit.candidate.name, unit.fold) == (result.candidate, position))

    def fold_of(self, unit: Unit) -> str:
        """The name of a unit's fold."""
        return self._problem.folds[unit.fold].name

    def finish(self, unit: Unit, result: FoldResult) -> None:
        """Take a unit's result; it is on disk before any further unit becomes due."""
        self._ledger.append(unit.candidate.key(), result)
        self._settle(unit, result)

    def lose(self, unit: Unit, reason: str) -> None:
        """Fail a unit whose process or machine was lost. It stays out of the ledger: another start tries it again."""
        seed = fold_seed(self._problem, unit.fold)
        self._settle(unit, FoldResult(unit.candidate.name, self.fold_of(unit), seed, {}, 0.0, reason))

    def _settle(self, unit: Unit, result: FoldResult) -> None:
        self.open.remove(unit)
        self._note(unit, result)
        self._advance({unit: result})

    def _note(self, unit: Unit, result: FoldResult) -> None:
        self.results[unit] = result
        self._longest[unit.candidate] = max(result.seconds, self._longest.get(unit.candidate, 0.0))
        for callback in self._callbacks:
            callback(unit, result)

    def _advance(self, ended: Results) -> None:
        """Queue the units that become due. Results that the ledger has count as ended, and may make more units due."""
        while ended:
            try:
                due = self._race.send(ended)
            except StopIteration:
                return
            ended = self._queue_up(due)

    def _queue_up(self, units: list[Unit]) -> Results:
        """Queue units; returns the results of those that the ledger has."""
        self.units += units
        ended = {}
        for unit in units:
            result = self._ledger.find(unit.candidate.key(), self.fold_of(unit), unit.candidate.name)
            if result is None:
                self._queue.append(unit)
            else:
                self._note(unit, result)
                ended[unit] = result
        if units:
            # Candidates without a result first, then by their longest fit so far: a long fit that begins last keeps all
            # others waiting.
            order = sorted(self._queue, key=lambda unit: self._longest.get(unit.candidate, inf), reverse=True)
            self._queue = deque(order)
        return ended
