"""How far back from their prediction times queries look, where days are those of a zone's calendar."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nightjar.asof.values import EARLIEST, FOREVER, Ints
from nightjar.durations import Duration, microseconds
from nightjar.timeline import Clock, clock_of, shift


@dataclass(frozen=True, eq=False)
class Reach:
    """The first instants of the queries' windows and lookbacks.

    Attributes:
        at: prediction times, microseconds in UTC.
        since: the instants after which windows begin, whatever their length; None: prediction time minus the length.
        zone: the zone whose calendar days are counted.
    """

    at: Ints
    since: Ints | None
    zone: str

    def first(self, window: Duration) -> Ints:
        """The first instant inside each query's window."""
        begins = self.oldest(window) if self.since is None else self.since
        return begins + (begins > EARLIEST)

    def oldest(self, lookback: Duration) -> Ints:
        """The first instant that is no older than a lookback.

        Days are first counted as 24 hours each, which is right unless clocks changed meanwhile.
        """
        if not lookback.days:
            return shift(self.at, lookback, self.zone, back=True)
        earliest = shift(self.at, lookback, "UTC", back=True)
        if len(self._clock.changes) > 1:
            rows = np.flatnonzero(self._time_since_change < microseconds(lookback.at_most()))
            earliest[rows] = self._clock.shifted(self.at[rows], -lookback.days)
        return earliest

    @cached_property
    def _clock(self) -> Clock:
        return clock_of(self.zone, self.at)

    @cached_property
    def _time_since_change(self) -> Ints:
        """The time from the last change of clocks to each prediction time."""
        index = self._clock.last_change(self.at)
        return np.where(index > 0, self.at - self._clock.changes[index], FOREVER)
