"""MLflow's database is never made anew where models are known, nor waited for or used where it is damaged."""

import shutil
from pathlib import Path

import pytest

from nightjar.errors import ModelError
from nightjar.registry import database, lookup, tracking
from registry.conftest import never


def record(home: Path, newest: str | None) -> None:
    with tracking.record_search(home, "machines", "s", {}, never, newest):
        pass


USES = {
    "fetch": lambda home: lookup.fetch(home, "machines", "1"),
    "promote": lambda home: tracking.require_version(home, "machines", "1"),
    "train": lambda home: record(home, "1"),
}


def folder(path):
    path.unlink()
    path.mkdir()


DAMAGES = {
    "missing": (lambda path: path.unlink(), "There is no MLflow database"),
    "a folder": (folder, "is damaged: unable to open database file"),
    "empty": (lambda path: path.write_bytes(b""), "is damaged: it holds no table of MLflow's"),
    "cut off": (lambda path: path.write_bytes(path.read_bytes()[:-4096]), "is damaged: "),
    "garbled": (lambda path: path.write_bytes(b"no database" * 1000), "is damaged: file is not a database"),
}


@pytest.fixture
def home(registered, tmp_path):
    """A home with a copy of the database, and a fresh MLflow for it."""
    shutil.copy(registered.home / database.NAME, tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("use", USES)
def test_a_missing_or_damaged_database_is_told_with_its_path_and_stays_as_it_is(home, damage, use):
    harm, message = DAMAGES[damage]
    harm(home / database.NAME)
    before = sorted(home.iterdir())
    with pytest.raises(ModelError, match=message) as stated:
        USES[use](home)
    assert f"{home / database.NAME}" in str(stated.value)
    assert "docs/runbook.md, MLflow's database" in str(stated.value)
    assert sorted(home.iterdir()) == before


def test_a_damaged_database_is_no_reason_for_a_first_training_to_make_another(home):
    (home / database.NAME).write_bytes(b"no database" * 1000)
    with pytest.raises(ModelError, match="is damaged: file is not a database"):
        record(home, None)


def test_a_database_that_does_not_know_the_newest_version_is_an_older_or_another_one(home):
    """A training there would give the number of a model that holds to another."""
    with pytest.raises(ModelError, match=r"does not know version 3 of model machines: .*an older or a new one"):
        record(home, "3")
