"""The location of MLflow's files in a home. Its database names folders by absolute paths, but a home may be moved.

Reads resolve paths from the given home, never from the database, so that a copy reads its own files. Writes go through
MLflow, which resolves paths from its database, so that is updated when a training begins.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # MLflow takes seconds to load, which scoring does not need
    from mlflow.entities import Experiment

log = logging.getLogger("nightjar.registry")
ARTIFACT = "data/artifact"
"""The path of our files in a model's folder in MLflow, which copies `data_path` to `data/` under its own name."""
NAMED_IN = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
)
"""Tables of MLflow's database, and their columns that name a folder."""


def database(home: Path) -> str:
    """The URI of a home's database. Settings refuse paths with characters that a URI would misread."""
    return f"sqlite:///{home.absolute() / 'mlflow.db'}"


def files(home: Path) -> Path:
    """The folder of all experiments' artifacts."""
    return home.absolute() / "mlartifacts"


def model(home: Path, source: str) -> Path:
    """The folder of a model.

    Args:
        home: that it is in.
        source: of its version in the registry, `models:/<id>`.
    """
    return files(home) / "models" / source.removeprefix("models:/") / "artifacts"


def update_paths(home: Path, experiment: "Experiment") -> None:
    """Update the paths in MLflow's database from an experiment's old artifact folder to that of this home.

    Raises:
        SQLAlchemyError: the database cannot be written; nothing in it has changed then.
    """
    roots = {"old": experiment.artifact_location, "new": files(home).as_uri()}
    if roots["old"] == roots["new"]:
        return
    import sqlalchemy  # noqa: PLC0415  (half a second, for what is done once)

    engine = sqlalchemy.create_engine(database(home))
    with engine.begin() as connection:
        for table, column in NAMED_IN:
            update = f"UPDATE {table} SET {column} = :new || substr({column}, length(:old) + 1) "  # noqa: S608  (our names)
            condition = f"WHERE substr({column}, 1, length(:old) + 1) IN (:old, :old || '/')"
            connection.execute(sqlalchemy.text(update + condition), roots)
    engine.dispose()
    log.info("this home was moved: what MLflow places in %(old)s is in %(new)s now", roots)
