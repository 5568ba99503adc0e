"""The Ed25519 key pair of a home: the private key signs the models trained here, the public key verifies them.

<home>/keys/            for its owner alone (0700)
    signing.pem         the private key, PKCS #8 (0600); made when a model is first to be signed
    signing.pub         the public key, SubjectPublicKeyInfo
"""

import hashlib
import os
import uuid
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from nightjar.errors import ModelError
from nightjar.settings.environment import Environment

FOLDER = "keys"
PRIVATE = "signing.pem"
PUBLIC = "signing.pub"


def signing_key(home: Path) -> Ed25519PrivateKey:
    """The private key of a home; the first call makes the pair. Two calls at once make one pair.

    Raises:
        ModelError: others than the owner can read it, it is no Ed25519 key, or the public key does not belong to it.
    """
    folder = home / FOLDER
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        if not (folder / PRIVATE).exists():
            _write_once(folder / PRIVATE, _private_pem(Ed25519PrivateKey.generate()), mode=0o600)
        _require_private(folder)
        _require_private(folder / PRIVATE)
        key = _read_private(folder / PRIVATE)
        _write_once(folder / PUBLIC, _public_pem(key.public_key()), mode=0o644)
    except OSError as error:
        raise ModelError(f"The key that signs models cannot be made or read in {folder}: {error}.") from error
    stored_key = _read_public(folder / PUBLIC)
    if fingerprint(stored_key) != fingerprint(key.public_key()):
        raise ModelError(
            f"{folder / PUBLIC} is not the public key of {PRIVATE} beside it: models signed now would be refused. "
            f"Put back the file that belongs to it, or remove {PUBLIC} to have it written anew."
        )
    return key


def public_key(environment: Environment) -> Ed25519PublicKey:
    """The key by which models are checked. It is never created here: a new key would fit no model.

    Raises:
        ModelError: there is none, or it is no Ed25519 public key.
    """
    path = Path(environment.public_key or Path(environment.home).absolute() / FOLDER / PUBLIC)
    if not path.is_file():
        raise ModelError(
            f"There is no public key {path}: no model can be checked, so none is opened. Training writes one into its "
            "own home; for models that were trained elsewhere, name theirs: environment.public_key=PATH."
        )
    return _read_public(path)


def fingerprint(key: Ed25519PublicKey) -> str:
    """The SHA-256 of a key's 32 bytes, in hexadecimal."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()


def _read_private(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ModelError(f"{path} holds no private key: expected an unencrypted Ed25519 key as PEM.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ModelError(f"{path} holds a private key of another kind: expected an Ed25519 key.")
    return key


def _read_public(path: Path) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise ModelError(f"{path} holds no public key: expected an Ed25519 public key as PEM.") from error
    if not isinstance(key, Ed25519PublicKey):
        raise ModelError(f"{path} holds a public key of another kind: expected an Ed25519 key.")
    return key


def _require_private(path: Path) -> None:
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise ModelError(
            f"{path} has the permissions {mode:04o}: others could read or replace the key that signs models. "
            f"Run: chmod go= {path}"
        )


def _private_pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _public_pem(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _write_once(path: Path, content: bytes, *, mode: int) -> None:
    """Write a whole file, unless one of this name exists: the first writer wins."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
    with open(draft, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
        file.write(content)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
