"""A column's periods in a row, and what stands out there, in words."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np

from nightjar.asof.values import Ints
from nightjar.profiling.stored import jumps
from nightjar.profiling.stored.columns import ColumnHistory
from nightjar.profiling.stored.jumps import Jump
from nightjar.profiling.stored.periods import Periods
from nightjar.report.formatting import percent

COMPLETE = 0.5
"""Of the usual number of facts: a last period with fewer may be yet to come in part."""


class About(Enum):
    """What of a column is counted over time."""

    MISSING = "without a value"
    NUMBERS = "numbers"
    ZEROS = "0"
    NOT_FINITE = "NaN or infinite"
    TRUES = "true"
    LEVELS = "texts"


@dataclass(frozen=True)
class Change:
    """Something that stands out.

    Attributes:
        column: where.
        about: what of it: a share without a value, numbers, or shares of 0, of NaN, of true or of texts.
        period: the number of the period in which it begins.
        words: what it is, and how it was before.
    """

    column: str
    about: About
    period: int
    words: str


@dataclass(frozen=True)
class Series:
    """The periods in which a column can be compared.

    Attributes:
        column: which one.
        periods: all of them.
        places: the numbers of those with facts, or with values.
    """

    column: ColumnHistory
    periods: Periods
    places: Ints

    @property
    def compared(self) -> Ints:
        """The same without the last period where it is incomplete: shorter, or with less than half the usual facts."""
        facts = self.column.facts
        last, usual = len(facts) - 1, np.median(facts[:-1][facts[:-1] > 0]) if facts[:-1].any() else 0
        is_whole = self.periods.is_last_whole and facts[last] >= COMPLETE * usual
        return self.places if is_whole or last not in self.places else self.places[:-1]

    def jump(self, jump: Jump, about: About, what: str, shown: Callable[[float], str]) -> Change:
        """A jump of a figure, in words."""
        number, low, high = int(self.places[jump.place]), shown(jump.low), shown(jump.high)
        before = f"{self.periods.count(jump.place)} with {'facts' if about is About.MISSING else 'values'} before"
        was = low if low == high else f"{low} to {high}"
        words = f"{what} is {shown(jump.value)} {self.periods.on(number)}; in the {before} it was {was}."
        return Change(self.column.name, about, number, words)

    def share_jumps(self, counts: Ints, facts: Ints, about: About, what: str) -> Iterator[Change]:
        """The jumps of a share, in words.

        Args:
            counts: of the facts that it is of, in each period.
            facts: of each period.
            about: what of the column it is of.
            what: it is, in words.
        """
        for jump in jumps.of_shares(counts[self.compared], facts[self.compared]):
            yield self.jump(jump, about, what, percent)

    def extent(self, facts: Ints) -> str:
        """How long some periods are together, and how many facts they have."""
        return f"{self.periods.count(len(facts))}, {int(facts.sum()):,} facts"
