"""A home that was moved or copied: we read models from where it is now, and once it has trained there, MLflow does."""

import logging
import shutil
import stat
from dataclasses import replace
from pathlib import Path

import mlflow
import pytest

from nightjar.errors import ModelError
from nightjar.registry import keys, lookup, tracking, verified
from registry.conftest import FIRST, OTHER, never
from registry.made import ABOUT, fit_small


@pytest.fixture
def copy(registered, tmp_path):
    """The environment of a copy of the home."""
    shutil.copytree(registered.home, tmp_path / "copy")
    return replace(registered.environment, home=str(tmp_path / "copy"))


def train_again(home):
    """The version that another training in a home has registered."""
    with tracking.record_search(home, "machines", "another", {}, never) as run:
        tracking.attach(run, {})
        return tracking.register(run, {}, fit_small(), ABOUT, keys.signing_key(home))


@pytest.mark.slow
def test_a_copy_reads_its_own_files_although_the_original_is_still_there(copy, registered):
    artifact = verified.load(copy, FIRST)
    assert artifact.where.endswith(f"in {lookup.fetch(Path(copy.home), 'machines', FIRST.version)}")
    assert copy.home in artifact.where
    for file in Path(copy.home).glob("mlartifacts/models/*/artifacts/MLmodel"):
        file.write_text("flavors: {}")
    with pytest.raises(ModelError, match="MLmodel was altered"):
        verified.load(copy, FIRST)
    assert verified.load(registered.environment, FIRST).manifest == artifact.manifest


def test_a_copy_that_is_not_whole_is_told_and_the_original_not_read(copy):
    shutil.rmtree(Path(copy.home) / "mlartifacts")
    with pytest.raises(ModelError, match=r"there is no folder .*copy/mlartifacts/models/m-.*a whole copy of it\?"):
        verified.load(copy, FIRST)


def test_a_home_that_is_moved_twice_trains_and_loads_with_its_first_place_gone(copy, tmp_path, caplog):
    with caplog.at_level(logging.INFO, "nightjar.registry"):
        second = train_again(Path(copy.home))
    (message,) = [record.getMessage() for record in caplog.records if "this home was moved" in record.getMessage()]
    assert "home/mlartifacts is in file:" in message
    home = Path(copy.home).rename(tmp_path / "moved")
    moved = replace(copy, home=str(home))
    for subject in (FIRST, OTHER, replace(FIRST, version=second)):
        assert verified.load(moved, subject).open().features == fit_small().features
    third = train_again(home)
    for version in (FIRST.version, second, third):  # MLflow's own way, by what its database says
        client = tracking.connect(home)
        where = client.get_model_version_download_uri("machines", version)
        assert Path(mlflow.artifacts.download_artifacts(where)) == lookup.fetch(home, "machines", version)
    run = client.get_model_version("machines", FIRST.version).run_id
    assert client.get_run(run).info.artifact_uri.startswith((home / "mlartifacts").as_uri())
    caplog.clear()
    with caplog.at_level(logging.INFO, "nightjar.registry"):
        train_again(home)
    assert "this home was moved" not in caplog.text


@pytest.mark.parametrize("name", ["100% ours", "gr\u00f6\u00dfe [*]", "a+b&c=d"])
def test_a_home_may_have_an_odd_name(copy, tmp_path, name):
    """What is made there stays there: no folder appears beside it."""
    home = Path(copy.home).rename(tmp_path / name)
    version = train_again(home)
    assert verified.load(replace(copy, home=str(home)), replace(FIRST, version=version)).open()
    assert [one.name for one in tmp_path.iterdir()] == [name]


def test_a_home_is_for_its_user_alone(registered):
    assert stat.S_IMODE(registered.home.stat().st_mode) == 0o700
