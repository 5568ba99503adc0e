"""An Ed25519 signature (RFC 8032) over a whole folder, together with whose model it is and which version of it.

`signature.json` lies in the folder and covers every file but itself, MLflow's own included: a forged `MLmodel` could
name another loader, and be no part of what we wrote. What is signed is the statement in canonical JSON:

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
"""What is signed begins with this: no signature made for something else can pass for one of a model."""
NEVER_READ = frozenset({"registered_model_meta"})
"""What MLflow adds to a folder when it is fetched by its name in the registry. It says what we knew when we asked."""


@dataclass(frozen=True)
class Subject:
    """Which model a folder is: the candidate's name in the search and the registered version of its project's model."""

    project: str
    model_name: str
    version: str

    def __str__(self) -> str:
        return f"version {self.version} of model {self.project} ({self.model_name})"


def sign(folder: Path, subject: Subject, key: Ed25519PrivateKey) -> None:
    """Sign all that lies in a folder, as this model.

    Raises:
        ModelError: the folder is signed already, or holds links or other things that are no files.
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


def verified(folder: Path, subject: Subject, key: Ed25519PublicKey) -> dict[str, bytes]:
    """The content of every signed file, by its path within the folder; nothing is interpreted.

    Each file is read once: what is returned is what was checked.

    Raises:
        ModelError: the folder is unsigned, signed by another key or as another model, or holds other files than were
            signed, or others' content. Names what differs.
    """
    where = f"{subject} in {folder}"
    names = set(_names(folder))
    if SIGNATURE not in names:
        raise ModelError(f"{where} is not signed: it holds no {SIGNATURE}. Nothing in it was opened. Train it again.")
    statement = _signed_statement(_read(folder, SIGNATURE), key, where)
    _require_subject(statement, subject, where)
    expected: Mapping[str, str] = statement["files"]
    found = names - {SIGNATURE} - NEVER_READ
    differences = [f"{name} was added" for name in sorted(found - expected.keys())]
    differences += [f"{name} is missing" for name in sorted(expected.keys() - found)]
    if not differences:
        contents = {name: _read(folder, name) for name in sorted(found)}
        differences = [f"{name} was altered" for name, one in contents.items() if _sha256(one) != expected[name]]
    if differences:
        raise ModelError(
            f"{where} differs from what was signed: {'; '.join(differences)}. Nothing in it was opened. Restore the "
            "folder, or train again."
        )
    return contents


def _signed_statement(content: bytes, key: Ed25519PublicKey, where: str) -> dict[str, Any]:
    """What the signature's file states, if the key has signed it."""
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
    """What the key has signed has our shape: what remains to ask is whether it is what was asked for."""
    if statement["format"] != FORMAT:
        raise ModelError(f"{where}: {SIGNATURE} is of format {statement['format']!r}: this Nightjar reads {FORMAT}.")
    signed_as = Subject(statement["project"], statement["model_name"], statement["version"])
    if signed_as != subject:
        raise ModelError(f"{where} is signed as {signed_as}: it lies in the wrong place. Nothing in it was opened.")


def _names(folder: Path, within: str = "") -> Iterator[str]:
    """The path of every file, with "/" between its parts; of an empty folder too, with "/" at its end.

    Raises:
        ModelError: something is neither a file nor a folder, but a link, say.
    """
    with os.scandir(folder / within) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    if within and not found:
        yield f"{within}/"
    for entry in found:
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
    """The statement's only spelling: keys in order, no spaces, ASCII."""
    return PURPOSE + json.dumps(statement, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
