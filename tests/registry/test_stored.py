"""Models and a warehouse that an earlier revision stored (tests/registry/stored) score now as they did then.

They were stored by the revision before the modules of models/ were put into packages: a stored model names the classes
that it is made of, so it has to open whatever their modules are called now. Boosters were stored once they had native
categories, several classes and the rows of their nodes. make_stored.py made the models; the warehouse and the home are
those of the tests' project after its history and both nights, without the private key.
"""

import json
import shutil
import tarfile
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

import builders
from builders import rows_of
from nightjar.registry import keys, verified
from nightjar.registry.signature import Subject
from nightjar.scoring.score import score
from nightjar.tables.warehouse import Warehouse
from registry.make_stored import BOOSTERS, KINDS, PREPARED, STORED


def unpacked(name: str, folder: Path) -> Path:
    with tarfile.open(STORED / f"{name}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    return {name: unpacked(name, tmp_path_factory.mktemp(name)) for name in ("models", "boosters")}


@pytest.mark.parametrize(
    ("archive", "name"), [("models", name) for name in KINDS + PREPARED] + [("boosters", name) for name in BOOSTERS]
)
def test_a_stored_model_scores_as_it_did_when_it_was_stored(archives, archive, name):
    """Up to the order in which another processor's matrix products add."""
    models = archives[archive]
    key = load_pem_public_key((models / keys.PUBLIC).read_bytes())
    expected = json.loads((models / f"{name}.json").read_text())

    predictor = verified.check(models / name, Subject("machines", name, "1"), key).open()

    scores = predictor.predict(pa.table(expected["rows"]))
    assert np.ptp(expected["scores"], axis=0).max() > 0 or name == "majority"
    np.testing.assert_allclose(scores, expected["scores"], rtol=1e-13)


def test_a_stored_warehouse_is_scored_by_its_champion(spark, tmp_path):
    """The scores are removed, and those of the last night made again: ids and scores are the same."""
    folder = unpacked("warehouse", tmp_path)
    warehouse = Warehouse(str(folder / "warehouse"), "machines")
    environment = builders.quick_environment(warehouse=warehouse.root, home=str(folder / "home"))
    before = rows_of(warehouse, "scores", "run_date", "prediction_id", "score", "model_name")
    shutil.rmtree(warehouse.path("scores"))
    project = builders.machines(folder / "data")

    score(lambda: spark, warehouse, project, date(2024, 4, 2), "again", environment, retrospective=False)

    assert rows_of(warehouse, "scores", "run_date", "prediction_id", "score", "model_name") == before[5:]
