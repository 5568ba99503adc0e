"""From when to when there is something among the facts, and whether it is there no longer, or was not there before.

It has vanished if there were at least seven periods up to then, if it is absent for more than twice as long as ever in
between, and if chance hardly explains it: were the facts that have it spread at random over all facts from the first of
them on, they would leave out those at the end once in a million times. It has appeared if the same holds with time
turned round.
"""

from dataclasses import dataclass

import numpy as np

from nightjar.asof.values import Ints
from nightjar.profiling.stored.jumps import CHANCE, EARLIER


@dataclass(frozen=True)
class Presence:
    """From when to when something is there.

    Attributes:
        first: the first period with it.
        last: the last one.
        is_new: whether it was not there before.
        is_gone: whether it is there no longer.
    """

    first: int
    last: int
    is_new: bool
    is_gone: bool

    @property
    def edges(self) -> set[int]:
        """The periods on both sides of where it begins or ends, in the first or last of which it may be only partly."""
        begins = {self.first, self.first + 1} if self.is_new else set()
        return begins | ({self.last, self.last + 1} if self.is_gone else set())


def presence(counts: Ints, facts: Ints, complete: int) -> Presence | None:
    """From when to when something is there; None where it never is.

    Args:
        counts: facts with it in each period.
        facts: of each period, at least one.
        complete: how many periods are complete: where a later one lacks it, that says nothing yet.
    """
    places = np.flatnonzero(counts)
    if not len(places):
        return None
    first, last = int(places[0]), int(places[-1])
    before, after = first, complete - 1 - last
    longest_gap = int(np.diff(places).max(initial=1)) - 1

    def is_unlikely(absent_from: Ints, others: Ints) -> bool:
        """Spread at random over all these facts, none of the others but the one that ends the span would be there."""
        share = absent_from.sum() / (absent_from.sum() + others.sum())
        return bool((counts.sum() - 1) * np.log1p(-share) <= np.log(CHANCE))

    span = facts[first : last + 1]
    is_new = before >= EARLIER and before > 2 * longest_gap and is_unlikely(facts[:first], span)
    is_gone = last + 1 >= EARLIER and after > 2 * longest_gap and is_unlikely(facts[last + 1 : complete], span)
    return Presence(first, last, is_new, is_gone)
