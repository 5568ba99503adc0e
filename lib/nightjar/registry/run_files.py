"""Files of the run in MLflow that has registered a version; its signature does not cover them."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from nightjar.registry import database, location

FOLDER = "card"
SCORES = "final_scores.csv"
"""The winner's scores of the final period's rows; see `learning.final_scores`."""


def attach(home: Path, project: str, version: str, texts: Mapping[str, str], folder: str = FOLDER) -> None:
    """Store texts, file name -> content, with the run of a registered version, in place of files of these names there.

    Not through MLflow's client: within a process it writes a run's files where it first did, though the home was moved.

    Raises:
        ModelError: MLflow fails, or does not know the version.
        OSError: a file cannot be written.
    """
    place = _files_of_run(home, project, version) / folder
    place.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (place / name).write_text(text, encoding="utf-8")


def read_scores(home: Path, project: str, version: str) -> pa.Table | None:
    """The rows of `SCORES` that the training of a version has left in this home; None where it left none.

    Raises:
        ModelError: MLflow fails, or does not know the version.
    """
    path = _files_of_run(home, project, version) / SCORES
    if not path.exists():
        return None
    head = pyarrow.csv.open_csv(path).schema.names
    kinds = {name: pa.float64() for name in head if name == "weight" or name.startswith("score_")}
    options = pyarrow.csv.ConvertOptions(column_types={"row": pa.uint64(), "day": pa.date32(), **kinds})
    return pyarrow.csv.read_csv(path, convert_options=options)


def _files_of_run(home: Path, project: str, version: str) -> Path:
    """The folder of the run's files in this home."""
    from nightjar.registry import tracking  # noqa: PLC0415  (loading MLflow takes seconds)

    database.require(home)
    with database.model_errors(home, f"cannot tell the run of version {version} of {project}", "Is mlflow.db locked?"):
        run = tracking.connect(home).get_model_version(project, version).run_id
    return location.files(home) / str(run) / "artifacts"
