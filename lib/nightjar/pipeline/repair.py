"""Repairs damaged tables: derived ones are rebuilt from undamaged ones; for the others the error names the remedy."""

import logging
from collections.abc import Callable, Sequence
from datetime import date

from nightjar.errors import NightjarError, TableError
from nightjar.features import rebuilding
from nightjar.pipeline.step import Step
from nightjar.settings.jobs import Job, JobName
from nightjar.sources import layouts as laid_out
from nightjar.tables import layouts
from nightjar.tables.entries import DataFile
from nightjar.tables.source_definitions import source_table_name
from nightjar.tables.verification import Damage

log = logging.getLogger("nightjar.maintain")
JOBS = {
    "features": JobName.BUILD_FEATURES,
    "labels": JobName.BUILD_FEATURES,
    "scores": JobName.SCORE,
    "drift": JobName.MONITOR,
    "performance": JobName.MONITOR,
    "quarantine": JobName.INGEST,
    "quality": JobName.INGEST,
    "repairs": JobName.INGEST,
}
"""Table -> the job that writes a date of it."""


def repair(step: Step[Job], damages: Sequence[Damage]) -> dict[str, int]:
    """Rebuild layouts, features and labels whose files are damaged; return table -> its new version.

    Raises:
        TableError: names what is still damaged, and the remedy for each.
    """
    outputs: dict[str, int] = {}
    unrepaired: list[str] = []
    whole_sources = not any(damage.table in _sources(step) for damage in damages)
    for table, at in sorted({(damage.table, _date(damage.file)) for damage in damages}, key=str):
        damages_at = [damage for damage in damages if (damage.table, _date(damage.file)) == (table, at)]
        rebuild = _rebuild(step, table, at) if whole_sources and all(damage.file for damage in damages_at) else None
        why = "" if rebuild is None else _try_rebuild(rebuild, table, outputs)
        if rebuild is None or why:
            unrepaired += [
                f"{table}: {damage.where} ({damage.what}). {why}{_remedy(step, damage)}" for damage in damages_at
            ]
        else:
            log.warning("table %s: damaged files of %s were replaced by a rebuild of equal rows", table, at or "it")
    if unrepaired:
        raise TableError(
            f"Tables at {step.warehouse.path('')} are damaged, and nothing else was done: {' '.join(unrepaired)} "
            "See docs/runbook.md."
        )
    return outputs


def _try_rebuild(rebuild: Callable[[], int], table: str, outputs: dict[str, int]) -> str:
    """Rebuild and add the version to `outputs`; return why that failed, or an empty text."""
    try:
        outputs[table] = rebuild()
    except NightjarError as error:
        return f"It was not rebuilt: {error} "
    return ""


def _rebuild(step: Step[Job], table: str, at: date | None) -> Callable[[], int] | None:
    """The function that rebuilds a part of a table; None if nothing can."""
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
        return lambda: rebuilding.rebuild_labels(spark, warehouse, project, at, run_id)
    return None


def _date(file: DataFile | None) -> date | None:
    """The date of a file's partition, if any."""
    of = () if file is None else (value for value in file.partition.values() if isinstance(value, date))
    return next(iter(of), None)


def _sources(step: Step[Job]) -> set[str]:
    return {source_table_name(name) for name in step.project.sources}


def _remedy(step: Step[Job], damage: Damage) -> str:
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
