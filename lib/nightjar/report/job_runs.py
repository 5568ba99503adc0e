"""The runs of the night's jobs."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

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
    """Whether a later step of the night has been done since, as in a night that needed no training after all."""

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
    """The latest run of each job for the night, and the nightly steps of which no run is recorded.

    The run of a nightly is left out once a step has run after it, as its status is then outdated.
    """
    columns = ["run_id", "job", "status", "error", "code_revision", "seconds", "rows", "started_at"]
    by_job: dict[str, list[dict[str, Any]]] = {}
    for row in tables.rows("runs", columns, tables.of_night()):
        by_job.setdefault(row["job"], []).append(row)
    if _is_older(by_job):
        del by_job["nightly"]
    if not by_job:
        return []
    steps = [_job_run(job, by_job) for job in by_job]
    steps += [JobRun(job) for job in NIGHTLY if job not in by_job]
    return sorted(steps, key=lambda step: (_place(step.job), step.job))


def _is_older(by_job: dict[str, list[dict[str, Any]]]) -> bool:
    ended = [run["started_at"] + timedelta(seconds=run["seconds"]) for run in by_job.get("nightly", [])]
    starts = [run["started_at"] for job, runs in by_job.items() if job != "nightly" for run in runs]
    return bool(ended and starts) and max(starts) > max(ended)


def _job_run(job: str, by_job: dict[str, list[dict[str, Any]]]) -> JobRun:
    runs = by_job[job]
    latest = max(runs, key=lambda run: (run["started_at"], run["run_id"]))
    later = [
        run for name, job_runs in by_job.items() if _place(job) < _place(name) < _place("nightly") for run in job_runs
    ]
    return JobRun(
        job,
        latest["status"],
        latest["error"],
        latest["code_revision"],
        latest["seconds"],
        tuple(sorted(latest["rows"] or ())),
        latest["run_id"],
        len(runs),
        any(run["status"] == "done" and run["started_at"] > latest["started_at"] for run in later),
    )


def _place(job: str) -> int:
    return _ORDER.index(job) if job in _ORDER else len(_ORDER)
