"""Nights that are served no more: their rows stay, and no served view has them until they are scored anew."""

import logging
from datetime import date

import numpy as np
import pyarrow as pa

from nightjar.errors import TableError
from nightjar.scoring import latest
from nightjar.scoring.newest import may_serve
from nightjar.scoring.served import Mask, change_served
from nightjar.settings.project import Project
from nightjar.tables import arrow, retractions, scan
from nightjar.tables.entries import DataFile
from nightjar.tables.retractions import RETRACT, SERVE
from nightjar.tables.runs import Outcome
from nightjar.tables.serving_definitions import RETRACTIONS
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.retract")


def retract(
    warehouse: Warehouse, project: Project, night: date, run_id: str, *, reason: str, user: str, by: str | None = None
) -> Outcome:
    """Serve no row of a night any more: it is recorded, then its rows change in one commit, then `scores_latest`.

    A run that was killed in between is completed by the next one, which records nothing twice.

    Args:
        warehouse: of the project.
        project: whose.
        night: the run date.
        run_id: of this run.
        reason: why.
        user: who has said so.
        by: on whose behalf; None: nobody else's.

    Raises:
        TableError: the night has no scores that could be served. Nothing was written.
    """
    files = scan.snapshot(warehouse, "scores") if arrow.exists(warehouse, "scores") else None
    own = files and files.where(lambda file: file.partition["run_date"] == night and may_serve(file))
    if not own or not own.rows:
        raise TableError(f"Table scores of {project.name} has no served row of {night}. Nothing was written.")
    outcome, before = Outcome(), retractions.retracted(warehouse).get(night)
    if before is None:
        version = retractions.record(warehouse, night, RETRACT, run_id, reason, user, by)
        outcome.outputs[RETRACTIONS.name] = version
    else:
        log.info("%s is retracted since %s; no second retraction is recorded", night, before)
    rows, scores = change_served(warehouse, project, own, _nobody, run_id)
    if scores is not None:
        outcome.outputs["scores"] = scores
    outcome.rows["rows no longer served"] = rows
    return outcome | latest.refresh(warehouse, project, run_id)


def record_served(warehouse: Warehouse, night: date, run_id: str) -> Outcome:
    """Record that a night that was retracted has been scored anew, and is served again."""
    before = retractions.retracted(warehouse).get(night)
    if before is None:
        return Outcome()
    log.warning("%s is served again, since it has been scored anew; it was retracted since %s", night, before)
    return Outcome(outputs={RETRACTIONS.name: retractions.record(warehouse, night, SERVE, run_id)})


def _nobody(_file: DataFile, _rows: pa.Table, before: Mask) -> Mask:
    return np.zeros(len(before), np.bool_)
