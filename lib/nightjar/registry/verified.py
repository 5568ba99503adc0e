"""The only way to load a model for use: checked in full before anything in its folder is executed or opened."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from nightjar.errors import ModelError
from nightjar.registry import artifacts, keys, location, lookup, packages, signature
from nightjar.registry.artifacts import Artifact
from nightjar.registry.manifest import Manifest
from nightjar.registry.signature import Subject
from nightjar.settings.environment import Environment


def load(environment: Environment, subject: Subject) -> Artifact:
    """A registered version, ready to be opened here or on other machines.

    Its types are checked by `Artifact.open`, before that opens a file, and so are the packages wherever it is opened.

    Raises:
        ModelError: it cannot be fetched, there is no key to check it with, it is altered, unsigned, signed by another
            key or as another model, or a package is installed here in another minor version than it was saved with.
    """
    artifact = _fetch(environment, subject)
    packages.require_same(artifact.manifest.packages, artifact.where)
    return artifact


def manifest(environment: Environment, subject: Subject) -> Manifest:
    """The manifest of a registered version, which need not be one that can be opened here.

    Raises:
        ModelError: as `load`, except for the packages.
    """
    return _fetch(environment, subject).manifest


def check(folder: Path, subject: Subject, key: Ed25519PublicKey) -> Artifact:
    """The artifact in a folder as MLflow stores it, if the key has signed all of it as this model.

    Raises:
        ModelError: it is altered, unsigned, or signed by another key or as another model.
    """
    contents = signature.verify(folder, subject, key)
    inside = f"{location.ARTIFACT}/"
    own = {name.removeprefix(inside): content for name, content in contents.items() if name.startswith(inside)}
    artifact = artifacts.assemble(own, f"{subject} in {folder}")
    stated = Subject(artifact.manifest.project, artifact.manifest.model_name, subject.version)
    if stated != subject:
        raise ModelError(f"{artifact.where} says in its manifest that it is {stated}. Nothing in it was opened.")
    return artifact


def _fetch(environment: Environment, subject: Subject) -> Artifact:
    key = keys.public_key(environment)
    home = Path(environment.home).absolute()
    return check(lookup.fetch(home, subject.project, subject.version), subject, key)
