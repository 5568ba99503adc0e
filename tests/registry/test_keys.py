"""The key pair of a home: made once, private to its owner; checking never makes one."""

import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from nightjar.errors import ModelError
from nightjar.registry.keys import fingerprint, public_key, signing_key
from nightjar.settings.environment import Environment
from waiting import PATIENCE


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def pems(private) -> tuple[bytes, bytes]:
    public = private.public_key()
    return (
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    )


def test_the_first_call_makes_a_pair_that_every_later_one_finds(tmp_path):
    private = signing_key(tmp_path / "home")

    folder = tmp_path / "home" / "keys"
    assert sorted(one.name for one in folder.iterdir()) == ["signing.pem", "signing.pub"]
    assert (mode(folder), mode(folder / "signing.pem")) == (0o700, 0o600)
    assert signing_key(tmp_path / "home").private_bytes_raw() == private.private_bytes_raw()
    public = public_key(Environment(home=str(tmp_path / "home")))
    assert public.public_bytes_raw() == private.public_key().public_bytes_raw()


def test_two_homes_have_different_keys(tmp_path):
    assert signing_key(tmp_path / "a").private_bytes_raw() != signing_key(tmp_path / "b").private_bytes_raw()


def test_calls_at_once_make_one_pair(tmp_path):
    private_keys, together = [], threading.Barrier(8, timeout=PATIENCE)

    def ask():
        together.wait()
        private_keys.append(signing_key(tmp_path).private_bytes_raw())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)

    assert len(private_keys) == 8
    assert len(set(private_keys)) == 1
    assert sorted(one.name for one in (tmp_path / "keys").iterdir()) == ["signing.pem", "signing.pub"]


def test_a_public_key_that_was_lost_is_written_anew(tmp_path):
    private = signing_key(tmp_path)
    (tmp_path / "keys" / "signing.pub").unlink()

    signing_key(tmp_path)

    assert fingerprint(public_key(Environment(home=str(tmp_path)))) == fingerprint(private.public_key())


def test_a_public_key_of_another_pair_beside_the_private_one_is_refused_before_anything_is_signed(tmp_path):
    signing_key(tmp_path)
    (tmp_path / "keys" / "signing.pub").write_bytes(pems(Ed25519PrivateKey.generate())[1])

    with pytest.raises(ModelError, match=r"signing\.pub is not the public key of signing\.pem"):
        signing_key(tmp_path)


@pytest.mark.parametrize(("name", "loose"), [("keys", 0o750), ("keys/signing.pem", 0o640)])
def test_a_private_key_that_others_can_reach_is_refused(name, loose, tmp_path):
    signing_key(tmp_path)
    (tmp_path / name).chmod(loose)

    with pytest.raises(ModelError, match=rf"{name} has the permissions {loose:04o}.*chmod go="):
        signing_key(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no key", "holds no private key"),
        (b"", "holds no private key"),
        (pems(Ed25519PrivateKey.generate())[1], "holds no private key"),
        (pems(rsa.generate_private_key(65537, 2048))[0], "holds a private key of another kind"),
    ],
    ids=["text", "empty", "public", "rsa"],
)
def test_a_private_file_that_is_no_ed25519_key_is_refused_and_kept(content, message, tmp_path):
    signing_key(tmp_path)
    path = tmp_path / "keys" / "signing.pem"
    path.write_bytes(content)

    with pytest.raises(ModelError, match=rf"signing\.pem {message}"):
        signing_key(tmp_path)

    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no key", "holds no public key"),
        (b"", "holds no public key"),
        (pems(Ed25519PrivateKey.generate())[0], "holds no public key"),
        (pems(rsa.generate_private_key(65537, 2048))[1], "holds a public key of another kind"),
    ],
    ids=["text", "empty", "private", "rsa"],
)
def test_a_named_file_that_is_no_ed25519_public_key_is_refused(content, message, tmp_path):
    (tmp_path / "named.pub").write_bytes(content)

    with pytest.raises(ModelError, match=rf"named\.pub {message}"):
        public_key(Environment(public_key=str(tmp_path / "named.pub")))


def test_a_named_key_goes_before_the_home_s_own(tmp_path):
    signing_key(tmp_path / "home")
    other = signing_key(tmp_path / "other")
    named = Environment(home=str(tmp_path / "home"), public_key=str(tmp_path / "other" / "keys" / "signing.pub"))

    assert fingerprint(public_key(named)) == fingerprint(other.public_key())


@pytest.mark.parametrize("named", [None, "nowhere.pub"])
def test_checking_never_makes_a_key(named, tmp_path):
    named = named and str(tmp_path / named)
    environment = Environment(home=str(tmp_path / "home"), public_key=named)

    with pytest.raises(ModelError, match=r"no public key .*(signing|nowhere)\.pub: no model can be checked"):
        public_key(environment)

    assert list(tmp_path.iterdir()) == []


def test_an_empty_name_is_no_key():
    with pytest.raises(ValueError, match="public_key"):
        Environment(public_key=" ")
