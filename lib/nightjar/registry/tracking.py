"""MLflow: the runs of searches and the registered versions of a project's model."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import mlflow
import pyarrow as pa
import pyarrow.csv
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from mlflow import MlflowClient
from mlflow.entities import LoggedModelOutput
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, ErrorCode

from nightjar.models.predictor import Predictor
from nightjar.registry import artifacts, database, location, packages, signature
from nightjar.registry.manifest import Manifest
from nightjar.registry.signature import Subject
from nightjar.registry.trials import FOLD, PARENT, Trial, log, metrics

LOADER = "nightjar.registry.pyfunc"
SEARCH = "nightjar.search"
NAME = "mlflow.runName"
"""The tag of a run's name, which is random unless set."""


@dataclass(frozen=True)
class SearchRun:
    """A search's open run in MLflow, to which folds and the model are logged.

    Attributes:
        client: of MLflow.
        experiment: of the project.
        id: of the run.
    """

    client: MlflowClient
    experiment: str
    id: str

    def log(self, trial: Trial) -> None:
        """Log a fitted fold."""
        log(self.client, self.experiment, self.id, trial)

    def tag(self, name: str, value: str) -> None:
        """Set a tag of the run."""
        self.client.set_tag(self.id, name, value)


@contextmanager
def record_search(
    home: Path,
    project: str,
    search: str,
    tags: Mapping[str, str],
    is_running: Callable[[str], bool],
    newest: str | None = None,
) -> Iterator[SearchRun]:
    """Open a run for a search while the block runs; the run fails where the block fails.

    Args:
        home: the environment's, absolute.
        project: of the search.
        search: the search's identifier, the same when it is resumed.
        tags: of the run.
        is_running: whether a search of the project is running elsewhere. Unfinished runs of other searches, and of
            their folds, are marked as killed.
        newest: a registered version of the project's model, which must exist: a new database would reuse its number.
            None: there is none yet, and the home's first training creates the database.

    Raises:
        ModelError: MLflow fails, or its database is damaged, or lacks the version.
    """
    if newest is not None:
        require_version(home, project, newest)
    elif database.exists(home):
        database.require(home)
    advice = (
        "Is the disk full, is mlflow.db locked, was the run or its experiment deleted? Mend that, and start the "
        "training again: folds that have ended are remembered."
    )
    with database.model_errors(home, "cannot record this training", advice):
        client = connect(home)
        experiment = _experiment(client, home, project)
        _mark_killed(client, experiment, is_running)
        with mlflow.start_run(experiment_id=experiment, tags={**tags, SEARCH: search}) as run:
            yield SearchRun(client, experiment, run.info.run_id)


def register(
    run: SearchRun,
    figures: Mapping[str, float | None],
    predictor: Predictor,
    manifest: Manifest,
    key: Ed25519PrivateKey,
) -> str:
    """Sign a search's model and register it as the next version of its project's model; return the version.

    Args:
        run: of the search.
        figures: metrics of the run; those that are None are left out.
        predictor: the model.
        manifest: of the model, as `artifacts.save` takes it.
        key: see `keys.signing_key`; get it before the search, because it may be refused.

    Raises:
        ModelError: the predictor or the manifest cannot be saved; nothing was registered.
    """
    with tempfile.TemporaryDirectory(prefix="nightjar-model-") as folder:
        saved = Path(folder) / Path(location.ARTIFACT).name
        complete = artifacts.save(predictor, manifest, saved)
        run.client.log_batch(run.id, metrics=metrics(figures))
        return _register(run.client, run.experiment, run.id, saved, complete, key)


def attach(run: SearchRun, tables: Mapping[str, pa.Table]) -> None:
    """Log tables, file name -> rows, as CSV files of a run."""
    for name, table in tables.items():
        sink = pa.BufferOutputStream()
        pyarrow.csv.write_csv(table, sink)
        run.client.log_text(run.id, sink.getvalue().to_pybytes().decode(), name)


def set_alias(home: Path, project: str, alias: str, version: str) -> None:
    """Set an alias in MLflow, for people who look there; `model_events` is what decides.

    Raises:
        ModelError: MLflow fails.
    """
    advice = "The table model_events holds all the same. Set the alias there by hand, or promote again."
    with database.model_errors(home, f"cannot name version {version} of {project} its {alias}", advice):
        connect(home).set_registered_model_alias(project, alias, version)


def require_version(home: Path, project: str, version: str) -> None:
    """Check that MLflow knows a version that `model_events` names; ModelError where it does not, or is damaged."""
    database.require(home)
    advice = (
        "The table model_events names it: is environment.home the one it was trained with, and mlflow.db there not "
        "an older or a new one? Restore it from a backup: docs/runbook.md, MLflow's database."
    )
    with database.model_errors(home, f"does not know version {version} of model {project}", advice):
        connect(home).get_model_version(project, version)


def connect(home: Path) -> MlflowClient:
    """A client of the MLflow of a home, whose database has been checked."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    uri = location.database(home)
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    return MlflowClient()


def _experiment(client: MlflowClient, home: Path, project: str) -> str:
    existing = client.get_experiment_by_name(project)
    if existing is not None:
        location.update_paths(home, existing)
        return str(existing.experiment_id)
    return str(client.create_experiment(project, artifact_location=location.files(home).as_uri()))


def _mark_killed(client: MlflowClient, experiment: str, is_running: Callable[[str], bool]) -> None:
    unfinished = {run.info.run_id: run.data.tags for run in client.search_runs([experiment], "status = 'RUNNING'")}
    alive = {run for run, tags in unfinished.items() if SEARCH in tags and is_running(tags[SEARCH])}
    searches = [run for run, tags in unfinished.items() if SEARCH in tags and run not in alive]
    folds = [run for run, tags in unfinished.items() if FOLD in tags and tags[PARENT] not in alive]
    for run in searches + folds:
        # Read again: a run may have ended, and released its ledger, since the runs were listed.
        if client.get_run(run).info.status == "RUNNING":
            client.set_terminated(run, "KILLED")


def _register(
    client: MlflowClient, experiment: str, run: str, saved: Path, manifest: Manifest, key: Ed25519PrivateKey
) -> str:
    """Create the version, whose number is part of the signature; then make the folder, sign it here and store it.

    The signed files are never read back from where others may write. A failure half way leaves an unsigned or empty
    version, which is refused.
    """
    model = client.create_logged_model(experiment, name="model", source_run_id=run)
    client.log_outputs(run, [LoggedModelOutput(model.model_id, step=0)])
    _create_registered_model(client, manifest.project)
    source = f"models:/{model.model_id}"
    version = str(client.create_model_version(manifest.project, source, run, model_id=model.model_id).version)
    folder = saved.parent / "model"
    mlflow.pyfunc.save_model(
        path=str(folder),
        loader_module=LOADER,
        data_path=str(saved),
        mlflow_model=Model(artifact_path=model.artifact_location, run_id=run, model_id=model.model_id),
        pip_requirements=_requirements(manifest),
    )
    signature.sign(folder, Subject(manifest.project, manifest.model_name, version), key)
    client.log_model_artifacts(model.model_id, str(folder))
    client.finalize_logged_model(model.model_id, "READY")
    return version


def _create_registered_model(client: MlflowClient, project: str) -> None:
    try:
        client.create_registered_model(project)
    except MlflowException as error:
        if error.error_code != ErrorCode.Name(RESOURCE_ALREADY_EXISTS):
            raise


def _requirements(manifest: Manifest) -> list[str]:
    """Exact versions for MLflow's tools, without Nightjar, which is installed from its own repository."""
    return [f"{name}=={number}" for name, number in manifest.packages.items() if name != packages.PYTHON]
