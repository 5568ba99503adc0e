"""Rows that are stored and served no more, since their version was stopped."""

from collections.abc import Collection, Iterable
from datetime import date
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.settings.project import Project
from nightjar.tables import arrow, scan, sink
from nightjar.tables.datafiles import NewFile
from nightjar.tables.entries import DataFile
from nightjar.tables.predictions import ARM, CHALLENGER_ROLE, CHAMPION_ROLE, SERVED
from nightjar.tables.scan import Snapshot
from nightjar.tables.score_definitions import scores_table
from nightjar.tables.warehouse import Warehouse

Mask = npt.NDArray[np.bool_]


def stop_serving(
    warehouse: Warehouse, project: Project, stopped: Collection[str], run_date: date, run_id: str
) -> tuple[int, int | None]:
    """Let no stored row of some versions be served from a run date on, in one commit; where it is a challenger's, the
    champion's rows of its entities are served again.

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
    files = scan.snapshot(warehouse, "scores")
    key = pa.schema([files.schema.field(name) for name in project.spine.key])
    into = sink.target(warehouse, scores_table(project, key))
    since = files.where(lambda file: file.partition["run_date"] >= run_date and _may_serve(file))
    challenged = {night for night in set(map(_night, since.files)) if _is_challenger(since, night, stopped)}
    numbers = pa.array(sorted(stopped), pa.string())
    rows, replaced, added = 0, set[str](), list[NewFile]()
    for file in since.files:
        table = _rows(since, file)
        before, is_stopped = _served(table), pc.is_in(table["model_version"], value_set=numbers).to_numpy()
        after = before & ~is_stopped
        if _night(file) in challenged and file.partition["role"] == CHAMPION_ROLE:
            after |= (table[ARM].to_numpy() == CHALLENGER_ROLE) & ~is_stopped
        if (after != before).any():
            rows += int((before & is_stopped).sum())
            replaced.add(file.path)
            added += sink.write(_with_served(table, after), into)
    if not replaced:
        return 0, None
    return rows, sink.commit(warehouse, into, added, partial(_is_among, replaced), run_id)


def _is_challenger(files: Snapshot, night: date, stopped: Collection[str]) -> bool:
    """Whether a stopped version has the challenger's rows of a night, which may have arms."""
    if ARM not in files.schema.names:
        return False
    own = files.where(lambda file: file.partition == {"run_date": night, "role": CHALLENGER_ROLE})
    versions = {one for file in own.files for one in pc.unique(_rows(files, file)["model_version"]).to_pylist()}
    return not versions.isdisjoint(stopped)


def _rows(files: Snapshot, file: DataFile) -> pa.Table:
    return scan.read(files.where(lambda one: one.path == file.path), files.schema.names)


def _served(rows: pa.Table) -> Mask:
    """Whether each row is served; rows from before there was the column are the champion's."""
    of_champion = rows["role"].to_numpy() == CHAMPION_ROLE
    if SERVED not in rows.column_names:
        return np.asarray(of_champion, np.bool_)
    served: list[Any] = rows[SERVED].to_pylist()
    pairs = zip(served, of_champion.tolist(), strict=True)
    return np.array([own if one is None else one for one, own in pairs], np.bool_)


def _with_served(rows: pa.Table, served: Mask) -> pa.Table:
    if SERVED not in rows.column_names:
        return rows.append_column(SERVED, pa.array(served))
    return rows.set_column(rows.column_names.index(SERVED), SERVED, pa.array(served))


def _may_serve(file: DataFile) -> bool:
    return file.partition["role"] in (CHAMPION_ROLE, CHALLENGER_ROLE)


def _night(file: DataFile) -> date:
    night: date = file.partition["run_date"]
    return night


def _is_among(paths: Iterable[str], file: DataFile) -> bool:
    return file.path in paths
