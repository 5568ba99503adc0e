"""What nights cost: the time that each job took, over the nights."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import Any

import pyarrow.compute as pc
from markupsafe import Markup

from nightjar.report import sparklines
from nightjar.report.formatting import seconds
from nightjar.report.reading import PinnedTables

USUAL = 28
"""Nights whose median is the usual time."""


@dataclass(frozen=True)
class JobSeconds:
    """The time of one job's runs, one for each night, ascending."""

    job: str
    nights: Sequence[tuple[date, float | None]]

    def usual(self, night: date) -> float | None:
        """The median of the nights before; None: there are none."""
        before = [value for day, value in self.nights if day < night and value is not None][-USUAL:]
        return median(before) if before else None

    def sparkline(self, last: date) -> Markup:
        """The time over the nights."""
        latest = self.nights[-1][1] if self.nights else None
        title = f"{self.job} over {len(self.nights)} nights; the last took {seconds(latest) if latest else 'no time'}"
        return sparklines.line(self.nights, last, title)


def read_seconds(tables: PinnedTables) -> dict[str, JobSeconds]:
    """Job -> its times up to the night, of runs that ended as done and were about one night."""
    since = tables.run_date - timedelta(days=sparklines.NIGHTS - 1)
    where = (pc.field("run_date") >= since) & (pc.field("run_date") <= tables.run_date)
    where &= pc.field("status") == "done"
    there = [name for name in ("since",) if name in tables.columns("runs")]
    rows = tables.rows("runs", ["job", "run_date", "seconds", "started_at", *there], where)
    of_one_night = [row for row in rows if row.get("since") in (None, row["run_date"])]
    jobs: dict[str, dict[date, Any]] = {}
    for row in sorted(of_one_night, key=lambda row: row["started_at"]):
        jobs.setdefault(row["job"], {})[row["run_date"]] = row["seconds"]
    return {job: JobSeconds(job, tuple(sorted(nights.items()))) for job, nights in sorted(jobs.items())}
