"""The job that keeps the tables: what it leaves, and what it says of itself."""

from datetime import date

import builders
from builders import rows_of
from nightjar.pipeline.job import Context, perform
from nightjar.pipeline.steps import Sessions
from nightjar.settings.jobs import JobName, Maintain
from nightjar.tables import arrow, scan

NIGHT = date(2024, 4, 3)


def test_upkeep_changes_no_row_and_is_one_row_in_runs(nights, copied, caplog):
    settings = Maintain(copied.environment, copied.project, str(NIGHT))
    context = Context(settings, "config-2", Sessions(copied.environment, "tests"), copied.warehouse, "revision-2")
    step = context.step(NIGHT)
    with caplog.at_level("INFO", "nightjar"):
        outcome = perform(JobName.MAINTAIN, step, "config-2")
    for table in sorted(set(builders.versions(nights.warehouse)) - {"runs", "leases", "beats", "quality"}):
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
