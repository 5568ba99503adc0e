"""Training rows: what was labelled and known at the run date's midnight."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from deltalake import write_deltalake

import builders
from nightjar.errors import LearningError, TableError
from nightjar.learning.data.training_set import read_training_set
from nightjar.learning.missing_dates import describe_missing_dates
from nightjar.learning.splits.folding import final_period
from nightjar.models.examples import InnerSplit
from nightjar.settings.acting import Acted
from nightjar.settings.spine import Weekday
from nightjar.settings.split import Split
from nightjar.settings.task import Task
from nightjar.tables import arrow
from nightjar.tables.definitions import labels_table


def append_label(nights, machine, day, label, known_at, **marks):
    key = {"machine": machine, "prediction_time": datetime(2024, 3, day - 1, 23, tzinfo=UTC)}
    row = key | marks | {"label": label, "label_known_at": known_at, "run_date": builders.HISTORY, "run_id": "x"}
    arrow.append(nights.warehouse, labels_table(nights.project, pa.schema([("machine", pa.string())])), [row], "x")


def test_rows_are_labelled_earlier_than_the_run_date_and_oldest_first(nights):
    """13 dates of 5 machines; one outcome was never written down and is settled as null."""
    rows = read_training_set(nights.warehouse, nights.project, builders.HISTORY)
    assert len(rows.label) == 13 * 5 - 1
    assert rows.null_labels == pytest.approx(1 / (13 * 5))
    assert (rows.day[0], rows.day[-1]) == (np.datetime64("2024-03-18"), np.datetime64("2024-03-30"))
    assert (rows.day[1:] >= rows.day[:-1]).all()
    assert [column.name for column in rows.columns] == nights.project.feature_names()
    assert (rows.label == (rows.features["load"].to_numpy() > 50)).all()
    assert set(rows.versions) == {"features", "labels"}


def test_rows_without_a_label_are_read_where_they_are_asked_for(nights):
    """The outcome that was never written down; and at the 18th's own midnight nothing of that day is known."""
    rows = read_training_set(nights.warehouse, nights.project, builders.HISTORY, unlabelled=True)
    assert rows.unlabelled.time.astype(str).tolist() == ["2024-03-24T23:00:00.000000"]
    assert rows.unlabelled.table.schema == rows.features.schema
    plain = read_training_set(nights.warehouse, nights.project, builders.HISTORY)
    assert plain.unlabelled is None
    assert plain.content_hash != rows.content_hash


def test_columns_that_tell_rows_apart_lie_beside_them_and_change_no_fit(nights):
    rows = read_training_set(nights.warehouse, nights.project, builders.HISTORY, slices=["machine", "site"])
    assert set(rows.slices["site"].to_pylist()) == {"north", "south"}
    assert rows.slices["machine"].to_pylist() == rows.key["machine"].to_pylist()
    assert rows.content_hash == read_training_set(nights.warehouse, nights.project, builders.HISTORY).content_hash


def test_the_same_rows_have_the_same_content_hash_whatever_was_stored_since(nights):
    once, again = (read_training_set(nights.warehouse, nights.project, builders.HISTORY) for _ in range(2))
    later = read_training_set(nights.warehouse, nights.project, date(2024, 4, 2))
    assert once.content_hash == again.content_hash != later.content_hash


def test_rows_that_were_acted_on_are_left_out(nights, copied):
    """A label that says so, as a later version of the one before."""
    before = read_training_set(nights.warehouse, nights.project, builders.HISTORY)
    marked = replace(
        copied, project=replace(copied.project, label=replace(copied.project.label, acted=Acted("failed")))
    )
    append_label(marked, "m1", 18, bool(before.label[0]), datetime(2024, 3, 30, 23, tzinfo=UTC), acted=True)
    rows = read_training_set(copied.warehouse, copied.project, builders.HISTORY)
    assert len(rows.label) == len(before.label) - 1
    assert (rows.acted_on, rows.null_labels) == (pytest.approx(1 / 65), before.null_labels)


def test_a_label_s_latest_version_at_the_cutoff_counts(nights, copied):
    """Corrected twice: before the midnight of the run, and after it."""
    before = read_training_set(nights.warehouse, nights.project, builders.HISTORY).label
    midnight = datetime(2024, 3, 30, 23, tzinfo=UTC)
    append_label(copied, "m1", 18, not before[0], midnight)
    append_label(copied, "m1", 18, bool(before[0]), midnight + timedelta(microseconds=1))
    append_label(copied, "m2", 18, None, midnight)
    after = read_training_set(copied.warehouse, copied.project, builders.HISTORY).label
    assert len(after) == len(before) - 1
    assert after[0] != before[0]
    assert (after[2:] == before[3:]).all()


def test_mixed_definitions_are_refused(nights, copied):
    features = arrow.read(copied.warehouse, "features")
    row = features.slice(0, 1).to_pylist()[0] | {"definitions_hash": "0123456789", "run_date": builders.FIRST}
    write_deltalake(copied.warehouse.path("features"), pa.Table.from_pylist([row], features.schema), mode="append")
    with pytest.raises(LearningError, match=r"Table features mixes rows of 2 definitions .*01234567"):
        read_training_set(copied.warehouse, copied.project, builders.HISTORY)


def test_no_labelled_row_and_a_missing_column_are_said(nights):
    with pytest.raises(LearningError, match="There is no labelled row before 2024-03-18"):
        read_training_set(nights.warehouse, nights.project, builders.FIRST)
    spine = replace(nights.project.spine, features=["load", "seats"])
    source = nights.project.sources["schedule"]
    wider = replace(source, derived=source.derived | {"seats": "1"}, keep=[*source.keep, "seats"])
    project = replace(nights.project, sources=nights.project.sources | {"schedule": wider}, spine=spine)
    with pytest.raises(TableError, match=r"Table features at .* has no column seats"):
        read_training_set(nights.warehouse, project, builders.HISTORY)


def test_a_date_is_settled_when_its_horizon_has_passed_whatever_the_clocks_do(nights):
    """31 March 2024 has 23 hours in Paris: one day after its midnight is the next midnight, 24 hours are 1:00."""
    exact = replace(nights.project, label=replace(nights.project.label, horizon="24h"))
    for project, settled in ((nights.project, 31), (exact, 30)):
        assert read_training_set(nights.warehouse, project, date(2024, 3, 31)).last_settled == date(2024, 3, 30)
        assert read_training_set(nights.warehouse, project, date(2024, 4, 1)).last_settled == date(2024, 3, settled)


def test_after_a_gap_the_last_settled_date_is_one_that_has_labels_and_the_gap_is_told(stored, warehouse):
    """Weeks without a run, then a night: its own rows are open, and no features of the dates before it were built."""
    stored()
    project = replace(builders.machines(Path("files")), features={})
    (row,) = arrow.read(warehouse, "features").slice(5, 1).to_pylist()
    night = date(2024, 4, 20)
    opened = row | {"prediction_time": datetime(2024, 4, 19, 12, tzinfo=UTC), "run_date": date(2024, 4, 19)}
    schema = arrow.schema(warehouse, "features")
    write_deltalake(warehouse.path("features"), pa.Table.from_pylist([opened], schema), mode="append")
    rows = read_training_set(warehouse, project, night)
    assert rows.last_settled == date(2024, 3, 24)
    final = final_period(rows, Split(), rows.last_settled, 2, project.zone)
    assert (final.start, final.end, len(final.test)) == (date(2024, 3, 23), date(2024, 3, 24), 2)
    assert describe_missing_dates(rows, final, night, project) == (
        "labels of 2024-03-23 to 2024-04-18 can be known by now, but of 25 of these 27 dates there is no labelled row "
        "(2024-03-25 to 2024-04-18); the final period is 2024-03-23 to 2024-03-24. If they should have rows, run: "
        "jobs/build_features.py project=machines since=2024-03-25 run_date=2024-04-20"
    )
    assert describe_missing_dates(rows, final, date(2024, 3, 26), project) is None
    weekly = replace(project, spine=replace(project.spine, weekdays=[Weekday.SUNDAY]))
    sentence = describe_missing_dates(rows, final, night, weekly)
    assert "of 3 of these 4 Sundays there is no labelled row (2024-03-31 to 2024-04-14)" in sentence
    assert describe_missing_dates(rows, final, date(2024, 3, 31), weekly) is None


MIDNIGHT = datetime(2024, 3, 18, 23, tzinfo=UTC)
"""Of 19 March in Paris."""


@pytest.fixture
def stored(warehouse, tmp_path):
    """Writes both tables, six rows a midnight apart, and reads them."""
    project = replace(builders.machines(tmp_path), features={})

    def write_and_read(label=(True, False) * 3, beside=None, **options):
        times = [MIDNIGHT + timedelta(days=row) for row in range(6)]
        key = {"machine": pa.array(["m1"] * 6), "prediction_time": pa.array(times, pa.timestamp("us", "UTC"))}
        features = {
            "load": [1.0, 2, 3, 4, 5, 6],
            "built": [2000] * 6,
            "site": ["north", None, "north", "south", None, ""],
        }
        days = [date(2024, 3, 19 + row) for row in range(6)]
        constants = {"run_date": pa.array(days), "definitions_hash": ["d1"] * 6}
        label_times = pa.array([at + timedelta(hours=10) for at in times], pa.timestamp("us", "UTC"))
        for name, columns in {
            "features": key | features | constants | (beside or {}),
            "labels": key | {"label": pa.array(label), "label_known_at": label_times},
        }.items():
            write_deltalake(warehouse.path(name), pa.table(columns), mode="overwrite", schema_mode="overwrite")
        return read_training_set(warehouse, project, builders.HISTORY, **options)

    return write_and_read


def test_rows_have_the_instants_that_splits_are_made_of(stored):
    rows = stored()
    assert rows.prediction_time[0] == np.datetime64("2024-03-18T23:00")
    assert (rows.label_known_at - rows.prediction_time == np.timedelta64(10, "h")).all()
    assert rows.day[0] == np.datetime64("2024-03-19")
    assert (rows.passed_at - rows.prediction_time == np.timedelta64(1, "D")).all()
    assert (rows.group, rows.query, rows.weight) == (None, None, None)


def test_rows_are_grouped_by_the_values_of_all_columns_and_null_is_a_value_of_its_own(stored):
    crew = {"crew": pa.array([1, 1, 2, None, 1, 1])}
    rows = stored(beside=crew, group=["site"], query=["site", "crew"])
    north, none, south, empty = rows.group[[0, 1, 3, 5]]
    assert rows.group.tolist() == [north, none, north, south, none, empty]
    assert len({north, none, south, empty}) == 4
    assert rows.query[1] == rows.query[4]
    assert len(set(rows.query)) == 5


def test_an_entity_is_what_the_key_names_and_of_a_list_what_names_it_besides_a_time(stored):
    assert len(set(stored().entity)) == 1  # one machine on six dates
    by_site = stored(query=["site", "prediction_time"])
    assert (len(set(by_site.query)), by_site.entity.tolist()) == (6, stored(group=["site"]).group.tolist())
    assert stored(query=["prediction_time"]).entity is None


def test_a_weight_says_how_many_rows_each_stands_for_and_none_is_one(stored):
    rows = stored(beside={"sampling_weight": pa.array([2.0, 2.0, None, 1.5, 1.0, 4.0])})
    assert rows.weight.tolist() == [2.0, 2.0, 1.0, 1.5, 1.0, 4.0]


def test_examples_are_the_rows_at_those_numbers(stored):
    rows = stored(beside={"sampling_weight": pa.array([1.0, 2, 3, 4, 5, 6])}, query=["site"])
    inner = [InnerSplit(np.array([0]), np.array([1]))]
    examples = rows.examples(np.array([1, 3]), inner)
    assert examples.table["load"].to_pylist() == [2.0, 4.0]
    assert (examples.label.tolist(), examples.weight.tolist()) == ([False, False], [2.0, 4.0])
    assert (examples.query.tolist(), examples.inner) == (rows.query[[1, 3]].tolist(), inner)
    bare = stored().examples(np.array([0]))
    assert (bare.weight, bare.query, bare.inner) == (None, None, ())


@pytest.mark.parametrize(
    ("task", "label", "expected"),
    [
        (Task.CLASSIFICATION, [True, False, None, True, True, False], [True, False, True, True, False]),
        (Task.REGRESSION, pa.array([1, 2, 3, None, -5, 6], pa.int32()), [1.0, 2.0, 3.0, -5.0, 6.0]),
        (Task.RANKING, [0.5, 0, 1, 2, 3, 1e9], [0.5, 0.0, 1.0, 2.0, 3.0, 1e9]),
        (Task.RANKING, [True, False] * 3, [1.0, 0.0] * 3),
    ],
)
def test_labels_are_what_the_task_learns_from(stored, task, label, expected):
    labels = stored(label, task=task).label
    assert labels.tolist() == expected
    assert labels.dtype == (np.bool_ if task is Task.CLASSIFICATION else np.float64)


@pytest.mark.parametrize(
    ("task", "label", "message"),
    [
        (Task.CLASSIFICATION, [1.0] * 6, "label of table labels is of type double: expected a boolean for a classific"),
        (Task.REGRESSION, [True] * 6, "label of table labels is of type bool: expected a number for a regression"),
        (Task.RANKING, ["a"] * 6, "label of table labels is of type string: expected a number or a boolean"),
        (
            Task.REGRESSION,
            [1.0, 2, float("nan"), float("inf"), 5, 6],
            r"label of table labels holds inf, nan in 2 of 6 labelled rows \(machine=.*\): expected finite numbers for",
        ),
        (Task.REGRESSION, [1.0, 2, -1e80, 1e160, 5, 6], r"holds -1e\+80, 1e\+160 in 2 of 6 labelled rows \(machine="),
        (Task.RANKING, [1.0, 2, 1e80, 0, 5, 6], r"holds 1e\+80 in 1 of 6 labelled rows \(machine="),
        (Task.RANKING, [1.0, 2, -1, 4, 5, 6], r"holds -1.0 in 1 of 6 .* expected finite numbers from 0 for a ranking"),
    ],
)
def test_labels_that_the_task_cannot_learn_from_are_refused(stored, task, label, message):
    with pytest.raises(LearningError, match=message):
        stored(label, task=task)


def test_a_group_that_the_table_lacks_is_named_with_what_there_is(stored):
    with pytest.raises(
        LearningError, match=r"grouped by crew, which table features does not have\. It has machine, pred"
    ):
        stored(group=["site", "crew"])
    with pytest.raises(LearningError, match="grouped by list, which"):
        stored(query=["list"])


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf")])
def test_a_weight_that_is_none_is_refused(stored, weight):
    message = "sampling_weight of table features holds .* in 1 of 6 labelled rows .*: expected finite numbers above 0"
    with pytest.raises(LearningError, match=message):
        stored(beside={"sampling_weight": pa.array([1.0, weight, 1.0, 1.0, 1.0, 1.0])})


@pytest.mark.parametrize(
    "changed",
    ["label", "day", "prediction_time", "passed_at", "label_known_at", "group", "query", "weight"],
)
def test_the_content_hash_covers_all_that_decides_a_fit(stored, changed):
    beside = {"sampling_weight": pa.array([1.0] * 6)}
    rows = stored(beside=beside, group=["site"], query=["machine"])
    column = getattr(rows, changed).copy()
    column[2] = not column[2] if changed == "label" else column[2] + 1
    same = stored(beside=beside, group=["site"], query=["machine"])
    assert rows.content_hash == same.content_hash != replace(rows, **{changed: column}).content_hash
    others = [
        replace(rows, weight=None),
        replace(rows, group=None, query=rows.group),
    ]
    assert len({rows.content_hash, *(one.content_hash for one in others)}) == 3


def test_an_infinite_value_is_told_with_its_place_whether_its_row_has_a_label_or_not(stored):
    message = (
        r"Column load of table features holds an infinite value in 2 of 6 rows, first on 2024-03-21\. Make it finite"
    )
    with pytest.raises(LearningError, match=message):
        stored(
            beside={"load": [1.0, 2, float("inf"), 4, float("-inf"), 6]}, label=(True, False, None, None, None, None)
        )


def test_features_without_any_value_are_refused(stored):
    empty = {"load": pa.nulls(6, pa.float64()), "built": pa.nulls(6, pa.int64()), "site": pa.nulls(6, pa.string())}
    with pytest.raises(LearningError, match="No feature has a value in any of the 6 labelled rows: load, built, site"):
        stored(beside=empty)
