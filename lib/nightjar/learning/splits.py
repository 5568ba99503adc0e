"""Walk-forward splits by calendar dates, the same for every entity."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError
from nightjar.learning.rows import TrainingRows
from nightjar.timeline import cutoff


@dataclass(frozen=True)
class Fold:
    """One split: `train` and `test` are row numbers; the test period runs from `start` to `end`, both inclusive."""

    name: str
    start: date
    end: date
    train: npt.NDArray[np.intp]
    test: npt.NDArray[np.intp]


def final_period(rows: TrainingRows, last_day: date, days: int, zone: str) -> Fold:
    """The last `days` settled dates as the test period, and everything known before it to train on."""
    return _fold(rows, "final", last_day - timedelta(days=days - 1), last_day, zone, timedelta())


def walk_forward(rows: TrainingRows, before: date, count: int, days: int, zone: str, embargo: timedelta) -> list[Fold]:
    """`count` consecutive test periods of `days` dates each, oldest first, the last one ending before a date.

    Each trains on rows whose label was known at least `embargo` before its test period starts.

    Raises:
        LearningError: a fold would have no rows to train or to test on.
    """
    starts = [before - timedelta(days=days * (count - number)) for number in range(count)]
    return [
        _fold(rows, f"fold {number + 1}", start, start + timedelta(days=days - 1), zone, embargo)
        for number, start in enumerate(starts)
    ]


def _fold(rows: TrainingRows, name: str, start: date, end: date, zone: str, embargo: timedelta) -> Fold:
    known_by = _naive(cutoff(start, zone) - embargo)
    train = np.flatnonzero(rows.label_known_at <= known_by)
    test = np.flatnonzero((rows.day >= np.datetime64(start)) & (rows.day <= np.datetime64(end)))
    for what, index in (("train", train), ("test", test)):
        if not len(index):
            raise LearningError(
                f"{name} ({start} to {end}) has no rows to {what} on; labelled rows run from {rows.day[0]} to "
                f"{rows.day[-1]}. Use fewer or shorter folds (search.folds, search.test_days, search.final_days), "
                "or build features of earlier dates."
            )
    return Fold(name, start, end, train, test)


def _naive(instant: datetime) -> np.datetime64:
    return np.datetime64(instant.replace(tzinfo=None), "us")
