"""What later steps ask of the table `runs`."""

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from nightjar.errors import TableError
from nightjar.tables import arrow, runs
from nightjar.tables.runs import Outcome, Run
from nightjar.tables.source_definitions import QUALITY
from nightjar.timeline import zone_data

MONDAY, TUESDAY, WEDNESDAY = date(2024, 4, 1), date(2024, 4, 2), date(2024, 4, 3)


def record(warehouse, job, day, status="done", hour=1, outcome=None):
    started = datetime(2024, 4, 9, hour, tzinfo=UTC)
    error = None if status == "done" else "no disk"
    run = Run(f"{job}-{day}-{hour}", job, day, status, error, "c1", "h1", started, 2.5, outcome or Outcome())
    runs.record(warehouse, run)


def test_a_run_is_one_row_with_what_it_read_wrote_and_counted(warehouse):
    record(warehouse, "score", MONDAY, outcome=Outcome({"features": 0}, {"scores": 3}, {"scores": 5}))
    (row,) = arrow.read(warehouse, "runs").to_pylist()
    assert {name: value for name, value in row.items() if value not in (None, [])} == {
        "run_id": "score-2024-04-01-1",
        "job": "score",
        "run_date": MONDAY,
        "status": "done",
        "code_revision": "c1",
        "config_hash": "h1",
        "zone_data": zone_data(),
        "inputs": [("features", 0)],
        "outputs": [("scores", 3)],
        "rows": [("scores", 5)],
        "started_at": datetime(2024, 4, 9, 1, tzinfo=UTC),
        "seconds": 2.5,
    }


def test_a_run_of_a_range_counts_for_each_of_its_dates(warehouse):
    record(warehouse, "build_features", TUESDAY)
    whole = Run(
        "whole",
        "build_features",
        WEDNESDAY,
        "done",
        None,
        "c",
        "h",
        datetime(2024, 4, 9, 2, tzinfo=UTC),
        1.0,
        Outcome(),
        since=MONDAY,
    )
    runs.record(warehouse, whole)
    of = {
        day: [row["run_id"] for row in runs.covering(warehouse, ["build_features"], day)]
        for day in (MONDAY, TUESDAY, WEDNESDAY, date(2024, 4, 4))
    }
    assert list(of.values()) == [["whole"], ["build_features-2024-04-02-1", "whole"], ["whole"], []]
    runs.require_done(warehouse, "build_features", MONDAY, "score")


def test_a_step_needs_the_latest_run_before_it_to_be_done(warehouse):
    needs = "score for 2024-04-01 needs build_features for 2024-04-01, which "
    with pytest.raises(TableError, match=f"{needs}has not been run. Run: jobs/build_features.py"):
        runs.require_done(warehouse, "build_features", MONDAY, "score")
    record(warehouse, "build_features", TUESDAY)
    record(warehouse, "ingest", MONDAY)
    with pytest.raises(TableError, match="has not been run"):
        runs.require_done(warehouse, "build_features", MONDAY, "score")
    record(warehouse, "build_features", MONDAY, hour=2)
    runs.require_done(warehouse, "build_features", MONDAY, "score")
    record(warehouse, "build_features", MONDAY, "failed", hour=3)
    with pytest.raises(TableError, match=f"{needs}ended as failed .run build_features-2024-04-01-3"):
        runs.require_done(warehouse, "build_features", MONDAY, "score")
    record(warehouse, "build_features", MONDAY, hour=4)
    runs.require_done(warehouse, "build_features", MONDAY, "score")


def test_what_was_made_of_another_jobs_tables_is_not_older_than_they_are(warehouse):
    """A run that failed has written nothing; other dates do not matter."""
    record(warehouse, "ingest", MONDAY, hour=1)
    record(warehouse, "build_features", MONDAY, hour=2)
    record(warehouse, "ingest", MONDAY, "failed", hour=3)
    record(warehouse, "ingest", TUESDAY, hour=4)
    runs.require_newer(warehouse, "build_features", "ingest", MONDAY)
    record(warehouse, "ingest", MONDAY, hour=5)
    with pytest.raises(TableError, match=r"ingest for 2024-04-01 has been run again .* Run: jobs/build_features.py"):
        runs.require_newer(warehouse, "build_features", "ingest", MONDAY)
    record(warehouse, "build_features", MONDAY, hour=6)
    runs.require_newer(warehouse, "build_features", "ingest", MONDAY)


def test_the_previous_run_is_the_latest_earlier_date_that_succeeded_whenever_it_ran(warehouse):
    assert runs.previous_done(warehouse, "ingest", WEDNESDAY) is None
    record(warehouse, "ingest", MONDAY, hour=9)
    record(warehouse, "ingest", TUESDAY, "failed", hour=2)
    record(warehouse, "ingest", WEDNESDAY, hour=3)
    record(warehouse, "score", TUESDAY, hour=4)
    assert runs.previous_done(warehouse, "ingest", WEDNESDAY) == MONDAY
    assert runs.previous_done(warehouse, "ingest", MONDAY) is None


def test_the_most_rows_are_of_the_newest_successes_and_unknown_where_a_job_has_none(warehouse):
    jobs = ["ingest", "build_features"]
    assert runs.most_rows(warehouse, jobs) is None
    record(warehouse, "ingest", MONDAY, hour=1, outcome=Outcome(rows={"source_plan": 9_000_000}))
    assert runs.most_rows(warehouse, jobs) is None
    record(warehouse, "build_features", MONDAY, hour=2, outcome=Outcome(rows={"features": 40, "labels": 30}))
    assert runs.most_rows(warehouse, jobs) == 9_000_000
    record(warehouse, "ingest", TUESDAY, hour=3, outcome=Outcome(rows={"source_plan": 20, "quarantine": 1}))
    record(warehouse, "ingest", WEDNESDAY, "failed", hour=4)
    assert runs.most_rows(warehouse, jobs) == 40


def test_a_table_that_is_behind_what_a_run_has_written_has_lost_commits(warehouse):
    """Its newest commit removed, then its log, then all of it; a layout tells by itself what it reflects."""
    run = {"run_id": "r", "check": "read", "source": "plan", "run_date": MONDAY, "rows": 1, "of": 1}
    version = [arrow.append(warehouse, QUALITY, [run], "r") for _ in range(2)][-1]
    runs.require_committed(warehouse)
    written = {QUALITY.name: version, "source_plan__by_id": 7}
    record(warehouse, "ingest", MONDAY, outcome=Outcome(outputs={QUALITY.name: version - 1}))
    record(warehouse, "ingest", TUESDAY, outcome=Outcome(outputs=written))
    runs.require_committed(warehouse)
    folder = Path(warehouse.path(QUALITY.name))
    lost = "quality is {}, but run ingest-2024-04-02-1 has written version 2.*Lost commits"
    (folder / "_delta_log" / "00000000000000000002.json").unlink()
    with pytest.raises(TableError, match=lost.format("at version 1")):
        runs.require_committed(warehouse)
    for gone in (folder / "_delta_log", folder):
        shutil.rmtree(gone)
        with pytest.raises(TableError, match=lost.format("gone")):
            runs.require_committed(warehouse)
    log = Path(warehouse.path("runs")) / "_delta_log"
    shutil.rmtree(log)
    with pytest.raises(TableError, match="runs has data files, but no log"):
        runs.require_committed(warehouse)
    log.write_text("no folder")
    with pytest.raises(TableError, match=r"Table runs at .* cannot be opened"):
        runs.require_committed(warehouse)
