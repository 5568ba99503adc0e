"""Files of the run in MLflow that has registered a version; its signature does not cover them."""

from collections.abc import Mapping
from pathlib import Path

from nightjar.registry import database, tracking

FOLDER = "card"


def attach(home: Path, project: str, version: str, texts: Mapping[str, str], folder: str = FOLDER) -> None:
    """Log texts, file name -> content, with the run of a registered version, in place of files of these names there.

    Raises:
        ModelError: MLflow fails, or does not know the version.
    """
    database.require(home)
    advice = "Is the disk full, is mlflow.db locked, was the run deleted? Model and tables are as they were."
    with database.model_errors(home, f"cannot keep files of version {version} of {project}", advice):
        client = tracking.connect(home)
        run = client.get_model_version(project, version).run_id
        for name, text in texts.items():
            client.log_text(run, text, f"{folder}/{name}")
