"""The table `runs`: one row per finished run, and the checks that later steps make on it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

import pyarrow.compute as pc

from nightjar.errors import TableError
from nightjar.tables import arrow, storage
from nightjar.tables.definitions import RUNS
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import zone_data

LAYOUT = "__by_"
"""Part of the name of each layout's table, see `tables.layouts.name`."""


@dataclass
class Outcome:
    """What a step read, wrote and counted: table -> Delta version, and name -> rows; of a nightly, what it decided."""

    inputs: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def __or__(self, later: "Outcome") -> "Outcome":
        """Both as one; where two name the same table, rows or note, the later one counts."""
        return Outcome(
            self.inputs | later.inputs, self.outputs | later.outputs, self.rows | later.rows, self.notes | later.notes
        )


@dataclass(frozen=True)
class Health:
    """How a run went, see the columns of `runs`; None: not measured."""

    rows_per_second: float | None = None
    stages: Mapping[str, float] | None = None
    spilled_bytes: int | None = None
    skew: float | None = None
    peak_memory_bytes: int | None = None


@dataclass(frozen=True)
class Run:
    """A finished run, a row of `runs`, whose columns say what each field is."""

    run_id: str
    job: str
    run_date: date
    status: str
    error: str | None
    code_revision: str
    config_hash: str
    started_at: datetime
    seconds: float
    outcome: Outcome
    since: date | None = None
    settings_hash: str | None = None
    watched: Mapping[str, int] = field(default_factory=dict)
    health: Health = Health()


def record(warehouse: Warehouse, run: Run) -> None:
    """Append the run's row, even if another run has taken over its leases: the row says so."""
    row: dict[str, Any] = {name: getattr(run, name) for name in RUNS.schema().names if hasattr(run, name)}
    counts = {name: list(getattr(run.outcome, name).items()) for name in ("inputs", "outputs", "rows", "notes")}
    health = asdict(run.health) | {"stages": None if run.health.stages is None else list(run.health.stages.items())}
    more = counts | health | {"zone_data": zone_data(), "watched": list(run.watched.items())}
    arrow.append(warehouse.without_leases(), RUNS, [row | more], run.run_id)


def require_committed(warehouse: Warehouse) -> None:
    """Make sure that every table still has all commits that are recorded in `runs`.

    A log that has lost its newest entries reads like an older version of its table, and a lost table would be created
    anew, with other facts in it. Layouts may be behind: each has a mark of its source's version.

    Raises:
        TableError: a table is at an earlier version, or missing.
    """
    if not arrow.exists(warehouse, RUNS.name):
        if storage.holds_files(warehouse.path(RUNS.name)):
            raise _lost(warehouse, f"{RUNS.name} has data files, but no log")
        return
    written: dict[str, tuple[int, str]] = {}
    for row in arrow.read(warehouse, RUNS.name, ["run_id", "outputs"]).to_pylist():
        for table, version in row["outputs"]:
            if LAYOUT in table:
                continue
            written[table] = max(written.get(table, (version, row["run_id"])), (version, row["run_id"]))
    versions = arrow.versions(warehouse, sorted(written))
    lost = [
        f"{table} is {'gone' if table not in versions else f'at version {versions[table]}'}, but run {run_id} has "
        f"written version {version}"
        for table, (version, run_id) in sorted(written.items())
        if versions.get(table, -1) < version
    ]
    if lost:
        raise _lost(warehouse, "; ".join(lost))


def _lost(warehouse: Warehouse, what: str) -> TableError:
    return TableError(
        f"Tables of {warehouse.path('').rstrip('/')} have lost commits: {what}. Files of their logs (_delta_log) were "
        "removed, or single tables restored from an older backup. Nothing was written. Restore all tables of the "
        "project from one backup: docs/runbook.md, Lost commits."
    )


def covering(warehouse: Warehouse, jobs: Sequence[str], run_date: date) -> list[dict[str, Any]]:
    """The runs of jobs for a date, or for a range with it, in the order in which they began."""
    if not arrow.exists(warehouse, RUNS.name):
        return []
    day = pc.field("run_date")
    is_covered = day == run_date
    if "since" in arrow.schema(warehouse, RUNS.name).names:  # not in a table of an earlier Nightjar
        is_covered |= (pc.field("since") <= run_date) & (day >= run_date)
    rows = arrow.read(warehouse, RUNS.name, where=pc.field("job").isin(jobs) & is_covered)
    return sorted(rows.to_pylist(), key=lambda row: row["started_at"])


def require_done(warehouse: Warehouse, job: str, run_date: date, needed_by: str) -> None:
    """Make sure that the latest finished run of a job for a date succeeded.

    Raises:
        TableError: it never ran for this date or a range with it, or its latest run failed.
    """
    rows = covering(warehouse, [job], run_date)
    latest = max(rows, key=lambda row: row["started_at"], default=None)
    if latest is not None and latest["status"] == "done":
        return
    outcome = "has not been run" if latest is None else f"ended as {latest['status']} (run {latest['run_id']})"
    raise TableError(f"{needed_by} for {run_date} needs {job} for {run_date}, which {outcome}. Run: jobs/{job}.py")


def require_newer(warehouse: Warehouse, job: str, than: str, run_date: date) -> None:
    """Make sure that a job's results for a date are newer than the tables of another job that they were made of.

    Raises:
        TableError: the other job has succeeded for this date after the job's latest success began.
    """
    began: dict[str, datetime] = {}
    for row in covering(warehouse, [job, than], run_date):
        if row["status"] == "done":
            began[row["job"]] = max(row["started_at"], began.get(row["job"], row["started_at"]))
    if than in began and job in began and began[than] > began[job]:
        raise TableError(
            f"{than} for {run_date} has been run again since {job} was, so what {job} made is not of today's facts. "
            f"Run: jobs/{job}.py"
        )


def most_rows(warehouse: Warehouse, jobs: Sequence[str]) -> int | None:
    """The most rows of one kind that the newest successes of the jobs counted; None where one has never succeeded."""
    if not arrow.exists(warehouse, RUNS.name):
        return None
    where = pc.field("job").isin(jobs) & (pc.field("status") == "done")
    done = arrow.read(warehouse, RUNS.name, ["job", "started_at", "rows"], where).sort_by("started_at").to_pylist()
    newest = {row["job"]: row["rows"] for row in done}
    if set(newest) != set(jobs):
        return None
    return max((count for rows in newest.values() for _, count in rows), default=0)


def previous_done(warehouse: Warehouse, job: str, run_date: date) -> date | None:
    """The latest run date before this one for which the job has succeeded, or None."""
    if not arrow.exists(warehouse, RUNS.name):
        return None
    where = (pc.field("job") == job) & (pc.field("run_date") < run_date) & (pc.field("status") == "done")
    dates: list[Any] = arrow.read(warehouse, RUNS.name, ["run_date"], where)["run_date"].to_pylist()
    return max(dates, default=None)
