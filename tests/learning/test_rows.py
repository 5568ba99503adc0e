"""Training rows: what was labelled and known at the run date's midnight."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

import builders
from nightjar.errors import LearningError, TableError
from nightjar.learning.rows import last_settled_day, read
from nightjar.tables import arrow
from nightjar.tables.definitions import labels_table


def append_label(nights, machine, day, label, known_at):
    key = {"machine": machine, "prediction_time": datetime(2024, 3, day - 1, 23, tzinfo=UTC)}
    row = key | {"label": label, "label_known_at": known_at, "run_date": builders.HISTORY, "run_id": "x"}
    arrow.append(nights.warehouse, labels_table(nights.project, pa.schema([("machine", pa.string())])), [row], "x")


def test_rows_are_labelled_earlier_than_the_run_date_and_oldest_first(nights):
    """13 dates of 5 machines; one outcome was never written down and is settled as null."""
    rows = read(nights.warehouse, nights.project, builders.HISTORY)
    assert len(rows.label) == 13 * 5 - 1
    assert (rows.day[0], rows.day[-1]) == (np.datetime64("2024-03-18"), np.datetime64("2024-03-30"))
    assert (rows.day[1:] >= rows.day[:-1]).all()
    assert [column.name for column in rows.columns] == nights.project.feature_names()
    assert (rows.label == (rows.features["load"].to_numpy() > 50)).all()
    assert set(rows.versions) == {"features", "labels"}


def test_the_same_rows_have_the_same_content_hash_whatever_was_stored_since(nights):
    once, again = (read(nights.warehouse, nights.project, builders.HISTORY) for _ in range(2))
    later = read(nights.warehouse, nights.project, date(2024, 4, 2))
    assert once.content_hash() == again.content_hash() != later.content_hash()


def test_a_label_s_latest_version_at_the_cutoff_counts(nights, copied):
    """Corrected twice: before the midnight of the run, and after it."""
    before = read(nights.warehouse, nights.project, builders.HISTORY).label
    midnight = datetime(2024, 3, 30, 23, tzinfo=UTC)
    append_label(copied, "m1", 18, not before[0], midnight)
    append_label(copied, "m1", 18, bool(before[0]), midnight + timedelta(microseconds=1))
    append_label(copied, "m2", 18, None, midnight)
    after = read(copied.warehouse, copied.project, builders.HISTORY).label
    assert len(after) == len(before) - 1
    assert after[0] != before[0]
    assert (after[2:] == before[3:]).all()


def test_mixed_definitions_are_refused(nights, copied):
    features = arrow.read(copied.warehouse, "features")
    row = features.slice(0, 1).to_pylist()[0] | {"definitions_hash": "0123456789", "run_date": builders.FIRST}
    from deltalake import write_deltalake

    write_deltalake(copied.warehouse.path("features"), pa.Table.from_pylist([row], features.schema), mode="append")
    with pytest.raises(LearningError, match=r"Table features mixes rows of 2 definitions .*01234567"):
        read(copied.warehouse, copied.project, builders.HISTORY)


def test_no_labelled_row_and_a_missing_column_are_said(nights):
    with pytest.raises(LearningError, match="There is no labelled row before 2024-03-18"):
        read(nights.warehouse, nights.project, builders.FIRST)
    spine = replace(nights.project.spine, features=["load", "seats"])
    source = nights.project.sources["schedule"]
    wider = replace(source, derived=source.derived | {"seats": "1"}, keep=[*source.keep, "seats"])
    project = replace(nights.project, sources=nights.project.sources | {"schedule": wider}, spine=spine)
    with pytest.raises(TableError, match=r"Table features at .* has no column seats"):
        read(nights.warehouse, project, builders.HISTORY)


def test_a_date_is_settled_when_its_horizon_has_passed_whatever_the_clocks_do(nights):
    """31 March 2024 has 23 hours in Paris: one day after its midnight is 1:00 of 1 April."""
    assert last_settled_day(nights.project, date(2024, 3, 31)) == date(2024, 3, 30)
    assert last_settled_day(nights.project, date(2024, 4, 1)) == date(2024, 3, 30)
    assert last_settled_day(nights.project, date(2024, 4, 2)) == date(2024, 4, 1)
