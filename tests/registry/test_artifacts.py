"""A folder is opened only if it is whole, of known files and known types, and of the packages installed here."""

import io
import json
import pickle
import zipfile
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.gaussian_process import GaussianProcessClassifier

from nightjar.errors import ModelError
from nightjar.models.examples import Examples
from nightjar.models.fitting import fit
from nightjar.models.predictor import Predictor
from nightjar.registry.artifacts import load, save
from nightjar.registry.manifest import TierThreshold
from nightjar.registry.ranges import FeatureRange
from nightjar.settings.model import Estimator, Model
from nightjar.settings.task import Task
from registry.made import ABOUT, FEATURES, PARAMETERS, ROWS, Boom, fit_small, plant, rewrite_manifest

ALL = pytest.mark.parametrize("estimator", list(PARAMETERS), ids=lambda one: one.value)
UNLISTED = (GaussianProcessClassifier(), "sklearn.gaussian_process._gpc.GaussianProcessClassifier")


def save_model(folder: Path, estimator=Estimator.LOGISTIC) -> Path:
    save(fit_small(estimator), ABOUT, folder)
    return folder


@pytest.mark.slow
@ALL
def test_an_opened_predictor_predicts_the_same_to_the_last_bit(estimator, tmp_path):
    opened = load(save_model(tmp_path / "model", estimator)).open()

    assert opened.features == fit_small(estimator).features
    assert np.array_equal(opened.predict(ROWS), fit_small(estimator).predict(ROWS))


def test_ranges_are_those_of_what_the_model_reads(tmp_path):
    """A candidate may read some of the columns that there are: of others the rows to score have nothing."""
    ranges = tuple(FeatureRange(name, 0.0, 1.0, None, has_missing=False) for name in (FEATURES[0].name, "another"))
    written = save(fit_small(Estimator.LOGISTIC), replace(ABOUT, ranges=ranges), tmp_path)
    assert written.ranges == ranges[:1]


def test_an_artifact_in_memory_travels_without_its_folder(tmp_path):
    artifact = load(save_model(tmp_path / "model"))
    (tmp_path / "model" / "estimator.skops").unlink()

    sent = pickle.loads(pickle.dumps(artifact))  # noqa: S301 (as Spark sends it)

    assert np.array_equal(sent.open().predict(ROWS), fit_small().predict(ROWS))


def test_a_manifest_comes_back_as_it_was_written(tmp_path):
    about = replace(ABOUT, thresholds=(TierThreshold("act", 0.5), TierThreshold("review", 0.25)))
    written = save(fit_small(Estimator.NETWORK), about, tmp_path)

    assert load(tmp_path).manifest == written
    assert replace(written, features=(), structure={}, packages={}, files={}) == about
    assert written.features == FEATURES
    assert set(written.files) == {"preparation.skops", "network.safetensors"}
    assert {entry.name for entry in tmp_path.iterdir()} == {*written.files, "manifest.json"}


def test_a_manifest_from_before_labels_had_hashes_and_several_classes_opens_and_has_none(tmp_path):
    path = save_model(tmp_path / "model") / "manifest.json"
    stored = json.loads(path.read_text())
    assert stored.pop("label_hash") == ABOUT.label_hash == "l1"
    assert stored.pop("classes") == stored.pop("costs") == []
    path.write_text(json.dumps(stored))
    manifest = load(path.parent).manifest
    assert (manifest.label_hash, manifest.classes, manifest.costs) == (None, (), ())


COSTS = ((0.0, 1.0, 2.0), (1.0, 0.0, 1.0), (3.0, 1.0, 0.0))


def save_classes(folder, classes=("a", "b", "c")):
    rows = Examples(ROWS, np.arange(40) % 3, classes=("a", "b", "c"))
    model = fit(Model(Estimator.MAJORITY), rows, features=FEATURES, task=Task.MULTICLASS, seed=0)
    save(model, replace(ABOUT, task="multiclass", classes=classes, costs=COSTS), folder)
    return load(folder)


def test_classes_and_their_costs_come_back(tmp_path):
    artifact = save_classes(tmp_path)
    assert (artifact.manifest.classes, artifact.manifest.costs) == (("a", "b", "c"), COSTS)
    assert artifact.open().classes == ("a", "b", "c")


def test_a_manifest_of_other_classes_than_its_predictor_s_is_refused(tmp_path):
    with pytest.raises(
        ModelError, match=r"is of the classes \('a', 'b', 'c'\), and its manifest says \('a', 'c', 'b'\)"
    ):
        save_classes(tmp_path, ("a", "c", "b")).open()


@pytest.mark.parametrize(
    "costs", [[[0, 1], [1, 0]], [[0, 1, 2], [1, 0, 1]], [[0, 1, "x"], [1, 0, 1], [3, 1, 0]], [0, 1, 2]]
)
def test_costs_of_other_classes_than_the_manifest_s_are_refused(tmp_path, costs):
    save_classes(tmp_path)
    rewrite_manifest(tmp_path, costs=costs)
    with pytest.raises(ModelError, match="holds values of another shape than a manifest's"):
        load(tmp_path)


def test_the_manifest_lists_the_packages_the_model_depends_on_torch_only_for_a_network(tmp_path):
    always = {"python", "numpy", "pandas", "scikit-learn", "scipy", "skops"}

    assert set(load(save_model(tmp_path / "one")).manifest.packages) == always
    of_network = load(save_model(tmp_path / "two", Estimator.NETWORK)).manifest.packages
    assert set(of_network) == always | {"safetensors", "torch"}
    assert of_network["torch"] == version("torch")


@ALL
def test_every_listed_file_must_be_there_unaltered(estimator, tmp_path):
    folder = save_model(tmp_path / "model", estimator)
    for name in load(folder).manifest.files:
        path = folder / name
        content = path.read_bytes()

        for altered in (content[:-1] + bytes([content[-1] ^ 1]), content[:-1], b""):
            path.write_bytes(altered)
            with pytest.raises(ModelError, match=f"{name} was altered"):
                load(folder)

        path.unlink()
        with pytest.raises(ModelError, match=f"lacks {name}, which its manifest lists"):
            load(folder)
        path.write_bytes(content)


@pytest.mark.parametrize("name", ["model.pkl", "estimator.pickle", "deeper/model.pkl", "MLmodel"])
def test_a_planted_pickle_is_named_and_never_opened(name, tmp_path):
    folder, trace = save_model(tmp_path / "model"), tmp_path / "trace"
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(pickle.dumps(Boom(trace)))

    with pytest.raises(ModelError, match=name.split("/")[0]):
        load(folder)

    assert not trace.exists()


@pytest.mark.parametrize("name", ["estimator.skops", "preparation.skops", "model.pkl"])
def test_a_pickle_listed_with_its_hash_is_never_opened_either(name, tmp_path):
    folder, trace = save_model(tmp_path / "model"), tmp_path / "trace"
    plant(folder, name, pickle.dumps(Boom(trace)))

    with pytest.raises(ModelError, match=name):
        load(folder).open()

    assert not trace.exists()


def test_a_network_that_is_no_safetensors_file_is_refused(tmp_path):
    folder = save_model(tmp_path, Estimator.NETWORK)
    plant(folder, "network.safetensors", pickle.dumps({}))

    with pytest.raises(ModelError, match=r"network\.safetensors cannot be opened"):
        load(folder).open()


@pytest.mark.parametrize(
    ("content", "type_name"),
    [
        UNLISTED,  # skops would trust it
        ({"harmless": [TfidfTransformer()]}, "sklearn.feature_extraction.text.TfidfTransformer"),
        (np.exp, "numpy.exp"),
        (Path, "pathlib.Path"),
    ],
)
def test_types_that_are_not_on_our_list_are_named(content, type_name, tmp_path):
    folder = save_model(tmp_path)
    plant(folder, "estimator.skops", skops.io.dumps(content))

    with pytest.raises(ModelError, match=rf"estimator\.skops holds .*{type_name}"):
        load(folder).open()


def test_an_allowed_type_that_calls_a_method_is_refused(tmp_path):
    """The types are ours, but skops would look up an attribute of the forger's choice."""
    folder = save_model(tmp_path)
    node = {"__class__": "str", "__module__": "builtins", "__loader__": "MethodNode", "protocol": 2}
    obj = {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "content": '"x"', "is_json": True}
    forged = io.BytesIO()
    with zipfile.ZipFile(forged, "w") as archive:
        archive.writestr("schema.json", json.dumps(node | {"content": {"func": "upper", "obj": obj}}))
    plant(folder, "estimator.skops", forged.getvalue())

    with pytest.raises(ModelError, match="MethodNode"):
        load(folder).open()


@pytest.mark.parametrize("name", ["estimator.skops", "preparation.skops"])
def test_an_allowed_type_in_the_wrong_place_is_refused(name, tmp_path):
    folder = save_model(tmp_path)
    plant(folder, name, skops.io.dumps({"a": 1}))

    with pytest.raises(ModelError, match=f"{name} holds a dict"):
        load(folder).open()


def test_types_that_could_not_be_opened_are_not_saved(tmp_path):
    odd = Predictor((), None, UNLISTED[0])

    with pytest.raises(ModelError, match="GaussianProcessClassifier"):
        save(odd, ABOUT, tmp_path / "model")

    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("package", ["python", "numpy", "pandas", "scikit-learn", "scipy", "skops", "torch"])
def test_another_minor_version_of_any_package_is_refused_with_both_versions(package, tmp_path):
    folder = save_model(tmp_path, Estimator.NETWORK)
    packages = load(folder).manifest.packages
    here = packages[package]
    major, minor, *_ = here.split(".")

    rewrite_manifest(folder, packages=packages | {package: f"{major}.{minor}.99+other.build"})
    load(folder).open()

    for other in (f"{major}.{int(minor) + 1}.0", f"{int(major) + 1}.{minor}", "unknown"):
        rewrite_manifest(folder, packages=packages | {package: other})
        with pytest.raises(ModelError) as error:
            load(folder).open()
        assert f"{package} {other}, but here {here}" in str(error.value)


def test_all_packages_that_differ_are_named_also_one_that_is_not_installed(tmp_path):
    folder = save_model(tmp_path)
    packages = load(folder).manifest.packages
    rewrite_manifest(folder, packages=packages | {"numpy": "1.2.3", "no-such-thing": "1.0"})

    with pytest.raises(ModelError, match=r"numpy 1\.2\.3, but here .*; no-such-thing 1\.0, but here it is not inst"):
        load(folder).open()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 1}, "format 1: this version of Nightjar reads format 2"),
        ({"surprise": 1}, r"fields: \['surprise'\]"),
        ({"task": "clairvoyance"}, "another shape"),
        ({"thresholds": [{"tier": "act", "threshold": "high"}]}, "another shape"),
        ({"features": [{"name": "hour"}]}, "another shape"),
        ({"features": [{"name": "hour", "type": "date"}]}, "another shape"),
        ({"files": 3}, "another shape"),
        ({"structure": 3}, "another shape"),
        ({"files": {}}, "holds estimator.skops, preparation.skops, not listed in its manifest"),
        ({"files": {"../estimator.skops": "0"}}, "not listed in its manifest"),
    ],
)
def test_a_manifest_of_another_shape_is_refused(changes, message, tmp_path):
    folder = save_model(tmp_path)
    rewrite_manifest(folder, **changes)

    with pytest.raises(ModelError, match=message):
        load(folder)


def test_files_that_the_structure_does_not_name_are_refused_before_any_is_opened(tmp_path):
    folder, trace = save_model(tmp_path / "model"), tmp_path / "trace"
    plant(folder, "network.safetensors", pickle.dumps(Boom(trace)))

    with pytest.raises(ModelError, match="its structure names the files"):
        load(folder).open()

    assert not trace.exists()


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"{}", b"\xff\xfe{}", b"[" * 100_000, None])
def test_a_folder_without_a_manifest_is_no_artifact(content, tmp_path):
    if content is not None:
        (tmp_path / "manifest.json").write_bytes(content)

    with pytest.raises(ModelError, match=r"manifest\.json"):
        load(tmp_path)


def test_a_folder_that_is_not_there_is_no_artifact(tmp_path):
    with pytest.raises(ModelError, match="nowhere cannot be read as a model's artifact"):
        load(tmp_path / "nowhere")


def test_an_artifact_is_written_once_and_holds_plain_numbers(tmp_path):
    with pytest.raises(ModelError, match="cannot be written as JSON"):
        save(fit_small(), replace(ABOUT, metrics={"roc_auc": float("nan")}), tmp_path / "nan")
    assert not (tmp_path / "nan").exists()

    folder = save_model(tmp_path / "model")
    before = load(folder)
    with pytest.raises(ModelError, match="not empty"):
        save_model(folder, Estimator.MAJORITY)
    assert load(folder) == before
