"""What is read from MLflow's database is what MLflow says, and MLflow is loaded only where something is amiss."""

import shutil
import sqlite3
import subprocess
import sys

import pytest

from nightjar.errors import ModelError
from nightjar.registry import lookup, tracking
from registry.conftest import FIRST, SECOND

LOADED = """
import sys
import nightjar.pipeline.execution, nightjar.registry.aliases, nightjar.scoring.score
import nightjar.models.serialization.predictor_files
print([name for name in ("mlflow", "sqlalchemy", "numba", "torch", "ray", "lightgbm") if name in sys.modules])
"""


@pytest.fixture
def home(registered, tmp_path):
    """A copy of the home with two versions, of which the second is named the champion."""
    copy = shutil.copytree(registered.home, tmp_path / "home")
    tracking.set_alias(copy, "machines", "champion", "2")
    return copy


def amiss(*_):
    raise sqlite3.OperationalError("no such table: model_versions")


def test_versions_and_aliases_are_those_that_mlflow_knows_whatever_its_tables_are_like(home, monkeypatch):
    def answers():
        folders = [lookup.fetch(home, one.project, one.version) for one in (FIRST, SECOND)]
        aliases = [lookup.find_alias(home, *one) for one in (("machines", "champion"), ("machines", "x"), ("x", "x"))]
        return folders, aliases

    by_tables = answers()
    monkeypatch.setattr(lookup, "_first_row", amiss)
    assert answers() == by_tables
    assert by_tables[1] == ["2", None, None]
    assert all(folder.is_dir() for folder in by_tables[0])


@pytest.mark.parametrize("version", ["7", "none", "1"])
def test_a_version_that_is_not_there_or_was_deleted_is_told_in_the_words_of_mlflow(home, version):
    tracking.connect(home).delete_model_version("machines", "1")
    with pytest.raises(
        ModelError, match=f"Version {version} of model machines cannot be fetched from MLflow in .*: .*"
    ):
        lookup.fetch(home, "machines", version)


@pytest.mark.starts_processes
def test_a_night_is_scored_without_loading_what_only_trainings_need():
    ran = subprocess.run([sys.executable, "-c", LOADED], check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == "[]"
