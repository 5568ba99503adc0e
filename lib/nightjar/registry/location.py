"""Where a home keeps the files of MLflow. Its database names folders by absolute paths, and a home may be moved.

What is read is found by the home as it is given, never by what the database says: a copy reads its own files. What is
written, MLflow finds by its database, so that follows when a training begins.
"""

import logging
from pathlib import Path
from urllib.parse import quote

import sqlalchemy
from mlflow.entities import Experiment

log = logging.getLogger("nightjar.registry")
NAMED_IN = {"experiments": "artifact_location", "runs": "artifact_uri", "logged_models": "artifact_location"}
"""Table of MLflow's database -> its column that names a folder of an experiment."""


def database(home: Path) -> str:
    """The address of a home's database. SQLAlchemy would take some signs of a path for others."""
    return f"sqlite:///{quote(str(home.absolute() / 'mlflow.db'))}"


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
    """Let an experiment keep its files in this home from now on, if its database came from another place.

    Raises:
        SQLAlchemyError: the database cannot be written. Then nothing in it has changed.
    """
    old, new = experiment.artifact_location, files(home).as_uri()
    if old == new:
        return
    engine = sqlalchemy.create_engine(database(home))
    with engine.begin() as connection:
        for table, column in NAMED_IN.items():
            moved = f"UPDATE {table} SET {column} = :new || substr({column}, length(:old) + 1) "  # noqa: S608  (our names)
            which = f"WHERE experiment_id = :experiment AND substr({column}, 1, length(:old)) = :old"
            asked = {"old": old, "new": new, "experiment": int(experiment.experiment_id)}
            connection.execute(sqlalchemy.text(moved + which), asked)
    engine.dispose()
    log.info("this home was moved: the files of %s are in %s now, not in %s, to MLflow too", experiment.name, new, old)
