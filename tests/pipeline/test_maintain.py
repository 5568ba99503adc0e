"""The job that keeps the tables: what it leaves, and what it says of itself."""

from datetime import date
from pathlib import Path

import pytest

import builders
from builders import rows_of
from nightjar.errors import TableError
from nightjar.pipeline.execution import Context, perform
from nightjar.pipeline.sessions import Sessions
from nightjar.settings.jobs import JobName, Maintain
from nightjar.tables import arrow, scan
from tables.damage import data_place, flip

NIGHT, BEFORE = date(2024, 4, 3), date(2024, 4, 2)
"""The date of the upkeep, and the last night that there is."""


def step_of(copied):
    settings = Maintain(copied.environment, copied.project, str(NIGHT))
    context = Context(settings, "config-2", Sessions(copied.environment, "tests"), copied.warehouse, "revision-2")
    return context.step(NIGHT, settings)


def test_upkeep_changes_no_row_and_is_one_row_in_runs(nights, copied, caplog):
    step = step_of(copied)
    with caplog.at_level("INFO", "nightjar"):
        outcome = perform(JobName.MAINTAIN, step, "config-2")
    for table in sorted(set(builders.versions(nights.warehouse)) - {"runs", "leases", "quality"}):
        assert rows_of(copied.warehouse, table) == rows_of(nights.warehouse, table), table
    before, after = (len(scan.snapshot(one.warehouse, "runs").files) for one in (nights, copied))
    assert (before, after) == (15, 2)
    past = rows_of(nights.warehouse, "runs", without=())
    assert [row for row in rows_of(copied.warehouse, "runs", without=()) if row in past] == past
    assert sorted(outcome.outputs) == ["quality", "runs"]
    assert outcome.rows["features rebuilt"] == 5 * 7
    (row,) = [row for row in arrow.read(copied.warehouse, "runs").to_pylist() if row["run_id"] == step.run_id]
    assert (row["job"], row["status"], dict(row["rows"])) == ("maintain", "done", outcome.rows)
    assert any("table runs: 15 small files merged into 1, 0 old files removed" in said for said in caplog.messages)


def damaged(warehouse, table, day) -> Path:
    """A live data file of a date, now with another bit in its prediction times."""
    file, *_ = (file for file in scan.snapshot(warehouse, table).files if file.partition["run_date"] == day)
    path = Path(warehouse.path(table)) / file.path
    flip(path, data_place(path, "prediction_time"))
    return path


def test_damaged_nights_are_built_again_to_the_same_rows(nights, copied):
    """Labels of the history were asked for from its first date on, which no table says."""
    history = date.fromisoformat(copied.project.history_until)
    for table, day in (("features", BEFORE), ("features", history), ("labels", history), ("labels", BEFORE)):
        damaged(copied.warehouse, table, day)
    outcome = perform(JobName.MAINTAIN, step_of(copied), "config-2")
    assert {"features", "labels"} <= set(outcome.outputs)
    for table in ("features", "labels"):
        assert rows_of(copied.warehouse, table) == rows_of(nights.warehouse, table), table


def test_what_cannot_be_built_again_is_named_with_what_to_do_and_nothing_else_is_done(copied):
    scores, source = damaged(copied.warehouse, "scores", BEFORE), scan.snapshot(copied.warehouse, "source_readings")
    before = builders.versions(copied.warehouse)
    (Path(source.folder) / source.files[0].path).unlink()
    with pytest.raises(TableError) as failed:
        perform(JobName.MAINTAIN, step_of(copied), "config-2")
    message = str(failed.value)
    assert f"scores: run_date={BEFORE}/role=champion/{scores.name} (" in message
    assert f"or run: jobs/score.py project=machines run_date={BEFORE}." in message
    assert f"source_readings: {source.files[0].path} (it is gone). Restore the file from a backup, or where" in message
    changed = {table for table, version in builders.versions(copied.warehouse).items() if version != before[table]}
    assert changed <= {"quality", "runs", "leases", "beats"}
