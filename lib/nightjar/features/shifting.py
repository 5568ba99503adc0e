"""Shifts instants of a DataFrame by durations, whose days are those of the project's zone."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812

from nightjar.durations import Duration
from nightjar.timeline import clock_of, moment, shift


def shifted(instants: Column, by: Duration, zone: str, since: datetime, until: datetime) -> Column:
    """Instants from `since` to `until` moved forward by a duration, as `timeline.shift` does it; null stays null.

    Spark's own interval arithmetic ignores time zones; its zone functions use another zone database, and move local
    times that a change of the clocks skips.

    Raises:
        UsageError: no such zone.
    """
    if not by.days:
        return instants + F.lit(by.exact)
    starts = _starts(by, zone, moment(since), moment(until))
    # Within a stretch, shifted instants either advance with the instants or all equal one instant.
    moved, after = (shift(starts + step, by, zone) for step in (0, 1))
    micros = F.unix_micros(instants)
    ends = [
        F.lit(to) if to == next_to else micros + F.lit(to - start)
        for start, to, next_to in zip(starts.tolist(), moved.tolist(), after.tolist(), strict=True)
    ]
    return F.timestamp_micros(_of_stretch(micros, starts.tolist(), ends))


def _starts(by: Duration, zone: str, since: int, until: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Where stretches begin: in each, all instants move by the same length or all to the same instant."""
    clock = clock_of(zone, np.array([until]), by.days)
    day = shift(np.array([0]), by, "UTC")
    first, last = clock.last_change(np.array([since, until]))
    leaps = np.concatenate([clock.through, clock.changes[1:] + clock.offsets[1:]]) - day
    offsets = np.unique(clock.offsets[first : last + 1])
    starts = np.concatenate([clock.changes, *(leaps - offset for offset in offsets)])
    return np.unique(np.append(starts[(starts > since) & (starts <= until)], since))


def _of_stretch(micros: Column, starts: Sequence[int], ends: Sequence[Column]) -> Column:
    """The value of the stretch that contains an instant, found by bisection."""
    if len(starts) == 1:
        return ends[0]
    half = len(starts) // 2
    earlier, later = (_of_stretch(micros, starts[part], ends[part]) for part in (slice(half), slice(half, None)))
    return F.when(micros < F.lit(starts[half]), earlier).otherwise(later)
