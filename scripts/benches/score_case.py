"""The night of the bench `score`: its rows as a table `features`, and three models of them, registered and as they are.

Whichever revision is on the path makes them, in a folder that holds a warehouse, a home, and `models/` for the peers.
"""

import json
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pyarrow as pa
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nightjar.models.columns import FeatureColumn
from nightjar.models.examples import Examples
from nightjar.models.fitting import fit
from nightjar.registry import events, keys, tracking
from nightjar.registry.manifest import Manifest
from nightjar.settings.environment import Environment
from nightjar.settings.files import File
from nightjar.settings.jobs import JobName
from nightjar.settings.label import Label
from nightjar.settings.model import Estimator, Model
from nightjar.settings.project import Project
from nightjar.settings.sources import Column, ColumnType, Source
from nightjar.settings.spine import Spine
from nightjar.settings.task import Task
from nightjar.tables import runs, sink
from nightjar.tables.definitions import features_table
from nightjar.tables.runs import Outcome, Run
from nightjar.tables.warehouse import Warehouse

NIGHT = date(2025, 1, 1)
COLUMNS, TREES, LEAVES, TRAINING, SEED = 20, 100, 31, 50_000, 0
NAMES = [f"f{number:02}" for number in range(COLUMNS)]
KEY, HASH = "entity", "b" * 64
PIECE = 1_000_000
"""Rows of a data file, as a task that builds features stores them."""
MODELS = {
    "boosting": Model(Estimator.BOOSTING, parameters={"max_iter": TREES, "max_leaf_nodes": LEAVES}),
    "linear": Model(Estimator.LOGISTIC),
    "lightgbm": Model(Estimator.LIGHTGBM, parameters={"n_estimators": TREES, "num_leaves": LEAVES}),
}


@dataclass(frozen=True)
class Place:
    """A folder with a night and its models.

    Attributes:
        folder: where all lies.
        cores: that Spark has.
        memory_gb: that its driver has.
    """

    folder: Path
    cores: int
    memory_gb: int = 4

    @property
    def environment(self) -> Environment:
        return Environment(
            warehouse=str(self.folder / "warehouse"),
            home=str(self.folder / "home"),
            spark_master=f"local[{self.cores}]",
            driver_memory=f"{self.memory_gb}g",
            shuffle_partitions=self.cores,
            cpus=self.cores,
        )

    def warehouse(self, name: str) -> Warehouse:
        """The tables of one model's project."""
        return Warehouse(self.environment.warehouse, name)


def rows_of(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers, one in twenty missing, (rows, columns), and a yes or no that depends on eight of the columns."""
    random = np.random.default_rng([SEED, seed])
    inputs = random.normal(size=(count, COLUMNS))
    signal = inputs[:, 0] + inputs[:, 1] * inputs[:, 2] + np.sin(3 * inputs[:, 3]) + 0.3 * inputs[:, 4:8].sum(axis=1)
    label = signal + random.normal(size=count) > 0
    inputs[random.random(inputs.shape) < 1 / 20] = np.nan
    return inputs, label


def table_of(inputs: np.ndarray) -> pa.Table:
    """The same as columns; what is missing is null."""
    return pa.table({name: pa.array(inputs[:, place], from_pandas=True) for place, name in enumerate(NAMES)})


def project(name: str) -> Project:
    """A project whose features are columns of its spine."""
    columns = {KEY: Column(ColumnType.LONG, required=True), "at": Column(ColumnType.TIMESTAMP, required=True)}
    numbers = {one: Column(ColumnType.DOUBLE) for one in NAMES}
    schedule = Source(File("schedule.csv"), columns=columns | numbers, key=[KEY, "at"], event_time="at", keep=NAMES)
    return Project(
        name=name,
        title="What is scored for the bench",
        zone="UTC",
        first_date="2024-01-01",
        last_date=NIGHT.isoformat(),
        history_until="2024-12-31",
        first_night=NIGHT.isoformat(),
        nights=1,
        sources={"schedule": schedule},
        spine=Spine("schedule", [KEY], "at", NAMES),
        label=Label("schedule", {KEY: KEY, "prediction_time": "at"}, "f00", "1d"),
        features={},
    )


def prepare(place: Place, rows: int) -> None:
    """Make the night and the models, unless they are there."""
    done = place.folder / "rows.json"
    if done.exists() and json.loads(done.read_text()) == rows:
        return
    (place.folder / "models").mkdir(parents=True, exist_ok=True)
    first = next(iter(MODELS))
    _store_night(place, first, rows)
    for name, model in MODELS.items():
        if name != first:
            folder = Path(place.warehouse(name).path("features"))
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.symlink_to(Path(place.warehouse(first).path("features")), target_is_directory=True)
        _register(place, name, model)
    done.write_text(json.dumps(rows))


def _store_night(place: Place, name: str, rows: int) -> None:
    warehouse = place.warehouse(name)
    warehouse.check_writable()
    spine = pa.schema([(KEY, pa.int64()), *((one, pa.float64()) for one in NAMES)])
    stamps = {"run_date": NIGHT, "definitions_hash": HASH, "run_id": "bench"}
    into = sink.target(warehouse, features_table(project(name), spine, pa.schema([])), **stamps)
    files = []
    midnight = datetime.combine(NIGHT, time(), UTC)
    for start in range(0, rows, PIECE):
        count = min(PIECE, rows - start)
        piece = table_of(rows_of(count, 1 + start)[0])
        entities = np.random.default_rng([SEED, start]).permutation(np.arange(start, start + count))
        piece = piece.append_column(KEY, pa.array(entities * 7919))
        times = np.full(count, int(midnight.timestamp() * 1_000_000))
        piece = piece.append_column("prediction_time", pa.array(times).cast(pa.timestamp("us", "UTC")))
        files += sink.write(piece, into)
    sink.commit(warehouse, into, files, lambda _: True, "bench")


def _register(place: Place, name: str, model: Model) -> None:
    inputs, label = rows_of(TRAINING, 0)
    features = tuple(FeatureColumn(one, "number") for one in NAMES)
    predictor = fit(model, Examples(table_of(inputs), label), features=features, seed=SEED)
    peer = _user_s_own(inputs, label) if name == "linear" else predictor.estimator
    joblib.dump(peer, place.folder / "models" / f"{name}.joblib")
    about = _about(name, model)
    home, warehouse = Path(place.environment.home), place.warehouse(name)
    with tracking.record_search(home, name, "bench", {}, lambda _: False) as run:
        version = tracking.register(run, {}, predictor, about, keys.signing_key(home))
    champion = events.Version(version, name, NIGHT - timedelta(days=1), {})
    events.record(warehouse, "promoted", champion, "bench", events.CHAMPION)
    for job in (JobName.INGEST, JobName.BUILD_FEATURES):
        started = datetime.now(UTC)
        outcome = Outcome(rows={"features": 1})
        runs.record(
            warehouse, Run(uuid.uuid4().hex, job.value, NIGHT, "done", None, "bench", "bench", started, 0.0, outcome)
        )


def _user_s_own(inputs: np.ndarray, label: np.ndarray) -> Any:
    """A linear model as a user of scikit-learn fits it: the same scores but for rounding."""
    imputer = SimpleImputer(strategy="median", add_indicator=True)
    steps = imputer, StandardScaler(), LogisticRegression(solver="newton-cholesky", max_iter=1000)
    return make_pipeline(*steps).fit(inputs, label)


def _about(name: str, model: Model) -> Manifest:
    figures: dict[str, Any] = {"data_cutoff": "2024-12-31T00:00:00+00:00", "data_hash": "b", "rows": TRAINING}
    about = Manifest(
        project=name,
        model_name=name,
        task=Task.CLASSIFICATION.value,
        estimator=model.estimator.value,
        parameters={},
        definitions_hash=HASH,
        code_revision="bench",
        seeds={"fit": SEED},
        data={"features": 0},
        period=("2024-01-01", "2024-12-30"),
        metrics={},
        baselines={},
        **figures,
    )
    return replace(about, parameters=dict(model.parameters))
