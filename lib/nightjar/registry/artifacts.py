"""A trained model as a folder that can be checked completely before anything in it is opened.

    manifest.json           what it is, where it comes from, what it is worth, and the hash of each other file
    preparation.skops       the fitted preparation, unless the model reads no feature
    estimator.skops         the fitted estimator, or
    network.safetensors     the arrays of a network

Nothing is ever pickled. MLflow's own files may lie beside these. Hashes show that a folder is whole, not who wrote it:
that is what its signature is for.
"""

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import safetensors.numpy

from nightjar.errors import LearningError, ModelError
from nightjar.models.columns import FeatureColumn
from nightjar.models.perceptron import Perceptron
from nightjar.models.predictor import Predictor

FORMAT = 1
MANIFEST = "manifest.json"
PREPARATION = "preparation.skops"
ESTIMATOR = "estimator.skops"
NETWORK = "network.safetensors"

PACKAGES = ("scikit-learn", "numpy", "torch", "skops")

MLFLOW_FILES = frozenset(
    {
        "MLmodel",
        "conda.yaml",
        "input_example.json",
        "python_env.yaml",
        "registered_model_meta",
        "requirements.txt",
        "serving_input_example.json",
    }
)
"""What MLflow writes beside a logged folder. We never read them."""


@dataclass(frozen=True)
class Manifest:
    """What an artifact says of itself. All values are plain JSON.

    Attributes:
        project: whose model it is.
        model_name: the candidate's name in the search.
        estimator: the estimator's name in the settings.
        parameters: the estimator's.
        definitions_hash: of the feature definitions the training data was built with.
        code_revision: of Nightjar.
        seeds: what for -> seed.
        data: table -> Delta version read.
        data_cutoff: nothing known later was used; ISO instant.
        data_hash: of the training data's content.
        rows: of the training data.
        period: first and last local date of the training data, both inclusive.
        metrics: what it is worth, with intervals.
        baselines: baseline -> the same measures of it.
        features: the columns it reads, in order. This and the rest is filled in by `save`.
        packages: package -> version it was saved with.
        files: file -> SHA-256 in hexadecimal.
        format: of the folder.
    """

    project: str
    model_name: str
    estimator: str
    parameters: Mapping[str, Any]
    definitions_hash: str
    code_revision: str
    seeds: Mapping[str, int]
    data: Mapping[str, int]
    data_cutoff: str
    data_hash: str
    rows: int
    period: tuple[str, str]
    metrics: Mapping[str, Any]
    baselines: Mapping[str, Any]
    features: tuple[FeatureColumn, ...] = ()
    packages: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    format: int = FORMAT


def save(predictor: Predictor, manifest: Manifest, folder: Path) -> Manifest:
    """Write a predictor into a new or empty folder; the manifest comes last, so that half a folder is no artifact.

    Returns:
        The manifest with features, packages and files as they are now.

    Raises:
        ModelError: the folder holds something, the predictor holds types that `load` would refuse, or the manifest
            values that are not JSON (NaN is not: leave such a measure out, or null).
    """
    contents = _dump(predictor)
    complete = replace(
        manifest,
        features=predictor.features,
        packages={"python": platform.python_version(), **{package: version(package) for package in PACKAGES}},
        files={name: _sha256(content) for name, content in contents.items()},
        format=FORMAT,
    )
    try:
        text = json.dumps(asdict(complete), indent=2, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ModelError(f"The manifest of {manifest.model_name} cannot be written as JSON: {error}.") from error
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ModelError(f"{folder} is not empty: an artifact is written once, into a folder of its own.")
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
    return complete


def read_manifest(folder: Path) -> Manifest:
    """The manifest alone; nothing else in the folder is looked at.

    Raises:
        ModelError: there is none, or it is not of this format.
    """
    path = folder / MANIFEST
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} cannot be read as a model's manifest: {error}.") from error
    if not isinstance(stored, dict) or stored.get("format") != FORMAT:
        found = stored.get("format") if isinstance(stored, dict) else type(stored).__name__
        raise ModelError(f"{path} is of format {found!r}: this version of Nightjar reads format {FORMAT}.")
    names = {one.name for one in fields(Manifest)}
    if set(stored) != names:
        raise ModelError(f"{path} differs from a manifest in its fields: {sorted(set(stored) ^ names)}.")
    try:
        features = tuple(FeatureColumn(str(one["name"]), str(one["type"])) for one in stored["features"])
        first, last = stored["period"]
        return Manifest(
            **stored
            | {"features": features, "period": (str(first), str(last))}
            | {name: dict(stored[name]) for name in ("files", "packages")}
        )
    except (KeyError, TypeError, ValueError, LearningError) as error:
        raise ModelError(f"{path} holds values of another shape than a manifest's: {error!r}.") from error


def load(folder: Path) -> Predictor:
    """The predictor that was saved: it predicts the same, to the last bit.

    Each file is read once, and its hash, its versions and its types are checked before its content is used.

    Raises:
        ModelError: a file is missing, altered or not listed (a pickle, say), the scikit-learn installed is of another
            minor version, or a file holds a type that is not on our list. Names the file or the type.
    """
    # skops imports all of scikit-learn, and torch by that way: seconds that a reader of manifests need not wait.
    from nightjar.models.composition import open_estimator, open_preparation, require_allowed_types  # noqa: PLC0415

    manifest = read_manifest(folder)
    contents = _verified_contents(folder, manifest)
    _require_same_scikit_learn(folder, manifest)
    for name in contents.keys() & {PREPARATION, ESTIMATOR}:
        require_allowed_types(contents[name], str(folder / name))
    preparation = (
        open_preparation(contents[PREPARATION], str(folder / PREPARATION)) if PREPARATION in contents else None
    )
    if NETWORK in contents:
        return Predictor(manifest.features, preparation, _open_network(folder, contents[NETWORK]))
    return Predictor(manifest.features, preparation, open_estimator(contents[ESTIMATOR], str(folder / ESTIMATOR)))


def _dump(predictor: Predictor) -> dict[str, bytes]:
    from nightjar.models.composition import dump  # noqa: PLC0415 - see `load`

    contents = {} if predictor.preparation is None else {PREPARATION: dump(predictor.preparation)}
    if isinstance(predictor.estimator, Perceptron):
        return contents | {NETWORK: safetensors.numpy.save(dict(predictor.estimator.state))}
    return contents | {ESTIMATOR: dump(predictor.estimator)}


def _verified_contents(folder: Path, manifest: Manifest) -> dict[str, bytes]:
    """The files' bytes as they were hashed: what is opened later is what was checked, whatever happens on disk."""
    listed = set(manifest.files)
    if listed - {PREPARATION} not in ({ESTIMATOR}, {NETWORK}):
        raise ModelError(f"{folder / MANIFEST} lists the files {sorted(listed)}: they do not make a model of ours.")
    known = listed | {MANIFEST} | MLFLOW_FILES
    unlisted = sorted(entry.name for entry in folder.iterdir() if entry.name not in known or not entry.is_file())
    if unlisted:
        raise ModelError(f"{folder} holds {', '.join(unlisted)}, not listed in its manifest. Nothing was opened.")
    return {name: _verified(folder / name, sha256) for name, sha256 in manifest.files.items()}


def _verified(path: Path, sha256: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} is listed in the model's manifest but cannot be read: {error}.") from error
    if _sha256(content) != sha256:
        raise ModelError(f"{path} was altered: its SHA-256 is {_sha256(content)}, the manifest says {sha256}.")
    return content


def _require_same_scikit_learn(folder: Path, manifest: Manifest) -> None:
    saved, installed = manifest.packages.get("scikit-learn", "unknown"), version("scikit-learn")
    if saved.split(".")[:2] != installed.split(".")[:2]:
        raise ModelError(
            f"{folder} was saved with scikit-learn {saved}, installed is {installed}: fitted models do not carry over "
            "from one minor version to another. Install that version, or train again."
        )


def _open_network(folder: Path, content: bytes) -> Perceptron:
    try:
        return Perceptron(safetensors.numpy.load(content))
    except Exception as error:
        raise ModelError(f"{folder / NETWORK} cannot be opened: {error!r}.") from error


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
