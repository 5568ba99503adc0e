"""The job of quarantine by its command line: from a night with refused rows to the next one, which has one of them."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

import builders
from builders import rows_of
from nightjar.tables import arrow
from nightjar.tables.warehouse import Warehouse
from system import tree
from system.commands import run_within

BY = ("by=ADA", "reason=a test")


@pytest.fixture
def run(tmp_path, spark):
    """Runs a job in a folder with the tiny project, of which two readings are too hot, and one has strange signs."""
    project, folder = builders.machines(tmp_path / "data"), tmp_path / "conf"
    builders.write_files(tmp_path / "data")
    file = tmp_path / "data" / "readings.csv"
    hot = [builders.reading(machine, "03-30 07:00", 200) for machine in ("[red]\x1b[2J", "m9")]
    file.write_text(file.read_text() + "".join(hot))
    readings = replace(project.sources["readings"], refuse_above=1.0)
    for name, settings in (
        ("project/machines", replace(project, sources=project.sources | {"readings": readings})),
        ("environment/quick", builders.quick_environment()),
    ):
        (folder / name).parent.mkdir(parents=True)
        tree.declare(folder / f"{name}.yaml", settings)

    def of(job, *settings, using=None):
        return run_within(
            tmp_path, [str(tree.ROOT / "jobs" / f"{job}.py"), "project=machines", "environment=quick", *settings], using
        )

    assert of("ingest", f"run_date={tree.HISTORY}", using=spark).code == 0
    return of


def counts(ended):
    """Reason -> rows that are open, corrected and dismissed, of the list."""
    rows = re.findall(r"│ readings │ (.*?) +│ 2024-03-31 │ (\d) +│ (\d) +│ (\d) +│", ended.out)
    return {reason: tuple(map(int, numbers)) for reason, *numbers in rows}


def test_refused_rows_are_listed_shown_exported_corrected_and_dismissed(run, tmp_path, spark):
    warehouse = Warehouse(str(tmp_path / "warehouse"), "machines")
    assert counts(run("quarantine")) == {"temperature: above 90": (2, 0, 0)}
    shown = run("quarantine", "action=show", "check=above", "since=2024-03-01").out
    assert "temperature: '200'" in shown
    assert "[red]" in shown
    assert "\x1b[2J" not in shown
    assert "No row is open" in run("quarantine", "action=show", "night=2024-03-30").out

    export = ("quarantine", "action=export", "from_source=readings", "file=rows.csv")
    assert run(*export).code == 0
    again = run(*export)
    assert (again.code, "rows.csv cannot be written (File exists)" in again.problem) == (2, True)
    correct = ("quarantine", "action=correct", "from_source=readings", "file=rows.csv", "run_date=2024-04-01", *BY)
    missing = run(*correct, "file=none.csv", "--check")
    assert (missing.code, "file: there is no file none.csv" in missing.err) == (2, True)
    before = {**builders.versions(warehouse), "runs": None, "leases": None, "beats": None}
    refused = run(*correct, using=spark)
    assert refused.code == 1
    assert "line 2: temperature: above 90; line 3: temperature: above 90" in refused.problem
    assert {**builders.versions(warehouse), "runs": None, "leases": None, "beats": None} == before

    header, *lines = Path(tmp_path / "rows.csv").read_text(encoding="utf-8-sig").splitlines()
    (hot,) = (line for line in lines if line.startswith("m9"))
    (tmp_path / "rows.csv").write_text(f"{header}\n{hot.replace(',200,', ',20,')}\n")
    assert run(*correct, using=spark).code == 0
    nothing = run("quarantine", "action=dismiss", "from_source=readings", "check=below", "run_date=2024-04-01", *BY)
    assert (nothing.code, "no such row is open" in nothing.problem) == (1, True)
    (row_hash,) = (one for one, row in rows_of(warehouse, "quarantine", "row_hash", "row") if "red" in row)
    dismiss = (
        "quarantine",
        "action=dismiss",
        "from_source=readings",
        f"hashes=['{row_hash[:8]}']",
        "run_date=2024-04-01",
    )
    assert run(*dismiss, *BY).code == 0
    assert counts(run("quarantine")) == {"temperature: above 90": (0, 1, 1)}
    decisions = rows_of(warehouse, "corrections", "action", "decided_by", "reason")
    assert decisions == [("corrected", "ADA", "a test"), ("dismissed", "ADA", "a test")]
    recorded = rows_of(warehouse, "runs", "job", "status", "rows")
    of_job = sorted(row for row in recorded if row[0] == "quarantine")
    assert of_job == [
        ("quarantine", "done", [("corrected", 1)]),
        ("quarantine", "done", [("dismissed", 1)]),
        ("quarantine", "failed", []),
        ("quarantine", "failed", []),
    ]
    held = {row["resource"] for row in arrow.read(warehouse, "leases").to_pylist() if row["job"] == "quarantine"}
    assert held == {"source/readings"}

    assert run("ingest", "run_date=2024-04-01", using=spark).code == 0
    facts = rows_of(warehouse, "source_readings", "machine", "temperature")
    assert [fact for fact in facts if not fact[0].startswith("m") or fact[0] == "m9"] == [("m9", 20.0)]
