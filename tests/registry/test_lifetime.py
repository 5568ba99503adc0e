"""The dates of a version: when it is to be validated again, and when it expires."""

from datetime import date

import pytest

from nightjar.registry.lifetime import Lifetime, dates_of, lifetime
from nightjar.settings.promotion import Promotion


def test_the_dates_count_from_the_training():
    dates = dates_of(Promotion(revalidate_after_days=90, expires_after_days=180), date(2024, 1, 1))
    assert dates == {"revalidate_on": "2024-03-31", "expires_on": "2024-06-29"}
    assert lifetime(dates) == Lifetime(date(2024, 3, 31), date(2024, 6, 29))
    assert lifetime({}) == lifetime(dates_of(Promotion(), date(2024, 1, 1))) == Lifetime(None, None)


@pytest.mark.parametrize(
    ("day", "is_due", "has_expired", "says"),
    [
        (
            date(2024, 3, 30),
            False,
            False,
            "It is to be validated again from 2024-03-31 on, and expires on 2024-06-29, in 91",
        ),
        (
            date(2024, 3, 31),
            True,
            False,
            "It was to be validated again from 2024-03-31 on, and expires on 2024-06-29, in 90",
        ),
        (
            date(2024, 6, 28),
            True,
            False,
            "It was to be validated again from 2024-03-31 on, and expires on 2024-06-29, in 1 d",
        ),
        (
            date(2024, 6, 29),
            True,
            True,
            "It was to be validated again from 2024-03-31 on, and has expired on 2024-06-29.",
        ),
    ],
)
def test_the_first_day_of_either_date_counts(day, is_due, has_expired, says):
    dates = Lifetime(date(2024, 3, 31), date(2024, 6, 29))
    assert (dates.is_due(day), dates.has_expired(day)) == (is_due, has_expired)
    assert dates.describe(day).startswith(says)


def test_an_expiry_alone_is_marked_two_weeks_before():
    dates = Lifetime(None, date(2024, 6, 29))
    assert [dates.is_due(date(2024, 6, day)) for day in (14, 15)] == [False, True]
    assert Lifetime(None, None).describe(date(2024, 6, 14)) is None
