"""MLflow: what was tried, what came out, and the registered versions of a project's model."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException

from nightjar.errors import ModelError

LOADER = "nightjar.registry.pyfunc"


@dataclass(frozen=True)
class Trial:
    """One fit of the search: its parameters and what it reached."""

    name: str
    parameters: Mapping[str, Any]
    measures: Mapping[str, float]


def log_training(
    home: Path,
    project: str,
    trials: Sequence[Trial],
    tags: Mapping[str, str],
    figures: Mapping[str, float],
    artifact: Path,
) -> tuple[str, str]:
    """Record a search and register the artifact folder as the project's next version.

    Returns:
        The registered version and the MLflow run's id.
    """
    client = _client(home)
    experiment = _experiment(client, home, project)
    with mlflow.start_run(experiment_id=experiment, tags=dict(tags)) as run:
        for trial in trials:
            _log_trial(client, experiment, run.info.run_id, trial)
        client.log_batch(run.info.run_id, metrics=_metrics(figures))
        model = mlflow.pyfunc.log_model(
            name="model",
            loader_module=LOADER,
            data_path=str(artifact),
            pip_requirements=["nightjar"],
            registered_model_name=project,
        )
    return str(model.registered_model_version), run.info.run_id


def fetch(home: Path, project: str, version: str) -> Path:
    """The folder with a registered version's artifact, on this machine.

    Raises:
        ModelError: there is no such version.
    """
    _client(home)
    try:
        folder = mlflow.artifacts.download_artifacts(f"models:/{project}/{version}")
    except (MlflowException, OSError) as error:
        raise ModelError(
            f"Version {version} of model {project} cannot be fetched from MLflow in {home}: {error}. "
            "Is environment.home the one it was trained with?"
        ) from error
    manifests = sorted(Path(folder).rglob("manifest.json"))
    if not manifests:
        raise ModelError(f"Version {version} of model {project} holds no manifest.json: it is no artifact of Nightjar.")
    return manifests[0].parent


def set_alias(home: Path, project: str, alias: str, version: str) -> None:
    """Let an alias name a version in MLflow. `model_events` decides; this is for people who look there."""
    _client(home).set_registered_model_alias(project, alias, version)


def _client(home: Path) -> MlflowClient:
    home.mkdir(parents=True, exist_ok=True)
    uri = f"sqlite:///{home.absolute()}/mlflow.db"
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    return MlflowClient()


def _experiment(client: MlflowClient, home: Path, project: str) -> str:
    found = client.get_experiment_by_name(project)
    if found is not None:
        return str(found.experiment_id)
    return str(client.create_experiment(project, artifact_location=(home.absolute() / "mlartifacts").as_uri()))


def _log_trial(client: MlflowClient, experiment: str, parent: str, trial: Trial) -> None:
    tags = {"mlflow.parentRunId": parent}
    run = client.create_run(experiment, run_name=trial.name, tags=tags)
    params = [Param(name, str(value)) for name, value in trial.parameters.items()]
    client.log_batch(
        run.info.run_id, metrics=_metrics(trial.measures), params=params, tags=[RunTag("fold", trial.name)]
    )
    client.set_terminated(run.info.run_id)


def _metrics(values: Mapping[str, float]) -> list[Metric]:
    now = int(time.time() * 1000)
    return [Metric(name, value, now, 0) for name, value in values.items()]
