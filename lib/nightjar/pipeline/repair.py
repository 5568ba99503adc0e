"""What becomes of damaged tables: what is derived is built again of what is whole, for the rest it is said how."""

import logging
from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from nightjar.errors import NightjarError, TableError
from nightjar.features import rebuilding
from nightjar.features.definitions import source_table_name
from nightjar.settings.jobs import JobName
from nightjar.sources import layouts as laid_out
from nightjar.tables import layouts, ledger, scan
from nightjar.tables.entries import DataFile
from nightjar.tables.verification import Damage

if TYPE_CHECKING:
    from nightjar.pipeline.steps import Step

log = logging.getLogger("nightjar.maintain")
JOBS = {
    "features": JobName.BUILD_FEATURES,
    "labels": JobName.BUILD_FEATURES,
    "scores": JobName.SCORE,
    "drift": JobName.MONITOR,
    "performance": JobName.MONITOR,
    "quarantine": JobName.INGEST,
    "quality": JobName.INGEST,
}
"""Table -> the job that writes a date of it."""


def repair(step: "Step", damages: Sequence[Damage]) -> dict[str, int]:
    """Build layouts, features and labels again whose files are damaged; table -> its new version.

    Raises:
        TableError: naming what is damaged still, and what is to be done about each.
    """
    outputs: dict[str, int] = {}
    left: list[str] = []
    whole_sources = not any(damage.table in _sources(step) for damage in damages)
    for table, at in sorted({(damage.table, _date(damage.file)) for damage in damages}, key=str):
        here = [damage for damage in damages if (damage.table, _date(damage.file)) == (table, at)]
        rebuild = _rebuild(step, table, at) if whole_sources and all(damage.file for damage in here) else None
        why = "" if rebuild is None else _tried(rebuild, table, outputs)
        if rebuild is None or why:
            left += [f"{table}: {damage.where} ({damage.what}). {why}{_remedy(step, damage)}" for damage in here]
        else:
            log.warning("table %s: damaged files of %s were replaced by a rebuild of equal rows", table, at or "it")
    if left:
        raise TableError(
            f"Tables at {step.warehouse.path('')} are damaged, and nothing else was done: {' '.join(left)} "
            "See docs/runbook.md."
        )
    return outputs


def _tried(rebuild: Callable[[], int], table: str, outputs: dict[str, int]) -> str:
    """Nothing where it was rebuilt, or why not."""
    try:
        outputs[table] = rebuild()
    except NightjarError as error:
        return f"It was not rebuilt: {error} "
    return ""


def _rebuild(step: "Step", table: str, at: date | None) -> Callable[[], int] | None:
    """What builds a part of a table again; None where nothing can."""
    spark, warehouse, project, run_id = step.sessions.spark, step.warehouse, step.project, step.run_id
    for name, source in project.sources.items():
        for layout in source.layouts.values():
            if table == layouts.name(source_table_name(name), layout.keys):
                source_table = source_table_name(name)
                return lambda: laid_out.rebuild(spark, warehouse, source, source_table, layout, run_id)
    if at is None:
        return None
    if table == "features":
        return lambda: rebuilding.rebuild_features(spark, warehouse, project, at, run_id)
    if table == "labels":
        return lambda: rebuilding.rebuild_labels(spark, warehouse, project, _asked_since(step, at), at, run_id)
    return None


def _asked_since(step: "Step", day: date) -> list[date]:
    """The dates from which the run of a date may have asked for labels: as a night, or as a range from the first on."""
    previous = ledger.previous_done(step.warehouse, JobName.BUILD_FEATURES.value, day)
    built: list[Any] = [file.partition["run_date"] for file in scan.snapshot(step.warehouse, "features").files]
    return [min(day, previous or day), min([*built, day])]


def _date(file: DataFile | None) -> date | None:
    """The date that a file is of."""
    of = () if file is None else (value for value in file.partition.values() if isinstance(value, date))
    return next(iter(of), None)


def _sources(step: "Step") -> set[str]:
    return {source_table_name(name) for name in step.project.sources}


def _remedy(step: "Step", damage: Damage) -> str:
    at, project = _date(damage.file), step.project.name
    if damage.file is None:
        return "Restore the file from a backup."
    if damage.table in _sources(step):
        again = f", or where its raw files are still as they were: jobs/ingest.py project={project} run_date={at}"
        return f"Restore the file from a backup{again}."
    if damage.table in JOBS and at is not None:
        job = JOBS[damage.table].value
        return f"Restore the file from a backup, or run: jobs/{job}.py project={project} run_date={at}."
    return "Restore the file from a backup."
