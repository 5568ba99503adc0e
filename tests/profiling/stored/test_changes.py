"""What stands out, and that steady data do not."""

from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import machines
from nightjar.profiling.stored import jumps
from nightjar.profiling.stored.changes import changes
from nightjar.profiling.stored.presence import presence
from nightjar.profiling.stored.profile import Range, profile_source
from nightjar.tables.warehouse import Warehouse
from oracles import stored_profiles as oracle
from profiling.stored.tables import NOON, day, store

DAYS = 60


def means(draw, seed, facts=200):
    """The jumps of the means of sixty days; `draw` gives the values of a day."""
    random = np.random.default_rng(seed)
    days = [np.asarray(draw(random, day, facts), np.float64) for day in range(DAYS)]
    counts = np.array([len(one) for one in days])
    pointed_out = jumps.of_means(np.array([one.mean() for one in days]), np.array([one.var() for one in days]), counts)
    return [jump.place for jump in pointed_out]


STEADY = {
    "bell-shaped": lambda random, _, n: random.normal(20, 5, n),
    "heavy tails": lambda random, _, n: random.lognormal(0, 1.5, n),
    "mostly 0": lambda random, _, n: random.exponential(3, n) * (random.random(n) < 0.02),
    "few facts": lambda random, *_: random.normal(0, 1, random.integers(1, 5)),
    "days that differ": lambda random, _, n: random.normal(random.normal(0, 3), 1, n),
    "weekends": lambda random, day, n: random.normal(100 if day % 7 < 5 else 30, 5, n if day % 7 < 5 else n // 10),
    "a trend": lambda random, day, n: random.normal(day, 1, n),
    "a counter": lambda _, day, n: np.arange(day * n, (day + 1) * n),
    "seasons": lambda random, day, n: random.normal(10 * np.sin(day / 20), 2, n),
    "always the same": lambda _, __, n: np.full(n, 0.1),
}


@pytest.mark.parametrize("name", STEADY)
def test_steady_data_are_never_pointed_out(name):
    assert [means(STEADY[name], seed) for seed in range(40)] == [[]] * 40


def test_shares_of_steady_data_are_never_pointed_out():
    """Rare, even, and very different from day to day."""
    random = np.random.default_rng(0)
    for share in (0.0005, 0.3, 0.999):
        for facts in (5, 1_000):
            counts = random.binomial(facts, share, (100, DAYS))
            assert [jumps.of_shares(one, np.full(DAYS, facts)) for one in counts] == [[]] * 100
    varied = random.binomial(1_000, random.beta(2, 8, (100, DAYS)))
    assert sum(bool(jumps.of_shares(one, np.full(DAYS, 1_000))) for one in varied) == 0


@pytest.mark.parametrize(
    "draw",
    [
        lambda random, day, n: random.normal(20, 5, n) * (1000 if day == 40 else 1),
        lambda random, day, n: random.normal(20, 5, n) + (30 if day >= 40 else 0),
        lambda random, day, n: random.lognormal(0, 1, n) * (60 if day == 40 else 1),
        lambda _, day, n: np.full(n, 5 if day == 40 else 4),
    ],
    ids=["another unit", "another level from then on", "heavy tails", "no longer always the same"],
)
def test_a_jump_is_pointed_out_once(draw):
    assert means(draw, 1) == [40]


def test_after_six_periods_nothing_is_pointed_out_and_after_seven_it_is():
    def values(jump):
        return np.array([1.0, 1.1, 0.9, 1.0, 1.2, 0.8, *([1.0] * (jump - 6)), 100.0])

    for before, places in ((6, []), (7, [7])):
        series = values(before)
        pointed_out = jumps.of_means(series, np.full(len(series), 0.01), np.full(len(series), 100))
        assert [jump.place for jump in pointed_out] == places


VALUES = st.one_of(st.integers(-2, 2), st.sampled_from([30, -500, 10_000]))
PERIODS = st.tuples(VALUES, st.sampled_from([0.0, 0.25, 4.0]), st.integers(1, 50))


@given(st.lists(PERIODS, min_size=1, max_size=25))
def test_the_limit_is_a_prediction_interval_of_student_s_t(periods):
    means, variances, facts = ([one[place] for one in periods] for place in range(3))
    places = jumps.of_means(np.array(means, float), np.array(variances), np.array(facts))
    assert [one.place for one in places] == oracle.jumps(means, variances, facts)


def span_of(counts, facts):
    """The presence where all periods are complete."""
    return presence(np.array(counts), facts, len(facts))


@pytest.mark.parametrize(
    ("course", "is_new", "is_gone"),
    [
        ("xxxxxxxxxxxx", False, False),
        ("xxxxxxxxxxx.", False, True),
        ("xxxxxx......", False, False),  # six periods are too few to compare with
        ("xxxxxxx.....", False, True),
        (".......xxxxx", True, False),
        (".......x....", True, True),
        ("xxxxx..xxxxx..", False, False),  # a weekend
        ("xxxxx..xxxxx....", False, False),  # not more than twice as long
        ("xxxxx..xxxxx.....", False, True),
        ("............", None, None),
    ],
)
def test_what_is_absent_at_one_end_is_new_or_gone_if_it_was_hardly_ever_absent_between(course, is_new, is_gone):
    span = span_of([100 * (sign == "x") for sign in course], np.full(len(course), 100))
    assert (None, None) if span is None else (span.is_new, span.is_gone) == (is_new, is_gone)


def test_what_chance_leaves_out_is_not_gone():
    rare, facts = np.array([1] * 20 + [0]), np.full(21, 100)
    assert not span_of(rare, facts).is_gone
    assert span_of(rare, np.append(facts[:20], 10_000)).is_gone
    assert not span_of([0] * 20 + [2] + [0] * 20, np.full(41, 100)).is_new  # both by chance in one period
    random = np.random.default_rng(0)
    for share in (0.001, 0.02, 0.3):
        spans = [span_of(random.binomial(50, share, DAYS), np.full(DAYS, 50)) for _ in range(300)]
        assert not any(span and (span.is_new or span.is_gone) for span in spans)


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """Column -> what is said of it, of a table in which some columns change."""
    folder = tmp_path_factory.mktemp("changes")
    warehouse = Warehouse(str(folder / "warehouse"), "machines")
    random = np.random.default_rng(5)
    day = np.repeat(np.arange(30), 100)
    n = len(day)
    tenth = np.arange(n) % 10
    columns = {
        "event_time": [NOON + timedelta(days=int(one)) for one in day],
        "lost": (pa.string(), np.where(day < 25, "x", None)),
        "added": (pa.int64(), np.where(day < 20, None, day)),
        "holes": (pa.float64(), np.where(tenth < np.where(day == 22, 8, 1), None, 1.5)),
        "amount": (pa.float64(), random.normal(20, 5, n) * np.where(day == 21, 100, 1)),
        "city": (pa.string(), np.where(tenth < 3, np.where(day < 24, "Bonn", "Kyiv"), "Oslo")),
        "route": (
            pa.string(),
            np.select([(day >= 24) & (tenth >= 6), tenth < np.where(day < 24, 5, 3)], ["C", "A"], "B"),
        ),
        "kind": (pa.string(), np.where(tenth < np.where(day == 26, 9, 5), "a", "b")),
        "batch": (pa.string(), [f"of day {one}" for one in day]),
        "paid": (pa.bool_(), tenth < np.where(day == 23, 9, 4)),
        "steady": (pa.float64(), random.normal(0, 1, n)),
    }
    store(warehouse, columns)
    profile = profile_source(warehouse, machines(folder), "readings", Range())
    words = {}
    for change in changes(profile.columns, profile.periods):
        words.setdefault(change.column, []).append(change.words)
    return words


KYIV = (
    "'Kyiv' was there for the first time on 2024-03-25: 30.0% of the values since, none of those before "
    "(24 days, 2,400 facts)."
)
ROUTE = (  # those of A and B fall, as C takes from them
    "'C' was there for the first time on 2024-03-25: 40.0% of the values since, none of those before "
    "(24 days, 2,400 facts)."
)
BONN = (
    "'Bonn' was there for the last time on 2024-03-24: 30.0% of the values up to then, none of those since "
    "(6 days, 600 facts)."
)
ADDED = (
    "The first value is there on 2024-03-21: 100.0% of the facts since have one, none of those before "
    "(20 days, 2,000 facts)."
)


def test_each_change_is_said_once_with_what_was_before(said):
    assert said == {
        "lost": ["No fact has a value since 2024-03-26 (5 days, 500 facts); before, 100.0% had one."],
        "city": [
            KYIV,
            BONN,
        ],
        "route": [ROUTE],
        "kind": ["The share of 'a' is 90.0% on 2024-03-27; in the 26 days with values before it was 50.0%."],
        "paid": ["The share of true is 90.0% on 2024-03-24; in the 23 days with values before it was 40.0%."],
        "holes": ["The share without a value is 80.0% on 2024-03-23; in the 22 days with facts before it was 10.0%."],
        "amount": said["amount"],
        "added": [ADDED],
    }
    (words,) = said["amount"]
    assert words.startswith(("The mean is 1,", "The mean is 2,"))
    assert " on 2024-03-22; in the 21 days with values before it was " in words


@pytest.mark.parametrize(
    ("days", "changed", "facts_of_last", "is_compared"),
    [(400, 5, 10, False), (402, 7, 10, True), (40, 1, 3, False), (40, 1, 9, True)],
    ids=["a week begun", "a whole week", "a day begun", "a day"],
)
def test_a_last_period_that_is_incomplete_is_not_compared(
    tmp_path, warehouse, days, changed, facts_of_last, is_compared
):
    """It may hold the beginning of a week or day alone, which differs from the rest of it."""
    day = np.repeat(np.arange(days), 10)[: days * 10 - 10 + facts_of_last]
    values = np.random.default_rng(0).normal(np.where(day < days - changed, 0, 50), 1)
    is_changed = day >= days - changed
    columns = {
        "event_time": [NOON + timedelta(days=int(one)) for one in day],
        "lost": (pa.float64(), np.where(is_changed, None, 1.5)),
        "word": (pa.string(), np.where(~is_changed & (np.arange(len(day)) % 2 == 0), "a", "b")),
        "x": (pa.float64(), values),
    }
    store(warehouse, columns)
    profile = profile_source(warehouse, machines(tmp_path), "readings", Range())
    different = {one.column for one in changes(profile.columns, profile.periods)}
    assert different - {"word"} == ({"lost", "x"} if is_compared else set())
    assert ("word" in different) == (is_compared and changed > 1)  # of ten values chance leaves it out


@pytest.mark.parametrize(
    ("limits", "is_compared"),
    [
        ({}, False),
        ({"until": day(400)}, False),
        ({"until": day(401)}, True),
        ({"run_date": day(401)}, False),
        ({"run_date": day(402)}, True),
    ],
    ids=["newest fact", "until Saturday", "until Sunday", "Sunday's night", "Monday's night"],
)
def test_a_week_without_facts_at_its_weekend_is_whole_once_it_is_over(tmp_path, warehouse, limits, is_compared):
    days = np.array([number for number in range(402) if day(number).weekday() < 5])
    values = np.random.default_rng(0).normal(np.where(days < 395, 0, 50), 1)
    times = [NOON + timedelta(days=int(one)) for one in days]
    store(warehouse, {"event_time": times, "x": (pa.float64(), values)})
    profile = profile_source(warehouse, machines(tmp_path), "readings", Range(**limits))
    assert bool(changes(profile.columns, profile.periods)) == is_compared
