"""From when to when there is something among the facts, and whether it is there no longer, or was not there before.

It has vanished if three things hold: it was missing in none of at least seven periods up to then for half as long as it
is missing now; if the facts since were drawn like those before, none of them would have it once in a million times; and
there are facts since. It has appeared if the same holds with time turned round.
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


def presence(counts: Ints, facts: Ints) -> Presence | None:
    """From when to when something is there; None where it never is.

    Args:
        counts: facts with it in each period.
        facts: of each period, at least one.
    """
    places = np.flatnonzero(counts)
    if not len(places):
        return None
    first, last = int(places[0]), int(places[-1])
    before, after = first, len(counts) - 1 - last
    longest_gap = int(np.diff(places).max(initial=1)) - 1
    # One fact more without it: no share is certain because nothing else has been seen so far.
    share = counts.sum() / (facts[first : last + 1].sum() + 1)

    def is_unlikely(absent_from: Ints) -> bool:
        return bool(absent_from.sum() * np.log1p(-share) <= np.log(CHANCE))

    is_new = before >= EARLIER and before > 2 * longest_gap and is_unlikely(facts[:first])
    is_gone = last + 1 >= EARLIER and after > 2 * longest_gap and is_unlikely(facts[last + 1 :])
    return Presence(first, last, is_new, is_gone)
