"""Files of the run in MLflow that has registered a version; its signature does not cover them."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from nightjar.registry import database, location, tracking

FOLDER = "card"
SCORES = "final_scores.csv"
"""The winner's scores of the final period's rows; see `learning.final_scores`."""


def attach(home: Path, project: str, version: str, texts: Mapping[str, str], folder: str = FOLDER) -> None:
    """Log texts, file name -> content, with the run of a registered version, in place of files of these names there.

    Raises:
        ModelError: MLflow fails, or does not know the version.
    """
    database.require(home)
    advice = "Is the disk full, is mlflow.db locked, was the run deleted? Model and tables are as they were."
    with database.model_errors(home, f"cannot keep files of version {version} of {project}", advice):
        client = tracking.connect(home)
        location.update_paths(home, client.get_experiment_by_name(project))  # or a home that was moved writes elsewhere
        run = client.get_model_version(project, version).run_id
        for name, text in texts.items():
            client.log_text(run, text, f"{folder}/{name}")


def read_scores(home: Path, project: str, version: str) -> pa.Table | None:
    """The rows of `SCORES` that the training of a version has left in this home; None where it left none.

    Raises:
        ModelError: MLflow fails, or does not know the version.
    """
    database.require(home)
    with database.model_errors(home, f"cannot tell the run of version {version} of {project}", "Is it locked?"):
        run = tracking.connect(home).get_model_version(project, version).run_id
    path = location.files(home) / str(run) / "artifacts" / SCORES
    if not path.exists():
        return None
    head = pyarrow.csv.open_csv(path).schema.names
    kinds = {name: pa.float64() for name in head if name == "weight" or name.startswith("score_")}
    options = pyarrow.csv.ConvertOptions(column_types={"row": pa.uint64(), "day": pa.date32(), **kinds})
    return pyarrow.csv.read_csv(path, convert_options=options)
