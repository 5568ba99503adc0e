"""Where a home keeps the files of MLflow. Its database names folders by absolute paths, and a home may be moved.

What is read is found by the home as it is given, never by what the database says: a copy reads its own files. What is
written, MLflow finds by its database, so that follows when a training begins.
"""

import logging
from pathlib import Path

import sqlalchemy
from mlflow.entities import Experiment

log = logging.getLogger("nightjar.registry")
NAMED_IN = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
)
"""Tables of MLflow's database, and their columns that name a folder."""


def database(home: Path) -> str:
    """The address of a home's database. Settings see to it that no sign of the path is taken for another."""
    return f"sqlite:///{home.absolute() / 'mlflow.db'}"


def files(home: Path) -> Path:
    """The folder of all that experiments keep."""
    return home.absolute() / "mlartifacts"


def model(home: Path, source: str) -> Path:
    """The folder of a model.

    Args:
        home: that it is in.
        source: what its version in the registry says it was made of, `models:/<id>`.
    """
    return files(home) / "models" / source.removeprefix("models:/") / "artifacts"


def follow(home: Path, experiment: Experiment) -> None:
    """Let MLflow find in this home, from now on, what its database places where an experiment has its files.

    Raises:
        SQLAlchemyError: the database cannot be written. Then nothing in it has changed.
    """
    places = {"old": experiment.artifact_location, "new": files(home).as_uri()}
    if places["old"] == places["new"]:
        return
    engine = sqlalchemy.create_engine(database(home))
    with engine.begin() as connection:
        for table, column in NAMED_IN:
            moved = f"UPDATE {table} SET {column} = :new || substr({column}, length(:old) + 1) "  # noqa: S608  (our names)
            below = f"WHERE substr({column}, 1, length(:old) + 1) IN (:old, :old || '/')"
            connection.execute(sqlalchemy.text(moved + below), places)
    engine.dispose()
    log.info("this home was moved: what MLflow places in %(old)s is in %(new)s now", places)
