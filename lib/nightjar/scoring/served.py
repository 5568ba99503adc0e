"""Who of the stored rows is served, changed afterwards: when a version is stopped, or a night retracted."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.settings.project import Project
from nightjar.tables import scan, sink
from nightjar.tables.datafiles import NewFile
from nightjar.tables.entries import DataFile
from nightjar.tables.predictions import CHAMPION_ROLE, SERVED
from nightjar.tables.scan import Snapshot
from nightjar.tables.score_definitions import scores_table
from nightjar.tables.warehouse import Warehouse

Mask = npt.NDArray[np.bool_]


def change_served(
    warehouse: Warehouse,
    project: Project,
    files: Snapshot,
    decide: Callable[[DataFile, pa.Table, Mask], Mask],
    run_id: str,
) -> tuple[int, int | None]:
    """Change which rows of some files of `scores` are served, in one commit.

    Args:
        warehouse: of the project.
        project: whose.
        files: the files of the latest version that are looked at.
        decide: given a file, its rows and whether each is served: whether each is from now on.
        run_id: of this run.

    Returns:
        How many rows were served and are not any more, and the new version of `scores`; None: nothing was to change.

    Raises:
        BusyError: another run has changed these rows meanwhile. Nothing was written.
    """
    key = pa.schema([files.schema.field(name) for name in project.spine.key])
    into = sink.target(warehouse, scores_table(project, key))
    rows, replaced, added = 0, set[str](), list[NewFile]()
    for file in files.files:
        table = scan.read_file(files, file.path)
        before = _served(table)
        after = decide(file, table, before)
        if (after != before).any():
            rows += int((before & ~after).sum())
            replaced.add(file.path)
            added += sink.write(_with_served(table, after), into)
    if not replaced:
        return 0, None
    return rows, sink.commit(warehouse, into, added, partial(_is_among, replaced), run_id)


def _served(rows: pa.Table) -> Mask:
    """Whether each row is served; rows from before there was the column are the champion's."""
    of_champion: Any = pc.equal(rows["role"], pa.scalar(CHAMPION_ROLE))
    served: Mask = pc.coalesce(*([rows[SERVED]] if SERVED in rows.column_names else []), of_champion).to_numpy()
    return served


def _with_served(rows: pa.Table, served: Mask) -> pa.Table:
    if SERVED not in rows.column_names:
        return rows.append_column(SERVED, pa.array(served))
    return rows.set_column(rows.column_names.index(SERVED), SERVED, pa.array(served))


def _is_among(paths: Iterable[str], file: DataFile) -> bool:
    return file.path in paths
