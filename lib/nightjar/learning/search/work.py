"""What there is to do in a search: hands out units, takes results, remembers them, and so comes to further units."""

from collections import deque
from collections.abc import Callable, Sequence
from math import inf

from nightjar.learning.search.candidates import Candidate
from nightjar.learning.search.ledger import Ledger
from nightjar.learning.search.race import FoldResult, Race, Results, Unit
from nightjar.learning.search.units import Problem, seed_of

Told = Callable[[Unit, FoldResult], None]
"""What is told of each result."""


class Work:
    """The units of a race, without those that the ledger has finished.

    Attributes:
        units: all that have become due, a batch of candidates after another, each in the order of its candidates.
        results: of every unit that has ended.
        open: units that were handed out and have no result yet.
    """

    def __init__(self, race: Race, ledger: Ledger, problem: Problem, told: Sequence[Told]) -> None:
        self.units: list[Unit] = []
        self.results: dict[Unit, FoldResult] = {}
        self.open: set[Unit] = set()
        self._race, self._ledger, self._problem, self._told = race, ledger, problem, told
        self._queue: deque[Unit] = deque()
        self._longest: dict[Candidate, float] = {}
        self._advance(self._queue_up(next(race, [])))

    def left(self) -> bool:
        """Whether a unit can be taken or is open."""
        return bool(self._queue or self.open)

    def take(self) -> Unit | None:
        """The next unit to run; None: there is none before those that are open have ended, or none at all."""
        if not self._queue:
            return None
        unit = self._queue.popleft()
        self.open.add(unit)
        return unit

    def unit_of(self, result: FoldResult) -> Unit:
        """The open unit that a result belongs to."""
        names = {fold.name: place for place, fold in enumerate(self._problem.folds)}
        place = names[result.fold]
        return next(unit for unit in self.open if (unit.candidate.name, unit.fold) == (result.candidate, place))

    def fold_of(self, unit: Unit) -> str:
        """The name of the fold that a unit is measured on."""
        return self._problem.folds[unit.fold].name

    def finish(self, unit: Unit, result: FoldResult) -> None:
        """Take a unit's result, on disk before anything follows from it."""
        self._ledger.append(unit.candidate.key(), result)
        self._settle(unit, result)

    def lose(self, unit: Unit, why: str) -> None:
        """A unit that never ended, as its process or machine was lost. It is not finished: another start tries it."""
        seed = seed_of(self._problem, unit.fold)
        self._settle(unit, FoldResult(unit.candidate.name, self.fold_of(unit), seed, {}, 0.0, why))

    def _settle(self, unit: Unit, result: FoldResult) -> None:
        self.open.remove(unit)
        self._note(unit, result)
        self._advance({unit: result})

    def _note(self, unit: Unit, result: FoldResult) -> None:
        self.results[unit] = result
        self._longest[unit.candidate] = max(result.seconds, self._longest.get(unit.candidate, 0.0))
        for told in self._told:
            told(unit, result)

    def _advance(self, ended: Results) -> None:
        """Queue what becomes due; what the ledger has of it has ended at once, and may make more due."""
        while ended:
            try:
                due = self._race.send(ended)
            except StopIteration:
                return
            ended = self._queue_up(due)

    def _queue_up(self, units: list[Unit]) -> Results:
        """Those of the units that have ended already."""
        self.units += units
        ended = {}
        for unit in units:
            found = self._ledger.find(unit.candidate.key(), self.fold_of(unit), unit.candidate.name)
            if found is None:
                self._queue.append(unit)
            else:
                self._note(unit, found)
                ended[unit] = found
        if units:
            # The longest by earlier folds first, before them those nobody knows: a long fit that begins last keeps all
            # others waiting.
            order = sorted(self._queue, key=lambda unit: self._longest.get(unit.candidate, inf), reverse=True)
            self._queue = deque(order)
        return ended
