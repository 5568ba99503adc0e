"""Makes an archive in tests/registry/stored/: signed models of some kinds, the rows they score, and their scores.

    PYTHONPATH=lib:tests python tests/registry/make_stored.py models
    PYTHONPATH=lib:tests python tests/registry/make_stored.py boosters

Only for a new version of scikit-learn or of another package that models are saved with: models of an older minor
version are refused. Whatever else changes, the files here must keep scoring as they are.
"""

import json
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models import preparations, rows
from nightjar.models.examples import Examples
from nightjar.models.fitting import fit
from nightjar.models.predictor import Predictor
from nightjar.registry import artifacts, keys, signature
from nightjar.settings.columns import Category, Encoding
from nightjar.settings.model import Estimator, Model
from nightjar.settings.preparation import Preparation
from nightjar.settings.task import Task
from registry.made import ABOUT

STORED = Path(__file__).parent / "stored"
KINDS = (
    *("majority", "rule", "rule of a number", "rate", "logistic", "tree", "boosting", "neighbours", "network"),
    *("platt", "isotonic", "pairs", "ridge of amounts", "voting for classification", "stacking for regression"),
)
BOOSTERS = {
    f"{estimator.value} of {name}": (estimator, task, prepared)
    for estimator in (Estimator.LIGHTGBM, Estimator.XGBOOST)
    for name, task, prepared in (
        ("a yes or no", Task.CLASSIFICATION, Preparation()),
        ("an amount", Task.REGRESSION, Preparation()),
        ("native categories", Task.CLASSIFICATION, Preparation(category=Category(Encoding.NATIVE))),
        ("several classes", Task.MULTICLASS, Preparation(category=Category(Encoding.NATIVE))),
    )
}
PREPARED = (
    *("encoding_frequency", "encoding_hashing", "encoding_ordinal", "encoding_target", "text_hashing"),
    *("text_components", "shape_power", "shape_log", "winsorised_power", "bins_edges", "missing_knn"),
    *("missing_iterative", "make_all", "select_twice", "components"),
)


def boosters() -> dict[str, tuple[Predictor, pa.Table]]:
    """Name -> a fitted model, and rows for it to score."""
    return {name: (_fit_booster(*kind), rows.training_rows(24, seed=1)[0]) for name, kind in BOOSTERS.items()}


def _fit_booster(estimator: Estimator, task: Task, prepared: Preparation) -> Predictor:
    model = Model(estimator, parameters={"n_estimators": 5, "max_depth": 3}, preparation=prepared)
    return fit(model, rows.examples(task, 300), features=rows.FEATURES, task=task, seed=0)


def models() -> dict[str, tuple[Predictor, pa.Table]]:
    """Name -> a fitted model, and rows for it to score."""
    fitted: dict[str, tuple[Predictor, pa.Table]] = {}
    for name in KINDS:
        task, model = rows.CANDIDATES[name]
        examples = rows.examples(task, 150)
        one = fit(model, examples, features=rows.FEATURES, task=task, seed=0, members=rows.MEMBERS)
        fitted[name] = one, rows.training_rows(24, seed=1)[0].drop_columns(["note"])
    for name in PREPARED:
        model = Model(Estimator.LOGISTIC, preparation=preparations.PREPARATIONS[name])
        fitted[name] = _fit_prepared(model), pa.Table.from_pandas(preparations.frame_of(24, seed=1)[0])
    return fitted


def _fit_prepared(model: Model) -> Predictor:
    frame, label = preparations.frame_of(150)
    examples = Examples(pa.Table.from_pandas(frame), label, inner=rows.inner_splits(len(frame), 1))
    return fit(model, examples, features=preparations.FEATURES, task=Task.CLASSIFICATION, seed=0)


ARCHIVES = {"models": models, "boosters": boosters}


def main(archive: str) -> None:
    """Write one of the archives. The private key is thrown away."""
    key = Ed25519PrivateKey.generate()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        (home / keys.PUBLIC).write_bytes(keys._public_pem(key.public_key()))
        for kind, (predictor, table) in ARCHIVES[archive]().items():
            folder = home / kind
            classes, numbers = predictor.classes, range(len(predictor.classes))
            costs = tuple(tuple(float(actual != other) for other in numbers) for actual in numbers)
            about = replace(ABOUT, model_name=kind, classes=classes, costs=costs)
            artifacts.save(predictor, about, folder / "data" / "artifact")
            signature.sign(folder, signature.Subject(ABOUT.project, kind, "1"), key)
            scores = np.asarray(predictor.predict(table)).tolist()
            expected = {"rows": {name: table[name].to_pylist() for name in table.column_names}, "scores": scores}
            (home / f"{kind}.json").write_text(json.dumps(expected))
        shutil.make_archive(str(STORED / archive), "xztar", home)


if __name__ == "__main__":
    main(sys.argv[1])
