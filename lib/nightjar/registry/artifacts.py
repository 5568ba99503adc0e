"""A trained model as a folder that can be checked completely before anything in it is opened.

    manifest.json                   the model's identity, origin and metrics, and the hash of each other file
    *.skops, *.safetensors          the files of `nightjar.models.serialization.predictor_files`; never a pickle

The hashes show that the folder is whole, not who wrote it. `nightjar.registry.verified` checks the signature too.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from nightjar.errors import ModelError
from nightjar.models.predictor import Predictor
from nightjar.registry import packages
from nightjar.registry.manifest import MANIFEST, Manifest, from_json, to_json


@dataclass(frozen=True)
class Artifact:
    """A checked artifact in memory, unopened: it opens the bytes that were checked, whatever happens on disk.

    It may be sent to other machines: opening it needs neither MLflow nor a shared disk.

    Attributes:
        where: its name in errors.
        files: file -> content, as listed in the manifest.
    """

    where: str
    manifest: Manifest
    files: Mapping[str, bytes]

    def open(self) -> Predictor:
        """The predictor that was saved: it predicts the same, to the last bit.

        Raises:
            ModelError: a package is installed here in another minor version than it was saved with, a file holds a type
                that is not on our list, or its classes are not those of the manifest. Names all packages, or the file
                and the types.
        """
        packages.require_same(self.manifest.packages, self.where)
        # It imports all of scikit-learn: readers of manifests need not wait seconds for it.
        from nightjar.models.serialization.predictor_files import open_predictor  # noqa: PLC0415

        predictor = open_predictor(dict(self.manifest.structure), self.files, self.where)
        if predictor.classes != self.manifest.classes:
            classes = f"{predictor.classes}, and its manifest says {self.manifest.classes}"
            raise ModelError(f"{self.where}: its predictor is of the classes {classes}: not one of ours.")
        return predictor


def save(predictor: Predictor, manifest: Manifest, folder: Path) -> Manifest:
    """Write a predictor into a new or empty folder; the manifest is written last, so that half a folder is no artifact.

    Returns:
        The manifest with features, structure, packages and files filled in, and ranges of those features alone.

    Raises:
        ModelError: the folder holds something, the predictor holds types that could not be opened again, or the
            manifest values that are not JSON.
    """
    from nightjar.models.serialization.predictor_files import dump  # noqa: PLC0415 - see `Artifact.open`

    structure, contents = dump(predictor)
    read = {feature.name for feature in predictor.features}
    complete = replace(
        manifest,
        features=predictor.features,
        ranges=tuple(one for one in manifest.ranges if one.name in read),
        structure=structure,
        packages=packages.dependencies(list(contents)),
        files={name: _sha256(content) for name, content in contents.items()},
    )
    listing = to_json(complete)
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ModelError(f"{folder} is not empty: an artifact is written once, into a folder of its own.")
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / MANIFEST).write_bytes(listing)
    return complete


def load(folder: Path) -> Artifact:
    """The artifact in a folder, whoever wrote it. Each file is read once.

    Raises:
        ModelError: a file is missing, altered or not listed (a pickle, say), or the manifest is none. Names the file.
    """
    try:
        entries = sorted(folder.iterdir())
        strange = [entry.name for entry in entries if entry.is_symlink() or not entry.is_file()]
        if strange:
            raise ModelError(f"{folder} holds {', '.join(strange)}: expected files and nothing else.")
        contents = {entry.name: entry.read_bytes() for entry in entries}
    except OSError as error:
        raise ModelError(f"{folder} cannot be read as a model's artifact: {error}.") from error
    return assemble(contents, str(folder))


def assemble(contents: Mapping[str, bytes], where: str) -> Artifact:
    """The artifact made of these files, name -> content; `where` is its name in errors.

    Raises:
        ModelError: see `load`.
    """
    if MANIFEST not in contents:
        raise ModelError(f"{where} holds no {MANIFEST}: it is no artifact of Nightjar.")
    manifest = from_json(contents[MANIFEST], f"{where}: {MANIFEST}")
    unlisted = sorted(contents.keys() - manifest.files.keys() - {MANIFEST})
    if unlisted:
        raise ModelError(f"{where} holds {', '.join(unlisted)}, not listed in its manifest. Nothing was opened.")
    for name, expected in manifest.files.items():
        _require_unaltered(contents, name, expected, where)
    return Artifact(where, manifest, {name: contents[name] for name in manifest.files})


def _require_unaltered(contents: Mapping[str, bytes], name: str, expected: str, where: str) -> None:
    if name not in contents:
        raise ModelError(f"{where} lacks {name}, which its manifest lists. Nothing was opened.")
    actual = _sha256(contents[name])
    if actual != expected:
        raise ModelError(f"{where}: {name} was altered: its SHA-256 is {actual}, the manifest says {expected}.")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
