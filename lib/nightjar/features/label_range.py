"""Which labels a build writes, and which stored ones they replace."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow.compute as pc

from nightjar.errors import TableError
from nightjar.features.horizons import final_since
from nightjar.features.staleness import labels_are_stale
from nightjar.settings.project import Project
from nightjar.tables import arrow, scan
from nightjar.tables.entries import DataFile
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.features")


@dataclass(frozen=True)
class LabelRange:
    """The labels that a build writes.

    Attributes:
        since: rows are labelled whose labels are not final before its midnight.
        until: labels known at its midnight are written, as those of its run.
        is_whole: whether they replace all stored labels, or those of the run of `until` alone.
    """

    since: date
    until: date
    is_whole: bool = False

    def replaces(self, file: DataFile) -> bool:
        """Whether a stored file gives way to them."""
        return self.is_whole or file.partition["run_date"] == self.until


def label_range(
    warehouse: Warehouse, project: Project, since: date, previous: date | None, run_date: date
) -> LabelRange:
    """The labels that have become known since the build before, and all that a rerun or an edited label replaces.

    Where stored labels are of another definition, all are built again, by whichever run comes first, also those of
    later run dates and those without a hash: a label is of the first run that knew it, so a part of them could neither
    be told from the rest by dates nor be made whole by the next run. Then, and where none is stored yet, rows are
    labelled from the first date of the features on: by another label, rows that had none before may have one.

    Args:
        warehouse: where tables lie.
        project: has the label.
        since: first date of the build.
        previous: run date of the finished build before this one.
        run_date: last date of the build.
    """
    run_dates = _run_dates(warehouse, "labels")
    is_whole = not run_dates or labels_are_stale(warehouse, project)
    stored = _stored_since(warehouse, project, None if is_whole else run_date)
    built = _run_dates(warehouse, "features") if is_whole else set()
    first = min(day for day in (since, previous, stored, *built) if day is not None)
    until = max([run_date, *run_dates]) if is_whole else run_date
    if is_whole and run_dates:
        log.warning("labels: all are built again, as known on %s: the label's definition has been edited", until)
    return LabelRange(first, until, is_whole)


def damaged_range(files: Sequence[DataFile], project: Project, day: date) -> LabelRange:
    """The labels that the files of a run hold, by their statistics in the log, which outlast damage to the files.

    Raises:
        TableError: the log does not tell.
    """
    least = [file.least.get("prediction_time") for file in files]
    predicted = [instant for instant in least if instant is not None]
    if not predicted or len(predicted) < len(least):
        raise TableError(f"The log does not say of which rows the labels of {day} are.")
    return LabelRange(final_since(project, predicted), day)


def _stored_since(warehouse: Warehouse, project: Project, run_date: date | None) -> date | None:
    """From which date on labels are stored, of one run or of all, that were not final before; None: there are none."""
    if not arrow.exists(warehouse, "labels"):
        return None
    where = None if run_date is None else pc.field("run_date") == run_date
    stored = arrow.read(warehouse, "labels", ["prediction_time"], where)
    predicted: list[Any] = stored["prediction_time"].unique().to_pylist()
    return final_since(project, predicted) if predicted else None


def _run_dates(warehouse: Warehouse, table: str) -> set[date]:
    """The run dates of a table's rows."""
    if not arrow.exists(warehouse, table):
        return set()
    return {file.partition["run_date"] for file in scan.snapshot(warehouse, table).files if file.rows}
