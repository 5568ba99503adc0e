"""Splitters of scikit-learn's protocol: what they keep, what they drop, and the leaks that others let through."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_score,
)
from sklearn.neighbors import KNeighborsClassifier

from nightjar.errors import LearningError
from nightjar.learning.splits.purging import overlaps
from nightjar.learning.splits.splitters import Purged, WalkForward
from oracles import splits as oracle

MICROSECOND = timedelta(microseconds=1)
DEALERS = (KFold, StratifiedKFold, GroupKFold, StratifiedGroupKFold)
NEAREST = KNeighborsClassifier(1)


def instants(numbers):
    return np.array(numbers, "datetime64[us]")


@pytest.mark.parametrize(
    ("time", "label_time", "dropped"),
    [
        (0, 10, False),  # known when the test row is predicted
        (0, 11, True),  # known a microsecond later
        (12, 15, True),  # within
        (9, 21, True),  # around
        (19, 40, True),  # begins before the test label is known
        (20, 40, False),  # begins when it is known
        (10, 10, False),  # known at once, when the test row is predicted: whoever predicts may know it too
        (11, 11, True),  # known at once, but within
        (20, 20, True),  # known at once, with the test label
        (21, 21, False),
        (15, 9, False),  # known in advance, before the test row is predicted
        (30, 15, True),  # known in advance, but within
    ],
)
def test_a_training_row_is_dropped_if_its_label_time_touches_that_of_the_test_row(time, label_time, dropped):
    """The test row is predicted at 10, and its label is known at 20."""
    times, labels = instants([10, time]), instants([20, label_time])
    assert overlaps(times, labels, np.array([1]), np.array([0]), timedelta()).tolist() == [dropped]


@pytest.mark.parametrize(("time", "dropped"), [(5, False), (24, True), (25, False)])
def test_the_embargo_lies_behind_the_test_row_s_label_not_before_its_prediction(time, dropped):
    """The test row's label is known at 20, and the embargo is 5; every window is 3 long."""
    times, labels = instants([10, time]), instants([20, time + 3])
    assert overlaps(times, labels, np.array([1]), np.array([0]), 5 * MICROSECOND).tolist() == [dropped]


def test_a_test_row_that_was_known_when_it_was_predicted_drops_nothing_but_by_its_embargo():
    times, labels = instants([10, 9, 10, 12]), instants([10, 11, 11, 20])
    train, test = np.arange(1, 4), np.array([0])
    assert overlaps(times, labels, train, test, timedelta()).tolist() == [False, False, False]
    assert overlaps(times, labels, train, test, 3 * MICROSECOND).tolist() == [True, True, True]


def test_rows_that_all_have_one_instant_are_not_purged_at_all():
    """A table without time: predicted and known at once."""
    same = instants([7] * 6)
    assert [len(train) for train, _ in Purged(KFold(3), same, same, timedelta()).split(np.zeros(6))] == [4, 4, 4]


def test_an_embargo_longer_than_any_calendar_is_just_long():
    times = instants(["2024-01-01", "2024-01-02", "9999-01-01"])
    assert overlaps(times, times, np.array([0, 2]), np.array([1]), timedelta.max).tolist() == [False, True]


rows_with_ties = st.lists(
    st.tuples(st.integers(0, 60), st.integers(-2, 12), st.integers(0, 5), st.booleans()), min_size=8, max_size=40
)


@pytest.mark.slow
@settings(deadline=None, max_examples=300)
@given(rows_with_ties, st.integers(0, 6), st.sampled_from(DEALERS), st.integers(0, 3))
def test_no_training_row_shares_group_label_time_or_embargo_with_its_test_fold_and_none_is_dropped_without(
    rows, embargo, splitter, seed
):
    times, delays, group, label = (np.array(column) for column in zip(*rows, strict=True))
    label[:3], label[3:6], group[:3] = True, False, (0, 1, 2)
    label_times = times + delays
    folds = 2 if splitter is StratifiedGroupKFold else 3
    plain = splitter(folds, shuffle=True, random_state=seed)
    purged = Purged(plain, instants(times), instants(label_times), embargo * MICROSECOND)
    arguments = (np.zeros((len(rows), 1)), label, group if "Group" in splitter.__name__ else None)
    splits = list(purged.split(*arguments))
    assert len(splits) == purged.get_n_splits() == folds
    for (train, test), (_, test_of_plain) in zip(splits, plain.split(*arguments), strict=True):
        assert test.tolist() == test_of_plain.tolist()
        assert train.tolist() == oracle.kept(set(test.tolist()), times.tolist(), label_times.tolist(), embargo)
        for row in train:
            shared = np.minimum(label_times[row], label_times[test] + embargo) - np.maximum(times[row], times[test])
            assert not (shared > 0).any()
            assert arguments[2] is None or group[row] not in group[test]


def by_days(days=60, each=6):
    """A coin is tossed for each day; its rows, four hours apart, have it as their label, known when the day ends."""
    coins = np.random.default_rng(5).random(days) < 0.5
    midnight = np.repeat(np.datetime64("2024-01-01", "us") + np.arange(days) * np.timedelta64(1, "D"), each)
    times = midnight + np.tile(np.arange(each) * 4, days) * np.timedelta64(1, "h")
    return times, midnight + np.timedelta64(1, "D"), np.repeat(coins, each)


def test_overlapping_horizons_leak_through_a_plain_splitter_and_not_through_a_purged_one():
    """Planted: a row of the same day has the same coin, which nobody can know in advance."""
    times, label_times, label = by_days()
    days = times.astype("datetime64[D]").astype(np.int64)[:, None]
    plain = KFold(4, shuffle=True, random_state=0)
    purged = Purged(plain, times, label_times, timedelta())
    assert cross_val_score(NEAREST, days, label, cv=plain).mean() > 0.95
    assert 0.35 < cross_val_score(NEAREST, days, label, cv=purged).mean() < 0.65


def test_walk_forward_is_taken_by_scikit_learn_and_learns_nothing_from_coins():
    times, label_times, label = by_days()
    day, hours = times.astype("datetime64[D]"), times.astype(np.int64)[:, None] / 3.6e9
    splitter = WalkForward(
        day, label_times, before=date(2024, 3, 1), folds=5, test_days=7, zone="UTC", embargo=timedelta(days=1)
    )
    scores = cross_val_score(NEAREST, hours, label, cv=splitter)
    assert len(scores) == splitter.get_n_splits() == 5
    assert 0.2 < scores.mean() < 0.8
    assert splitter.periods()[-1] == (date(2024, 2, 23), date(2024, 2, 29))


def test_any_splitter_can_be_purged():
    """TimeSeriesSplit counts rows, so it parts the rows of one day."""
    times, label_times, label = by_days(days=8)
    plain = TimeSeriesSplit(3, test_size=9)
    purged = Purged(plain, times, label_times, timedelta())
    parted = [overlaps(times, label_times, train, test, timedelta()).sum() for train, test in plain.split(times)]
    assert parted == [3, 0, 3]
    assert [len(train) for train, _ in purged.split(times)] == [21 - 3, 30, 39 - 3]
    assert len(cross_val_score(DummyClassifier(), times[:, None], label, cv=purged)) == 3


def walk(**options):
    times, label_times, _ = by_days(days=3)
    arguments = {
        "before": date(2024, 1, 4),
        "folds": 1,
        "test_days": 1,
        "zone": "UTC",
        "embargo": timedelta(),
    } | options
    return WalkForward(arguments.pop("day", times.astype("datetime64[D]")), label_times, **arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"folds": 0}, "folds: found 0, expected at least 1"),
        ({"test_days": 0}, "test_days: found 0, expected at least 1"),
        ({"train_days": 0}, "train_days: found 0, expected at least 1"),
        ({"embargo": -MICROSECOND}, "embargo: duration .*: expected at least zero"),
        ({"folds": 1000, "test_days": 1000}, "folds=1000 of test_days=1000 do not fit into the calendar"),
        ({"day": np.array(["2024-01-01"], "datetime64[D]")}, r"different shapes, \{'day': \(1,\), .*\(18,\)\}"),
        ({"day": np.array(["2024-01-01"] * 17 + ["NaT"], "datetime64[D]")}, "day: 1 of 18 rows have none"),
    ],
)
def test_what_cannot_be_walked_is_refused_when_the_splitter_is_made(options, message):
    with pytest.raises(LearningError, match=message):
        walk(**options)


def test_what_cannot_be_purged_is_refused_when_the_splitter_is_made():
    times, label_times, _ = by_days(days=3)
    with pytest.raises(LearningError, match=r"embargo: duration .*: expected at least zero"):
        Purged(KFold(2), times, label_times, -MICROSECOND)
    label_times[4] = np.datetime64("NaT")
    with pytest.raises(LearningError, match="label_known_at: 1 of 18 rows have none"):
        Purged(KFold(2), times, label_times, timedelta())


def test_a_splitter_of_other_rows_is_refused():
    times, label_times, _ = by_days(days=3)
    for splitter in (walk(), Purged(KFold(2), times, label_times, timedelta())):
        with pytest.raises(LearningError, match="made for 18 rows, and X has 17"):
            next(iter(splitter.split(np.zeros((17, 2)))))
