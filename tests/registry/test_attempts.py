"""What the attempts of a year may risk together, and what each of them gets."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightjar.registry import events
from nightjar.registry.attempts import LEAST, YEAR, Attempt, digest_of, level_of
from nightjar.registry.events import Version

FIRST, RATE = date(2024, 1, 1), 0.05


def spend(gaps, rate=RATE):
    """The attempts of trainings that lie so many days apart; a negative gap is a night that is trained later."""
    attempts, day = [], FIRST
    for number, gap in enumerate(gaps):
        day += timedelta(days=gap)
        attempts.append(Attempt(str(number), day, level_of(str(number), day, attempts, rate)))
    return attempts


@given(st.lists(st.integers(-20, 500), max_size=40), st.floats(0.001, 0.5))
def test_no_year_spends_more_than_its_rate_whenever_it_is_trained(gaps, rate):
    """A night that is trained after later ones counts at their date, so that nothing is refilled twice."""
    newest, days = FIRST - timedelta(days=1000), []
    attempts = spend(gaps, rate)
    for attempt in attempts:
        newest = max(newest, attempt.run_date)
        days.append(newest)
    for start in days:
        year = (one.level for one, day in zip(attempts, days, strict=True) if 0 <= (day - start).days < YEAR)
        assert sum(year) <= rate * (1 + 1e-9)
    assert all(one.level == 0 or one.level >= LEAST for one in attempts)
    assert all(one.confidence < 1 for one in attempts)


@pytest.mark.parametrize(("gap", "share"), [(1, 1095), (7, 156.4), (30, 36.5), (365, 3)])
def test_a_cadence_settles_at_its_share_of_the_rate(gap, share):
    assert spend([gap] * (4000 // gap))[-1].level == pytest.approx(RATE / share, rel=2e-3)


def test_trainings_of_one_date_share_what_is_there():
    assert [one.level for one in spend([0, 0, 0])] == pytest.approx([RATE / 2, RATE / 8, RATE / 32])


def test_where_too_little_is_there_an_attempt_takes_nothing_until_more_has_come_in():
    attempts = spend([0] * 40 + [1])
    levels = [one.level for one in attempts]
    assert levels[7] >= LEAST
    assert set(levels[8:40]) == {0.0}
    assert attempts[39].confidence == 1 - 2 * LEAST
    assert levels[40] == pytest.approx(0.75 * (RATE / 3 / YEAR + RATE * 2 / 3 / 4**8))


def test_the_same_comparison_has_the_level_of_before_whatever_came_between():
    attempts = spend([0, 30, 1])
    again = Attempt("0", FIRST, attempts[0].level)
    assert level_of("1", FIRST, [*attempts, again], RATE) == attempts[1].level
    assert level_of("new", FIRST, [*attempts, again], RATE) == level_of("new", FIRST, attempts, RATE)


def test_attempts_are_read_from_the_events_of_trainings_alone(warehouse):
    """Neither the baseline that is registered beside a winner, nor a decision, nor a training of before is one."""
    digest = digest_of("rows", "recipe", ["2024-03-01", "2024-03-28"], None)
    told = {events.ATTEMPT: {"digest": digest, "level": 0.0125}}
    for event, alias, evidence in (
        ("registered", None, told),
        ("registered", events.STAND_IN, told),
        ("registered", None, {}),
        ("refused", events.CHAMPION, told),
    ):
        events.record(warehouse, event, Version("1", "w", FIRST, evidence), "run", alias)
    assert events.attempts(warehouse) == [Attempt(digest, FIRST, 0.0125)]
    assert digest != digest_of("rows", "recipe", ["2024-03-01", "2024-03-28"], "3")
