"""Folds, the splits within them and the final period: which rows are trained on, and which are judged."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from sklearn.model_selection import KFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from nightjar.durations import duration_of
from nightjar.errors import LearningError
from nightjar.learning.data.training_set import TrainingSet
from nightjar.learning.fitting.fit_sets import make_fit_set
from nightjar.learning.splits.folding import FEWEST, final_period, folds, inner_splits, select_settled
from nightjar.learning.splits.purging import overlaps
from nightjar.settings.columns import Category, Encoding
from nightjar.settings.learning import Search
from nightjar.settings.model import Calibration, Estimator, Model
from nightjar.settings.preparation import Preparation
from nightjar.settings.split import Split, SplitKind
from nightjar.timeline import shift
from oracles import splits as oracle

FIRST = date(2024, 3, 20)
ZONE = "Europe/Paris"
HOUR = timedelta(hours=1)
KFOLD_KINDS = [kind for kind in SplitKind if kind is not SplitKind.WALK_FORWARD]
GROUPED = [SplitKind.GROUPED, SplitKind.STRATIFIED_GROUPED]


def table(times, label_times, zone=ZONE, horizon=24 * HOUR, label=None, **columns):
    """Training rows of aware prediction times and the times at which their labels were known, in any order."""
    number = np.arange(len(times))
    naive = [np.array([at.replace(tzinfo=None) for at in column], "datetime64[us]") for column in (times, label_times)]
    return TrainingSet(
        features=pa.table({"x": number}),
        columns=(),
        key=pa.table({"row": number, "prediction_time": naive[0]}),
        label=number % 2 == 0 if label is None else label,
        day=np.array([at.astimezone(ZoneInfo(zone)).date() for at in times], "datetime64[D]"),
        prediction_time=naive[0],
        label_known_at=naive[1],
        passed_at=shift(naive[0].astype(np.int64), duration_of(horizon), zone).astype("datetime64[us]"),
        last_settled=date(2024, 12, 31),
        versions={},
        definitions_hash="d1",
        **columns,
    )


def mornings(days=14, label_delays=(10, 23), **options):
    """Two rows a date, predicted at its midnight (local winter time); their labels are known so many hours later."""
    first = datetime.combine(FIRST, datetime.min.time(), ZoneInfo(ZONE)).astimezone(UTC)
    times = [first + timedelta(days=row // 2) for row in range(2 * days)]
    label_times = [at + label_delays[row % 2] * HOUR for row, at in enumerate(times)]
    return table(times, label_times, **options)


def hourly(count=400, apart=6 * HOUR, length=HOUR, **options):
    """Rows so far apart, whose labels are known so long after."""
    times = [datetime(2024, 1, 1, tzinfo=UTC) + row * apart for row in range(count)]
    return table(times, [at + length for at in times], "UTC", length, **options)


def walk(rows, before, zone=ZONE, **options):
    return folds(rows, Split(**{"folds": 1, "test_days": 1} | options), before, zone, 0)


def dates(rows, numbers):
    return sorted({str(one) for one in rows.day[numbers]})


def latest(rows, fold):
    return rows.label_known_at[fold.train].max()


def test_test_periods_follow_each_other_and_end_before_the_given_date():
    rows = mornings()
    splits = walk(rows, date(2024, 3, 31), folds=3, test_days=2)
    assert [(fold.name, str(fold.start), str(fold.end)) for fold in splits] == [
        ("fold 1", "2024-03-25", "2024-03-26"),
        ("fold 2", "2024-03-27", "2024-03-28"),
        ("fold 3", "2024-03-29", "2024-03-30"),
    ]
    assert dates(rows, splits[0].test) == ["2024-03-25", "2024-03-26"]
    assert dates(rows, splits[0].train) == [f"2024-03-{day}" for day in range(20, 25)]
    assert [len(fold.test) for fold in splits] == [4, 4, 4]


def test_a_label_is_trained_on_that_is_known_at_the_midnight_or_the_embargo_before_it():
    """Bounds are inclusive. The labels of 24 March are known 14 hours and 1 hour before the midnight of the 25th."""
    rows = mornings(horizon=HOUR)
    for embargo, expected in [("1h", "24T22:00"), ("3601s", "24T09:00"), ("14h", "24T09:00"), ("15h", "23T22:00")]:
        (fold,) = walk(rows, date(2024, 3, 26), embargo=embargo)
        assert latest(rows, fold) == np.datetime64(f"2024-03-{expected}")


def test_labels_that_are_known_early_are_trained_on_when_those_of_their_time_are_known_too():
    """Planted: what happens is known at once, what does not only after two days. Early ones are all true."""
    label = np.arange(28) % 2 == 0
    rows = mornings(label_delays=(0, 48), horizon=48 * HOUR, label=label)
    (fold,) = walk(rows, date(2024, 3, 29))
    assert (str(fold.start), dates(rows, fold.train)[-1]) == ("2024-03-27", "2024-03-25")
    assert rows.label[fold.train].mean() == 0.5
    assert select_settled(rows, date(2024, 3, 28), ZONE).tolist() == list(range(14))
    assert select_settled(rows, date(2024, 3, 28), ZONE, days=4).tolist() == [8, 9, 10, 11, 12, 13]


def test_a_sliding_window_trains_on_the_dates_before_the_test_period():
    rows = mornings()
    (fold,) = walk(rows, date(2024, 3, 28), train_days=3, test_days=2)
    assert dates(rows, fold.train) == ["2024-03-23", "2024-03-24", "2024-03-25"]


@pytest.mark.parametrize(
    ("zone", "start", "midnight"),
    [
        ("Europe/Paris", date(2024, 3, 31), "2024-03-30T23:00"),  # the clocks go forward that night
        ("Europe/Paris", date(2024, 4, 1), "2024-03-31T22:00"),
        ("Europe/Paris", date(2024, 10, 27), "2024-10-26T22:00"),  # and back
        ("Europe/Paris", date(2024, 10, 28), "2024-10-27T23:00"),
        ("America/Sao_Paulo", date(2017, 10, 15), "2017-10-15T03:00"),  # 0:00 does not exist: 1:00 is the first instant
    ],
)
def test_midnight_is_that_of_the_zone_whatever_the_clocks_do(zone, start, midnight):
    at = datetime.fromisoformat(midnight).replace(tzinfo=UTC)
    label_times = [at - 2 * HOUR, at - HOUR, at, at + timedelta(microseconds=1), at + HOUR, at + HOUR]
    times = [at - 30 * HOUR] * 4 + [at, at]
    (fold,) = walk(table(times, label_times, zone, horizon=HOUR), start + timedelta(days=1), zone)
    assert fold.train.tolist() == [0, 1, 2]
    assert fold.test.tolist() == [4, 5]


def test_a_row_that_is_known_at_the_midnight_at_which_it_is_predicted_is_judged_and_not_trained_on():
    rows = mornings(label_delays=(0, 10))
    (fold,) = walk(rows, date(2024, 3, 26))
    assert dates(rows, fold.test) == ["2024-03-25"]
    assert dates(rows, fold.train) == [f"2024-03-{day}" for day in range(20, 25)]


def test_the_last_test_period_ends_with_the_last_date_that_was_settled_when_the_final_period_starts():
    """Labels may take three days. Early ones of the last dates are known, and no random sample: they are not judged."""
    rows = mornings(label_delays=(10, 60), horizon=72 * HOUR)
    splits = walk(rows, date(2024, 3, 31), folds=2, test_days=2)
    assert [(str(fold.start), str(fold.end)) for fold in splits] == [
        ("2024-03-25", "2024-03-26"),
        ("2024-03-27", "2024-03-28"),
    ]


@pytest.mark.parametrize("kind", SplitKind)
def test_what_was_known_only_after_the_final_period_s_start_is_in_no_fold(kind):
    """A label of 2 January was corrected a microsecond after that midnight: its row is not used."""
    rows = hourly(80, group=np.arange(80) // 2)
    rows.label_known_at[4] = np.datetime64("2024-01-15T00:00:00.000001")
    split = Split(kind, 2, 2, group=["machine"] if kind in GROUPED else [])
    splits = folds(rows, split, date(2024, 1, 15), "UTC", 0)
    used = {row for fold in splits for part in (fold.train, fold.test) for row in part.tolist()}
    assert used == set(range(56)) - {4}


def test_a_row_predicted_at_the_final_period_s_first_instant_is_in_no_fold():
    """Even if all is known at once: row 56 is predicted at that midnight."""
    rows = hourly(80, length=timedelta())
    splits = folds(rows, Split(SplitKind.RANDOM, 2), date(2024, 1, 15), "UTC", 0)
    assert max(fold.test.max() for fold in splits) == 55


near_clock_changes = st.sampled_from(
    [
        ("Europe/Paris", date(2024, 3, 31)),
        ("Europe/Paris", date(2024, 10, 27)),
        ("America/Sao_Paulo", date(2017, 10, 15)),
    ]
)
hours_with_ties = st.lists(st.tuples(st.integers(-150, 150), st.integers(0, 40)), min_size=6, max_size=40)


@settings(deadline=None, max_examples=200)
@given(
    near_clock_changes,
    hours_with_ties,
    st.integers(1, 6),
    st.integers(0, 30).map("{}h".format) | st.sampled_from(["1d", "2d"]),
    st.builds(
        Split,
        folds=st.integers(1, 3),
        test_days=st.integers(1, 2),
        train_days=st.none() | st.integers(1, 4),
        embargo=st.sampled_from(["0d", "1h", "30h", "1d"]),
    ),
)
def test_walk_forward_is_what_its_rules_say_row_by_row(place, hours, days_later, horizon, split):
    zone, change = place
    middle = oracle.midnight(change, zone)
    times = [middle + at * HOUR for at, _ in hours]
    label_times = [at + delay * HOUR for at, (_, delay) in zip(times, hours, strict=True)]
    rows = table(times, label_times, zone, horizon, np.arange(len(hours)) / 2)
    before = change + timedelta(days=days_later)
    plain = list(zip(rows.day.tolist(), times, label_times, strict=True))
    numbers, end = oracle.seen(plain, before, zone, horizon)
    options = {"folds": split.folds, "test_days": split.test_days, "train_days": split.train_days}
    options |= {"horizon": horizon, "embargo": split.embargo}
    expected = oracle.walk_forward(plain, numbers, end=end, zone=zone, **options)
    if any(len(part) < FEWEST for parts in expected for part in parts):
        with pytest.raises(LearningError):
            folds(rows, split, before, zone, 0)
        return
    splits = folds(rows, split, before, zone, 0)
    assert [(fold.train.tolist(), fold.test.tolist()) for fold in splits] == expected
    for fold in splits:
        assert rows.day[fold.train].max() < rows.day[fold.test].min()


@pytest.mark.parametrize("kind", KFOLD_KINDS)
def test_every_row_is_judged_once_and_no_training_row_shares_label_time_or_group(kind):
    rows = hourly(group=np.random.default_rng(1).integers(0, 40, 400), length=13 * HOUR)
    split = Split(kind, 4, group=["machine"] if kind in GROUPED else [], embargo="6h")
    splits = folds(rows, split, date(2024, 3, 1), "UTC", 7)
    before = np.flatnonzero(rows.prediction_time <= np.datetime64("2024-02-29T11:00"))
    assert sorted(np.concatenate([fold.test for fold in splits])) == before.tolist()
    for fold in splits:
        assert not overlaps(rows.prediction_time, rows.label_known_at, fold.train, fold.test, 6 * HOUR).any()
        assert (str(fold.start), str(fold.end)) == (dates(rows, fold.test)[0], dates(rows, fold.test)[-1])
        if kind in GROUPED:
            assert not set(rows.group[fold.train]) & set(rows.group[fold.test])


@pytest.mark.slow
@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(KFOLD_KINDS),
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 9), st.integers(0, 7)), min_size=8, max_size=25),
    st.integers(0, 5),
    st.integers(0, 6),
    st.integers(0, 3),
)
def test_random_folds_are_purged_as_the_rule_reads_row_by_row(kind, points, horizon, embargo, seed):
    """Irregular times with ties, labels known before their horizon and after it, groups of any size."""
    hours = [hour for hour, _, _ in sorted(points)]
    label_times = [hour + delay for hour, delay, _ in sorted(points)]
    group = np.array([number for _, _, number in sorted(points)])
    instants = [[datetime(2024, 1, 1, tzinfo=UTC) + hour * HOUR for hour in column] for column in (hours, label_times)]
    label = np.arange(len(hours)) % 2 == 0
    rows = table(*instants, "UTC", horizon * HOUR, label, group=group)
    split = Split(kind, 2, group=["machine"] if kind in GROUPED else [], embargo=f"{embargo}h")
    try:
        splits = folds(rows, split, date(2024, 2, 1), "UTC", seed)
    except LearningError:
        reject()
    settled_at = [max(hour + horizon, at) for hour, at in zip(hours, label_times, strict=True)]
    for fold in splits:
        expected = oracle.kept(set(fold.test.tolist()), hours, settled_at, embargo)
        strangers = [row for row in expected if kind not in GROUPED or group[row] not in group[fold.test]]
        assert fold.train.tolist() == strangers
    assert sorted(np.concatenate([fold.test for fold in splits])) == list(range(len(hours)))


@pytest.mark.parametrize("kind", KFOLD_KINDS)
def test_the_seed_decides_the_folds(kind):
    rows = hourly(group=np.arange(400) % 40, label=np.arange(400) % 3 == 0)
    split = Split(kind, 3, group=["machine"] if kind in GROUPED else [])
    one, same, other = (
        [fold.test.tolist() for fold in folds(rows, split, date(2024, 5, 1), "UTC", seed)] for seed in (1, 1, 2)
    )
    assert one == same != other


def test_stratified_folds_have_the_same_share_of_each_class():
    rows = hourly(label=np.random.default_rng(0).random(400) < 0.1)
    splits = folds(rows, Split(SplitKind.STRATIFIED, 4), date(2024, 5, 1), "UTC", 0)
    positives = [rows.label[fold.test].sum() for fold in splits]
    assert max(positives) - min(positives) <= 1


def test_a_group_across_folds_leaks_through_a_plain_splitter_and_not_through_ours():
    """Planted: each machine has a coin of its own, and its number tells it to whoever has seen the machine."""
    machine = np.random.default_rng(3).permutation(np.repeat(np.arange(80), 5))
    coins = np.random.default_rng(4).random(80) < 0.5
    rows = hourly(group=machine, label=coins[machine])
    splits = folds(rows, Split(SplitKind.GROUPED, 4, group=["machine"]), date(2024, 5, 1), "UTC", 0)
    nearest, inputs = KNeighborsClassifier(1), machine[:, None]
    plain = cross_val_score(nearest, inputs, rows.label, cv=KFold(4, shuffle=True, random_state=0))
    ours = cross_val_score(nearest, inputs, rows.label, cv=[(fold.train, fold.test) for fold in splits])
    assert plain.mean() > 0.9
    assert 0.3 < ours.mean() < 0.7


def test_the_final_period_is_the_last_dates_and_is_trained_on_what_was_known_before():
    rows = mornings(horizon=HOUR)
    fold = final_period(rows, Split(), date(2024, 3, 30), 3, ZONE)
    assert (fold.name, fold.start, fold.end) == ("final", date(2024, 3, 28), date(2024, 3, 30))
    assert dates(rows, fold.test) == ["2024-03-28", "2024-03-29", "2024-03-30"]
    assert dates(rows, fold.train) == [f"2024-03-{day}" for day in range(20, 28)]
    near = final_period(rows, Split(train_days=2, embargo="2h"), date(2024, 3, 30), 3, ZONE)
    assert (len(near.train), latest(rows, near)) == (3, np.datetime64("2024-03-27T09:00"))


def test_a_final_period_may_have_one_class_but_its_training_rows_may_not():
    rows = mornings(label=np.arange(28) < 20)
    with pytest.raises(
        LearningError, match=r"final \(2024-03-26 to 2024-03-28\) has no negatives to train on: all its 12"
    ):
        final_period(rows, Split(), date(2024, 3, 28), 3, ZONE)
    assert not rows.label[final_period(rows, Split(), date(2024, 4, 2), 3, ZONE).test].any()


def test_within_walk_forward_three_blocks_of_dates_end_the_training_rows():
    """60 dates: blocks as long as the fold's test period, or a sixth of the dates if that is shorter."""
    rows = hourly(240)
    train = np.arange(240)
    for test_days, days in ((7, 7), (28, 10)):
        splits = inner_splits(rows, train, Split(test_days=test_days), "UTC", 0)
        tested = [dates(rows, split.test) for split in splits]
        assert [len(one) for one in tested] == [days] * 3
        assert [one for block in tested for one in block] == dates(rows, train)[-3 * days :]
        for split in splits:
            assert rows.label_known_at[split.train].max() <= rows.day[split.test].min()


def test_numbers_of_splits_within_count_among_the_training_rows_whatever_their_order():
    rows = hourly(240)
    rows = replace(rows, passed_at=rows.prediction_time + np.timedelta64(10, "D"))
    forward, backward = np.arange(40, 240), np.arange(40, 240)[::-1]
    one, other = (
        [(sorted(train[one.train]), sorted(train[one.test])) for one in inner_splits(rows, train, Split(), "UTC", 0)]
        for train in (forward, backward)
    )
    assert one == other


@pytest.mark.parametrize("kind", SplitKind)
def test_splits_within_are_of_the_training_rows_only_and_keep_the_same_distance(kind):
    rows = hourly(1600, group=np.random.default_rng(1).integers(0, 240, 1600), length=7 * HOUR)
    split = Split(kind, 2, 10, group=["machine"] if kind in GROUPED else [], embargo="6h")
    for fold in folds(rows, split, date(2025, 1, 25), "UTC", 0):
        splits = inner_splits(rows, fold.train, split, "UTC", 0, depth=2)
        deeper = [(fold.train[one.train], within) for one in splits for within in one.inner]
        assert (len(splits), len(deeper)) == (3, 9)
        assert not any(within.inner for _, within in deeper)
        for train_rows, within in [*((fold.train, one) for one in splits), *deeper]:
            train, test = train_rows[within.train], train_rows[within.test]
            assert not overlaps(rows.prediction_time, rows.label_known_at, train, test, 6 * HOUR).any()
            assert not set(train) & set(test)
            assert kind not in GROUPED or not set(rows.group[train]) & set(rows.group[test])


@pytest.mark.parametrize(
    ("before", "message"),
    [
        (date(2024, 3, 22), r"fold 1 \(2024-03-20 to 2024-03-21\) has no rows to train on; settled rows run from"),
        (date(2024, 4, 30), r"fold 1 \(2024-04-28 to 2024-04-29\) has no rows to test on; .* to 2024-04-02. Use fewer"),
        (date(2024, 3, 20), r"No row before 2024-03-20 was settled by its midnight; .* from 2024-03-20 to 2024-04-02"),
    ],
)
def test_too_little_data_is_said_with_the_dates_there_are(before, message):
    with pytest.raises(LearningError, match=message):
        walk(mornings(), before, test_days=2)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (SplitKind.WALK_FORWARD, r"fold 1 \(2024-01-03 to 2024-01-03\) has only one row to test on"),
        (SplitKind.RANDOM, r"fold 1 .* has only one row to train on; .* to 2024-01-03. Use fewer folds"),
        (SplitKind.STRATIFIED, r"1 rows with the label False cannot fill 2 folds \(kind=stratified\)"),
        (SplitKind.GROUPED, r"1 groups by machine cannot fill 2 folds \(kind=grouped\). Use fewer folds"),
        (SplitKind.STRATIFIED_GROUPED, "1 rows with the label False cannot fill 2 folds"),
    ],
)
def test_three_rows_are_no_data(kind, message):
    label = np.array([0.5, 1, 2]) if kind is SplitKind.RANDOM else None
    rows = hourly(3, timedelta(days=1), group=np.zeros(3, np.intp), label=label)
    split = Split(kind, 1 if kind is SplitKind.WALK_FORWARD else 2, 1, group=["machine"] if kind in GROUPED else [])
    with pytest.raises(LearningError, match=message):
        folds(rows, split, date(2024, 1, 4), "UTC", 0)


def test_fewer_rows_than_folds_are_refused():
    with pytest.raises(LearningError, match=r"3 rows cannot fill 4 folds \(kind=random\)"):
        folds(hourly(3), Split(SplitKind.RANDOM, 4), date(2024, 1, 4), "UTC", 0)


@pytest.mark.parametrize(
    ("positive", "message"),
    [
        (np.arange(28) < 10, r"fold 1 \(2024-03-25 to 2024-03-26\) has no negatives to train on: all its 10 rows"),
        (np.arange(28) > 20, r"fold 1 \(2024-03-25 to 2024-03-26\) has no positives to train on"),
        (np.arange(28) % 10 < 2, r"fold 2 \(2024-03-27 to 2024-03-28\) has no positives to test on: all its 4 rows"),
    ],
)
def test_a_fold_of_one_class_is_refused(positive, message):
    with pytest.raises(LearningError, match=message):
        walk(mornings(label=positive), date(2024, 3, 31), folds=3, test_days=2)
    walk(mornings(label=positive + np.linspace(0, 1, 28)), date(2024, 3, 31), folds=3, test_days=2)


def test_rows_that_all_overlap_leave_nothing_to_train_on():
    """Every hour a row whose label takes a day: whatever is tested on, all others share its time."""
    rows = hourly(200, HOUR, 24 * HOUR)
    with pytest.raises(LearningError, match=r"fold 1 .* has no rows to train on; .* [0-9]+ rows were dropped .*walk_"):
        folds(rows, Split(SplitKind.RANDOM, 2), date(2024, 2, 1), "UTC", 0)


def test_numbers_have_no_classes_and_rows_without_groups_no_groups():
    rows = hourly(label=np.arange(400) / 7)
    with pytest.raises(LearningError, match="kind=stratified spreads each class evenly"):
        folds(rows, Split(SplitKind.STRATIFIED, 3), date(2024, 5, 1), "UTC", 0)
    with pytest.raises(LearningError, match=r"kind=grouped needs groups, .* with group=\['machine'\]"):
        folds(rows, Split(SplitKind.GROUPED, 3, group=["machine"]), date(2024, 5, 1), "UTC", 0)


def test_a_list_of_a_ranking_is_not_parted():
    query = np.arange(400) // 4
    rows = hourly(label=np.arange(400) % 3 / 1.0, query=query, group=query)
    with pytest.raises(
        LearningError, match=r"fold 1 \(.*\) has only some rows of [0-9]+ lists to test on: .*kind=grouped"
    ):
        folds(rows, Split(SplitKind.RANDOM, 3), date(2024, 5, 1), "UTC", 0)
    splits = folds(rows, Split(SplitKind.GROUPED, 3, group=["list"]), date(2024, 5, 1), "UTC", 0)
    assert sum(len(set(query[fold.test])) for fold in splits) == 100


def test_a_list_of_a_ranking_that_reaches_over_midnight_is_not_parted_by_dates_either():
    """Four rows a date; lists of four from noon to noon are parted by each period's two ends."""
    of_dates, of_nights = np.arange(400) // 4, (np.arange(400) + 2) // 4
    rows = hourly(label=np.arange(400) % 3 / 1.0, query=of_nights)
    message = r"\(2024.*\) has only some rows of 2 lists to test on: .*project\.label\.query"
    with pytest.raises(LearningError, match="fold 1 " + message):
        folds(rows, Split(), date(2024, 4, 1), "UTC", 0)
    with pytest.raises(LearningError, match="final " + message):
        final_period(rows, Split(), date(2024, 4, 1), 5, "UTC")
    whole = replace(rows, query=of_dates)
    assert all(len(fold.test) == 28 for fold in folds(whole, Split(test_days=7), date(2024, 4, 1), "UTC", 0))
    assert len(final_period(whole, Split(), date(2024, 4, 1), 5, "UTC").test) == 20


@pytest.mark.parametrize("query", [None, np.arange(400) // 4])
def test_labels_that_are_all_alike_are_nothing_to_learn_from(query):
    label = np.where(np.arange(400) < 300, 2.5, np.arange(400))
    rows = hourly(label=label, query=query)
    with pytest.raises(LearningError, match=r"fold 1 .* nothing to learn from: all its [0-9]+ training .* label 2\.5"):
        folds(rows, Split(), date(2024, 4, 1), "UTC", 0)
    with pytest.raises(LearningError, match=r"final .* nothing to learn from: all its [0-9]+ training .* label 2\.5"):
        final_period(rows, Split(), date(2024, 3, 14), 5, "UTC")


def test_training_rows_that_cannot_be_split_again_are_refused():
    rows = hourly(400)
    with pytest.raises(LearningError, match=r"inner fold 1 \(2024-01-01 to 2024-01-01\) has no rows to train on"):
        inner_splits(rows, np.arange(12), Split(), "UTC", 0)
    with pytest.raises(LearningError, match="There are no training rows to split once more"):
        inner_splits(rows, np.arange(0), Split(), "UTC", 0)


def test_of_splits_within_that_cannot_be_filled_it_is_told_which_and_who_asked():
    target = Preparation(category=Category(encoding=Encoding.TARGET))
    plain = Model(Estimator.LOGISTIC, calibration=Calibration.PLATT)
    deep, majority = replace(plain, preparation=target), Model(Estimator.MAJORITY, baseline=True)
    search = Search(candidates={"majority": majority, "plain": plain, "deep": deep})
    with pytest.raises(
        LearningError, match=r"before 2024-01-02 .* 2 deep.* those of deep. inner fold 1, inner fold 1 "
    ):
        make_fit_set(hourly(400), np.arange(24), date(2024, 1, 2), 2, search, "UTC")
    with pytest.raises(LearningError, match=r"before 2024-01-02 .* 1 deep.* those of plain, deep. inner fold 1 "):
        make_fit_set(hourly(400), np.arange(12), date(2024, 1, 2), 1, search, "UTC")
