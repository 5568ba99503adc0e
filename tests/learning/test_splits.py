"""Walk-forward by calendar dates: test periods follow each other, and train only on what was known before them."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from nightjar.errors import LearningError
from nightjar.learning.rows import TrainingRows
from nightjar.learning.splits import final_period, walk_forward

FIRST = date(2024, 3, 20)
ZONE = "Europe/Paris"


def rows(days=14, known_after_hours=(10, 30)):
    """Two rows a date: one label is known at 10:00 of its date (local winter time), one at 6:00 of the next."""
    day = np.repeat([np.datetime64(FIRST + timedelta(days=n)) for n in range(days)], 2)
    midnight = [datetime.combine(one, datetime.min.time(), UTC) - timedelta(hours=1) for one in day.astype(object)]
    hours = [known_after_hours[n % 2] for n in range(len(day))]
    known = [(at + timedelta(hours=h)).replace(tzinfo=None) for at, h in zip(midnight, hours, strict=True)]
    label = np.arange(len(day)) % 2 == 0
    known_at = np.array(known, "datetime64[us]")
    return TrainingRows(pa.table({"x": pa.array(range(len(day)))}), (), label, day, known_at, {}, "d1")


def dates(numbers, table):
    return sorted({one.isoformat() for one in table.day[numbers].astype(object)})


def test_the_folds_follow_each_other_and_end_before_the_given_date():
    table = rows()
    folds = walk_forward(table, date(2024, 3, 31), 3, 2, ZONE, timedelta())
    assert [(fold.name, fold.start.isoformat(), fold.end.isoformat()) for fold in folds] == [
        ("fold 1", "2024-03-25", "2024-03-26"),
        ("fold 2", "2024-03-27", "2024-03-28"),
        ("fold 3", "2024-03-29", "2024-03-30"),
    ]
    assert dates(folds[0].test, table) == ["2024-03-25", "2024-03-26"]
    assert len(folds[0].test) == 4


def test_training_rows_have_labels_that_were_known_when_the_test_period_starts():
    """Of 24 March only the row whose label came the same day is known at the midnight of the 25th."""
    table = rows()
    (fold,) = walk_forward(table, date(2024, 3, 26), 1, 1, ZONE, timedelta())
    assert len(fold.train) == 2 * 4 + 1
    assert table.label_known_at[fold.train].max() == np.datetime64("2024-03-24T09:00")


def test_the_embargo_keeps_training_further_away():
    """A bound is inclusive: a label known exactly that long before is used."""
    table = rows()
    (close,) = walk_forward(table, date(2024, 3, 26), 1, 1, ZONE, timedelta(hours=14))
    (far,) = walk_forward(table, date(2024, 3, 26), 1, 1, ZONE, timedelta(hours=14, microseconds=1))
    assert table.label_known_at[close.train].max() == np.datetime64("2024-03-24T09:00")
    assert table.label_known_at[far.train].max() == np.datetime64("2024-03-24T05:00")


def test_midnight_is_that_of_the_zone_also_after_the_clocks_have_changed():
    """Summer time: the midnight of 1 April is 22:00 UTC; a label of 22:30 is not known to the fold."""
    table = rows(known_after_hours=(22.5, 23.5))
    (fold,) = walk_forward(table, date(2024, 4, 2), 1, 1, ZONE, timedelta())
    assert table.label_known_at[fold.train].max() == np.datetime64("2024-03-31T21:30")


def test_the_final_period_is_the_last_dates_and_is_trained_on_all_before():
    table = rows()
    fold = final_period(table, date(2024, 3, 30), 3, ZONE)
    assert (fold.name, fold.start, fold.end) == ("final", date(2024, 3, 28), date(2024, 3, 30))
    assert dates(fold.test, table) == ["2024-03-28", "2024-03-29", "2024-03-30"]
    assert not set(fold.train) & set(fold.test)


@pytest.mark.parametrize(
    ("before", "message"),
    [
        (
            date(2024, 3, 22),
            r"fold 1 \(2024-03-20 to 2024-03-21\) has no rows to train on; labelled rows run from",
        ),
        (date(2024, 4, 30), r"fold 1 \(2024-04-28 to 2024-04-29\) has no rows to test on; .* to 2024-04-02. Use fewer"),
    ],
)
def test_too_little_data_is_said_with_the_dates_there_are(before, message):
    with pytest.raises(LearningError, match=message):
        walk_forward(rows(), before, 1, 2, ZONE, timedelta())
