"""What MLflow's database says of a project's model, read without MLflow, which takes longer to load than a night needs.

The tables are those of MLflow 3; where they have changed, MLflow is asked.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from nightjar.errors import ModelError
from nightjar.registry import database, location

DELETED = "Deleted_Internal"
"""The stage of a version that MLflow has deleted."""


def fetch(home: Path, project: str, version: str) -> Path:
    """The folder of a registered version in this home, as MLflow stores it, unchecked.

    Raises:
        ModelError: there is no such version, or no folder.
    """
    database.require(home)
    failure: Exception | None = None
    try:
        source = _source(home, project, version)
    except sqlite3.Error:
        source, failure = _source_by_mlflow(home, project, version)
    if source is None and failure is None:
        _, failure = _source_by_mlflow(home, project, version)  # for its words
    folder = None if source is None else location.model(home, source)
    if folder is None or not folder.is_dir():
        raise ModelError(
            f"Version {version} of model {project} cannot be fetched from MLflow in {home}: "
            f"{failure or f'there is no folder {folder}'}. "
            "Is environment.home the one it was trained with, or a whole copy of it?"
        ) from failure
    return folder


def find_alias(home: Path, project: str, alias: str) -> str | None:
    """The version that an alias names in MLflow, if there is one; ModelError where its database is damaged."""
    if not database.exists(home):
        return None
    database.require(home)
    query = "SELECT version FROM registered_model_aliases WHERE name = ? AND alias = ?"
    try:
        row = _first_row(home, query, project, alias)
    except sqlite3.Error:
        return _alias_by_mlflow(home, project, alias)
    return None if row is None else str(row[0])


def _source(home: Path, project: str, version: str) -> str | None:
    if not version.isdecimal():
        return None
    query = "SELECT source FROM model_versions WHERE name = ? AND version = ? AND current_stage <> ?"
    row = _first_row(home, query, project, int(version), DELETED)
    return None if row is None else str(row[0])


def _first_row(home: Path, query: str, *values: Any) -> tuple[Any, ...] | None:
    path = home.absolute() / database.NAME
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        row: tuple[Any, ...] | None = connection.execute(query, values).fetchone()
    return row


def _source_by_mlflow(home: Path, project: str, version: str) -> tuple[str | None, Exception | None]:
    from mlflow.exceptions import MlflowException  # noqa: PLC0415  (see the module)

    from nightjar.registry import tracking  # noqa: PLC0415

    try:
        return str(tracking.connect(home).get_model_version(project, version).source), None
    except MlflowException as error:
        return None, error


def _alias_by_mlflow(home: Path, project: str, alias: str) -> str | None:
    from nightjar.registry import tracking  # noqa: PLC0415  (see the module)

    with database.model_errors(home, f"cannot say what {alias} names", "Is mlflow.db locked?"):
        models = [one.aliases for one in tracking.connect(home).search_registered_models(f"name = '{project}'")]
    return next((str(one[alias]) for one in models if alias in one), None)
