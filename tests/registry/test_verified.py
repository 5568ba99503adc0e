"""What is to be scored with is refused, before anything in it is executed, unless all of it is as it was signed."""

import json
import os
import pickle
import shutil
from base64 import b64encode
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
import skops.io
from deltalake import write_deltalake

from nightjar.errors import ModelError
from nightjar.registry import keys, signature, tracking, verified
from nightjar.registry.inspection import inspect
from nightjar.registry.signature import Subject
from nightjar.settings.environment import Environment
from registry.conftest import FIRST, OTHER, SECOND
from registry.made import ROWS, Boom, fit_small, plant, rewrite_manifest
from registry.test_artifacts import UNLISTED

OURS = "data/artifact"
FILES = (
    "MLmodel",
    "conda.yaml",
    "python_env.yaml",
    "requirements.txt",
    f"{OURS}/manifest.json",
    f"{OURS}/estimator.skops",
    f"{OURS}/preparation.skops",
)


def assert_refused(folder, key, message, subject=FIRST):
    with pytest.raises(ModelError, match=message) as error:
        verified.check(folder, subject, key)
    assert "opened" in str(error.value)


def sign_again(folder, registered, subject=FIRST):
    """What only the holder of the private key can do."""
    (folder / "signature.json").unlink()
    signature.sign(folder, subject, keys.signing_key(registered.home))
    return folder


def forge_signature(folder, **changes):
    path = folder / "signature.json"
    signed = json.loads(path.read_text())
    path.write_text(json.dumps(signed | {"statement": signed["statement"] | changes}))


def test_a_registered_version_predicts_the_same_to_the_last_bit(registered):
    artifact = verified.load(registered.environment, SECOND)

    assert (artifact.manifest.project, artifact.manifest.model_name) == ("machines", "logistic-1")
    assert np.array_equal(artifact.open().predict(ROWS), fit_small().predict(ROWS))


def test_the_signature_covers_every_file_in_the_folder_but_itself(stored):
    files = {str(path.relative_to(stored)) for path in stored.rglob("*") if path.is_file()}
    statement = json.loads((stored / "signature.json").read_text())["statement"]
    assert files == {*FILES, "signature.json"}
    assert set(statement["files"]) == set(FILES)
    assert (statement["project"], statement["model_name"], statement["version"]) == ("machines", "logistic-1", "1")


@pytest.mark.parametrize("name", FILES)
def test_every_file_must_be_there_to_the_last_bit(name, stored, registered):
    path = stored / name
    content = path.read_bytes()
    for altered in (content[:-1], content + b"\n", bytes([content[0] ^ 1]) + content[1:], b"\xff\xfe", b""):
        path.write_bytes(altered)
        assert_refused(stored, registered.key, f"differs from what was signed: {name} was altered")
    path.unlink()
    assert_refused(stored, registered.key, f"differs from what was signed: {name} is missing")


@pytest.mark.parametrize(
    "name", ["model.pkl", "registered_model_meta.py", "data/artifact/model.pkl", "code/evil.py", "data/MLmodel"]
)
def test_a_planted_pickle_is_named_and_never_opened(name, stored, registered, tmp_path):
    (stored / name).parent.mkdir(exist_ok=True)
    (stored / name).write_bytes(pickle.dumps(Boom(tmp_path / "trace")))

    assert_refused(stored, registered.key, f"differs from what was signed: {name} was added")

    assert not (tmp_path / "trace").exists()


def test_an_empty_folder_is_an_addition_too(stored, registered):
    (stored / "data" / "more").mkdir()
    assert_refused(stored, registered.key, "data/more/ was added")


def test_a_forged_mlmodel_that_names_another_loader_is_refused_though_all_else_is_intact(stored, registered):
    text = (stored / "MLmodel").read_text()
    forged = text.replace("loader_module: nightjar.registry.pyfunc", "loader_module: os.path")
    assert forged != text
    (stored / "MLmodel").write_text(forged)

    assert_refused(stored, registered.key, "MLmodel was altered")


def test_a_replaced_estimator_with_its_hash_in_the_manifest_is_refused(stored, registered, tmp_path):
    plant(stored / OURS, "estimator.skops", pickle.dumps(Boom(tmp_path / "trace")))

    assert_refused(stored, registered.key, r"estimator\.skops was altered; data/artifact/manifest\.json was altered")

    assert not (tmp_path / "trace").exists()


def test_an_unsigned_folder_is_refused(stored, registered):
    (stored / "signature.json").unlink()
    assert_refused(stored, registered.key, r"version 1 of model machines \(logistic-1\) .* is not signed")


def test_a_signature_by_another_key_is_refused_with_the_names_of_both_keys(stored, registered, tmp_path):
    other = keys.signing_key(tmp_path / "other")
    (stored / "signature.json").unlink()
    signature.sign(stored, FIRST, other)

    theirs, ours = (keys.fingerprint(key)[:12] for key in (other.public_key(), registered.key))
    assert_refused(
        stored,
        registered.key,
        f"signature.json says that key {theirs} has.*checked by key {ours}.*environment.public_key",
    )
    verified.check(stored, FIRST, other.public_key())


def test_a_signature_by_another_key_that_claims_to_be_ours_is_refused(stored, registered, tmp_path):
    (stored / "signature.json").unlink()
    signature.sign(stored, FIRST, keys.signing_key(tmp_path / "other"))
    signed = json.loads((stored / "signature.json").read_text())
    (stored / "signature.json").write_text(json.dumps(signed | {"key": keys.fingerprint(registered.key)}))

    assert_refused(stored, registered.key, r"signature\.json was altered: its signature is not of what it states")


@pytest.mark.parametrize(
    "changes",
    [{"version": "2"}, {"project": "lamps"}, {"model_name": "x"}, {"files": {}}, {"format": 2}, {"more": 1}],
    ids=str,
)
def test_a_statement_changed_after_signing_is_refused(changes, stored, registered):
    forge_signature(stored, **changes)
    assert_refused(stored, registered.key, r"signature\.json was altered: its signature is not of what it states")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"statement": 1, "key": "", "signature": ""}',
        b'{"statement": {}, "key": "", "signature": "not base 64"}',
        b'{"statement": {"a": NaN}, "key": "", "signature": ""}',
    ],
    ids=lambda one: one[:20],
)
def test_a_signature_of_another_shape_is_refused(content, stored, registered):
    (stored / "signature.json").write_bytes(content)
    assert_refused(stored, registered.key, r"signature\.json is no signature of ours")


def test_an_empty_statement_that_states_nothing_is_not_signed_by_anyone(stored, registered):
    empty = {"statement": {}, "key": keys.fingerprint(registered.key), "signature": b64encode(b"0" * 64).decode()}
    (stored / "signature.json").write_text(json.dumps(empty))
    assert_refused(stored, registered.key, "its signature is not of what it states")


def test_the_signature_of_another_version_is_refused(stored, registered):
    """The files of both versions differ in MLflow's MLmodel alone."""
    shutil.copy(registered.folder(SECOND) / "signature.json", stored)
    assert_refused(stored, registered.key, r"signed as version 2 of model machines")


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (SECOND, r"version 1 of model machines .* signed as version 2 of model machines"),
        (OTHER, r"version 1 of model machines .* signed as version 1 of model lamps"),
    ],
)
def test_another_signed_model_put_in_the_place_of_this_one_is_refused(other, message, registered):
    assert_refused(registered.folder(other), registered.key, message)


def test_another_candidate_of_the_same_name_is_refused(registered):
    assert_refused(registered.folder(FIRST), registered.key, "signed as", replace(FIRST, model_name="boosting-1"))


def test_a_signed_manifest_that_says_it_is_another_model_is_refused(stored, registered):
    rewrite_manifest(stored / OURS, project="lamps")
    assert_refused(
        sign_again(stored, registered), registered.key, "says in its manifest that it is version 1 of model lamps"
    )


@pytest.mark.parametrize("name", ["MLmodel", "data/artifact/estimator.skops", "signature.json", "more", "data"])
def test_a_link_is_refused_even_to_the_very_same_content(name, stored, registered, tmp_path):
    source = stored / name if (stored / name).exists() else stored / "MLmodel"
    moved = source.rename(tmp_path / "moved") if name != "more" else source
    (stored / name).symlink_to(moved)

    assert_refused(stored, registered.key, f"holds '{name}', a link or no file at all")


def test_a_pipe_is_refused_without_waiting_for_it(stored, registered):
    (stored / "MLmodel").unlink()
    os.mkfifo(stored / "MLmodel")
    assert_refused(stored, registered.key, "holds 'MLmodel', a link or no file at all")


def test_a_link_or_a_second_signature_is_not_signed(stored, registered):
    key = keys.signing_key(registered.home)
    with pytest.raises(ModelError, match="is signed already"):
        signature.sign(stored, FIRST, key)
    (stored / "signature.json").unlink()
    (stored / "more").symlink_to("/etc/hostname")
    with pytest.raises(ModelError, match="'more', a link"):
        signature.sign(stored, FIRST, key)


def test_what_mlflow_adds_when_it_fetches_is_neither_covered_nor_read(stored, registered):
    (stored / "registered_model_meta").write_bytes(b"\xff anything")
    artifact = verified.check(stored, FIRST, registered.key)
    assert set(artifact.files) == {"preparation.skops", "estimator.skops"}


def test_an_unlisted_type_is_refused_though_it_is_signed(stored, registered):
    plant(stored / OURS, "estimator.skops", skops.io.dumps(UNLISTED[0]))
    artifact = verified.check(sign_again(stored, registered), FIRST, registered.key)
    with pytest.raises(ModelError, match=rf"estimator\.skops holds .*{UNLISTED[1]}"):
        artifact.open()


@pytest.fixture
def with_features(warehouse):
    """A warehouse whose features are those that the registered models read."""
    write_deltalake(warehouse.path("features"), ROWS)
    return warehouse


def test_only_what_is_wrong_with_the_files_is_a_refusal(registered, with_features, tmp_path):
    """Where they cannot be fetched, or there is no key, nothing can be said of them."""
    environment, night = registered.environment, date(2024, 4, 2)
    wrong = inspect(environment, with_features, replace(FIRST, model_name="other"), night)
    assert list(wrong) == ["refusal"]
    assert "is signed as version 1 of model machines (logistic-1)" in wrong["refusal"]
    with pytest.raises(ModelError, match="Version 99 of model machines cannot be fetched"):
        inspect(environment, with_features, replace(FIRST, version="99"), night)
    with pytest.raises(ModelError, match="There is no public key"):
        inspect(replace(environment, public_key=str(tmp_path / "none.pub")), with_features, FIRST, night)


def test_the_registered_folder_itself_is_checked_and_the_package_versions_with_it(registered, stored, with_features):
    """Altered in place, and put back."""
    folder = registered.folder(FIRST)
    packages = verified.manifest(registered.environment, FIRST).packages
    backup = shutil.move(folder, f"{folder}-kept")
    try:
        shutil.copytree(backup, folder)
        (folder / "MLmodel").write_text("flavors: {}")
        with pytest.raises(ModelError, match="MLmodel was altered"):
            verified.load(registered.environment, FIRST)
        shutil.copy(f"{backup}/MLmodel", folder)
        rewrite_manifest(folder / OURS, packages=packages | {"numpy": "1.2.3"})
        sign_again(folder, registered)
        with pytest.raises(ModelError, match=r"numpy 1\.2\.3, but here .* Nothing was opened"):
            verified.load(registered.environment, FIRST)
        assert verified.manifest(registered.environment, FIRST).packages["numpy"] == "1.2.3"
        opened_elsewhere = inspect(registered.environment, with_features, FIRST, date(2024, 4, 2))
        assert (opened_elsewhere["refusal"], opened_elsewhere["data_age_days"]) == (None, 3)
        assert opened_elsewhere["schema_differences"] == []
    finally:
        shutil.rmtree(folder)
        shutil.move(backup, folder)
    assert verified.load(registered.environment, FIRST).manifest.packages == packages


def test_fetching_leaves_the_stored_folder_as_it_is(registered):
    before = {path: path.stat().st_mtime_ns for path in registered.folder(OTHER).rglob("*")}
    verified.load(registered.environment, OTHER)
    assert {path: path.stat().st_mtime_ns for path in registered.folder(OTHER).rglob("*")} == before


def test_without_a_public_key_nothing_is_fetched_and_none_is_made(tmp_path):
    with pytest.raises(ModelError, match="There is no public key"):
        verified.load(Environment(home=str(tmp_path / "home")), FIRST)
    assert not (tmp_path / "home").exists()


def test_a_version_that_is_not_there_is_an_error_that_names_the_home(registered):
    message = "Version 99 of model machines cannot be fetched from MLflow in .*home.*Is environment.home the one"
    with pytest.raises(ModelError, match=message):
        verified.load(registered.environment, Subject("machines", "logistic-1", "99"))


def test_a_version_whose_training_stopped_before_it_was_stored_is_refused(registered):
    """As between the version's number and its signed folder."""
    client = tracking.connect(registered.home)
    client.create_registered_model("halfway")
    model = client.create_logged_model(client.get_experiment_by_name("machines").experiment_id, name="model")
    client.create_model_version("halfway", f"models:/{model.model_id}", model_id=model.model_id)
    with pytest.raises(ModelError, match="Version 1 of model halfway cannot be fetched"):
        verified.load(registered.environment, Subject("halfway", "logistic-1", "1"))
