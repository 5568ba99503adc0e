import hashlib
import io
import json
import pickle
import zipfile
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import sklearn
import skops.io
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import SGDClassifier

from models.rows import FEATURES, MODELS, training_rows
from nightjar.errors import ModelError
from nightjar.models.estimators import fit
from nightjar.models.predictor import Predictor
from nightjar.registry.artifacts import MLFLOW_FILES, Manifest, load, read_manifest, save
from nightjar.settings.learning import Estimator

ALL = pytest.mark.parametrize("estimator", list(MODELS), ids=lambda one: one.value)

MANIFEST = Manifest(
    project="flights",
    model_name="boosting-1",
    estimator="BOOSTING",
    parameters={"max_iter": 10, "hidden": [8, 4]},
    definitions_hash="d1",
    code_revision="c1",
    seeds={"search": 0},
    data={"features": 3, "labels": 0},
    data_cutoff="2013-10-01T04:00:00Z",
    data_hash="h1",
    rows=600,
    period=("2013-01-01", "2013-09-30"),
    metrics={"roc_auc": {"value": 0.7, "low": 0.65, "high": 0.75}, "undefined": None},
    baselines={"majority": {"roc_auc": {"value": 0.5}}},
)


@cache
def fitted(estimator):
    return fit(MODELS[estimator], *training_rows(), features=FEATURES, seed=0)


def saved(folder: Path, estimator=Estimator.LOGISTIC) -> Path:
    save(fitted(estimator), replace(MANIFEST, estimator=estimator.name), folder)
    return folder


def rewrite_manifest(folder: Path, **changes: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def plant(folder: Path, name: str, content: bytes) -> None:
    """What a forger can do who has no key: replace a file and its hash."""
    (folder / name).write_bytes(content)
    files = json.loads((folder / "manifest.json").read_text())["files"]
    rewrite_manifest(folder, files=files | {name: hashlib.sha256(content).hexdigest()})


@ALL
def test_a_loaded_predictor_predicts_the_same_to_the_last_bit(estimator, tmp_path):
    table, _ = training_rows(500, seed=1)

    loaded = load(saved(tmp_path / "model", estimator))

    assert loaded.features == fitted(estimator).features
    assert np.array_equal(loaded.predict(table), fitted(estimator).predict(table))


def test_a_manifest_comes_back_as_it_was_written(tmp_path):
    written = save(fitted(Estimator.NETWORK), MANIFEST, tmp_path)

    assert read_manifest(tmp_path) == written
    assert replace(written, features=(), packages={}, files={}) == MANIFEST
    assert written.features == FEATURES
    assert set(written.packages) == {"python", "scikit-learn", "numpy", "torch", "skops"}
    assert set(written.files) == {"preparation.skops", "network.safetensors"}
    assert {entry.name for entry in tmp_path.iterdir()} == {*written.files, "manifest.json"}


def test_files_of_mlflow_may_lie_beside(tmp_path):
    folder = saved(tmp_path)
    for name in MLFLOW_FILES:
        (folder / name).write_text("anything")

    assert len(load(folder).predict(training_rows(5)[0])) == 5


@ALL
def test_every_listed_file_must_be_there_unaltered(estimator, tmp_path):
    files = read_manifest(saved(tmp_path / "model", estimator)).files
    for name in files:
        path = tmp_path / "model" / name
        content = path.read_bytes()

        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(ModelError, match=f"{name} was altered"):
            load(tmp_path / "model")

        path.unlink()
        with pytest.raises(ModelError, match=f"{name} is listed .* cannot be read"):
            load(tmp_path / "model")
        path.write_bytes(content)


class Boom:
    """A pickle that leaves a trace when it is opened."""

    def __init__(self, trace: str) -> None:
        self.trace = trace

    def __reduce__(self):
        return (open, (self.trace, "w"))


@pytest.mark.parametrize("name", ["model.pkl", "estimator.pickle", "deeper/model.pkl", "MLmodel/model.pkl"])
def test_a_planted_pickle_is_named_and_never_opened(name, tmp_path):
    folder, trace = saved(tmp_path / "model"), tmp_path / "trace"
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(pickle.dumps(Boom(str(trace))))

    with pytest.raises(ModelError, match=name.split("/")[0]):
        load(folder)

    assert not trace.exists()


@pytest.mark.parametrize("name", ["estimator.skops", "preparation.skops", "model.pkl"])
def test_a_pickle_listed_with_its_hash_is_never_opened_either(name, tmp_path):
    folder, trace = saved(tmp_path / "model"), tmp_path / "trace"
    plant(folder, name, pickle.dumps(Boom(str(trace))))

    with pytest.raises(ModelError, match=name):
        load(folder)

    assert not trace.exists()


def test_a_network_that_is_no_safetensors_file_is_refused(tmp_path):
    folder = saved(tmp_path, Estimator.NETWORK)
    plant(folder, "network.safetensors", pickle.dumps({}))

    with pytest.raises(ModelError, match=r"network\.safetensors cannot be opened"):
        load(folder)


@pytest.mark.parametrize(
    ("content", "type_name"),
    [
        (SGDClassifier(), "sklearn.linear_model._stochastic_gradient.SGDClassifier"),  # skops would trust it
        ({"harmless": [TfidfTransformer()]}, "sklearn.feature_extraction.text.TfidfTransformer"),
        (np.exp, "numpy.exp"),
        (Path, "pathlib.Path"),
    ],
)
def test_types_that_are_not_on_our_list_are_named(content, type_name, tmp_path):
    folder = saved(tmp_path)
    plant(folder, "estimator.skops", skops.io.dumps(content))

    with pytest.raises(ModelError, match=rf"estimator\.skops holds .*{type_name}"):
        load(folder)


def test_an_allowed_type_that_calls_a_method_is_refused(tmp_path):
    """The types are ours, but skops would look up an attribute of the forger's choice."""
    folder = saved(tmp_path)
    node = {"__class__": "str", "__module__": "builtins", "__loader__": "MethodNode", "protocol": 2}
    obj = {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "content": '"x"', "is_json": True}
    forged = io.BytesIO()
    with zipfile.ZipFile(forged, "w") as archive:
        archive.writestr("schema.json", json.dumps(node | {"content": {"func": "upper", "obj": obj}}))
    plant(folder, "estimator.skops", forged.getvalue())

    with pytest.raises(ModelError, match="MethodNode"):
        load(folder)


@pytest.mark.parametrize("name", ["estimator.skops", "preparation.skops"])
def test_an_allowed_type_in_the_wrong_place_is_refused(name, tmp_path):
    folder = saved(tmp_path)
    plant(folder, name, skops.io.dumps({"a": 1}))

    with pytest.raises(ModelError, match=f"{name} holds a dict"):
        load(folder)


def test_types_that_could_not_be_loaded_are_not_saved(tmp_path):
    odd = Predictor((), None, SGDClassifier())

    with pytest.raises(ModelError, match="SGDClassifier"):
        save(odd, MANIFEST, tmp_path / "model")

    assert not (tmp_path / "model").exists()


def test_another_minor_version_of_scikit_learn_is_refused(tmp_path):
    folder = saved(tmp_path)
    packages = read_manifest(folder).packages
    major, minor, *_ = sklearn.__version__.split(".")

    rewrite_manifest(folder, packages=packages | {"scikit-learn": f"{major}.{minor}.99"})
    load(folder)

    rewrite_manifest(folder, packages=packages | {"scikit-learn": "1.2.3"})
    with pytest.raises(ModelError, match=rf"scikit-learn 1\.2\.3, installed is {sklearn.__version__}"):
        load(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, "format 2: this version of Nightjar reads format 1"),
        ({"surprise": 1}, r"fields: \['surprise'\]"),
        ({"features": [{"name": "hour"}]}, "another shape"),
        ({"features": [{"name": "hour", "type": "date"}]}, "another shape"),
        ({"files": 3}, "another shape"),
        ({"files": {}}, "do not make a model"),
        ({"files": {"../estimator.skops": "0"}}, "do not make a model"),
    ],
)
def test_a_manifest_of_another_shape_is_refused(changes, message, tmp_path):
    folder = saved(tmp_path)
    rewrite_manifest(folder, **changes)

    with pytest.raises(ModelError, match=message):
        load(folder)


@pytest.mark.parametrize("text", ["", "[]", "{", "{}", None])
def test_a_folder_without_a_manifest_is_no_artifact(text, tmp_path):
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)

    with pytest.raises(ModelError, match=r"manifest\.json"):
        load(tmp_path)


def test_an_artifact_is_written_once_and_holds_plain_numbers(tmp_path):
    with pytest.raises(ModelError, match="cannot be written as JSON"):
        save(fitted(Estimator.MAJORITY), replace(MANIFEST, metrics={"roc_auc": float("nan")}), tmp_path / "nan")
    assert not (tmp_path / "nan").exists()

    folder = saved(tmp_path / "model")
    before = asdict(read_manifest(folder))
    with pytest.raises(ModelError, match="not empty"):
        saved(folder, Estimator.MAJORITY)
    assert asdict(read_manifest(folder)) == before
