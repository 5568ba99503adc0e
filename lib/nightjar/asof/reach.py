"""How far back from their prediction times questions look, where days are those of a zone's calendar."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nightjar.asof.values import EARLIEST, FOREVER, Ints
from nightjar.durations import Duration, microseconds
from nightjar.timeline import Clock, clock_of, shift


@dataclass(frozen=True, eq=False)
class Reach:
    """The first instants that questions look at.

    Attributes:
        at: prediction times, microseconds in UTC.
        since: the instants after which windows begin, whatever their length; None: each has its length.
        zone: whose days they are.
    """

    at: Ints
    since: Ints | None
    zone: str

    def first(self, window: Duration) -> Ints:
        """The first instant inside each question's window."""
        begins = self.oldest(window) if self.since is None else self.since
        return begins + (begins > EARLIEST)

    def oldest(self, lookback: Duration) -> Ints:
        """The first instant that is no older than a lookback.

        Days are first taken for 24 hours each, which is right unless clocks have changed meanwhile.
        """
        if not lookback.days:
            return shift(self.at, lookback, self.zone, back=True)
        moved = shift(self.at, lookback, "UTC", back=True)
        if len(self._clock.changes) > 1:
            some = np.flatnonzero(self._unchanged_for < microseconds(lookback.at_most()))
            moved[some] = self._clock.shifted(self.at[some], -lookback.days)
        return moved

    @cached_property
    def _clock(self) -> Clock:
        return clock_of(self.zone, self.at)

    @cached_property
    def _unchanged_for(self) -> Ints:
        """How long before each prediction time clocks were changed last."""
        place = self._clock.last_change(self.at)
        return np.where(place > 0, self.at - self._clock.changes[place], FOREVER)
