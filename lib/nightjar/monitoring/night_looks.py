"""Signals of the night itself: whether its jobs ran, what was raised while they did, what its sources brought."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, timedelta
from typing import Any

import pyarrow.compute as pc

from nightjar.alerts.following import REPEATED
from nightjar.alerts.recording import OF_SIGNALS, SINK, STOPPED
from nightjar.durations import parse_duration
from nightjar.monitoring.signals import Kind, Signal, State
from nightjar.settings.project import Project
from nightjar.tables import alert_states, arrow
from nightjar.tables.definitions import RUNS
from nightjar.tables.source_definitions import QUALITY
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff, later

SCORE = "score"
LOOKED_BACK = timedelta(days=7)
"""How many nights before this one are expected to have scores, where there was an earlier one."""
ALL_STEPS, ALL_SOURCES = "all steps", "all sources"
NOT_OF_SCORES = (STOPPED, SINK)
"""Kinds that say nothing of the night's scores: those are there as monitor runs, whatever has stopped before."""


def looks(warehouse: Warehouse, project: Project, run_date: date) -> list[Signal]:
    """The signals of a night's own course, as of its tables."""
    of_jobs = [*_not_run(warehouse, project, run_date), *_late(warehouse, project, run_date)]
    of_jobs += _raised(warehouse, run_date)
    if not any(one.state is not State.OK for one in of_jobs):
        of_jobs.append(
            Signal(Kind.JOBS, ALL_STEPS, State.OK, "Every step of the night has run, and of those before it.")
        )
    return [*of_jobs, *_of_sources(warehouse, run_date)]


def _not_run(warehouse: Warehouse, project: Project, run_date: date) -> Iterator[Signal]:
    """Nights of the last week that nobody has scored, from the first one on that somebody has."""
    where = (pc.field("job") == SCORE) & (pc.field("status") == "done") & (pc.field("run_date") < run_date)
    dates: list[Any] = arrow.read(warehouse, RUNS.name, ["run_date"], where)["run_date"].to_pylist()
    done: set[date] = set(dates)
    if not done:
        return
    first = max(min(done), run_date - LOOKED_BACK)
    missing = [day for day in project.spine.due_dates(first, run_date - timedelta(days=1)) if day not in done]
    if missing:
        nights = ", ".join(map(str, missing))
        yield Signal(
            Kind.JOBS,
            "nights without scores",
            State.UNKNOWN,
            f"Score has not been run for {nights}: nobody has looked at what those nights would have shown.",
            f"python jobs/nightly.py project={project.name} run_date={missing[0]}..{missing[-1]}",
            missing[0],
            {"dates": [str(day) for day in missing]},
        )


def _late(warehouse: Warehouse, project: Project, run_date: date) -> Iterator[Signal]:
    """Scores that were there later than the project says that they are due, counted from the night's midnight."""
    due = project.monitoring.due
    if due is None:
        return
    where = (pc.field("job") == SCORE) & (pc.field("status") == "done") & (pc.field("run_date") == run_date)
    runs = arrow.read(warehouse, RUNS.name, ["started_at", "seconds"], where).to_pylist()
    if not runs:
        return
    ended = min(row["started_at"] + timedelta(seconds=row["seconds"]) for row in runs)
    limit = later(cutoff(run_date, project.zone), parse_duration(due), project.zone)
    if ended > limit:
        hours = (ended - limit).total_seconds() / 3600
        yield Signal(
            Kind.JOBS,
            "late scores",
            State.UNKNOWN,
            f"The scores were there at {ended.astimezone(UTC):%Y-%m-%d %H:%M} UTC, {hours:.1f} h later than "
            f"project.monitoring.due={due} allows: who read the tables before saw those of another night.",
            evidence={"hours": hours},
        )


def _raised(warehouse: Warehouse, run_date: date) -> Iterator[Signal]:
    """What the jobs of the night have raised while they ran, and nobody has resolved."""
    rows = [row for row in alert_states.changes(warehouse, run_date) if row["job"] != OF_SIGNALS]
    for row in alert_states.latest(rows).values():
        if row["run_date"] == run_date and row["state"] != alert_states.RESOLVED and row["kind"] not in NOT_OF_SCORES:
            state = State.ACT if row["severity"] == "critical" else State.WATCH
            subject = f"{REPEATED}{row['kind']} {row['subject']}"
            yield Signal(Kind.JOBS, subject, state, row["message"], row["command"], row["first_seen"])


def _of_sources(warehouse: Warehouse, run_date: date) -> Iterator[Signal]:
    """What the checks of the night's facts warn of, a signal for each source."""
    if not arrow.exists(warehouse, QUALITY.name):
        return
    columns = ["source", "check", "status", "message"]
    rows = arrow.read(warehouse, QUALITY.name, columns, pc.field("run_date") == run_date).to_pylist()
    warnings: dict[str, list[Mapping[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: (row["source"], row["check"])):
        if row["status"] == "warn":
            warnings.setdefault(row["source"], []).append(row)
    for source, amiss in warnings.items():
        first = amiss[0]
        more = f" (and {len(amiss) - 1} more)" if len(amiss) > 1 else ""
        yield Signal(
            Kind.DATA,
            source,
            State.WATCH,
            f"{source}: {first['check']}: {first['message'] or 'amiss'}{more}.",
            evidence={"checks": [row["check"] for row in amiss]},
        )
    if rows and not warnings:
        count = len({row["source"] for row in rows})
        yield Signal(Kind.DATA, ALL_SOURCES, State.OK, f"Sources whose checks all pass: {count}.")
