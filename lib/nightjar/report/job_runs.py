"""The runs of the night's jobs."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyarrow.compute as pc

from nightjar.report.reading import PinnedTables

NIGHTLY = ("ingest", "build_features", "score", "monitor")
"""The steps of every night, in their order."""
_ORDER = ("ingest", "build_features", "train", "promote", "score", "monitor", "nightly")
_MARKS = {"done": "✓", "failed": "✗", "interrupted": "✗"}


@dataclass(frozen=True)
class JobRun:
    """The latest finished run of one job; `status` is None where no run of it is recorded."""

    job: str
    status: str | None = None
    error: str | None = None
    code_revision: str | None = None
    seconds: float | None = None
    rows: tuple[tuple[str, int], ...] = ()
    run_id: str | None = None
    attempts: int = 0
    is_overtaken: bool = False
    """Whether its status is outdated: a later step of the night, or any step after a nightly, has been done since."""
    config_hash: str | None = None
    inputs: tuple[tuple[str, int], ...] = ()
    """Table -> Delta version that it read."""
    outputs: tuple[tuple[str, int], ...] = ()
    started_at: datetime | None = None
    peak_memory_bytes: int | None = None

    def mark(self) -> str:
        """A sign for the status, beside its word."""
        return _MARKS.get(self.status or "", "–")

    def stops_a_night(self) -> bool:
        """Whether it is one of a night's jobs, did not end as done, and no later step has been done since."""
        return self.is_bad() and self.job in _ORDER and not self.is_overtaken

    def is_bad(self) -> bool:
        """Whether its latest run ended otherwise than done."""
        return self.status is not None and self.status != "done"


def read_job_runs(tables: PinnedTables) -> list[JobRun]:
    """The latest run of each job for the night or a range with it, and the nightly steps of which none is recorded.

    The run of a nightly is left out once it is overtaken.
    """
    columns = ["run_id", "job", "status", "error", "code_revision", "config_hash", "seconds", "rows", "started_at"]
    columns += ["inputs", "outputs"]
    columns += [name for name in ("peak_memory_bytes",) if name in tables.columns("runs")]
    by_job: dict[str, list[dict[str, Any]]] = {}
    of_night = tables.of_night()
    if "since" in tables.columns("runs"):  # else it is a table of an earlier Nightjar
        since, until = pc.field("since"), pc.field("run_date")
        of_night |= (since <= tables.run_date) & (until >= tables.run_date)
    for row in tables.rows("runs", columns, of_night):
        by_job.setdefault(row["job"], []).append(row)
    if not by_job:
        return []
    steps = [_job_run(job, by_job) for job in by_job]
    steps += [JobRun(job) for job in NIGHTLY if job not in by_job]
    shown = [step for step in steps if not (step.job == "nightly" and step.is_overtaken)]
    return sorted(shown, key=lambda step: (_place(step.job), step.job))


def _job_run(job: str, by_job: dict[str, list[dict[str, Any]]]) -> JobRun:
    runs = by_job[job]
    latest = max(runs, key=lambda run: (run["started_at"], run["run_id"]))
    return JobRun(
        job,
        latest["status"],
        latest["error"],
        latest["code_revision"],
        latest["seconds"],
        tuple(sorted(latest["rows"] or ())),
        latest["run_id"],
        len(runs),
        _is_overtaken(latest, job, by_job),
        latest["config_hash"],
        tuple(sorted(latest["inputs"] or ())),
        tuple(sorted(latest["outputs"] or ())),
        latest["started_at"],
        latest.get("peak_memory_bytes"),
    )


def _is_overtaken(latest: dict[str, Any], job: str, by_job: dict[str, list[dict[str, Any]]]) -> bool:
    ended = latest["started_at"] + timedelta(seconds=latest["seconds"])
    steps = _ORDER[:-1]
    later = steps if job == "nightly" else steps[_place(job) + 1 :]
    return any(run["status"] == "done" and run["started_at"] > ended for name in later for run in by_job.get(name, ()))


def _place(job: str) -> int:
    return _ORDER.index(job) if job in _ORDER else len(_ORDER)
