"""Finds stored features and labels of other definitions than the project's, and refuses to learn from them."""

from datetime import date
from typing import Any

import pyarrow.compute as pc

from nightjar.errors import TableError
from nightjar.features.definitions import definitions_hash, label_hash
from nightjar.settings.project import Project
from nightjar.tables import arrow, labels
from nightjar.tables.entries import DataFile
from nightjar.tables.warehouse import Warehouse

HASH = "definitions_hash"
_current = set[tuple[str, str, str]]()
"""Folder and path of a file, and the hash of the only definitions in it: files do not change, and are many."""


def stale_since(warehouse: Warehouse, project: Project, run_date: date) -> date | None:
    """The first date before the run date whose features were built by other definitions than the project's.

    None if there is no such date: a model may learn from all stored features.
    """
    if not arrow.exists(warehouse, "features"):
        return None
    folder, current = warehouse.path("features"), definitions_hash(project)
    read = set[tuple[str, str, str]]()

    def is_new(file: DataFile) -> bool:
        named = (folder, file.path, current)
        if file.partition["run_date"] >= run_date or named in _current:
            return False
        read.add(named)
        return True

    stale = arrow.read(warehouse, "features", ["run_date"], pc.field(HASH) != current, keep=is_new)
    if not len(stale):
        _current.update(read)
    first: Any = pc.min(stale["run_date"])
    first_stale: date | None = first.as_py()
    return first_stale


def labels_are_stale(warehouse: Warehouse, project: Project) -> bool:
    """Whether some stored labels are of another definition than the project's.

    Labels without a hash were written before there were hashes. They count as current until another definition is
    found among those with one: then all are built again.
    """
    return not labels.hashes(warehouse) <= {label_hash(project)}


def require_current(warehouse: Warehouse, project: Project, run_date: date) -> None:
    """Refuse to learn from features or labels of other definitions: such a model could not score coming nights.

    Raises:
        TableError: names the first date of such features, and the command that builds them, or the labels, again.
    """
    since = stale_since(warehouse, project, run_date)
    if since is not None:
        raise TableError(
            f"Features since {since} were built by other definitions of features, expressions, spine or sources than "
            f"the project's ({definitions_hash(project)[:12]}): a model of them could not score the nights that these "
            f"build. Build them again, then train: python jobs/build_features.py project={project.name} "
            f"run_date={run_date} since={since}"
        )
    require_current_labels(warehouse, project, run_date)


def require_current_labels(warehouse: Warehouse, project: Project, run_date: date) -> None:
    """Refuse to learn from labels of another definition, or to judge scores by them.

    Raises:
        TableError: names the command that builds them again.
    """
    if labels_are_stale(warehouse, project):
        stored = ", ".join(sorted(one[:12] for one in labels.hashes(warehouse)))
        raise TableError(
            f"Labels are stored of another definition ({stored}) than that of the project's label, spine and sources "
            f"({label_hash(project)[:12]}). Build them again, all at once, then train: "
            f"python jobs/build_features.py project={project.name} run_date={run_date}"
        )
