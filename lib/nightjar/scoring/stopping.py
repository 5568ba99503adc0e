"""Rows that are stored and served no more, since their version was stopped."""

from collections.abc import Collection
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.scoring.served import Mask, change_served
from nightjar.settings.project import Project
from nightjar.tables import arrow, retractions, scan
from nightjar.tables.entries import DataFile
from nightjar.tables.predictions import ARM, CHALLENGER_ROLE, CHAMPION_ROLE
from nightjar.tables.scan import Snapshot
from nightjar.tables.warehouse import Warehouse


def stop_serving(
    warehouse: Warehouse, project: Project, stopped: Collection[str], run_date: date, run_id: str
) -> tuple[int, int | None]:
    """Let no stored row of some versions be served from a run date on, in one commit; where it is a challenger's, the
    champion's rows of its entities are served again, unless the night is retracted.

    Args:
        warehouse: of the project.
        project: whose.
        stopped: numbers of the versions that may serve nobody.
        run_date: the first night.
        run_id: of this run.

    Returns:
        How many rows were served and are not any more, and the new version of `scores`; None: nothing was to change.
    """
    if not arrow.exists(warehouse, "scores"):
        return 0, None
    files, retracted = scan.snapshot(warehouse, "scores"), retractions.retracted(warehouse)
    since = files.where(lambda file: _night(file) >= run_date and _may_serve(file) and _night(file) not in retracted)
    challenged = {night for night in set(map(_night, since.files)) if _is_challenger(since, night, stopped)}
    numbers = pa.array(sorted(stopped), pa.string())

    def decide(file: DataFile, rows: pa.Table, before: Mask) -> Mask:
        is_stopped = pc.is_in(rows["model_version"], value_set=numbers).to_numpy()
        after: Mask = before & ~is_stopped
        if _night(file) in challenged and file.partition["role"] == CHAMPION_ROLE:
            after |= (rows[ARM].to_numpy() == CHALLENGER_ROLE) & ~is_stopped
        return after

    return change_served(warehouse, project, since, decide, run_id)


def _is_challenger(files: Snapshot, night: date, stopped: Collection[str]) -> bool:
    """Whether a stopped version has the challenger's rows of a night, which may have arms."""
    if ARM not in files.schema.names:
        return False
    own = files.where(lambda file: file.partition == {"run_date": night, "role": CHALLENGER_ROLE})
    versions = {
        one for file in own.files for one in pc.unique(scan.read_file(files, file.path)["model_version"]).to_pylist()
    }
    return not versions.isdisjoint(stopped)


def _may_serve(file: DataFile) -> bool:
    return file.partition["role"] in (CHAMPION_ROLE, CHALLENGER_ROLE)


def _night(file: DataFile) -> date:
    night: date = file.partition["run_date"]
    return night
