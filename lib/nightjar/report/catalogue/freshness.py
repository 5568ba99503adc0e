"""How new a table is: the night that has written it last, beside the newest night of the project."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from nightjar.report.reading import PinnedTables
from nightjar.settings.jobs import JobName
from nightjar.tables.table import Table

EVERY_NIGHT = frozenset({JobName.INGEST, JobName.BUILD_FEATURES, JobName.SCORE, JobName.MONITOR})
"""Jobs that every night runs: what they write is late where a newer night has been run without."""


@dataclass(frozen=True)
class Writing:
    """The last run that says it has written a table.

    Attributes:
        run_date: the night.
        ended_as: of a later attempt of the same job that did not succeed; None: there is none.
    """

    job: str
    run_date: date
    run_id: str
    started_at: datetime
    ended_as: str | None


@dataclass(frozen=True)
class Freshness:
    """How new a table is.

    Attributes:
        last: None: no run on record has written it.
        newest: the newest night that any job of nights has finished; None: there is none.
        is_late: whether a job that writes it has not been finished for that night.
    """

    last: Writing | None
    newest: date | None
    is_late: bool


class Runs:
    """What the table `runs` says of tables."""

    def __init__(self, tables: PinnedTables) -> None:
        columns = ["job", "run_date", "status", "outputs", "started_at", "run_id"]
        rows = sorted(tables.rows("runs", columns), key=lambda row: (row["run_date"], row["started_at"]))
        self._rows = [row for row in rows if row["job"] != JobName.NIGHTLY.word]
        nights = (row["run_date"] for row in rows if row["status"] == "done" and _is_nightly(row["job"]))
        self.newest = max(nights, default=None)

    def freshness(self, table: Table) -> Freshness:
        """How new a table is."""
        jobs = table.written_by.split(", ")
        own = [row for row in self._rows if row["job"] in jobs]
        done = [row for row in own if row["status"] == "done" and table.name in dict(row["outputs"])]
        if not done:
            return Freshness(None, self.newest, is_late=False)
        last = done[-1]
        writing = Writing(last["job"], last["run_date"], last["run_id"], last["started_at"], self._failure(last))
        return Freshness(writing, self.newest, is_late=self._is_late([row["job"] for row in done]))

    def _is_late(self, jobs: Sequence[str]) -> bool:
        """Whether one of the jobs that write a table each night has not been finished for the newest night."""
        nights = {job: self._last_night(job) for job in jobs if _is_nightly(job)}
        return any(night is not None and night < self.newest for night in nights.values() if self.newest)

    def _last_night(self, job: str) -> date | None:
        done = (row["run_date"] for row in self._rows if row["job"] == job and row["status"] == "done")
        return max(done, default=None)

    def _failure(self, last: dict[str, Any]) -> str | None:
        """How the newest attempt of the same job ended, for the same night or a later one, if it did not succeed."""
        own: Sequence[dict[str, Any]] = [row for row in self._rows if row["job"] == last["job"]]
        newest = max(own, key=lambda row: (row["run_date"], row["started_at"]))
        return None if newest["status"] == "done" else f"{newest['status']} for {newest['run_date']}"


def _is_nightly(job: str) -> bool:
    return any(job == one.word for one in EVERY_NIGHT)
