"""Small fitted models and what is said of them."""

import hashlib
import json
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from nightjar.models.columns import FeatureColumn
from nightjar.models.examples import Examples
from nightjar.models.fitting import fit
from nightjar.models.predictor import Predictor
from nightjar.registry.manifest import MANIFEST, Manifest
from nightjar.settings.model import Estimator, Model
from nightjar.settings.task import Task

FEATURES = (FeatureColumn("load", "number"), FeatureColumn("site", "category"))
ROWS = pa.table({"load": np.arange(40.0) % 17, "site": ["north", "south"] * 20})

PARAMETERS = {
    Estimator.MAJORITY: {},
    Estimator.LOGISTIC: {"C": 0.5},
    Estimator.BOOSTING: {"max_iter": 5, "min_samples_leaf": 5},
    Estimator.LIGHTGBM: {"n_estimators": 5, "min_child_samples": 5},
    Estimator.XGBOOST: {"n_estimators": 5},
    Estimator.NETWORK: {"hidden": [4], "epochs": 2, "batch_size": 16},
}

ABOUT = Manifest(
    project="machines",
    model_name="logistic-1",
    task=Task.CLASSIFICATION.value,
    estimator="logistic",
    parameters={"C": 0.5, "hidden": [8, 4]},
    definitions_hash="d1",
    code_revision="c1",
    seeds={"search": 0, "fit": 1},
    data={"features": 3, "labels": 0},
    data_cutoff="2024-03-30T23:00:00+00:00",
    data_hash="h1",
    rows=40,
    period=("2024-03-18", "2024-03-30"),
    metrics={"roc_auc": {"estimate": 0.7, "low": 0.65, "high": 0.75}, "undefined": None},
    label_hash="l1",
    baselines={"majority": {"roc_auc": {"estimate": 0.5}}},
)


@cache
def fit_small(estimator: Estimator = Estimator.LOGISTIC) -> Predictor:
    model = Model(estimator=estimator, parameters=PARAMETERS[estimator])
    return fit(model, Examples(ROWS, np.arange(40) % 17 > 8), features=FEATURES, seed=0)


def rewrite_manifest(folder: Path, **changes: object) -> None:
    path = folder / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def plant(folder: Path, name: str, content: bytes) -> None:
    """What a forger can do who has no key: replace a file and its hash in the manifest."""
    (folder / name).write_bytes(content)
    files = json.loads((folder / MANIFEST).read_text())["files"]
    rewrite_manifest(folder, files=files | {name: hashlib.sha256(content).hexdigest()})


class Boom:
    """A pickle that leaves a trace when it is opened."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return (open, (str(self.trace), "w"))
