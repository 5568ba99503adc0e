"""Finds stored features that were built by other definitions than the project's, and refuses to train on them."""

from datetime import date
from typing import Any

import pyarrow.compute as pc

from nightjar.errors import TableError
from nightjar.features.definitions import definitions_hash
from nightjar.settings.project import Project
from nightjar.tables import arrow
from nightjar.tables.warehouse import Warehouse


def stale_since(warehouse: Warehouse, project: Project, run_date: date) -> date | None:
    """The first date before the run date whose features were built by other definitions than the project's.

    None if there is no such date: a model may learn from all stored features.
    """
    if not arrow.exists(warehouse, "features"):
        return None
    stale = (pc.field("run_date") < run_date) & (pc.field("definitions_hash") != definitions_hash(project))
    first: Any = pc.min(arrow.read(warehouse, "features", ["run_date"], stale)["run_date"])
    first_stale: date | None = first.as_py()
    return first_stale


def require_current(warehouse: Warehouse, project: Project, run_date: date) -> None:
    """Refuse to learn from features that other definitions built: such a model could not score coming nights.

    Raises:
        TableError: names the first such date, and the command that builds them again.
    """
    since = stale_since(warehouse, project, run_date)
    if since is not None:
        raise TableError(
            f"Features since {since} were built by other definitions of features, expressions, spine or sources than "
            f"the project's ({definitions_hash(project)[:12]}): a model of them could not score the nights that these "
            f"build. Build them again, then train: python jobs/build_features.py project={project.name} "
            f"run_date={run_date} since={since}"
        )
