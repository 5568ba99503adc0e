"""Two splitters of scikit-learn's protocol: walk-forward by calendar dates, and any other one purged.

They work wherever scikit-learn takes `cv`, and look at no more of X than its length. A fold may come out without rows,
where the data are too short or everything is purged: `splits.folding` refuses such folds.
"""

from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from nightjar.durations import Length, duration_of
from nightjar.errors import LearningError, UsageError
from nightjar.evaluation.rows import RowNumbers
from nightjar.learning.data.instants import Days, Instants, microseconds
from nightjar.learning.splits.purging import overlaps
from nightjar.timeline import cutoff, moment, shift

Splits = Iterator[tuple[RowNumbers, RowNumbers]]


@dataclass(frozen=True, eq=False)
class WalkForward:
    """Test periods of calendar dates that follow each other, oldest first, each trained on what was known before it.

    The dates are the same for every entity. A row is trained on iff its date is before the test period and its label
    was known, and the embargo after that had passed, by the midnight at which that starts, inclusive.

    Attributes:
        day: local date of each row's prediction time.
        label_known_at: when each row's label was known (UTC).
        before: the last test period ends with the date before this one.
        folds: how many test periods.
        test_days: local dates in each.
        zone: whose midnights they are.
        embargo: a text such as `2d`, days of the zone, or `6h`, or a `timedelta`, which is exact.
        train_days: only the dates so many days before the test period are trained on (sliding); None: all before it
            (expanding).

    Raises:
        LearningError: arrays of different lengths, a date or instant that is missing, or a count out of range.
    """

    day: Days
    label_known_at: Instants
    _: KW_ONLY
    before: date
    folds: int
    test_days: int
    zone: str
    embargo: Length
    train_days: int | None = None

    def __post_init__(self) -> None:
        """Check the arrays and counts."""
        _check_filled({"day": self.day, "label_known_at": self.label_known_at})
        _check_embargo(self.embargo)
        counts = {"folds": self.folds, "test_days": self.test_days, "train_days": self.train_days}
        for name, count in counts.items():
            if count is not None and count < 1:
                raise LearningError(f"{name}: found {count}, expected at least 1")
        days_available = (self.before - date.min).days
        if self.folds * self.test_days > days_available:
            requested = f"folds={self.folds} of test_days={self.test_days}"
            raise LearningError(
                f"{requested} do not fit into the calendar: there are {days_available:,} days before {self.before}"
            )

    def periods(self) -> list[tuple[date, date]]:
        """First and last date of each test period, both inclusive."""
        starts = [self.before - timedelta(days=self.test_days * remaining) for remaining in range(self.folds, 0, -1)]
        return [(start, start + timedelta(days=self.test_days - 1)) for start in starts]

    def split(self, X: Any = None, y: Any = None, groups: Any = None) -> Splits:  # noqa: N803  (scikit-learn's name)
        """(train, test) row numbers of each period; y and groups are ignored."""
        del y, groups
        _check_rows(X, len(self.day))
        free = shift(microseconds(self.label_known_at), duration_of(self.embargo), self.zone)
        for start, end in self.periods():
            first = np.datetime64(start)
            train = (self.day < first) & (free <= moment(cutoff(start, self.zone)))
            if self.train_days is not None:
                train &= self.day >= first - np.timedelta64(self.train_days, "D")
            yield np.flatnonzero(train), np.flatnonzero((self.day >= first) & (self.day <= np.datetime64(end)))

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # noqa: N803  (as above)
        """The number of test periods."""
        del X, y, groups
        return self.folds


@dataclass(frozen=True, eq=False)
class Purged:
    """A scikit-learn splitter without the training rows whose label time touches that of a test row (see `purging`).

    Attributes:
        splitter: splits the rows; its test rows are kept as they are.
        prediction_time: of each row (UTC).
        label_known_at: when each row's label was known (UTC).
        embargo: how far training rows stay behind the label of any test row; as for `WalkForward`.
        zone: whose days an embargo counts.

    Raises:
        LearningError: arrays of different lengths, an instant that is missing, or an invalid embargo.
    """

    splitter: Any
    prediction_time: Instants
    label_known_at: Instants
    embargo: Length
    zone: str = "UTC"

    def __post_init__(self) -> None:
        """Check that every row has both instants."""
        _check_filled({"prediction_time": self.prediction_time, "label_known_at": self.label_known_at})
        _check_embargo(self.embargo)

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Splits:  # noqa: N803  (scikit-learn's name)
        """(train, test) row numbers of the splitter's folds, training rows purged."""
        _check_rows(X, len(self.label_known_at))
        for train, test in self.splitter.split(X, y, groups):
            touched = overlaps(self.prediction_time, self.label_known_at, train, test, self.embargo, self.zone)
            yield train[~touched], test

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # noqa: N803  (as above)
        """The number of folds."""
        return int(self.splitter.get_n_splits(X, y, groups))


def _check_filled(columns: Mapping[str, Instants]) -> None:
    shapes = {name: column.shape for name, column in columns.items()}
    if len(set(shapes.values())) > 1:
        raise LearningError(f"The splitter is given columns of different shapes, {shapes}: expected one entry a row.")
    for name, column in columns.items():
        missing = np.isnat(column).sum()
        if missing:
            raise LearningError(f"{name}: {missing:,} of {len(column):,} rows have none, expected one in each row.")


def _check_embargo(embargo: Length) -> None:
    try:
        duration_of(embargo)
    except UsageError as error:
        raise LearningError(f"embargo: {error}") from error


def _check_rows(table: Any, rows: int) -> None:
    if table is None:
        return
    length = table.shape[0] if hasattr(table, "shape") else len(table)
    if length != rows:
        raise LearningError(f"The splitter was made for {rows} rows, and X has {length}.")
