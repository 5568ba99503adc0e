"""The names of our classes in stored models. tests/registry/test_stored.py opens models with the names of before."""

import io
import json
import re
import zipfile

import pytest
from sklearn.base import BaseEstimator

import nightjar.models.fitting
from models.preparations import FEATURES, PREPARATIONS, frame_of
from nightjar.errors import ModelError
from nightjar.models import stored_types
from nightjar.models.boosters.booster import Booster
from nightjar.models.input_requirements import InputRequirement
from nightjar.models.preprocessing.preparation import preparation
from nightjar.models.serialization.skops_allowlist import dump, require_allowed_types
from nightjar.models.serialization.skops_files import SCHEMA
from nightjar.models.stored_types import FORMER_MODULES, STORED_ESTIMATORS, STORED_TRANSFORMERS
from nightjar.settings.task import Task

STORED = {**STORED_ESTIMATORS, **STORED_TRANSFORMERS}
NEWER = {"ClassRates", "CodesFirst", "LevelCodes", "TargetShares"}
"""Classes that were never stored by the names of their modules."""


def subclasses(of):
    return {one for direct in of.__subclasses__() for one in (direct, *subclasses(direct))}


def test_every_class_of_ours_that_is_fitted_has_a_stored_name():
    assert nightjar.models.fitting  # imports them all
    ours = {one for one in subclasses(BaseEstimator) if one.__module__.startswith("nightjar.")}
    of_files_of_their_own = {Booster, *subclasses(Booster)}
    public = {one for one in ours if not one.__name__.startswith("_")}
    assert public - of_files_of_their_own == set(STORED.values())


def test_skops_resolves_each_stored_name_to_its_class():
    assert {name: getattr(stored_types, name) for name in STORED} == STORED


def test_former_names_lead_to_stored_ones():
    assert sorted(name for names in FORMER_MODULES.values() for name in names) == sorted(set(STORED) - NEWER)


@pytest.fixture(scope="module")
def stored_preparation():
    frame, label = frame_of(60)
    fitted = preparation(FEATURES, PREPARATIONS["default"], InputRequirement.COMPLETE, task=Task.CLASSIFICATION, seed=0)
    return dump(fitted.fit(frame, label))


def test_a_stored_file_names_no_module_of_ours_but_the_permanent_one(stored_preparation):
    schema = zipfile.ZipFile(io.BytesIO(stored_preparation)).read(SCHEMA).decode()
    assert set(re.findall(r'"(nightjar[^"]*)"', schema)) == {"nightjar.models.stored_types"}


def test_a_module_of_today_is_no_name_to_open_a_class_by(stored_preparation):
    """Files that were made by hand, or by skops alone, would else depend on where our modules are."""
    with zipfile.ZipFile(io.BytesIO(stored_preparation)) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    schema = contents[SCHEMA].decode().replace(stored_types.__name__, "nightjar.models.preprocessing.encoding")
    forged = io.BytesIO()
    with zipfile.ZipFile(forged, "w") as archive:
        for name, content in {**contents, SCHEMA: json.dumps(json.loads(schema))}.items():
            archive.writestr(name, content)

    with pytest.raises(ModelError, match=r"preprocessing\.encoding\.LevelTexts.*which no model of ours is made of"):
        require_allowed_types(forged.getvalue(), "preparation.skops")
