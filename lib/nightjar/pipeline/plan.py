"""What a nightly has still to do: a step that is done for a date, its settings and its inputs is not run again.

The state is the table `runs`: each run records the settings that decide its result, and the versions of the tables
that matter to it as it began.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from nightjar.pipeline import watched
from nightjar.report import night, page
from nightjar.settings.jobs import STEPS_OF_NIGHT, Job, JobName
from nightjar.tables import arrow, changes, retractions, runs
from nightjar.tables.warehouse import Warehouse

DECIDES = (JobName.INGEST, JobName.BUILD_FEATURES, JobName.SCORE)
"""Steps whose own success makes later ones of the same date outdated; a training does by what it records."""


@dataclass(frozen=True)
class Verdict:
    """Whether a step is to be run, and why, or why not, in words."""

    is_due: bool
    reason: str


def versions_watched(warehouse: Warehouse, name: JobName, settings: Job, run_date: date) -> dict[str, int]:
    """Table -> version of those that matter to a step: taken before it reads them, so that no change is missed."""
    of_step = watched.watched(name, settings.project, run_date)
    return arrow.versions(warehouse, sorted(of_step.inputs))


def judge(warehouse: Warehouse, name: JobName, settings: Job, run_date: date) -> Verdict:
    """Whether a step of a date has to be run, by what is recorded of its runs and by what has changed since.

    Args:
        warehouse: where the tables lie.
        name: of the step.
        settings: of its job.
        run_date: the date.
    """
    if name is JobName.SCORE and run_date in (retracted := retractions.retracted(warehouse)):
        reason = f"the night is retracted since {retracted[run_date]}. To serve it again: force=[score]"
        return Verdict(is_due=False, reason=reason)
    before = [step.value for step in STEPS_OF_NIGHT[: STEPS_OF_NIGHT.index(name)] if step in DECIDES]
    of_night = runs.covering(warehouse, [*before, name.value], run_date)
    rows = [row for row in of_night if row["job"] == name.value]
    if not rows:
        return Verdict(is_due=True, reason="it has not been run for this date")
    digest = watched.settings_hash(name, settings)
    same = [row for row in rows if row["status"] == "done" and row.get("settings_hash") == digest]
    if not same:
        return Verdict(is_due=True, reason=_why_none(rows[-1]))
    row = same[-1]
    failed = [other for other in rows if other["status"] != "done" and other["started_at"] > row["started_at"]]
    if failed:
        return Verdict(is_due=True, reason=f"its last run ended as {failed[-1]['status']}")
    change = _newer([one for one in of_night if one["job"] in before], row)
    if change is None:
        change = _changed(warehouse, name, settings, row, run_date)
    if change is None and name is JobName.INGEST:
        change = _unread(warehouse, settings, run_date)
    if change is None and name is JobName.MONITOR:
        change = _unreported(warehouse, row, run_date)
    if change is not None:
        return Verdict(is_due=True, reason=change)
    reason = f"done for this date and these inputs by run {row['run_id']}"
    return Verdict(is_due=False, reason=f"{reason}{_silence(settings) if name is JobName.INGEST else ''}")


def _why_none(row: Mapping[str, Any]) -> str:
    if row["status"] != "done":
        return f"its last run ended as {row['status']}"
    if row.get("settings_hash") is None:
        return "its run of before has not recorded its settings"
    return "settings that decide its result have been edited since"


def _newer(before: Sequence[Mapping[str, Any]], row: Mapping[str, Any]) -> str | None:
    """Of the runs of steps before it the last one that has been done again since, in words."""
    later = [one["job"] for one in before if one["status"] == "done" and one["started_at"] > row["started_at"]]
    return f"{later[-1]} has been run again since" if later else None


def _changed(warehouse: Warehouse, name: JobName, settings: Job, row: Mapping[str, Any], run_date: date) -> str | None:
    """The first table of the step's whose files that matter are others than they were, in words."""
    of_step, run_id = watched.watched(name, settings.project, run_date), row["run_id"]
    inputs, outputs = dict(row["watched"] or ()), dict(row["outputs"] or ())
    for table, matters in of_step.inputs.items():
        if table not in inputs:
            if arrow.exists(warehouse, table):
                return f"there was no table {table} as it ran"
            continue
        change = changes.describe(warehouse, table, inputs[table], matters, run_id)
        if change:
            return change
    for table, matters in of_step.outputs.items():
        change = changes.describe(warehouse, table, outputs[table], matters, run_id) if table in outputs else None
        if change:
            return change
    return None


def _unreported(warehouse: Warehouse, row: Mapping[str, Any], run_date: date) -> str | None:
    """That the night's report, which is written once the run is recorded, is missing or of before it, in words."""
    saved = page.saved_at(night.report_path(warehouse, run_date))
    if saved is None:
        return "the night has no report"
    return None if saved >= row["started_at"] else "the night's report is older than what it is about"


def _silence(settings: Job) -> str:
    """That some sources were not asked whether there is more by now, in words; nothing where all were."""
    from nightjar.sources.intake.unread import silent_sources  # noqa: PLC0415  (PySpark takes half a second)

    silent = ", ".join(silent_sources(settings.project))
    return silent and f"; not asked: {silent}, of which the next night reads what is new, or now force=[ingest]"


def _unread(warehouse: Warehouse, settings: Job, run_date: date) -> str | None:
    from nightjar.sources.intake.unread import unread  # noqa: PLC0415  (PySpark takes half a second)

    items = unread(warehouse, settings.project, run_date, Path(settings.environment.home).absolute() / "raw")
    return items[0] if items else None
