"""MLflow: what was tried, what came out, and the registered versions of a project's model."""

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

from nightjar.errors import ModelError
from nightjar.models.predictor import Predictor
from nightjar.registry import artifacts, database, location, packages, signature
from nightjar.registry.manifest import Manifest
from nightjar.registry.signature import Subject
from nightjar.registry.trials import FOLD, PARENT, Trial, log, metrics

LOADER = "nightjar.registry.pyfunc"
SEARCH = "nightjar.search"
NAME = "mlflow.runName"
"""The tag that is a run's name: a random one unless it is given."""
ARTIFACT = "data/artifact"
"""Where our files lie in the folder of a model in MLflow: its `data_path` is copied to `data/`, under its own name."""


@dataclass(frozen=True)
class SearchRun:
    """A search's run in MLflow, open for its folds and for what comes of them.

    Attributes:
        client: of the MLflow that it is in.
        experiment: the project's.
        id: of the run.
    """

    client: MlflowClient
    experiment: str
    id: str

    def log(self, trial: Trial) -> None:
        """Record a fold that was fitted."""
        log(self.client, self.experiment, self.id, trial)

    def tag(self, name: str, value: str) -> None:
        """Say something of the run."""
        self.client.set_tag(self.id, name, value)


@contextmanager
def search_recorded(
    home: Path,
    project: str,
    search: str,
    tags: Mapping[str, str],
    under_way: Callable[[str], bool],
    known: str | None = None,
) -> Iterator[SearchRun]:
    """A run for a search while the block runs. It has failed where the block fails.

    Args:
        home: the environment's, absolute.
        project: whose search it is.
        search: what the search is known by when it starts again.
        tags: of the run.
        under_way: whether a search of the project is running elsewhere. A run that seems to be, of one that is not, was
            killed, and so were those of its folds.
        known: a version of the project's model that there must be: a new database would give its number to another.
            None: there is none yet, and the home's first training makes the database.

    Raises:
        ModelError: MLflow fails, or its database is damaged, or not the one that knows the version.
    """
    if known is not None:
        require_version(home, project, known)
    elif database.exists(home):
        database.require(home)
    advice = (
        "Is the disk full, is mlflow.db locked, was the run or its experiment deleted? Mend that, and start the "
        "training again: folds that have ended are remembered."
    )
    with database.failures_stated(home, "cannot record this training", advice):
        client = _client(home)
        experiment = _experiment(client, home, project)
        _mark_killed(client, experiment, under_way)
        with mlflow.start_run(experiment_id=experiment, tags={**tags, SEARCH: search}) as run:
            yield SearchRun(client, experiment, run.info.run_id)


def register(
    run: SearchRun,
    figures: Mapping[str, float | None],
    predictor: Predictor,
    manifest: Manifest,
    key: Ed25519PrivateKey,
) -> str:
    """Register a search's model, signed, as the next version of its project's model: the version.

    Args:
        run: the search's.
        figures: of the run, as metrics; None is left out.
        predictor: to be registered.
        manifest: its, as `artifacts.save` wants it.
        key: see `keys.signing_key`: ask for it before the search, as it may be refused.

    Raises:
        ModelError: the predictor or the manifest cannot be saved; nothing was registered.
    """
    with tempfile.TemporaryDirectory(prefix="nightjar-model-") as folder:
        saved = Path(folder) / Path(ARTIFACT).name
        complete = artifacts.save(predictor, manifest, saved)
        run.client.log_batch(run.id, metrics=metrics(figures))
        return _register(run.client, run.experiment, run.id, saved, complete, key)


def attach(run: SearchRun, tables: Mapping[str, pa.Table]) -> None:
    """Keep tables as CSV files beside a run's figures: file name -> rows."""
    for name, table in tables.items():
        sink = pa.BufferOutputStream()
        pyarrow.csv.write_csv(table, sink)
        run.client.log_text(run.id, sink.getvalue().to_pybytes().decode(), name)


def fetch(home: Path, project: str, version: str) -> Path:
    """The folder of a registered version in this home, as MLflow stores it: whoever wrote it, nothing is checked.

    Raises:
        ModelError: there is no such version, or no folder.
    """
    database.require(home)
    folder, why = None, None
    try:
        folder = location.model(home, str(_client(home).get_model_version(project, version).source))
    except MlflowException as error:
        why = error
    if folder is None or not folder.is_dir():
        raise ModelError(
            f"Version {version} of model {project} cannot be fetched from MLflow in {home}: "
            f"{why or f'there is no folder {folder}'}. "
            "Is environment.home the one it was trained with, or a whole copy of it?"
        ) from why
    return folder


def set_alias(home: Path, project: str, alias: str, version: str) -> None:
    """Let an alias name a version in MLflow. `model_events` decides; this is for people who look there.

    Raises:
        ModelError: MLflow fails.
    """
    advice = "The table model_events holds all the same. Set the alias there by hand, or promote again."
    with database.failures_stated(home, f"cannot name version {version} of {project} its {alias}", advice):
        _client(home).set_registered_model_alias(project, alias, version)


def require_version(home: Path, project: str, version: str) -> None:
    """Look whether MLflow knows a version that `model_events` names.

    Raises:
        ModelError: it does not, or its database is missing or damaged.
    """
    database.require(home)
    advice = (
        "The table model_events names it: is environment.home the one it was trained with, and mlflow.db there not "
        "an older or a new one? Restore it from a backup: docs/runbook.md, MLflow's database."
    )
    with database.failures_stated(home, f"does not know version {version} of model {project}", advice):
        _client(home).get_model_version(project, version)


def _client(home: Path) -> MlflowClient:
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    uri = location.database(home)
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    return MlflowClient()


def _experiment(client: MlflowClient, home: Path, project: str) -> str:
    found = client.get_experiment_by_name(project)
    if found is not None:
        location.follow(home, found)
        return str(found.experiment_id)
    return str(client.create_experiment(project, artifact_location=location.files(home).as_uri()))


def _mark_killed(client: MlflowClient, experiment: str, under_way: Callable[[str], bool]) -> None:
    running = {run.info.run_id: run.data.tags for run in client.search_runs([experiment], "status = 'RUNNING'")}
    alive = {run for run, tags in running.items() if SEARCH in tags and under_way(tags[SEARCH])}
    searches = [run for run, tags in running.items() if SEARCH in tags and run not in alive]
    folds = [run for run, tags in running.items() if FOLD in tags and tags[PARENT] not in alive]
    for run in searches + folds:
        # Asked again: one may have ended as it should since they were listed, and only then have let its ledger go.
        if client.get_run(run).info.status == "RUNNING":
            client.set_terminated(run, "KILLED")


def _register(
    client: MlflowClient, experiment: str, run: str, saved: Path, manifest: Manifest, key: Ed25519PrivateKey
) -> str:
    """The version's number comes first, as it is signed; then the folder is made, signed here and stored in one go.

    What is signed is never read back from where others may write. If this stops half way, a version is left that is
    unsigned or empty, and refused.
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
    """Exact versions for MLflow's tools. Nightjar itself is not named: it is installed from its own repository."""
    return [f"{name}=={number}" for name, number in manifest.packages.items() if name != packages.PYTHON]
