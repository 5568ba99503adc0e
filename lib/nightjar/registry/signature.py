"""An Ed25519 signature (RFC 8032) over a whole folder, together with the model's project, name and version.

`signature.json` is in the folder and covers every file but itself, MLflow's own included, because a forged `MLmodel`
could name another loader. The signed message is the statement in canonical JSON:

    {"files": {"MLmodel": "<SHA-256>", ...}, "format": 1, "model_name": ..., "project": ..., "version": ...}
"""

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from nightjar.errors import ModelError
from nightjar.registry.keys import fingerprint

FORMAT = 1
SIGNATURE = "signature.json"
PURPOSE = b"nightjar model signature\n"
"""The prefix of every signed message: no signature made for another purpose passes for one of a model."""
NEVER_READ = frozenset({"registered_model_meta"})
"""The file that MLflow adds to a folder fetched by its name in the registry; it repeats the request only."""


@dataclass(frozen=True)
class Subject:
    """The identity of a model: its project, the candidate's name in the search, and the registered version."""

    project: str
    model_name: str
    version: str

    def __str__(self) -> str:
        return f"version {self.version} of model {self.project} ({self.model_name})"


def sign(folder: Path, subject: Subject, key: Ed25519PrivateKey) -> None:
    """Sign all files of a folder as this model.

    Raises:
        ModelError: the folder is signed already, or holds links or other entries that are no files.
    """
    names = list(_names(folder))
    if SIGNATURE in names:
        raise ModelError(f"{folder} is signed already: a version is signed once, where it is made.")
    statement = {"format": FORMAT, **asdict(subject), "files": {name: _sha256(_read(folder, name)) for name in names}}
    signed = {
        "statement": statement,
        "key": fingerprint(key.public_key()),
        "signature": base64.b64encode(key.sign(_message(statement))).decode("ascii"),
    }
    (folder / SIGNATURE).write_text(json.dumps(signed, indent=2) + "\n", encoding="utf-8")


def verify(folder: Path, subject: Subject, key: Ed25519PublicKey) -> dict[str, bytes]:
    """Verify a folder's signature; return every signed file's content by its path within the folder, uninterpreted.

    Each file is read once, so that the returned content is the verified one.

    Raises:
        ModelError: the folder is unsigned, signed by another key or as another model, or differs from the signed
            files in names or content. The message names the differences.
    """
    where = f"{subject} in {folder}"
    names = set(_names(folder))
    if SIGNATURE not in names:
        raise ModelError(f"{where} is not signed: it holds no {SIGNATURE}. Nothing in it was opened. Train it again.")
    statement = _verify_statement(_read(folder, SIGNATURE), key, where)
    _require_subject(statement, subject, where)
    expected: Mapping[str, str] = statement["files"]
    present = names - {SIGNATURE} - NEVER_READ
    differences = [f"{name} was added" for name in sorted(present - expected.keys())]
    differences += [f"{name} is missing" for name in sorted(expected.keys() - present)]
    if not differences:
        contents = {name: _read(folder, name) for name in sorted(present)}
        differences = [f"{name} was altered" for name, one in contents.items() if _sha256(one) != expected[name]]
    if differences:
        raise ModelError(
            f"{where} differs from what was signed: {'; '.join(differences)}. Nothing in it was opened. Restore the "
            "folder, or train again."
        )
    return contents


def _verify_statement(content: bytes, key: Ed25519PublicKey, where: str) -> dict[str, Any]:
    """The statement in the signature's file, if the key has signed it."""
    try:
        signed = json.loads(content.decode("utf-8"))
        statement, by = dict(signed["statement"]), str(signed["key"])
        signature = base64.b64decode(signed["signature"], validate=True)
        message = _message(statement)
    except (ValueError, TypeError, KeyError, RecursionError, binascii.Error) as error:
        raise ModelError(f"{where}: {SIGNATURE} is no signature of ours: {error!r}. Nothing was opened.") from error
    if by != fingerprint(key):
        raise ModelError(
            f"{where}: {SIGNATURE} says that key {by[:12]} has signed it, but it is checked by key "
            f"{fingerprint(key)[:12]}. Nothing in it was opened. If the other key is to be trusted, name its file: "
            "environment.public_key=PATH."
        )
    try:
        key.verify(signature, message)
    except InvalidSignature as error:
        raise ModelError(
            f"{where}: {SIGNATURE} was altered: its signature is not of what it states. Nothing was opened."
        ) from error
    return statement


def _require_subject(statement: Mapping[str, Any], subject: Subject, where: str) -> None:
    """Check that a verified statement, whose shape is ours, is of the requested model."""
    if statement["format"] != FORMAT:
        raise ModelError(f"{where}: {SIGNATURE} is of format {statement['format']!r}: this Nightjar reads {FORMAT}.")
    signed_as = Subject(statement["project"], statement["model_name"], statement["version"])
    if signed_as != subject:
        raise ModelError(f"{where} is signed as {signed_as}: it lies in the wrong place. Nothing in it was opened.")


def _names(folder: Path, within: str = "") -> Iterator[str]:
    """The path of every file, and of every empty folder with "/" at its end; parts are separated by "/".

    Raises:
        ModelError: an entry is neither a file nor a folder, such as a link.
    """
    with os.scandir(folder / within) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    if within and not ordered:
        yield f"{within}/"
    for entry in ordered:
        name = f"{within}/{entry.name}" if within else entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from _names(folder, name)
        elif entry.is_file(follow_symlinks=False):
            yield name
        else:
            raise ModelError(f"{folder} holds {name!r}, a link or no file at all. Nothing in it was opened.")


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise ModelError(f"{folder / name} cannot be read: {error}. Nothing was opened.") from error


def _message(statement: Mapping[str, Any]) -> bytes:
    """The statement's canonical form: keys in order, no spaces, ASCII."""
    return PURPOSE + json.dumps(statement, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
