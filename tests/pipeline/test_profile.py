"""The job of profile by its command line: what it prints, the page that it saves, and that it changes nothing else."""

import sys
from pathlib import Path

import pyarrow as pa
import pytest

import builders
from nightjar.tables import arrow
from nightjar.tables.warehouse import Warehouse
from profiling.stored.tables import hours, store
from system import tree
from system.commands import run_within

JOB = tree.ROOT / "jobs" / "profile.py"


@pytest.fixture
def warehouse(tmp_path):
    return Warehouse(str(tmp_path / "warehouse"), "machines")


@pytest.fixture
def run(tmp_path):
    """Runs the job, which gets no Spark, in a folder with the tiny project, of which nothing is stored."""
    for name, settings in (
        ("project/machines", builders.machines(tmp_path / "data")),
        ("environment/quick", builders.quick_environment()),
    ):
        (tmp_path / "conf" / name).parent.mkdir(parents=True)
        tree.declare(tmp_path / "conf" / f"{name}.yaml", settings)

    def of(*settings):
        return run_within(tmp_path, [str(JOB), "project=machines", "environment=quick", *settings], None)

    return of


def test_facts_are_printed_and_saved_as_a_page_and_no_table_is_written(run, warehouse):
    temperatures = [20.0 + hour % 24 if hour < 400 else None for hour in range(504)]
    store(warehouse, {"event_time": hours(504), "temperature": (pa.float64(), temperatures)})
    before = builders.versions(warehouse)

    ended = run("source=readings")

    page = Path(warehouse.path("reports/source-readings.html"))
    assert (ended.code, ended.said) == (0, [])
    assert "readings: 504 stored facts of 2024-03-01 to 2024-03-22, by day of event_time (Europe/Paris)" in ended.out
    assert "temperature: No fact has a value since 2024-03-19 " in ended.out
    assert f"The look as a page: {page}" in ended.out
    assert "<title>readings: stored facts over time</title>" in page.read_text(encoding="utf-8")
    assert builders.versions(warehouse) == before
    assert not arrow.exists(warehouse, "runs")
    assert not arrow.exists(warehouse, "leases")
    assert "of 2024-03-03 to 2024-03-04, by day" in run("source=readings", "since=2024-03-03", "until=2024-03-04").out


@pytest.mark.parametrize(
    ("settings", "code", "problem"),
    [
        ([], 2, "source: has no value, and needs one; give source=..."),
        (["source=reading"], 2, "source: found 'reading', expected one of the sources ['outcomes', 'readings',"),
        (["source=null"], 2, "source: found None, expected a text"),
        (
            ["source=readings", "since=2024-03-02", "until=2024-03-01"],
            2,
            "until: found '2024-03-01', expected a date",
        ),
        (["source=readings", "since=March"], 2, "since: run date 'March': expected the form YYYY-MM-DD"),
        (["source=readings"], 1, "Source readings has no stored facts yet: there is no table source_readings at"),
    ],
)
def test_what_cannot_be_looked_at_is_refused(run, settings, code, problem):
    ended = run(*settings)
    assert ended.code == code
    assert problem in ended.problem


def test_a_job_leaves_the_folder_in_which_profile_hides_pythons_own(run, monkeypatch):
    """Python puts the folder of `jobs/score.py` first on its path, and cProfile, which Spark imports, looks there."""
    monkeypatch.syspath_prepend(str(JOB.parent))
    run("--check", "source=readings")
    assert str(JOB.parent) not in sys.path
